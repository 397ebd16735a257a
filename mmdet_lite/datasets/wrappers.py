"""Data sets made of others, and the class names behind a data set's config."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.dataset import ConcatDataset as EngineConcatDataset
from mmengine.fileio import join_path
from mmengine.utils import is_abs

from mmdet_lite.datasets.base import DetDataset
from mmdet_lite.datasets.class_names import check_metainfo, side_by_side
from mmdet_lite.datasets.coco_file import read_class_names
from mmdet_lite.ops.dataset_parts import innermost_datasets
from mmdet_lite.registry import DATASETS
from mmdet_lite.structures.joined_data import ENDS_OF_PARTS, JOINED_INDEX, METAINFO_OF_PARTS

MAY_DIFFER = ("palette", "dataset_type")


@DATASETS.register_module()
class ConcatDataset(EngineConcatDataset):
    """Several data sets one after the other, all with the same class names in the same order.

    The metainfo is that of the first, and says besides where each part ends
    (``cumulative_sizes``) and what of a part's metainfo is its own (``metainfo_of_parts``). Every
    packed sample knows its index here, so that MultiDatasetsEvaluator can tell the parts apart.

    Args:
        datasets: data sets, or their configs.
        lazy_init: read the files at first use.
        ignore_keys: keys of metainfo that may differ; ``palette`` and ``dataset_type`` always may.

    Raises:
        TypeError: something else than a data set or a config is given.
        ValueError: class names, or other metainfo that is not ignored, differ.
    """

    def __init__(
        self,
        datasets: Sequence[BaseDataset | dict[str, Any]],
        lazy_init: bool = False,
        ignore_keys: str | list[str] | None = None,
    ) -> None:
        # mmengine's own would take nothing but plain data sets, not repeated or balanced ones
        if not datasets:
            raise ValueError("ConcatDataset needs at least one data set; got none")
        self.datasets = [built_dataset(one, "ConcatDataset") for one in datasets]
        self.ignore_keys = (
            [ignore_keys] if isinstance(ignore_keys, str) else list(ignore_keys or [])
        )
        self._fully_initialized = False
        self._take_metainfo()
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of the first data set and where each part ends, as a copy."""
        if not self._fully_initialized:
            return dict(super().metainfo)
        parts = {
            ENDS_OF_PARTS: list(self.cumulative_sizes),
            METAINFO_OF_PARTS: copy.deepcopy(self._metainfo_of_parts),
        }
        return {**super().metainfo, **parts}

    def full_init(self) -> None:
        """Read the files of all data sets."""
        if not self._fully_initialized:
            super().full_init()
            self._take_metainfo()  # files can say more than names

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the labels in image ``idx``."""
        part, inner = self._get_ori_dataset_idx(idx)
        return list(self.datasets[part].get_cat_ids(inner))

    def __getitem__(self, idx: int) -> Any:
        sample = super().__getitem__(idx)
        if isinstance(sample, dict) and "data_samples" in sample:
            packed = sample["data_samples"]
            for one in packed if isinstance(packed, list) else [packed]:
                one.set_metainfo({JOINED_INDEX: idx % len(self)})
        return sample

    def _take_metainfo(self) -> None:
        """Compare what the data sets say about themselves, and keep it."""
        own = (ENDS_OF_PARTS, METAINFO_OF_PARTS)  # those of a part that is joined itself
        infos = [{k: v for k, v in d.metainfo.items() if k not in own} for d in self.datasets]
        if "classes" not in self.ignore_keys:
            _check_same_classes([info.get("classes", ()) for info in infos])
        first = infos[0]
        self._metainfo = first
        self._metainfo_of_parts = [
            {k: v for k, v in info.items() if k not in first or not _equal(v, first[k])}
            for info in infos
        ]
        for i, info in enumerate(infos[1:], 2):
            for key in sorted((first.keys() | info.keys()) - {*self.ignore_keys, *MAY_DIFFER}):
                if key not in info or key not in first or not _equal(info[key], first[key]):
                    raise ValueError(
                        f"joined data sets differ in metainfo[{key!r}]: the 1st has "
                        f"{str(first.get(key))[:80]}, the {i}. {str(info.get(key))[:80]}; make "
                        f"them equal, or allow it with ignore_keys=[{key!r}]"
                    )


def built_dataset(dataset: Any, wrapper: str) -> Any:
    """Return the data set of a config, or the data set that was given.

    Raises:
        TypeError: it is neither; ``wrapper`` says who was given it.
    """
    if isinstance(dataset, dict):
        return DATASETS.build(dataset)
    if hasattr(dataset, "metainfo") and hasattr(dataset, "get_data_info"):
        return dataset
    raise TypeError(
        f"{wrapper} takes data sets or their configs, dict(type='CocoDataset', ...); got "
        f"{type(dataset).__name__}: {str(dataset)[:80]}"
    )


def dataset_classes(dataset_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the class names that a data set built from this config will have.

    Looks through wrappers (``dataset`` and ``datasets``). Names in ``metainfo`` win, then those
    that the class of the data set fixes, then those of the annotation file.

    Raises:
        FileNotFoundError: the annotation file is needed and does not exist.
        ValueError: the names cannot be told, are wrong, or differ between joined data sets.
    """
    names = [_classes_of_files(one) for one in innermost_datasets(dataset_cfg)]
    _check_same_classes(names)
    return names[0]


def _classes_of_files(dataset_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """Class names of a data set that reads files itself."""
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
    if isinstance(found, type) and issubclass(found, DetDataset):
        names_only = {**dataset_cfg, "pipeline": [], "lazy_init": True}
        return tuple(DATASETS.build(names_only).metainfo["classes"])
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


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return bool(np.array_equal(a, b))
    return bool(a == b)
