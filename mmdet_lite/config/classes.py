"""The number of classes: said once by the data, filled into every head."""

import copy
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

_CLASSLESS = ("RPNHead",)  # it scores one foreground class whatever the data


def fill_num_classes(cfg: Config, num_classes: int, source: str) -> Config:
    """A copy of the config in which every head has the number of classes of the data.

    Heads are ``model.roi_head.bbox_head`` and ``mask_head`` (one, or one for each stage) and a
    single-stage ``model.bbox_head``; keypoint heads and the RPN have no classes.

    Args:
        cfg: whole config; unchanged.
        num_classes: K, background not counted.
        source: where K comes from, for the message: a data set's file, a config key.

    Raises:
        ValueError: a head says another number, with its dotted key.
    """
    filled = copy.deepcopy(cfg)
    for where, head in _heads(filled.get("model") or {}):
        said = head.setdefault("num_classes", num_classes)
        if said != num_classes:
            raise ValueError(
                f"{where}.num_classes: the config says {said}, expected {num_classes} from "
                f"{source}; leave the key out to take it from there, or correct one of the two"
            )
    return filled


def _heads(model: Any) -> Iterator[tuple[str, Any]]:
    roi_head = model.get("roi_head") or {}
    held = {
        "model.roi_head.bbox_head": roi_head.get("bbox_head"),
        "model.roi_head.mask_head": roi_head.get("mask_head"),
        "model.bbox_head": model.get("bbox_head"),
    }
    for where, head in held.items():
        if isinstance(head, (list, tuple)):
            yield from ((f"{where}.{i}", stage) for i, stage in enumerate(head))
        elif head is not None and head.get("type") not in _CLASSLESS:
            yield where, head
