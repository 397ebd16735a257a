"""L1 and smooth L1 losses on box offsets."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmdet_lite.models.losses.weighting import check_reduction, reduce_loss
from mmdet_lite.registry import MODELS


@MODELS.register_module()
class L1Loss(nn.Module):
    """Absolute difference. ``forward(pred, target, weight, avg_factor)``, all of one shape."""

    def __init__(self, reduction: str = "mean", loss_weight: float = 1.0) -> None:
        super().__init__()
        self.reduction = check_reduction(reduction)
        self.loss_weight = loss_weight

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
    ) -> Tensor:
        """Loss of equal shapes; empty input gives 0."""
        loss = F.l1_loss(pred.float(), target.float(), reduction="none")
        return self.loss_weight * reduce_loss(loss, weight, self.reduction, avg_factor)


@MODELS.register_module()
class SmoothL1Loss(nn.Module):
    """Quadratic below ``beta``, linear above. Source: Fast R-CNN, eq. 3 (there beta = 1)."""

    def __init__(
        self, beta: float = 1.0, reduction: str = "mean", loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        if beta < 0:
            raise ValueError(f"SmoothL1Loss: beta must not be negative, got {beta}")
        self.beta = beta
        self.reduction = check_reduction(reduction)
        self.loss_weight = loss_weight

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
    ) -> Tensor:
        """Loss of equal shapes; empty input gives 0."""
        loss = F.smooth_l1_loss(pred.float(), target.float(), beta=self.beta, reduction="none")
        return self.loss_weight * reduce_loss(loss, weight, self.reduction, avg_factor)
