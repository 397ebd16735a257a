"""Losses on boxes as a whole: how far predicted and wanted box are from covering each other.

All take boxes (..., 4) x1 y1 x2 y2; with a head's ``reg_decoded_bbox`` they get boxes instead of
offsets.
"""

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from mmdet_lite.models.losses.weighting import check_reduction, reduce_loss
from mmdet_lite.registry import MODELS

IOU_MODES = ("linear", "square", "log")


class BoxLoss(nn.Module):
    """One number a box; subclasses say which. ``eps`` is the least area that is divided by."""

    def __init__(
        self, eps: float = 1e-6, reduction: str = "mean", loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.eps = eps
        self.reduction = check_reduction(reduction)
        self.loss_weight = loss_weight

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
    ) -> Tensor:
        """Loss of boxes (..., 4); without boxes 0.

        ``weight`` (...) or (..., 4), whose mean counts.
        """
        loss = self.box_losses(pred.float(), target.float())
        if weight is not None and weight.dim() > loss.dim():
            weight = weight.mean(dim=-1)
        return self.loss_weight * reduce_loss(loss, weight, self.reduction, avg_factor)

    @abstractmethod
    def box_losses(self, pred: Tensor, target: Tensor) -> Tensor:
        """Loss of each box: (...,) from (..., 4)."""


@MODELS.register_module()
class IoULoss(BoxLoss):
    """Loss of the intersection over union: ``mode`` 'log' -ln(iou), 'linear' 1 - iou or 'square'.

    ``linear=True`` is an older way to say mode='linear'; 'square' is 1 - iou^2. ``eps`` is also
    the least IoU that counts.
    Source: UnitBox (Yu et al., 2016); arguments of MMDetection 3.
    """

    def __init__(
        self,
        linear: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
        loss_weight: float = 1.0,
        mode: str = "log",
    ) -> None:
        super().__init__(eps, reduction, loss_weight)
        if mode not in IOU_MODES:
            raise ValueError(f"IoULoss: mode must be one of {IOU_MODES}, got {mode!r}")
        self.mode = "linear" if linear else mode

    def box_losses(self, pred: Tensor, target: Tensor) -> Tensor:
        """Loss of each box: (...,) from (..., 4)."""
        iou = _overlap(pred, target, self.eps)[0].clamp(min=self.eps)
        if self.mode == "log":
            return -iou.log()
        return 1 - iou if self.mode == "linear" else 1 - iou**2


@MODELS.register_module()
class GIoULoss(BoxLoss):
    """1 - IoU, plus the part of the enclosing box that neither box covers.

    Source: Rezatofighi et al., 2019.
    """

    def box_losses(self, pred: Tensor, target: Tensor) -> Tensor:
        """Loss of each box in 0..2: (...,) from (..., 4)."""
        iou, union = _overlap(pred, target, self.eps)
        wh = _enclosing_wh(pred, target)
        enclosing = (wh[..., 0] * wh[..., 1]).clamp(min=self.eps)
        return 1 - iou + (enclosing - union) / enclosing


@MODELS.register_module()
class DIoULoss(BoxLoss):
    """1 - IoU, plus the squared distance of the centres over that of the enclosing corners.

    Source: Zheng et al., 2020, eq. 7.
    """

    def box_losses(self, pred: Tensor, target: Tensor) -> Tensor:
        """Loss of each box in 0..2: (...,) from (..., 4)."""
        return 1 - _distance_iou(pred, target, self.eps)[1]


@MODELS.register_module()
class CIoULoss(BoxLoss):
    """The loss of DIoULoss, plus a term for the shape once the boxes overlap by more than half.

    Source: Zheng et al., 2020, eq. 10 and 11; as in MMDetection 3 the weight of the shape is 0 up
    to an IoU of 0.5, and the result is kept in 0..2.
    """

    def box_losses(self, pred: Tensor, target: Tensor) -> Tensor:
        """Loss of each box in 0..2: (...,) from (..., 4)."""
        iou, diou = _distance_iou(pred, target, self.eps)
        angle = [
            torch.atan((b[..., 2] - b[..., 0]) / (b[..., 3] - b[..., 1] + self.eps))
            for b in (pred, target)
        ]
        shape = 4 / math.pi**2 * (angle[1] - angle[0]) ** 2
        with torch.no_grad():
            # 1 - iou + shape is 0 for equal boxes
            trade = (iou > 0.5) * shape / (1 - iou + shape).clamp(min=self.eps)
        return 1 - (diou - trade * shape).clamp(-1, 1)


@MODELS.register_module()
class BoundedIoULoss(nn.Module):
    """Centre, width and height apart, each by the best IoU that it would still allow.

    Four numbers a box, which go through a smooth L1 of ``beta``.
    Source: Tychsen-Smith and Petersson, 2018; arguments of MMDetection 3.
    """

    def __init__(
        self,
        beta: float = 0.2,
        eps: float = 1e-3,
        reduction: str = "mean",
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if beta <= 0:
            raise ValueError(f"BoundedIoULoss: beta must be positive, got {beta}")
        self.beta = beta
        self.eps = eps
        self.reduction = check_reduction(reduction)
        self.loss_weight = loss_weight

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
    ) -> Tensor:
        """Loss of boxes (..., 4); ``weight`` (...) or (..., 4). Without boxes 0."""
        pred, target = pred.float(), target.float()
        if weight is not None and weight.dim() < pred.dim():
            weight = weight[..., None]
        wh, target_wh = pred[..., 2:] - pred[..., :2], target[..., 2:] - target[..., :2]
        distance = (pred[..., :2] + pred[..., 2:] - target[..., :2] - target[..., 2:]).abs()
        of_centre = ((target_wh - distance) / (target_wh + distance + self.eps)).clamp(min=0)
        of_size = torch.minimum(target_wh / (wh + self.eps), wh / (target_wh + self.eps))
        loss = 1 - torch.cat([of_centre, of_size], dim=-1)
        small = 0.5 * loss**2 / self.beta
        loss = torch.where(loss < self.beta, small, loss - 0.5 * self.beta)
        return self.loss_weight * reduce_loss(loss, weight, self.reduction, avg_factor)


def _overlap(boxes1: Tensor, boxes2: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """IoU and area of the union of boxes pair by pair, both (...,) from (..., 4)."""
    corners = torch.minimum(boxes1[..., 2:], boxes2[..., 2:])
    wh = (corners - torch.maximum(boxes1[..., :2], boxes2[..., :2])).clamp(min=0)
    intersection = wh[..., 0] * wh[..., 1]
    wh1, wh2 = boxes1[..., 2:] - boxes1[..., :2], boxes2[..., 2:] - boxes2[..., :2]
    union = wh1[..., 0] * wh1[..., 1] + wh2[..., 0] * wh2[..., 1] - intersection
    union = union.clamp(min=eps)
    return intersection / union, union


def _enclosing_wh(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Width and height of the boxes that hold both of a pair: (..., 2) from (..., 4)."""
    corners = torch.maximum(boxes1[..., 2:], boxes2[..., 2:])
    return (corners - torch.minimum(boxes1[..., :2], boxes2[..., :2])).clamp(min=0)


def _distance_iou(pred: Tensor, target: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """IoU, and IoU less the relative squared distance of the centres: (...,) from (..., 4)."""
    iou, _ = _overlap(pred, target, eps)
    diagonal = (_enclosing_wh(pred, target) ** 2).sum(dim=-1) + eps
    shift = (pred[..., :2] + pred[..., 2:] - target[..., :2] - target[..., 2:]) / 2
    return iou, iou - (shift**2).sum(dim=-1) / diagonal
