"""Configured decisions without weights: anchors, assignment, sampling, coding."""

from mmdet_lite.models.task_modules.anchor_generator import AnchorGenerator
from mmdet_lite.models.task_modules.delta_xywh_bbox_coder import DeltaXYWHBBoxCoder
from mmdet_lite.models.task_modules.max_iou_assigner import (
    IGNORED,
    NEGATIVE,
    Assignment,
    MaxIoUAssigner,
)
from mmdet_lite.models.task_modules.random_sampler import RandomSampler, Sample

__all__ = [
    "IGNORED",
    "NEGATIVE",
    "AnchorGenerator",
    "Assignment",
    "DeltaXYWHBBoxCoder",
    "MaxIoUAssigner",
    "RandomSampler",
    "Sample",
]
