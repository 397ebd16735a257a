"""A sampler that leaves nothing out."""

from typing import ClassVar

import torch

from mmdet_lite.models.task_modules.max_iou_assigner import Assignment
from mmdet_lite.models.task_modules.random_sampler import Sample
from mmdet_lite.registry import TASK_UTILS


@TASK_UTILS.register_module()
class PseudoSampler:
    """Takes every positive and every negative, as losses want it that weigh the easy ones down.

    Source: Focal Loss (Lin et al., 2017), section 3.
    """

    add_gt_as_proposals: ClassVar[bool] = False
    by_loss: ClassVar[bool] = False

    def sample(self, assignment: Assignment) -> Sample:
        """All A boxes of each image, positives first; ignored ones are not ``valid``."""
        idx = assignment.positive.to(torch.uint8).argsort(dim=1, descending=True, stable=True)
        gt_idx = assignment.gt_idx.gather(1, idx)
        drawn = Assignment(gt_idx)
        valid = drawn.positive | drawn.negative
        return Sample(idx, gt_idx.clamp(min=0), drawn.positive, valid)
