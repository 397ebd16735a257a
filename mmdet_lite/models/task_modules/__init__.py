"""Configured decisions without weights: anchors, assignment, sampling, coding."""

from mmdet_lite.models.task_modules.anchor_generator import AnchorGenerator
from mmdet_lite.models.task_modules.anchor_grid import AnchorGrid
from mmdet_lite.models.task_modules.delta_xywh_bbox_coder import DeltaXYWHBBoxCoder
from mmdet_lite.models.task_modules.distance_point_bbox_coder import DistancePointBBoxCoder
from mmdet_lite.models.task_modules.max_iou_assigner import (
    IGNORED,
    NEGATIVE,
    Assignment,
    MaxIoUAssigner,
)
from mmdet_lite.models.task_modules.ohem_sampler import OHEMSampler
from mmdet_lite.models.task_modules.pseudo_sampler import PseudoSampler
from mmdet_lite.models.task_modules.random_sampler import RandomSampler, Sample
from mmdet_lite.models.task_modules.ssd_anchor_generator import SSDAnchorGenerator
from mmdet_lite.models.task_modules.torchvision_anchor_generator import TorchvisionAnchorGenerator

__all__ = [
    "IGNORED",
    "NEGATIVE",
    "AnchorGenerator",
    "AnchorGrid",
    "Assignment",
    "DeltaXYWHBBoxCoder",
    "DistancePointBBoxCoder",
    "MaxIoUAssigner",
    "OHEMSampler",
    "PseudoSampler",
    "RandomSampler",
    "SSDAnchorGenerator",
    "Sample",
    "TorchvisionAnchorGenerator",
]
