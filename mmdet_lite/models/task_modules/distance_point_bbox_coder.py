"""Boxes as distances from a point to their four sides."""

import torch
from torch import Tensor

from mmdet_lite.ops.boxes import clip_boxes
from mmdet_lite.registry import TASK_UTILS


@TASK_UTILS.register_module()
class DistancePointBBoxCoder:
    """Boxes as (left, top, right, bottom) distances in pixels from a point inside.

    ``clip_border``: decoded boxes are moved inside their image. Source: FCOS, eq. 1.
    """

    def __init__(self, clip_border: bool = True, use_box_type: bool = False) -> None:
        if use_box_type:
            raise ValueError("DistancePointBBoxCoder: use_box_type=True is not available")
        self.clip_border = clip_border

    def encode(self, points: Tensor, boxes: Tensor) -> Tensor:
        """Distances (..., 4) from points (..., 2) to the sides of boxes (..., 4)."""
        return torch.cat([points - boxes[..., :2], boxes[..., 2:] - points], dim=-1)

    def decode(self, points: Tensor, distances: Tensor, sizes_hw: Tensor | None = None) -> Tensor:
        """Boxes (B, 4) of distances (B, 4) from points (B, 2).

        They are clipped to images of ``sizes_hw`` (B, 2) where these are given.
        """
        distances = distances.float()
        boxes = torch.cat([points - distances[..., :2], points + distances[..., 2:]], dim=-1)
        if sizes_hw is None or not self.clip_border:
            return boxes
        return clip_boxes(boxes, sizes_hw)
