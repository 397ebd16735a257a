"""Models: batch in, losses or predictions out. Importing this registers every component."""

from mmdet_lite.models import backbones, dense_heads, losses, necks, roi_heads, task_modules
from mmdet_lite.models.data_preprocessor import BatchFixedSizePad, DetDataPreprocessor
from mmdet_lite.models.detectors import BaseDetector, FasterRCNN, MaskRCNN, TwoStageDetector

__all__ = [
    "BaseDetector",
    "BatchFixedSizePad",
    "DetDataPreprocessor",
    "FasterRCNN",
    "MaskRCNN",
    "TwoStageDetector",
    "backbones",
    "dense_heads",
    "losses",
    "necks",
    "roi_heads",
    "task_modules",
]
