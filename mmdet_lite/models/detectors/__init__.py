"""Detectors: the whole way from a batch to losses or predictions."""

from mmdet_lite.models.detectors.base import BaseDetector
from mmdet_lite.models.detectors.two_stage import FasterRCNN, MaskRCNN, TwoStageDetector

__all__ = ["BaseDetector", "FasterRCNN", "MaskRCNN", "TwoStageDetector"]
