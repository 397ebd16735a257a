"""Cross entropy over classes, per class (sigmoid), and for masks."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdet_lite.models.losses.weighting import check_reduction, reduce_loss
from mmdet_lite.registry import MODELS


@MODELS.register_module()
class CrossEntropyLoss(nn.Module):
    """Softmax, sigmoid or mask cross entropy.

    ``use_sigmoid``: one binary problem a class. ``use_mask``: the mask of the true class only, as
    :meth:`mask_loss` says, which is then what a call computes.
    ``ignore_index``: labels that count nothing (default -100); ``avg_non_ignore`` divides the mean
    by what is not ignored. ``class_weight``: a factor for each class.
    Source: arguments and arithmetic of MMDetection 3's loss of this name.
    """

    def __init__(
        self,
        use_sigmoid: bool = False,
        use_mask: bool = False,
        reduction: str = "mean",
        class_weight: Sequence[float] | None = None,
        ignore_index: int | None = None,
        loss_weight: float = 1.0,
        avg_non_ignore: bool = False,
    ) -> None:
        super().__init__()
        if use_sigmoid and use_mask:
            raise ValueError("CrossEntropyLoss: use_sigmoid and use_mask exclude each other")
        if use_mask and (ignore_index is not None or class_weight is not None):
            raise ValueError("CrossEntropyLoss: use_mask takes no ignore_index and no class_weight")
        self.use_sigmoid = use_sigmoid
        self.use_mask = use_mask
        self.reduction = check_reduction(reduction)
        self.class_weight = class_weight
        self.ignore_index = -100 if ignore_index is None else ignore_index
        self.loss_weight = loss_weight
        self.avg_non_ignore = avg_non_ignore

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
    ) -> Tensor:
        """Loss of logits against labels.

        Shapes: softmax: cls_score (B, K+1), label (B,) long, weight (B,). Sigmoid: cls_score
        (B, K), label (B,) where K is background, or (B, K) of 0 and 1. B = 0 gives 0. Masks:
        the three arguments of :meth:`mask_loss`.

        Raises:
            ValueError: ``use_mask`` without a third argument, or with an ``avg_factor``.
        """
        if self.use_mask:
            if weight is None or avg_factor is not None:
                raise ValueError(
                    "CrossEntropyLoss with use_mask takes (mask_logits, targets, labels) and no"
                    " avg_factor"
                )
            return self.mask_loss(cls_score, label, weight)
        # half precision loses the tail of the softmax
        cls_score = cls_score.float()
        if self.use_sigmoid:
            loss = self._sigmoid_loss(cls_score, label, weight, avg_factor)
        else:
            loss = self._softmax_loss(cls_score, label, weight, avg_factor)
        return self.loss_weight * loss

    def mask_loss(self, mask_logits: Tensor, targets: Tensor, labels: Tensor) -> Tensor:
        """Mean binary cross entropy of each true class's mask.

        Shapes: mask_logits (B, K, H, W), targets (B, H, W) of 0 and 1, labels (B,). B = 0 gives 0.
        Source: Mask R-CNN, section 3.
        """
        rows = torch.arange(len(labels), device=labels.device)
        loss = F.binary_cross_entropy_with_logits(
            mask_logits[rows, labels].float(), targets.float(), reduction="none"
        )
        return self.loss_weight * reduce_loss(loss, None, self.reduction)

    def _softmax_loss(
        self,
        logits: Tensor,
        label: Tensor,
        weight: Tensor | None,
        avg_factor: float | Tensor | None,
    ) -> Tensor:
        class_weight = None if self.class_weight is None else logits.new_tensor(self.class_weight)
        loss = F.cross_entropy(
            logits, label, class_weight, reduction="none", ignore_index=self.ignore_index
        )
        if avg_factor is None and self.avg_non_ignore and self.reduction == "mean":
            avg_factor = (label != self.ignore_index).sum().clamp(min=1)
        return reduce_loss(loss, weight, self.reduction, avg_factor)

    def _sigmoid_loss(
        self,
        logits: Tensor,
        label: Tensor,
        weight: Tensor | None,
        avg_factor: float | Tensor | None,
    ) -> Tensor:
        if label.dim() == 1 and logits.dim() == 2:
            counted = (label != self.ignore_index)[:, None].expand_as(logits)
            classes = torch.arange(logits.shape[1], device=logits.device)
            target = (label[:, None] == classes).to(logits)
        else:
            counted, target = label != self.ignore_index, label.to(logits)
        if weight is not None and weight.dim() == 1 and logits.dim() == 2:
            weight = weight[:, None]
        if avg_factor is None and self.avg_non_ignore and self.reduction == "mean":
            avg_factor = counted.sum().clamp(min=1)
        class_weight = None if self.class_weight is None else logits.new_tensor(self.class_weight)
        loss = F.binary_cross_entropy_with_logits(
            logits, target, pos_weight=class_weight, reduction="none"
        )
        counted_weight = counted.to(logits) if weight is None else counted * weight
        return reduce_loss(loss, counted_weight, self.reduction, avg_factor)
