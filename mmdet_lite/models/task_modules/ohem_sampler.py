"""Online hard example mining: train on the boxes that the head gets most wrong."""

from typing import ClassVar

from torch import Tensor

from mmdet_lite.models.task_modules.max_iou_assigner import Assignment
from mmdet_lite.models.task_modules.random_sampler import RandomSampler, Sample
from mmdet_lite.registry import TASK_UTILS


@TASK_UTILS.register_module()
class OHEMSampler(RandomSampler):
    """Takes the boxes of largest loss instead of random ones, positives and negatives apart.

    Numbers as in RandomSampler. Only RoI heads can use it: they measure the losses of all
    proposals before they sample. ``loss_key`` can only be 'loss_cls'.
    Source: Shrivastava et al., 2016; MMDetection 3's sampler of this name.

    Raises:
        ValueError: another ``loss_key``.
    """

    by_loss: ClassVar[bool] = True

    def __init__(
        self,
        num: int,
        pos_fraction: float,
        neg_pos_ub: float = -1,
        add_gt_as_proposals: bool = True,
        loss_key: str = "loss_cls",
    ) -> None:
        super().__init__(num, pos_fraction, neg_pos_ub, add_gt_as_proposals)
        if loss_key != "loss_cls":
            raise ValueError(f"OHEMSampler: loss_key can only be 'loss_cls', got {loss_key!r}")

    def sample(self, assignment: Assignment, preference: Tensor | None = None) -> Sample:
        """Draw the boxes of largest ``preference`` (N, A), which are their losses.

        Raises:
            ValueError: no losses are given, which is so in an RPN.
        """
        if preference is None:
            raise ValueError(
                "OHEMSampler needs the loss of every box, which only RoI heads measure (train_cfg."
                "rcnn.sampler); use RandomSampler for the RPN (train_cfg.rpn.sampler)"
            )
        return super().sample(assignment, preference)
