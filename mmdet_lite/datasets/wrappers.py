"""Data sets made of others, and the class names behind a data set's config."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.dataset import ConcatDataset as EngineConcatDataset
from mmengine.fileio import join_path
from mmengine.utils import is_abs

from mmdet_lite.datasets.class_names import check_metainfo, side_by_side
from mmdet_lite.datasets.coco_file import read_class_names
from mmdet_lite.registry import DATASETS


@DATASETS.register_module()
class ConcatDataset(EngineConcatDataset):
    """Several data sets one after the other, all with the same class names in the same order.

    Args:
        datasets: data sets, or their configs.
        lazy_init: read the files at first use.
        ignore_keys: keys of metainfo that may differ; the palette always may. The metainfo is
            that of the first.

    Raises:
        ValueError: class names differ.
    """

    def __init__(
        self,
        datasets: Sequence[BaseDataset | dict[str, Any]],
        lazy_init: bool = False,
        ignore_keys: str | list[str] | None = None,
    ) -> None:
        if not datasets:
            raise ValueError("ConcatDataset needs at least one data set; got none")
        built = [DATASETS.build(one) if isinstance(one, dict) else one for one in datasets]
        ignored = [ignore_keys] if isinstance(ignore_keys, str) else list(ignore_keys or [])
        if "classes" not in ignored:
            _check_same_classes([one.metainfo.get("classes", ()) for one in built])
        super().__init__(built, lazy_init=lazy_init, ignore_keys=[*ignored, "palette"])


def dataset_classes(dataset_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the class names that a data set built from this config will have.

    Looks through wrappers (``dataset`` and ``datasets``). Names in ``metainfo`` win, then those
    that the class of the data set fixes, then those of the annotation file.

    Raises:
        FileNotFoundError: the annotation file is needed and does not exist.
        ValueError: the names cannot be told, are wrong, or differ between joined data sets.
    """
    if "dataset" in dataset_cfg:
        return dataset_classes(dataset_cfg["dataset"])
    if "datasets" in dataset_cfg:
        names = [dataset_classes(one) for one in dataset_cfg["datasets"]]
        _check_same_classes(names)
        return names[0]
    metainfo = dataset_cfg.get("metainfo") or {}
    check_metainfo(metainfo)
    if isinstance(metainfo.get("classes"), str):
        with open(metainfo["classes"], encoding="utf-8") as file:
            return tuple(line.rstrip("\r\n") for line in file)
    if "classes" in metainfo:
        return tuple(metainfo["classes"])
    kind = dataset_cfg.get("type")
    found = DATASETS.get(kind) if isinstance(kind, str) else kind
    fixed = getattr(found, "METAINFO", {}).get("classes")
    if fixed:
        return tuple(fixed)
    ann_file = dataset_cfg.get("ann_file")
    if not ann_file:
        raise ValueError(
            f"the class names of data set {kind!r} are unknown: give it metainfo=dict(classes="
            "('name', ...)) or an ann_file"
        )
    data_root = dataset_cfg.get("data_root")
    if data_root and not is_abs(ann_file):
        ann_file = join_path(data_root, ann_file)
    return read_class_names(ann_file, dataset_cfg.get("backend_args"))


def _check_same_classes(names: Sequence[Sequence[str]]) -> None:
    """Raise ValueError if not all lists of class names are equal."""
    for i, other in enumerate(names[1:], 2):
        if tuple(other) != tuple(names[0]):
            table = side_by_side("1st data set", names[0], f"{i}. data set", other)
            raise ValueError(
                "joined data sets must have the same class names in the same order; give each "
                f"the same metainfo.classes:\n{table}"
            )
