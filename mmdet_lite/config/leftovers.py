"""Keys that a file inherits from data of another form, which it replaces."""

from typing import Any

from mmengine.config import Config

from mmdet_lite.ops.dataset_parts import innermost_datasets

_LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
_EVALUATORS = ("val_evaluator", "test_evaluator")


def drop_leftovers(cfg: Config) -> list[str]:
    """Take out, in place, what is VOC's beside a data set or metric in COCO's form.

    A file that puts ``CocoDataset`` and ``CocoMetric`` over a base of VOC's keeps ``eval_mode`` and
    ``data_prefix.sub_data_root``, which mean nothing there; MMDetection's own does.

    Returns:
        One note for each key taken out.
    """
    notes = []
    for section in _EVALUATORS:
        for metric in _as_list(cfg.get(section)):
            if metric.get("type") == "CocoMetric" and "eval_mode" in metric:
                del metric["eval_mode"]
                notes.append(f"{section}.eval_mode is VOCMetric's -> taken out for CocoMetric")
    for section in _LOADERS:
        for dataset in innermost_datasets(cfg.get(section) or {}):
            prefix = dataset.get("data_prefix") or {}
            if dataset.get("type") == "CocoDataset" and {"img", "sub_data_root"} <= prefix.keys():
                del prefix["sub_data_root"]
                notes.append(
                    f"{section}.dataset.data_prefix.sub_data_root is VOCDataset's -> taken out "
                    "for CocoDataset"
                )
    return notes


def _as_list(section: Any) -> list[dict[str, Any]]:
    """The dicts of a section that holds one or several."""
    found = section if isinstance(section, (list, tuple)) else [section]
    return [one for one in found if isinstance(one, dict)]
