"""What the data sets of detection share, whatever form their files have."""

import functools
import gc
import logging
import os
import pickle
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from numpy.typing import NDArray
from torch.utils.data import get_worker_info

from mmdet_lite.datasets.bad_images import WAY_OUT, BadImages, check_policy
from mmdet_lite.datasets.class_names import check_metainfo, complete_metainfo
from mmdet_lite.datasets.proposal_file import add_proposals, load_proposals
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.ops.image_file import BadImageError, MissingImageError
from mmdet_lite.ops.json_text import without_collecting
from mmdet_lite.registry import TRANSFORMS

Entry = dict[str, Any]


class DetDataset(BaseDataset):
    """Images with objects: checked arguments, class names, pipeline, filter.

    A form of files is a class below this one. It gives ``load_data_list``, whose entries have
    ``img_path, img_id, height, width, instances``, and ``names_in_files``; it counts what it
    leaves out with ``drop`` and ``count_empty``.

    Args:
        ann_file: annotations, below ``data_root`` if relative.
        metainfo: ``classes`` (tuple of names, or a text file with one name a line) and
            ``palette`` (one RGB colour a class; made up if left out). Without classes those of
            ``METAINFO`` are taken, else those of the files.
        data_root: folder that relative paths start from.
        data_prefix: folders below ``data_root``, by the keys in ``prefix_keys``.
        filter_cfg: what to leave out in training, by the keys in ``filter_keys``.
        indices: use only the first n (int), the last n (negative int) or these images.
        serialize_data: keep the annotations as one block of bytes that workers share.
        pipeline: transforms, or their configs.
        test_mode: keep every image, and stop if the pipeline gives None.
        lazy_init: read the files at first use.
        max_refetch: how many other images to try where the pipeline gives None.
        proposal_file: file of DumpProposals, below ``data_root`` if relative, for LoadProposals.
        backend_args: of mmengine's file backend, for the annotations and the proposals.
        on_bad_image: what to do about an image that is missing, cut off, empty or no picture:
            'error' stops. 'skip' lists it in ``bad_images.txt`` of the work directory and goes on:
            training takes another image; in a test it counts as one in which nothing is detected.
        max_bad_fraction: 'skip' stops where more of the images are bad, rounded up to whole ones.
        box_as_mask: give objects without outline that of their box, to train a mask head on boxes.

    Raises:
        ValueError: a key or class name is wrong, or no image is left.
    """

    filter_keys: tuple[str, ...] = ("filter_empty_gt", "min_size")
    prefix_keys: tuple[str, ...] = ("img", "img_path")
    _metainfo: dict[str, Any]

    def __init__(
        self,
        ann_file: str = "",
        metainfo: Mapping[str, Any] | None = None,
        data_root: str | None = "",
        data_prefix: Mapping[str, str] | None = None,
        *,
        filter_cfg: Mapping[str, Any] | None = None,
        indices: int | Sequence[int] | None = None,
        serialize_data: bool = True,
        pipeline: Sequence[dict[str, Any] | Callable[..., Any]] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
        max_refetch: int = 1000,
        proposal_file: str | None = None,
        backend_args: dict[str, Any] | None = None,
        on_bad_image: str = "error",
        max_bad_fraction: float = 0.01,
        box_as_mask: bool = False,
    ) -> None:
        check_policy(on_bad_image, max_bad_fraction)
        check_keys(filter_cfg or {}, self.filter_keys, "filter_cfg")
        check_keys(data_prefix or {}, self.prefix_keys, "data_prefix")
        _check_indices(indices)
        check_metainfo(metainfo or {})
        self.names_chosen = "classes" in (metainfo or {})
        self.backend_args = backend_args
        self.proposal_file = proposal_file
        self.box_as_mask = box_as_mask
        self._dropped: Counter[str] = Counter()
        self._empty_images: Counter[str] = Counter()
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=dict(data_prefix or {self.prefix_keys[0]: ""}),
            filter_cfg=filter_cfg,
            indices=indices,
            serialize_data=serialize_data,
            # Built by our registry, so that names mean our transforms without a default scope.
            pipeline=[TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline],
            test_mode=test_mode,
            lazy_init=True,
            max_refetch=max_refetch,
        )
        self.on_bad_image = on_bad_image
        self.bad_images = BadImages(self.ann_file, max_bad_fraction)
        self._complete_classes(palette_given="palette" in (metainfo or {}))
        if not lazy_init:
            self.full_init()

    def _complete_classes(self, palette_given: bool) -> None:
        """Complete the metainfo where class names are known before the files are read."""
        if "classes" not in self._metainfo:
            return
        classes = tuple(self._metainfo["classes"])
        if not palette_given and classes != self.METAINFO.get("classes"):
            self._metainfo.pop("palette", None)  # METAINFO's colours are of other classes
        self._metainfo = complete_metainfo(self._metainfo, classes)

    def full_init(self) -> None:
        """Read the files, filter, and put all entries into one block of bytes."""
        with without_collecting():
            super().full_init()

    def _serialize_data(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Turn the entries into one block of bytes and their ends in it, letting go of each."""
        block, ends = bytearray(), np.zeros(len(self.data_list), np.int64)
        for n, entry in enumerate(self.data_list):
            block += pickle.dumps(entry, pickle.HIGHEST_PROTOCOL)
            ends[n] = len(block)
            self.data_list[n] = {}
        self.data_list.clear()
        gc.collect()  # gives the memory of what was let go back to the system
        return np.frombuffer(block, np.uint8), ends

    def names_in_files(self) -> Sequence[str]:
        """Class names of the annotation files, for a data set that was given none."""
        raise TypeError(f"{type(self).__name__} must define names_in_files")

    @property
    def metainfo(self) -> dict[str, Any]:
        """Class names, palette and what else was given, as a copy; reads names if it must."""
        if "classes" not in self._metainfo:
            self._metainfo = complete_metainfo(self._metainfo, self.names_in_files())
        return dict(super().metainfo)

    def take_class_names(self, names: Sequence[str]) -> None:
        """Make the names of the files those of a data set that was given none, and log it."""
        if "classes" not in self._metainfo:
            self._metainfo = complete_metainfo(self._metainfo, names)
            print_log(f"{self.ann_file}: class names taken from the file: {list(names)}", "current")

    def prepare_data(self, idx: int) -> Any:
        """Image ``idx`` after the pipeline; None where a transform found it of no use.

        Raises:
            FileNotFoundError, ValueError: it cannot be read and ``on_bad_image`` is 'error', or too
                many cannot.
        """
        spare_shared_memory(os.getpid())
        try:
            return self.pipeline(self.get_data_info(idx))
        except (BadImageError, MissingImageError) as error:
            if self.on_bad_image == "error":
                raise type(error)(f"{error}\n{WAY_OUT}") from error
            outcome = "counts as without detections" if self.test_mode else "left out"
            self.bad_images.add(error, len(self), outcome)
        return self.without_image(idx) if self.test_mode else None

    def without_image(self, idx: int) -> Any:
        """What a test makes of an image that cannot be read: a black one, marked ``unreadable``."""
        packed = self.pipeline({**self.get_data_info(idx), "unreadable": True})
        samples = packed["data_samples"]
        for sample in samples if isinstance(samples, list) else [samples]:
            sample.set_metainfo({"unreadable": True})
        return packed

    def check_masks(self, maskless: Sequence[Any]) -> None:
        """Stop before training where the pipeline wants masks that annotations do not have.

        Args:
            maskless: names of the annotations without mask.

        Raises:
            ValueError: there are any, and LoadAnnotations loads masks.
        """
        with_mask = any(getattr(step, "with_mask", False) for step in self.pipeline.transforms)
        if with_mask and maskless:
            raise ValueError(
                f"{len(maskless)} annotations in {self.ann_file} have no segmentation (ids "
                f"{list(maskless[:5])}), but LoadAnnotations has with_mask=True. Add masks to the "
                "file, or train a model without a mask head (faster_rcnn) with with_mask=False, or "
                "take the boxes as masks: box_as_mask=True in the data set, or convert-data "
                "--box-as-mask, which also gives them to the evaluation"
            )

    @property
    def dropped(self) -> dict[str, int]:
        """How many annotations were left out, by reason."""
        return dict(self._dropped)

    def drop(self, reason: str) -> None:
        """Count an annotation that is left out."""
        self._dropped[reason] += 1

    def count_empty(self, had_annotations: bool) -> None:
        """Count an image without instances."""
        self._empty_images["all dropped" if had_annotations else "none"] += 1

    def report_dropped(self, more: str = "") -> None:
        """Log which annotations were left out, if any; ``more`` is appended."""
        if self._dropped:
            text = f"{self.ann_file}: annotations left out: {count_list(self._dropped)}{more}"
            print_log(text, "current", logging.WARNING)

    def filter_data(self) -> list[Entry]:
        """Return the images that ``filter_cfg`` keeps (in test mode all), with their proposals.

        Raises:
            ValueError: none is left.
        """
        filter_cfg = {} if self.test_mode else dict(self.filter_cfg or {})
        min_size = filter_cfg.get("min_size", 0)
        large = [e for e in self.data_list if min(e["height"], e["width"]) >= min_size]
        filled = large
        if filter_cfg.get("filter_empty_gt", False):
            filled = [entry for entry in large if entry["instances"]]
        kept, funnel = self.filter_further(filled, filter_cfg)
        if not kept:
            raise ValueError(
                f"no image of {self.ann_file} is left:\n"
                f"  images in the file: {len(self.data_list)}\n"
                f"  shorter side below min_size={min_size}: {len(self.data_list) - len(large)}\n"
                f"  without annotation: {self._empty_images['none']}\n"
                f"  all annotations dropped: {self._empty_images['all dropped']} "
                f"(annotations: {count_list(self._dropped)})\n"
                f"{funnel}"
                f"  kept: 0 with filter_cfg={filter_cfg}\n"
                "correct the annotation file, metainfo.classes or filter_cfg, so that an image "
                "with an object is left"
            )
        if self.proposal_file is not None:
            path = os.path.join(self.data_root or "", self.proposal_file)
            add_proposals(_chosen(kept, self._indices), load_proposals(path, self.backend_args))
        return kept

    def filter_further(
        self, entries: list[Entry], filter_cfg: Mapping[str, Any]
    ) -> tuple[list[Entry], str]:
        """Return the images that a form's own filters keep, and their lines for the message."""
        return entries, ""

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the labels in image ``idx``, for ClassBalancedDataset."""
        return [int(instance["bbox_label"]) for instance in self.get_data_info(idx)["instances"]]


@functools.cache
def spare_shared_memory(process: int) -> None:
    """Once in each loader worker: keep the collector off the objects that the parent has made.

    It marks every object that it looks at, and so makes each worker's own copy of their memory.
    """
    if get_worker_info() is not None:
        gc.freeze()


def box_outline(x1: float, y1: float, x2: float, y2: float) -> list[float]:
    """Return a box as a polygon x1 y1 x2 y2 ..., the upper left corner first.

    >>> box_outline(0, 1, 4, 3)
    [0, 1, 4, 1, 4, 3, 0, 3]
    """
    return [x1, y1, x2, y1, x2, y2, x1, y2]


def count_list(counts: Counter[str]) -> str:
    """Write counts as ``3 x this, 1 x that``, the 20 most common ones."""
    listed = [f"{count} x {name}" for name, count in counts.most_common(20)]
    return ", ".join(listed + ["..."] * (len(counts) > 20)) or "none"


def _chosen(entries: list[Entry], indices: int | Sequence[int] | None) -> list[Entry]:
    """The entries that ``indices`` of a data set leaves."""
    if indices is None:
        return entries
    if isinstance(indices, int):
        return entries[:indices] if indices > 0 else entries[indices:]
    return [entries[i] for i in indices]


def _check_indices(indices: int | Sequence[int] | None) -> None:
    if indices is not None and indices in (0, [], ()):
        raise ValueError(f"indices={indices!r} leaves no image; leave indices out for all")
