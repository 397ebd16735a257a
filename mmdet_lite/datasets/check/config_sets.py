"""The sets that a config, or a built data set, consists of, ready to be checked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mmengine import fileio
from mmengine.registry import build_from_cfg

from mmdet_lite.datasets.base import DetDataset
from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, Uses, annotated_set
from mmdet_lite.datasets.check.codes import finding
from mmdet_lite.datasets.coco import CocoDataset
from mmdet_lite.ops.dataset_parts import innermost_datasets
from mmdet_lite.ops.json_text import Json, parse_json
from mmdet_lite.registry import DATASETS

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
REFUSALS = (ValueError, TypeError, KeyError, OSError)


def dataset_cfgs(cfg: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Configs of all data sets that a config names, wrappers opened, by a name for each.

    Names are train, val and test, of joined sets train.0, train.1 and so on.
    """
    found_cfgs: dict[str, Mapping[str, Any]] = {}
    for loader in LOADERS:
        dataset = (cfg.get(loader) or {}).get("dataset")
        if dataset:
            inner = list(innermost_datasets(dataset))
            split = loader.removesuffix("_dataloader")
            for i, one in enumerate(inner):
                found_cfgs[split if len(inner) == 1 else f"{split}.{i}"] = one
    return found_cfgs


def read_sets(cfgs: Mapping[str, Mapping[str, Any]]) -> list[AnnotatedSet]:
    """The sets behind data set configs; one that is named twice (val and test) is read once."""
    read: dict[tuple[Any, ...], tuple[list[str], DetDataset | AnnotatedSet]] = {}
    for name, cfg in cfgs.items():
        try:
            dataset = DATASETS.build({**cfg, "lazy_init": True})
        except REFUSALS as error:
            read[(name,)] = [name], _refused(name, cfg, error)
            continue
        key = (dataset.ann_file, str(dataset.data_prefix), dataset.test_mode, str(cfg.get("type")))
        read.setdefault(key, ([], dataset))[0].append(name)
    return [
        one if isinstance(one, AnnotatedSet) else set_of_dataset(", ".join(names), one)
        for names, one in read.values()
    ]


def set_of_dataset(name: str, dataset: Any) -> AnnotatedSet:
    """The set that a lazily built data set would read.

    Of a COCO json all is taken as it stands in the file, of other forms what the data set makes of
    them. What cannot be read becomes a finding.
    """
    uses = uses_of(dataset)
    root = next(iter(dataset.data_prefix.values()), "") if dataset.data_prefix else ""
    if not isinstance(dataset, CocoDataset):
        try:
            content = content_of_entries(dataset.load_data_list(), dataset.metainfo["classes"])
            uses = replace(uses, dropped=getattr(dataset, "dropped", {}))
        except REFUSALS as error:
            return _refused(name, {"ann_file": dataset.ann_file}, error)
        return annotated_set(name, dataset.ann_file, "", content, uses)
    try:
        raw = fileio.get(dataset.ann_file, backend_args=dataset.backend_args)
        content = parse_json(raw, dataset.ann_file)
    except FileNotFoundError:
        text = (
            f"annotation file {dataset.ann_file!r} does not exist; check data_root and ann_file of "
            "the data set"
        )
        return _empty(name, dataset.ann_file, "file-unreadable", text)
    except (OSError, ValueError) as error:
        return _empty(name, dataset.ann_file, "file-unreadable", str(error))
    return annotated_set(name, dataset.ann_file, root, content, uses)


def uses_of(dataset: Any) -> Uses:
    """What a data set and its pipeline make of the set."""
    steps = getattr(getattr(dataset, "pipeline", None), "transforms", [])
    color_types = [getattr(step, "color_type", "color") for step in steps] or ["color"]
    metainfo = dataset._metainfo if "classes" in dataset._metainfo else {}
    joints = dataset._metainfo.get("keypoint_names")
    backend = (getattr(dataset, "backend_args", None) or {}).get("backend", "local")
    return Uses(
        classes=tuple(metainfo["classes"]) if metainfo else None,
        filter_cfg=dict(dataset.filter_cfg or {}),
        test_mode=bool(dataset.test_mode),
        num_joints=len(joints) if joints else None,
        with_mask=any(getattr(step, "with_mask", False) for step in steps)
        and not getattr(dataset, "box_as_mask", False),
        skips_bad_images=getattr(dataset, "on_bad_image", "error") == "skip",
        turns_upright=color_types[0] in ("color", "grayscale"),
        on_disk=backend == "local",
    )


def content_of_entries(entries: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> Json:
    """COCO content from entries of a data set; ``file_name`` is the whole path.

    Args:
        entries: as ``DetDataset.load_data_list`` gives them.
        classes: names of the labels, in order; category ids are the labels.
    """
    images: list[Json] = []
    annotations: list[Json] = []
    for number, entry in enumerate(entries):
        images.append(
            {
                "id": number,
                "file_name": entry["img_path"],
                "height": entry["height"],
                "width": entry["width"],
                "channel_file_names": entry.get("channel_paths"),
            }
        )
        for instance in entry["instances"]:
            x1, y1, x2, y2 = instance["bbox"]
            annotation = {
                "id": instance.get("ann_id", len(annotations)),
                "image_id": number,
                "category_id": instance["bbox_label"],
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "iscrowd": instance.get("ignore_flag", 0),
            }
            if "mask" in instance:
                annotation["segmentation"] = instance["mask"]
            if "keypoints" in instance:
                annotation["keypoints"] = instance["keypoints"]
            annotations.append(annotation)
    categories = [{"id": label, "name": name} for label, name in enumerate(classes)]
    return {"images": images, "annotations": annotations, "categories": categories}


def refusal_of(dataset_cfg: Mapping[str, Any]) -> str | None:
    """Why the data set refuses its files when it is built as for training; None if it does not."""
    try:
        build_from_cfg({**dataset_cfg, "lazy_init": False}, DATASETS)
    except REFUSALS as error:
        return str(error)
    return None


def _refused(name: str, cfg: Mapping[str, Any], error: Exception) -> AnnotatedSet:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return _empty(name, str(cfg.get("ann_file", "")), "set-refused", text)


def _empty(name: str, ann_file: str, code: str, text: str) -> AnnotatedSet:
    """A set of which nothing could be read, and why."""
    return AnnotatedSet(name, ann_file, "", (), (), (), broken=(finding(code, text, name),))
