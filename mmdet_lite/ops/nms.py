"""Non-maximum suppression of flat boxes that belong to several images and classes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import batched_nms

from mmdet_lite.ops.checks import check_keys, did_you_mean
from mmdet_lite.ops.soft_nms import METHODS, soft_nms_scores

NMS_KEYS = ("type", "iou_threshold", "iou_thr", "class_agnostic", "split_thr", "max_num")
SOFT_NMS_KEYS = (*NMS_KEYS, "method", "sigma", "min_score")


def check_nms_cfg(cfg: Mapping[str, Any], where: str) -> None:
    """Refuse an ``nms`` config that :func:`nms_by_group` would not honour.

    Raises:
        ValueError: names the key, what is accepted, and ``where`` it stands.
    """
    kind = cfg.get("type", "nms")
    if kind not in ("nms", "soft_nms"):
        raise ValueError(f"{where}.type: expected 'nms' or 'soft_nms', got {kind!r}")
    check_keys(cfg, NMS_KEYS if kind == "nms" else SOFT_NMS_KEYS, where)
    if cfg.get("method", "linear") not in METHODS:
        raise ValueError(
            f"{where}.method: no soft_nms method {cfg['method']!r};"
            f" {did_you_mean(str(cfg['method']), METHODS)}"
        )
    if cfg.get("sigma", 0.5) <= 0 or cfg.get("min_score", 1e-3) < 0:
        raise ValueError(f"{where}: sigma must be positive and min_score not negative, got {cfg}")
    if kind == "nms" and "iou_threshold" not in cfg and "iou_thr" not in cfg:
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
) -> tuple[Tensor, Tensor]:
    """Positions and scores of the boxes that survive, best score first over all images.

    Shapes: boxes (B, 4), scores (B,), ``groups`` (B,) and ``images`` (B,) long in
    0..num_images-1; returns (D,) long and (D,), the scores as 'soft_nms' leaves them, or as given.
    Boxes suppress each other inside one image and one group (a class, a level) only; with
    ``class_agnostic`` inside one image. ``split_thr`` has no effect on the result: it is where
    MMDetection goes over to one call a class, which torchvision decides itself. ``max_num`` > 0
    keeps so many for each image. B = 0 gives D = 0.
    """
    if cfg.get("class_agnostic", False):
        groups = torch.zeros_like(groups)
    if len(boxes) == 0:
        return groups, scores
    group_of_image = images * (groups.max() + 1) + groups
    boxes = boxes.float()
    if cfg.get("type", "nms") == "soft_nms":
        scores = _softened(boxes, scores.float(), group_of_image, cfg)
        keep = scores.argsort(descending=True, stable=True)
        keep = keep[scores[keep] > 0]
    else:
        # MMDetection tells the groups of an image apart by moving their boxes; its rounding
        # decides pairs that overlap by almost exactly the threshold. torchvision moves the groups
        # of all images apart once more: in double, since 8 images of 80 classes reach 70 million
        # pixels, where float has steps of 8.
        farthest = torch.zeros(num_images, device=boxes.device)
        farthest.scatter_reduce_(0, images, boxes.amax(dim=1), "amax")
        shift = groups * (farthest[images] + 1)
        # so far off that its rounding, 1/16 pixel and more, would decide other pairs too
        shift = shift.where(shift < 2**19, 0)
        boxes = boxes + shift[:, None]
        threshold = cfg["iou_threshold"] if "iou_threshold" in cfg else cfg["iou_thr"]
        keep = batched_nms(boxes.double(), scores.double(), group_of_image, float(threshold))
    most = cfg.get("max_num", -1)
    if most > 0:
        keep = keep[rank_within_image(images[keep], num_images) < most]
    return keep, scores[keep]


def best_detections(
    images: Tensor,
    boxes: Tensor,
    scores: Tensor,
    labels: Tensor,
    num_images: int,
    cfg: Mapping[str, Any],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What ``cfg`` leaves of ``images, boxes, scores, labels``, best score first over all images.

    Shapes: boxes (B, 4), the others (B,); of each D remain, with the scores of
    :func:`nms_by_group`. ``cfg``: width and height must exceed ``min_bbox_size`` pixels where it is
    not negative (default); ``nms`` works inside each label of each image; ``max_per_img`` remain of
    an image (not positive: all). B = 0 gives D = 0.
    """
    smallest = cfg.get("min_bbox_size", -1)
    if smallest >= 0:
        large = (boxes[:, 2:] - boxes[:, :2] > smallest).all(dim=1)
        images, boxes, scores, labels = images[large], boxes[large], scores[large], labels[large]
    keep, scores = nms_by_group(boxes, scores, labels, images, num_images, cfg["nms"])
    images, boxes, labels = images[keep], boxes[keep], labels[keep]
    most = cfg["max_per_img"]
    if most <= 0:
        return images, boxes, scores, labels
    best = rank_within_image(images, num_images) < most
    return images[best], boxes[best], scores[best], labels[best]


def _softened(boxes: Tensor, scores: Tensor, groups: Tensor, cfg: Mapping[str, Any]) -> Tensor:
    threshold = cfg.get("iou_threshold", cfg.get("iou_thr", 0.3))
    rest = {key: cfg[key] for key in ("method", "sigma", "min_score") if key in cfg}
    return soft_nms_scores(boxes, scores, groups, iou_threshold=threshold, **rest)


def rank_within_image(images: Tensor, num_images: int) -> Tensor:
    """How many earlier entries belong to the same image: (B,) long from ``images`` (B,) long.

    >>> rank_within_image(torch.tensor([1, 0, 1, 1]), 2).tolist()
    [0, 0, 1, 2]
    """
    belongs = images[:, None] == torch.arange(num_images, device=images.device)
    return (belongs.cumsum(0) - 1).gather(1, images[:, None]).squeeze(1)
