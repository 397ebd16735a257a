"""SSD's random crop, which leaves enough of every object."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from numpy.typing import NDArray

from mmdet_lite.datasets.transforms.crop import cut_instances
from mmdet_lite.ops.boxes import pairwise_overlaps
from mmdet_lite.registry import TRANSFORMS

TRIES = 50
WHOLE_IMAGE = 1.0


@TRANSFORMS.register_module()
class MinIoURandomCrop(BaseTransform):
    """Cut a window whose IoU with every box is at least a number drawn at random.

    The number is one of ``min_ious``, 0 (any window), or stands for the whole image. Windows are
    drawn until one fits, another number after 50 tries. Sides are at least ``min_crop_size`` of the
    image's, neither side more than twice the other. Boxes whose centre is in the window stay, at
    least one where there are any, with their labels, flags, masks and keypoints.

    Args:
        min_ious: the numbers.
        min_crop_size: smallest side of the window, as a part of the image's.
        bbox_clip_border: clip boxes to the window.

    Raises:
        ValueError: a number that is not in 0..1.

    Source: SSD (Liu et al. 2016), section 2.2; arguments and order are MMDetection 3's.
    """

    def __init__(
        self,
        min_ious: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9),
        min_crop_size: float = 0.3,
        bbox_clip_border: bool = True,
    ) -> None:
        if not all(0 <= number <= 1 for number in (*min_ious, min_crop_size)):
            raise ValueError(
                "MinIoURandomCrop: min_ious and min_crop_size must be in 0..1; got"
                f" {tuple(min_ious)} and {min_crop_size}"
            )
        self.min_ious = tuple(min_ious)
        self.min_crop_size = min_crop_size
        self.bbox_clip_border = bbox_clip_border

    @cache_randomness
    def _draw_window(
        self, height: int, width: int, boxes: NDArray[np.float32]
    ) -> NDArray[np.int64] | None:
        """Draw x1, y1, x2, y2; None is the whole image."""
        choices = (WHOLE_IMAGE, *self.min_ious, 0.0)
        while True:
            min_iou = choices[np.random.randint(len(choices))]
            if min_iou == WHOLE_IMAGE:
                return None
            for _ in range(TRIES):
                new_w = np.random.uniform(self.min_crop_size * width, width)
                new_h = np.random.uniform(self.min_crop_size * height, height)
                if not 0.5 <= new_h / new_w <= 2:
                    continue
                left = np.random.uniform(width - new_w)
                top = np.random.uniform(height - new_h)
                window = np.array([left, top, left + new_w, top + new_h]).astype(np.int64)
                if _fits(window, boxes, min_iou):
                    return window

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop the image and everything in it."""
        height, width = results["img"].shape[:2]
        boxes = results.get("gt_bboxes", np.zeros((0, 4), np.float32))
        window = self._draw_window(height, width, boxes)
        if window is None:
            return results
        left, top, right, bottom = window.tolist()
        results = {**results, "img": results["img"][top:bottom, left:right]}
        results["img_shape"] = results["img"].shape[:2]
        if "gt_bboxes" not in results:
            return results
        keep = _centres_inside(window, boxes)
        moved = boxes - np.tile(window[:2], 2).astype(np.float32)
        if self.bbox_clip_border:
            limits = np.tile(window[2:] - window[:2], 2)
            moved = np.clip(moved, 0, limits).astype(np.float32)
        return cut_instances({**results, "gt_bboxes": moved}, window, keep)

    def __repr__(self) -> str:
        return (
            f"MinIoURandomCrop(min_ious={self.min_ious}, min_crop_size={self.min_crop_size}, "
            f"bbox_clip_border={self.bbox_clip_border})"
        )


def _fits(window: NDArray[np.int64], boxes: NDArray[np.float32], min_iou: float) -> bool:
    """Whether a window has an area, overlaps all boxes enough, and holds a centre if any."""
    if (window[2:] <= window[:2]).any():
        return False
    if not len(boxes):
        return True
    as_box = torch.from_numpy(window[None].astype(np.float32))
    ious = pairwise_overlaps(as_box, torch.from_numpy(boxes))
    return float(ious.min()) >= min_iou and bool(_centres_inside(window, boxes).any())


def _centres_inside(window: NDArray[np.int64], boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which boxes (G, 4) have their centre in the window: (G,)."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = (centres > window[:2]) & (centres < window[2:])
    return np.asarray(inside.all(axis=1))
