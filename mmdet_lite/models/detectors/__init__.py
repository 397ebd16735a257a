"""Detectors: the whole way from a batch to losses or predictions."""

from mmdet_lite.models.detectors.base import BaseDetector
from mmdet_lite.models.detectors.det_tta import DetTTAModel
from mmdet_lite.models.detectors.fast_rcnn import FastRCNN
from mmdet_lite.models.detectors.rpn import RPN
from mmdet_lite.models.detectors.single_stage import RetinaNet, SingleStageDetector
from mmdet_lite.models.detectors.two_stage import (
    CascadeRCNN,
    FasterRCNN,
    KeypointRCNN,
    MaskRCNN,
    TwoStageDetector,
)

__all__ = [
    "RPN",
    "BaseDetector",
    "CascadeRCNN",
    "DetTTAModel",
    "FastRCNN",
    "FasterRCNN",
    "KeypointRCNN",
    "MaskRCNN",
    "RetinaNet",
    "SingleStageDetector",
    "TwoStageDetector",
]
