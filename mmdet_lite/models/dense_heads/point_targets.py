"""What the points of a batch are to learn, for heads without anchors.

Letters: N images, A points of an image, G ground truths, P positive points of the batch, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmdet_lite.models.task_modules.max_iou_assigner import MOST_PAIRS
from mmdet_lite.ops.boxes import box_areas
from mmdet_lite.ops.levels import pad_boxes, pad_labels
from mmdet_lite.structures import BatchTargets, SizeHW


@dataclass(frozen=True)
class PointTargets:
    """Targets of all points.

    ``labels`` (N, A) in 0..K, K is background; ``positive`` (N, A) bool. ``points`` (P, 2) xy and
    ``boxes`` (P, 4): the positives and their ground truths.
    """

    labels: Tensor
    positive: Tensor
    points: Tensor
    boxes: Tensor


class PointMatcher:
    """Assigns each point to the smallest object around it that is of its level's size.

    ``regress_ranges`` (low, high), one a level: the farthest side of an object must be in there,
    in pixels. ``radius``, in strides: the point must be so near to the object's centre in x and y,
    and in the object; None: in the object.
    Source: FCOS, section 3.1; center sampling: the same authors' later version.
    """

    def __init__(
        self,
        strides: Sequence[int],
        regress_ranges: Sequence[tuple[float, float]],
        radius: float | None,
    ) -> None:
        self.strides = list(strides)
        self.regress_ranges = [(float(low), float(high)) for low, high in regress_ranges]
        self.radius = radius

    def targets(
        self,
        sizes_hw: Sequence[SizeHW],
        targets: BatchTargets,
        num_classes: int,
        device: torch.device,
    ) -> PointTargets:
        """Targets of the points of feature maps of ``sizes_hw``."""
        points = points_of_levels(sizes_hw, self.strides, device)
        gt_boxes, gt_valid = pad_boxes(targets.boxes)
        labels = torch.full((len(gt_boxes), len(points)), num_classes, device=device)
        positive = torch.zeros_like(labels, dtype=torch.bool)
        gt_idx = torch.zeros_like(labels)
        # beyond so many pairs image by image: padding to the fullest one costs memory
        at_once = len(labels) if gt_boxes.shape[1] * labels.numel() <= MOST_PAIRS else 1
        for start in range(0, len(labels), at_once):
            rows = slice(start, start + at_once)
            fullest = max(len(boxes) for boxes in targets.boxes[rows])
            if not fullest:
                continue
            boxes, valid = gt_boxes[rows, :fullest], gt_valid[rows, :fullest]
            may_learn = self._may_learn(points, boxes, sizes_hw) & valid[:, :, None]
            areas = box_areas(boxes)[:, :, None].masked_fill(~may_learn, torch.inf)
            smallest, gt_idx[rows] = areas.min(dim=1)
            positive[rows] = smallest < torch.inf
        image, position = torch.nonzero(positive, as_tuple=True)
        own = gt_idx[image, position]
        labels[image, position] = pad_labels(targets.labels)[image, own]
        return PointTargets(labels, positive, points[position], gt_boxes[image, own])

    def _may_learn(self, points: Tensor, gt_boxes: Tensor, sizes_hw: Sequence[SizeHW]) -> Tensor:
        """Whether a point is in the right place and level for an object: (N, G, A) bool."""
        counts = torch.tensor([h * w for h, w in sizes_hw], device=points.device)
        low_high = points.new_tensor(self.regress_ranges).repeat_interleave(counts, dim=0)
        corners = gt_boxes[:, :, None]
        inner = torch.cat([points - corners[..., :2], corners[..., 2:] - points], dim=-1)
        farthest = inner.amax(dim=-1)
        right_size = (farthest >= low_high[:, 0]) & (farthest <= low_high[:, 1])
        if self.radius is None:
            return right_size & (inner.amin(dim=-1) > 0)
        reach = points.new_tensor(self.strides).repeat_interleave(counts)[:, None] * self.radius
        centres = (corners[..., :2] + corners[..., 2:]) / 2
        low = torch.maximum(centres - reach, corners[..., :2])
        high = torch.minimum(centres + reach, corners[..., 2:])
        central = ((points > low) & (points < high)).all(dim=-1)
        return right_size & central


def points_of_levels(
    sizes_hw: Sequence[SizeHW], strides: Sequence[int], device: torch.device
) -> Tensor:
    """Centres of all cells in input pixels: (A, 2) xy, by level, row, column."""
    levels = []
    for (height, width), stride in zip(sizes_hw, strides, strict=True):
        y, x = torch.meshgrid(
            (torch.arange(height, device=device) + 0.5) * stride,
            (torch.arange(width, device=device) + 0.5) * stride,
            indexing="ij",
        )
        levels.append(torch.stack([x, y], dim=-1).view(-1, 2))
    return torch.cat(levels)


def centerness(distances: Tensor) -> Tensor:
    """How central a point is in its box, 0 at a side and 1 in the middle: (P,) from (P, 4).

    ``distances`` to left, top, right and bottom side.  Source: FCOS, eq. 3.

    >>> centerness(torch.tensor([[1., 2., 4., 2.]])).tolist()
    [0.5]
    """
    horizontal, vertical = distances[:, [0, 2]], distances[:, [1, 3]]
    ratio = horizontal.amin(dim=1) / horizontal.amax(dim=1)
    return (ratio * vertical.amin(dim=1) / vertical.amax(dim=1)).sqrt()
