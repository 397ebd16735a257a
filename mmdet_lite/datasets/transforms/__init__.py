"""What happens to one sample between disk and model.

A sample is a dict as in MMDetection: ``img`` (H, W, 3), ``gt_bboxes`` (G, 4) float32 numpy xyxy,
``gt_bboxes_labels`` (G,) int64, ``gt_ignore_flags`` (G,) bool, ``gt_masks``, and what becomes
metainfo. mmcv's other transforms (RandomChoice, RandomApply, Normalize ...) work among these.
"""

from mmdet_lite.datasets.transforms.crop import RandomCrop
from mmdet_lite.datasets.transforms.filtering import FilterAnnotations
from mmdet_lite.datasets.transforms.flip import RandomFlip
from mmdet_lite.datasets.transforms.loading import (
    LoadAnnotations,
    LoadImageFromFile,
    LoadImageFromNDArray,
)
from mmdet_lite.datasets.transforms.packing import PackDetInputs
from mmdet_lite.datasets.transforms.photometric import PhotoMetricDistortion
from mmdet_lite.datasets.transforms.resize import Pad, RandomChoiceResize, RandomResize, Resize

__all__ = [
    "FilterAnnotations",
    "LoadAnnotations",
    "LoadImageFromFile",
    "LoadImageFromNDArray",
    "PackDetInputs",
    "Pad",
    "PhotoMetricDistortion",
    "RandomChoiceResize",
    "RandomCrop",
    "RandomFlip",
    "RandomResize",
    "Resize",
]
