"""Losses, registered in MODELS as MMDetection has them."""

from mmdet_lite.models.losses.cross_entropy_loss import CrossEntropyLoss
from mmdet_lite.models.losses.focal_loss import FocalLoss
from mmdet_lite.models.losses.iou_losses import (
    BoundedIoULoss,
    CIoULoss,
    DIoULoss,
    GIoULoss,
    IoULoss,
)
from mmdet_lite.models.losses.smooth_l1_loss import L1Loss, SmoothL1Loss

__all__ = [
    "BoundedIoULoss",
    "CIoULoss",
    "CrossEntropyLoss",
    "DIoULoss",
    "FocalLoss",
    "GIoULoss",
    "IoULoss",
    "L1Loss",
    "SmoothL1Loss",
]
