"""Non-maximum suppression of flat boxes that belong to several images and classes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import batched_nms

from mmdet_lite.ops.checks import check_keys

NMS_KEYS = ("type", "iou_threshold", "iou_thr", "class_agnostic", "split_thr", "max_num")


def check_nms_cfg(cfg: Mapping[str, Any], where: str) -> None:
    """Refuse an ``nms`` config that :func:`nms_by_group` would not honour.

    Raises:
        ValueError: names the key, what is accepted, and ``where`` it stands.
    """
    check_keys(cfg, NMS_KEYS, where)
    if cfg.get("type", "nms") != "nms":
        raise ValueError(f"{where}.type: expected 'nms', got {cfg['type']!r}")
    if "iou_threshold" not in cfg and "iou_thr" not in cfg:
        raise ValueError(
            f"{where}: iou_threshold is missing, e.g. dict(type='nms', iou_threshold=0.5)"
        )


def nms_by_group(
    boxes: Tensor,
    scores: Tensor,
    groups: Tensor,
    images: Tensor,
    num_images: int,
    cfg: Mapping[str, Any],
) -> Tensor:
    """Positions of the boxes that survive, best score first over all images.

    Shapes: boxes (B, 4), scores (B,), ``groups`` (B,) and ``images`` (B,) long in
    0..num_images-1; returns (D,).
    Boxes suppress each other inside one image and one group (a class, a level) only; with
    ``class_agnostic`` inside one image. ``split_thr`` has no effect on the result: it is where
    MMDetection goes over to one call a class, which torchvision decides itself. ``max_num`` > 0
    keeps so many for each image. B = 0 gives D = 0.
    """
    if cfg.get("class_agnostic", False):
        groups = torch.zeros_like(groups)
    if len(boxes) == 0:
        return groups
    threshold = cfg["iou_threshold"] if "iou_threshold" in cfg else cfg["iou_thr"]
    boxes = boxes.float()
    # MMDetection tells the groups of an image apart by moving their boxes; its rounding decides
    # pairs that overlap by almost exactly the threshold
    farthest = torch.zeros(num_images, device=boxes.device)
    farthest.scatter_reduce_(0, images, boxes.amax(dim=1), "amax")
    boxes = boxes + (groups * (farthest[images] + 1))[:, None]
    group_of_image = images * (groups.max() + 1) + groups
    keep = batched_nms(boxes, scores.float(), group_of_image, float(threshold))
    most = cfg.get("max_num", -1)
    return keep[rank_within_image(images[keep], num_images) < most] if most > 0 else keep


def rank_within_image(images: Tensor, num_images: int) -> Tensor:
    """How many earlier entries belong to the same image: (B,) long from ``images`` (B,) long.

    >>> rank_within_image(torch.tensor([1, 0, 1, 1]), 2).tolist()
    [0, 0, 1, 2]
    """
    belongs = images[:, None] == torch.arange(num_images, device=images.device)
    return (belongs.cumsum(0) - 1).gather(1, images[:, None]).squeeze(1)
