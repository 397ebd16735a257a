"""Zooming out: the image somewhere on a larger canvas."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmdet_lite.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Expand(BaseTransform):
    """Put the image at random on a canvas of one colour, with boxes, masks and keypoints.

    Args:
        mean: colour of the canvas, three numbers.
        to_rgb: ``mean`` is RGB and images are BGR: turn it round.
        ratio_range: smallest and largest size of the canvas, relative to the image's sides.
        seg_ignore_label: can only be None, as there are no maps of classes.
        prob: how often.

    Raises:
        ValueError: a range that does not begin with its smaller number or that begins below 1, or
            another value that is not supported.

    Source: SSD (Liu et al. 2016), section 3.6; arguments are MMDetection 3's.
    """

    def __init__(
        self,
        mean: Sequence[float] = (0, 0, 0),
        to_rgb: bool = True,
        ratio_range: tuple[float, float] = (1, 4),
        seg_ignore_label: None = None,
        prob: float = 0.5,
    ) -> None:
        low, high = ratio_range
        if not 1 <= low <= high:
            raise ValueError(f"Expand: ratio_range: 1 <= low <= high; got {(low, high)}")
        if seg_ignore_label is not None:
            raise ValueError("Expand: seg_ignore_label can only be None")
        self.to_rgb = to_rgb
        self.mean = tuple(mean)[::-1] if to_rgb else tuple(mean)
        self.ratio_range = (low, high)
        self.prob = prob

    @cache_randomness
    def _draw(self, height: int, width: int) -> tuple[int, int, int, int] | None:
        """Draw the canvas (height, width) and the image's top and left, or None."""
        if np.random.rand() > self.prob:
            return None
        ratio = np.random.uniform(*self.ratio_range)
        left = int(np.random.uniform(0, width * ratio - width))
        top = int(np.random.uniform(0, height * ratio - height))
        return int(height * ratio), int(width * ratio), top, left

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Expand the image and everything in it."""
        img = results["img"]
        height, width = img.shape[:2]
        drawn = self._draw(height, width)
        if drawn is None:
            return results
        canvas_h, canvas_w, top, left = drawn
        canvas = np.empty((canvas_h, canvas_w, *img.shape[2:]), img.dtype)
        canvas[:] = np.asarray(self.mean).astype(img.dtype)
        canvas[top : top + height, left : left + width] = img
        results = {**results, "img": canvas, "img_shape": (canvas_h, canvas_w)}
        if "gt_bboxes" in results:
            shift = np.array([left, top, left, top], np.float32)
            results["gt_bboxes"] = results["gt_bboxes"] + shift
        if "gt_keypoints" in results:
            results["gt_keypoints"] = results["gt_keypoints"] + np.array([left, top, 0], np.float32)
        if "gt_masks" in results:
            results["gt_masks"] = results["gt_masks"].expand(canvas_h, canvas_w, top, left)
        return results

    def __repr__(self) -> str:
        mean = self.mean[::-1] if self.to_rgb else self.mean
        return (
            f"Expand(mean={mean}, to_rgb={self.to_rgb}, ratio_range={self.ratio_range}, "
            f"prob={self.prob})"
        )
