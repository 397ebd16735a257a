"""Random crops."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmdet_lite.datasets.transforms.filtering import select_instances
from mmdet_lite.registry import TRANSFORMS

CROP_TYPES = ("absolute", "absolute_range", "relative", "relative_range")


@TRANSFORMS.register_module()
class RandomCrop(BaseTransform):
    """Cut a window at random, with boxes, labels, flags, masks and keypoints.

    Instances that do not touch the window are dropped, keypoints outside of it become unlabelled.
    Gives None (the data set then takes another image) if no instance is left of an image with
    boxes, unless negative crops are allowed.

    Args:
        crop_size: two numbers, by ``crop_type``: 'absolute' (width, height) in pixels;
            'absolute_range' (smallest, largest) pixels for both sides; 'relative' (width, height)
            as parts of the image; 'relative_range' smallest parts (height, width).
        crop_type: see above.
        allow_negative_crop: whether a crop without instances is good.
        recompute_bbox: take the boxes from the masks in the window.
        bbox_clip_border: clip boxes to the window.

    Raises:
        ValueError: the size does not fit the type.

    Source: arguments, and the two orders of crop_size, are MMDetection 3's.
    """

    def __init__(
        self,
        crop_size: tuple[float, float],
        crop_type: str = "absolute",
        allow_negative_crop: bool = False,
        recompute_bbox: bool = False,
        bbox_clip_border: bool = True,
    ) -> None:
        if crop_type not in CROP_TYPES:
            raise ValueError(
                f"RandomCrop: crop_type must be one of {CROP_TYPES}; got {crop_type!r}"
            )
        first, second = crop_size
        if crop_type.startswith("absolute"):
            good = all(isinstance(n, int) and n > 0 for n in crop_size)
            good = good and (crop_type == "absolute" or first <= second)
            wanted = "positive integers" + (", the smaller first" if "range" in crop_type else "")
        else:
            good, wanted = 0 < first <= 1 and 0 < second <= 1, "numbers in (0, 1]"
        if not good:
            raise ValueError(
                f"RandomCrop: crop_size of type {crop_type!r} must be two {wanted}; got {crop_size}"
            )
        self.crop_size = crop_size
        self.crop_type = crop_type
        self.allow_negative_crop = allow_negative_crop
        self.recompute_bbox = recompute_bbox
        self.bbox_clip_border = bbox_clip_border

    @cache_randomness
    def _draw_size(self, height: int, width: int) -> tuple[int, int]:
        """Draw the window's height and width."""
        first, second = self.crop_size
        if self.crop_type == "absolute":
            return int(min(second, height)), int(min(first, width))
        if self.crop_type == "absolute_range":
            sides = [
                int(np.random.randint(min(side, int(first)), min(side, int(second)) + 1))
                for side in (height, width)
            ]
            return sides[0], sides[1]
        if self.crop_type == "relative":
            parts_hw = np.array([second, first])
        else:
            smallest = np.array([first, second])
            parts_hw = smallest + np.random.rand(2) * (1 - smallest)
        crop_h, crop_w = (np.array([height, width]) * parts_hw + 0.5).astype(int)
        return max(int(crop_h), 1), max(int(crop_w), 1)

    @cache_randomness
    def _draw_offset(self, margin_h: int, margin_w: int) -> tuple[int, int]:
        """Draw the window's top and left."""
        return int(np.random.randint(margin_h + 1)), int(np.random.randint(margin_w + 1))

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Crop the image and everything in it."""
        height, width = results["img"].shape[:2]
        crop_h, crop_w = self._draw_size(height, width)
        top, left = self._draw_offset(height - crop_h, width - crop_w)
        results["img"] = results["img"][top : top + crop_h, left : left + crop_w]
        results["img_shape"] = (crop_h, crop_w)
        if "gt_bboxes" not in results:
            return results
        window = np.array([left, top, left + crop_w, top + crop_h])
        return self._crop_instances(results, window)

    def _crop_instances(
        self, results: dict[str, Any], window: np.ndarray[Any, Any]
    ) -> dict[str, Any] | None:
        """Move boxes and masks into the window and drop those outside."""
        crop_w, crop_h = window[2:] - window[:2]
        boxes = results["gt_bboxes"] - np.tile(window[:2], 2).astype(np.float32)
        if self.bbox_clip_border:
            boxes = np.clip(boxes, 0, np.tile([crop_w, crop_h], 2)).astype(np.float32)
        inside = (
            (boxes[:, 0] < crop_w) & (boxes[:, 2] > 0) & (boxes[:, 1] < crop_h) & (boxes[:, 3] > 0)
        )
        if not inside.any() and not self.allow_negative_crop:
            return None
        results = cut_instances({**results, "gt_bboxes": boxes}, window, inside)
        if "gt_masks" in results and self.recompute_bbox:
            results["gt_bboxes"] = results["gt_masks"].get_bboxes().numpy()
        return results

    def __repr__(self) -> str:
        return (
            f"RandomCrop(crop_size={self.crop_size}, crop_type={self.crop_type!r}, "
            f"allow_negative_crop={self.allow_negative_crop}, "
            f"recompute_bbox={self.recompute_bbox}, bbox_clip_border={self.bbox_clip_border})"
        )


def cut_instances(
    results: dict[str, Any], window: np.ndarray[Any, Any], keep: np.ndarray[Any, Any]
) -> dict[str, Any]:
    """Return results with the instances of ``keep`` (G,) only, their masks and keypoints cut.

    ``window`` (4,) x1 y1 x2 y2 integers is the new frame. ``gt_bboxes`` must be in it already;
    keypoints outside of it become unlabelled.
    """
    results = select_instances(results, keep)
    if "gt_keypoints" in results:
        keypoints = results["gt_keypoints"] - np.array([*window[:2], 0], np.float32)
        points, size = keypoints[..., :2], window[2:] - window[:2]
        keypoints[..., 2] *= ((points >= 0) & (points < size)).all(axis=-1)
        results["gt_keypoints"] = keypoints
    if "gt_masks" in results:
        results["gt_masks"] = results["gt_masks"].crop(window)
    return results
