"""Dropping instances that are too small, or have no keypoints."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from mmdet_lite.registry import TRANSFORMS

INSTANCE_KEYS = (
    "gt_bboxes",
    "gt_bboxes_labels",
    "gt_ignore_flags",
    "gt_masks",
    "gt_keypoints",
)


def select_instances(
    results: dict[str, Any], keep: NDArray[np.bool_] | NDArray[np.int64]
) -> dict[str, Any]:
    """Return results with only the instances where ``keep`` (G,) is True, or at its positions."""
    chosen = {key: results[key][keep] for key in INSTANCE_KEYS if key in results}
    return {**results, **chosen}


@TRANSFORMS.register_module()
class FilterAnnotations(BaseTransform):
    """Drop instances by the size of their box or mask, or the number of their keypoints.

    Args:
        min_gt_bbox_wh: width and height that a box must exceed, in pixels.
        min_gt_mask_area: pixels that a mask must have at least.
        by_box: look at boxes.
        by_mask: look at masks.
        keep_empty: where all instances are dropped, True gives None, so that the data set takes
            another image, and False keeps the empty image. The name says the opposite, but this
            is what MMDetection's configs mean by it. An image that had no instances is kept.
        by_keypoints: look at keypoints; ignored instances stay.
        min_gt_keypoints: labelled keypoints that an instance must have at least.

    Raises:
        ValueError: none of ``by_box``, ``by_mask`` and ``by_keypoints``.
        KeyError: what is looked at was not loaded.
    """

    def __init__(
        self,
        min_gt_bbox_wh: tuple[float, float] = (1, 1),
        min_gt_mask_area: int = 1,
        by_box: bool = True,
        by_mask: bool = False,
        keep_empty: bool = True,
        by_keypoints: bool = False,
        min_gt_keypoints: int = 1,
    ) -> None:
        if not (by_box or by_mask or by_keypoints):
            raise ValueError("FilterAnnotations: by_box or by_mask or by_keypoints must be True")
        self.min_gt_bbox_wh = min_gt_bbox_wh
        self.min_gt_mask_area = min_gt_mask_area
        self.by_box = by_box
        self.by_mask = by_mask
        self.keep_empty = keep_empty
        self.by_keypoints = by_keypoints
        self.min_gt_keypoints = min_gt_keypoints

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Drop what is too small or has too few keypoints."""
        boxes = results["gt_bboxes"]
        if not len(boxes):
            return results
        keep = np.ones(len(boxes), bool)
        if self.by_box:
            keep &= (boxes[:, 2:] - boxes[:, :2] > np.array(self.min_gt_bbox_wh)).all(axis=1)
        if self.by_mask:
            keep &= results["gt_masks"].areas >= self.min_gt_mask_area
        if self.by_keypoints:
            labelled = (results["gt_keypoints"][..., 2] > 0).sum(axis=1)
            keep &= (labelled >= self.min_gt_keypoints) | results["gt_ignore_flags"]
        if not keep.any() and self.keep_empty:
            return None
        return select_instances(results, keep)

    def __repr__(self) -> str:
        return (
            f"FilterAnnotations(min_gt_bbox_wh={self.min_gt_bbox_wh}, "
            f"min_gt_mask_area={self.min_gt_mask_area}, by_box={self.by_box}, "
            f"by_mask={self.by_mask}, keep_empty={self.keep_empty}, "
            f"by_keypoints={self.by_keypoints}, min_gt_keypoints={self.min_gt_keypoints})"
        )
