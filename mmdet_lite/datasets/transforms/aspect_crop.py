"""Cutting very long images to a bearable length."""

import math
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmdet_lite.datasets.transforms.instances import shift_instances
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.registry import TRANSFORMS


@TRANSFORMS.register_module()
class AspectCrop(BaseTransform):
    """Cut an image that is very long, around its objects, to a largest aspect; others stay.

    Only the long side is cut, so put it after Resize: sizes of objects stay what they are. The
    window holds all objects if it can, at a place drawn at random. Otherwise it begins, at random,
    between where the first object begins and half of the way to where the last window would.
    Objects wholly outside are dropped, boxes clipped, keypoints outside become unlabelled.

    Args:
        aspect_lo: smallest width / height; narrower images are cut in height.
        aspect_hi: largest width / height; wider images are cut in width.

    Raises:
        ValueError: not 0 < ``aspect_lo`` <= ``aspect_hi``.

    Source: Detectron.pytorch, TRAIN.ASPECT_CROPPING, ASPECT_LO and ASPECT_HI. There the window of
    objects that do not fit begins at 0 if the first one does.
    """

    def __init__(self, aspect_lo: float = 0.5, aspect_hi: float = 2.0) -> None:
        if not 0 < aspect_lo <= aspect_hi:
            raise ValueError(
                f"AspectCrop: 0 < aspect_lo <= aspect_hi; got {aspect_lo} and {aspect_hi}"
            )
        self.aspect_lo = aspect_lo
        self.aspect_hi = aspect_hi

    @cache_randomness
    def _draw_start(self, length: int, window: int, first: int, last: int) -> int:
        """Draw where the window begins on the long side; objects reach from first to last."""
        if last - first <= window:
            lowest, highest = max(last - window, 0), min(first, length - window)
        else:
            lowest, highest = first, first + (last - first - window) // 2
        return int(np.random.randint(lowest, highest + 1))

    def transform(self, results: Results) -> Results:
        """Cut the image and everything in it."""
        height, width = results["img"].shape[:2]
        if self.aspect_lo <= width / height <= self.aspect_hi:
            return results
        size_wh = [width, height]
        if width / height > self.aspect_hi:
            size_wh[0] = min(math.ceil(height * self.aspect_hi), width)
        else:
            size_wh[1] = min(math.ceil(width / self.aspect_lo), height)
        axis = 0 if size_wh[0] < width else 1  # the long one of x and y
        length, window = (width, height)[axis], size_wh[axis]
        start = self._draw_start(length, window, *self._extent(results, axis, length, window))
        left, top = (start, 0) if axis == 0 else (0, start)
        size_hw = (size_wh[1], size_wh[0])
        img = results["img"][top : top + size_hw[0], left : left + size_hw[1]]
        results = shift_instances(results, -left, -top, size_hw)
        return {**results, "img": img, "img_shape": size_hw}

    def _extent(self, results: Results, axis: int, length: int, window: int) -> tuple[int, int]:
        """From where to where objects reach on an axis; without any, all windows fit."""
        boxes: Any = results.get("gt_bboxes", ())
        if not len(boxes):
            return length - window, window
        first, last = boxes[:, axis].min(), boxes[:, axis + 2].max()
        return min(max(math.floor(first), 0), length), min(max(math.ceil(last), 0), length)

    def __repr__(self) -> str:
        return f"AspectCrop(aspect_lo={self.aspect_lo}, aspect_hi={self.aspect_hi})"
