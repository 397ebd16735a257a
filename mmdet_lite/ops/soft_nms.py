"""Soft non-maximum suppression: scores of overlapping boxes decay instead of vanishing."""

from bisect import bisect_left

import torch
from torch import Tensor

from mmdet_lite.ops.boxes import pairwise_overlaps

METHODS = ("linear", "gaussian", "naive")


def soft_nms_scores(
    boxes: Tensor,
    scores: Tensor,
    groups: Tensor,
    method: str = "linear",
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    min_score: float = 1e-3,
) -> Tensor:
    """Scores after the decay; what fell below ``min_score`` (or to 0) gets 0.

    Shapes: boxes (B, 4), scores (B,), ``groups`` (B,) long; returns (B,). Boxes of one group only
    touch each other: again and again the best one left is taken, and the others lose by their IoU
    with it. 'linear' multiplies by 1 - IoU from ``iou_threshold`` on, 'gaussian' by
    exp(-IoU^2 / ``sigma``), 'naive' by 0 from ``iou_threshold`` on (plain NMS). B = 0 gives (0,).
    All groups take their next box in the same step, so there are as many steps as the largest
    group has boxes.
    Source: Soft-NMS (Bodla et al., 2017); parameters and the closed threshold are mmcv's.

    >>> boxes = torch.tensor([[0., 0., 4., 4.], [0., 0., 4., 3.], [9., 9., 12., 12.]])
    >>> soft_nms_scores(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.zeros(3).long()).tolist()
    [0.8999999761581421, 0.20000000298023224, 0.699999988079071]
    """
    if len(boxes) == 0:
        return scores
    _, group, counts = torch.unique(groups, return_inverse=True, return_counts=True)
    counts, largest_first = counts.sort(descending=True)
    row = torch.empty_like(largest_first)
    row[largest_first] = torch.arange(len(counts), device=row.device)
    row = row[group]
    order = torch.argsort(row, stable=True)
    column = torch.empty_like(row)
    starts = counts.cumsum(0) - counts
    column[order] = torch.arange(len(row), device=row.device) - starts[row[order]]
    ascending_sizes = counts.flip(0).tolist()
    num_groups, num_steps = len(ascending_sizes), ascending_sizes[-1]
    left = scores.new_full((num_groups, num_steps), -1.0)
    left[row, column] = scores
    left.masked_fill_(left < min_score, -1)
    table = boxes.new_zeros(num_groups, num_steps, 4)
    table[row, column] = boxes
    final = torch.zeros_like(left)
    for step in range(num_steps):
        # groups are sorted by size: those with boxes left to take are the first rows
        active = num_groups - bisect_left(ascending_sizes, step + 1)
        rows = torch.arange(active, device=left.device)
        best, at = left[:active].max(dim=1)
        final[rows, at] = torch.maximum(final[rows, at], best)  # -1: nothing was left
        overlaps = pairwise_overlaps(table[rows, at][:, None], table[:active])[:, 0]
        remaining = left[:active] * _decay(overlaps, method, iou_threshold, sigma)
        remaining[rows, at] = -1
        left[:active] = remaining.masked_fill((remaining < min_score) | (remaining <= 0), -1)
    return final[row, column]


def _decay(overlaps: Tensor, method: str, iou_threshold: float, sigma: float) -> Tensor:
    """By what a score is multiplied, for each IoU."""
    if method == "gaussian":
        return torch.exp(-(overlaps**2) / sigma)
    remains = 1 - overlaps if method == "linear" else torch.zeros_like(overlaps)
    return torch.where(overlaps >= iou_threshold, remains, 1.0)
