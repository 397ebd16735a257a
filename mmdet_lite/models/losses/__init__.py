"""Losses, registered in MODELS as MMDetection has them."""

from mmdet_lite.models.losses.cross_entropy_loss import CrossEntropyLoss
from mmdet_lite.models.losses.smooth_l1_loss import L1Loss, SmoothL1Loss

__all__ = ["CrossEntropyLoss", "L1Loss", "SmoothL1Loss"]
