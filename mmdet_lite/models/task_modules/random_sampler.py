"""Which assigned boxes a head trains on."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mmdet_lite.models.task_modules.max_iou_assigner import Assignment
from mmdet_lite.registry import TASK_UTILS


@dataclass(frozen=True)
class Sample:
    """A choice of boxes, the same number S for every image.

    ``idx`` (N, S) positions of the boxes, positives first; ``gt_idx`` (N, S) their ground truth,
    meaningless where not ``positive`` (N, S); ``valid`` (N, S) False marks padding.
    """

    idx: Tensor
    gt_idx: Tensor
    positive: Tensor
    valid: Tensor


@TASK_UTILS.register_module()
class RandomSampler:
    """Draws ``num`` boxes an image at random, at most ``pos_fraction`` of them positive.

    ``neg_pos_ub`` >= 0 bounds the negatives by so many for each positive (at least one positive
    counted). ``add_gt_as_proposals``: the RoI head offers the ground truths among the boxes.
    Runs on the device without asking the host. Source: Fast R-CNN, section 2.3.
    """

    by_loss: ClassVar[bool] = False  # whether ``sample`` wants the losses of the boxes

    def __init__(
        self,
        num: int,
        pos_fraction: float,
        neg_pos_ub: float = -1,
        add_gt_as_proposals: bool = True,
    ) -> None:
        name = type(self).__name__
        if num < 0:
            raise ValueError(f"{name}: num must not be negative, got {num}; a large one takes all")
        if not 0 < pos_fraction <= 1:
            raise ValueError(f"{name}: pos_fraction must be in (0, 1], got {pos_fraction}")
        self.num = num
        self.num_positive = int(num * pos_fraction)
        self.neg_pos_ub = neg_pos_ub
        self.add_gt_as_proposals = add_gt_as_proposals

    def sample(self, assignment: Assignment, preference: Tensor | None = None) -> Sample:
        """Draw from an assignment of A boxes; S is at most ``num`` plus the positives' share.

        ``preference`` (N, A), not negative: boxes with larger values are taken first, instead of
        at random.
        """
        gt_idx = assignment.gt_idx
        num_boxes = gt_idx.shape[1]
        # distinct keys: a random order; topk of the keys is a draw without replacement
        key = preference
        if key is None:
            key = torch.rand(gt_idx.shape, device=gt_idx.device)
        positive_key, positive_idx = key.masked_fill(~assignment.positive, -1).topk(
            min(self.num_positive, num_boxes)
        )
        is_positive = positive_key >= 0
        num_positive = is_positive.sum(dim=1, keepdim=True)
        room = self.num - num_positive
        if self.neg_pos_ub >= 0:
            bound = (self.neg_pos_ub * num_positive.clamp(min=1)).long()
            room = torch.minimum(room, bound)
        negative_key, negative_idx = key.masked_fill(~assignment.negative, -1).topk(
            min(self.num, num_boxes)
        )
        order = torch.arange(negative_key.shape[1], device=gt_idx.device)
        is_negative = (negative_key >= 0) & (order < room)
        idx = torch.cat([positive_idx, negative_idx], dim=1)
        positive = torch.cat([is_positive, torch.zeros_like(is_negative)], dim=1)
        valid = torch.cat([is_positive, is_negative], dim=1)
        return Sample(idx, gt_idx.gather(1, idx).clamp(min=0), positive, valid)
