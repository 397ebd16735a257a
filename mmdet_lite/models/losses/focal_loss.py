"""Focal loss: cross entropy in which what is already right counts little."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdet_lite.models.losses.weighting import check_reduction, reduce_loss
from mmdet_lite.registry import MODELS


@MODELS.register_module()
class FocalLoss(nn.Module):
    """Sigmoid focal loss, one binary problem a class.

    A problem whose right answer has probability p costs ``-a (1 - p)^gamma log(p)``, where a is
    ``alpha`` for an object and 1 - ``alpha`` for its absence. ``activated``: predictions are
    probabilities already. ``use_sigmoid`` can only be True.
    Source: Focal Loss (Lin et al., 2017), eq. 5; arguments of MMDetection 3.
    """

    def __init__(
        self,
        use_sigmoid: bool = True,
        gamma: float = 2.0,
        alpha: float = 0.25,
        reduction: str = "mean",
        loss_weight: float = 1.0,
        activated: bool = False,
    ) -> None:
        super().__init__()
        if not use_sigmoid:
            raise ValueError("FocalLoss: use_sigmoid can only be True, got False")
        self.use_sigmoid = True
        self.gamma = gamma
        self.alpha = alpha
        self.reduction = check_reduction(reduction)
        self.loss_weight = loss_weight
        self.activated = activated

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
    ) -> Tensor:
        """Loss of predictions (B, K); B = 0 gives 0.

        ``target``: labels (B,) long, where anything outside 0..K-1 is background, or (B, K) of 0
        and 1. ``weight`` (B,) or (B, K).
        """
        pred = pred.float()
        if target.dim() == pred.dim():
            wanted = target.to(pred)
            loss = wanted * self._of_object(pred) + (1 - wanted) * self._of_absence(pred)
        else:
            loss = self._of_labels(pred, target)
        if weight is not None and weight.dim() < loss.dim():
            weight = weight[:, None]
        return self.loss_weight * reduce_loss(loss, weight, self.reduction, avg_factor)

    def _of_labels(self, pred: Tensor, label: Tensor) -> Tensor:
        """Everything as absence, then the one entry a row that is an object: no one-hot tensor."""
        num_classes = pred.shape[1]
        is_object = ((label >= 0) & (label < num_classes))[:, None]
        column = label.clamp(0, num_classes - 1)[:, None]
        own = pred.gather(1, column)
        instead = torch.where(is_object, self._of_object(own), self._of_absence(own))
        return self._of_absence(pred).scatter(1, column, instead)

    def _of_object(self, pred: Tensor) -> Tensor:
        if self.activated:
            return self.alpha * (1 - pred) ** self.gamma * -torch.log(pred.clamp(min=1e-12))
        return self.alpha * torch.sigmoid(-pred) ** self.gamma * F.softplus(-pred)

    def _of_absence(self, pred: Tensor) -> Tensor:
        alpha = 1 - self.alpha
        if self.activated:
            return alpha * pred**self.gamma * -torch.log((1 - pred).clamp(min=1e-12))
        return alpha * torch.sigmoid(pred) ** self.gamma * F.softplus(pred)
