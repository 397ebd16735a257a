"""The cheap part of the check, before the first step of a training: no picture is opened."""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdet_lite.datasets.base import DetDataset
from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, Files, annotated_set
from mmdet_lite.datasets.check.boxes import check_box_form
from mmdet_lite.datasets.check.codes import KINDS, REFUSES, finding
from mmdet_lite.datasets.check.config_sets import content_of_entries, uses_of
from mmdet_lite.datasets.check.ids import check_file_names
from mmdet_lite.datasets.check.images import missing_files
from mmdet_lite.datasets.check.outlines import Survey, check_agreement
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.ops.dataset_parts import innermost_datasets
from mmdet_lite.registry import HOOKS

SAMPLED = 2000  # images whose boxes and outlines are looked at
SHOWN = 5


@HOOKS.register_module()
class CheckDataHook(Hook):
    """Looks at training and validation data before the first step; see ``check_before_training``.

    Raises:
        ValueError: a model would be trained or validated wrongly; with what, where, both sides and
            the way out.
    """

    def before_train(self, runner: Any) -> None:
        """Check what the run was built with."""
        val = None if runner.val_loop is None else runner.val_dataloader.dataset
        check_before_training(runner.train_dataloader.dataset, val)


@dataclass(frozen=True)
class Part:
    """One data set of a run.

    ``files`` (I,) are those of each image, ``instances`` (K,) counts the objects of each class.
    """

    name: str
    dataset: DetDataset
    files: list[Files]
    instances: NDArray[np.int64]


def check_before_training(train: Any, val: Any = None) -> None:
    """Refuse data that would be trained on wrongly; log in one line what is only doubtful.

    All files are looked for, with one listing a folder, and all objects counted; boxes and outlines
    are looked at in 2000 images of each set, which tells in what form a file was written. Data sets
    of other kinds than this package's pass.

    Args:
        train: a data set, or wrappers of some.
        val: likewise.

    Raises:
        ValueError: as ``CheckDataHook``.
    """
    trained, validated = list(_parts("train", train)), list(_parts("val", val))
    findings = [one for part in trained + validated for one in _check_part(part)]
    for part in trained:
        findings += _without_instances(part)
        for other in validated:
            findings += _shared_files(part, other)
    refused = [f for f in findings if KINDS[f.code].training == REFUSES]
    if refused:
        raise ValueError(_refusal(refused))
    if findings:
        counts: Counter[str] = Counter()
        for one in findings:
            counts[one.code] += one.count
        text = ", ".join(f"{count} x {KINDS[code].meaning}" for code, count in counts.items())
        text = f"data: {text}; mmdet-lite check-data CONFIG shows where"
        print_log(text, "current", logging.WARNING)


def _parts(name: str, dataset: Any) -> Iterator[Part]:
    """The data sets below wrappers."""
    opened = [one for one in innermost_datasets(dataset) if isinstance(one, DetDataset)]
    for i, one in enumerate(opened):
        files = []
        instances = np.zeros(len(one.metainfo["classes"]), np.int64)
        for index in range(len(one)):
            entry = one.get_data_info(index)
            files.append((entry["img_path"], *entry.get("channel_paths", ())))
            for instance in entry["instances"]:
                if not instance.get("ignore_flag"):
                    instances[instance["bbox_label"]] += 1
        yield Part(name if len(opened) == 1 else f"{name}.{i}", one, files, instances)


def _check_part(part: Part) -> Iterator[Finding]:
    uses = uses_of(part.dataset)
    if uses.on_disk and not uses.skips_bad_images:
        yield from _missing(part)
    repeated = _repeated_files(part)
    if repeated:
        yield from check_file_names(_set_of(part, repeated))
    step = max(len(part.files) // SAMPLED, 1)
    sample = _set_of(part, range(0, len(part.files), step))
    other_form = list(check_box_form(sample))
    yield from other_form
    if not other_form:
        yield from check_agreement(sample, Survey(sample, with_geometry=False).bounds)


def _missing(part: Part) -> Iterator[Finding]:
    missing = sorted(map(os.path.normpath, missing_files(part.files)))
    if not missing:
        return
    shown = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
    skip = ""
    if 2 * len(missing) < len(part.files):
        skip = ", or go on without them: on_bad_image='skip' of the data set"
    yield finding(
        "image-missing",
        f"{len(missing)} of {len(part.files)} images of {part.dataset.ann_file} do not exist: "
        f"{shown}; check data_root, data_prefix.img and file_name{skip}",
        part.name,
        image=missing[0],
        count=len(missing),
    )


def _repeated_files(part: Part) -> list[int]:
    places: dict[Files, list[int]] = defaultdict(list)
    if len(set(part.files)) == len(part.files):
        return []
    for i, files in enumerate(part.files):
        places[files].append(i)
    return [i for indices in places.values() if len(indices) > 1 for i in indices]


def _set_of(part: Part, indices: Sequence[int]) -> AnnotatedSet:
    """Images of a data set as a set to check."""
    entries = [part.dataset.get_data_info(i) for i in indices]
    content = content_of_entries(entries, part.dataset.metainfo["classes"])
    return annotated_set(part.name, part.dataset.ann_file, "", content)


def _without_instances(part: Part) -> Iterator[Finding]:
    if len(part.instances) and not part.instances.any():
        text = f"0 of {len(part.files)} images of {part.dataset.ann_file} have an object"
        yield finding("set-empty", f"{text}: is it the right file?", part.name)
        return
    for label in np.flatnonzero(part.instances == 0):
        name = part.dataset.metainfo["classes"][label]
        text = f"{name!r} has no instance in {part.dataset.ann_file}"
        yield finding("class-without-instances", text, part.name)


def _shared_files(train: Part, val: Part) -> Iterator[Finding]:
    source = f"{train.name} / {val.name}"
    if train.dataset.ann_file == val.dataset.ann_file:
        yield finding("val-is-train", f"both are {train.dataset.ann_file}", source)
        return
    shared = set(train.files) & set(val.files)
    if shared:
        text = f"{len(shared)} images are in both"
        yield finding("leak", text, source, count=len(shared))


def _refusal(findings: Sequence[Finding]) -> str:
    shown = "\n".join(f"  {f.source}: {f.code}: {f.message}" for f in findings[:SHOWN])
    more = f"\n  and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
    return (
        f"training refuses this data:\n{shown}{more}\n"
        "mmdet-lite check-data CONFIG shows all of it, with pictures; mmdet-lite train "
        "--no-check-data trains all the same"
    )
