"""Models: batch in, losses or predictions out. Importing this registers every component."""

from mmdet_lite.models import backbones, dense_heads, losses, necks, roi_heads, task_modules
from mmdet_lite.models.data_preprocessor import BatchFixedSizePad, DetDataPreprocessor
from mmdet_lite.models.detectors import (
    RPN,
    BaseDetector,
    CascadeRCNN,
    DetTTAModel,
    FasterRCNN,
    FastRCNN,
    MaskRCNN,
    RetinaNet,
    SingleStageDetector,
    TwoStageDetector,
)

__all__ = [
    "RPN",
    "BaseDetector",
    "BatchFixedSizePad",
    "CascadeRCNN",
    "DetDataPreprocessor",
    "DetTTAModel",
    "FastRCNN",
    "FasterRCNN",
    "MaskRCNN",
    "RetinaNet",
    "SingleStageDetector",
    "TwoStageDetector",
    "backbones",
    "dense_heads",
    "losses",
    "necks",
    "roi_heads",
    "task_modules",
]
