"""Mirroring: mmcv's transform, with masks and with keypoints that change sides."""

from typing import Any

import cv2
from mmcv.transforms import RandomFlip as CvRandomFlip

from mmdet_lite.ops.keypoints import flip_keypoints
from mmdet_lite.registry import TRANSFORMS

CV_FLIP_CODES = {"horizontal": 1, "vertical": 0, "diagonal": -1}


@TRANSFORMS.register_module()
class RandomFlip(CvRandomFlip):
    """mmcv's RandomFlip, which also flips ``gt_masks``, and turns left joints into right ones.

    ``direction`` is 'horizontal', 'vertical', 'diagonal' or a list of these; ``prob`` one
    probability for all of them together or one for each. Sets ``flip`` and ``flip_direction``.
    ``gt_keypoints`` need ``flip_indices`` (J,), the partner of each joint, which CocoDataset gives.
    """

    def __init__(self, prob: Any = None, direction: Any = "horizontal", **kwargs: Any) -> None:
        super().__init__(float(prob) if isinstance(prob, int) else prob, direction, **kwargs)

    def _flip(self, results: dict[str, Any]) -> None:
        img, direction = results["img"], results["flip_direction"]
        keypoints = results.pop("gt_keypoints", None)
        super()._flip(results)
        # mmcv leaves a view with negative strides, which is ten times as slow to pack.
        results["img"] = cv2.flip(img, CV_FLIP_CODES[direction]).reshape(img.shape)
        if "gt_masks" in results:
            results["gt_masks"] = results["gt_masks"].flip(direction)
        if keypoints is not None:
            if "flip_indices" not in results:
                raise ValueError(
                    "RandomFlip: keypoints can be mirrored only if the partners of left and right "
                    "joints are known; give the data set metainfo=dict(keypoint_names=(...), "
                    "flip_indices=(...))"
                )
            results["gt_keypoints"] = flip_keypoints(
                keypoints, img.shape[:2], direction, results["flip_indices"]
            )
