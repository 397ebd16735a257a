"""Which images come when, and which come into a batch together."""

from mmdet_lite.datasets.samplers.aspect_ratio import AspectRatioBatchSampler
from mmdet_lite.datasets.samplers.class_aware import ClassAwareSampler
from mmdet_lite.datasets.samplers.multi_data import MultiDataSampler
from mmdet_lite.datasets.samplers.multi_source import MultiSourceSampler

__all__ = [
    "AspectRatioBatchSampler",
    "ClassAwareSampler",
    "MultiDataSampler",
    "MultiSourceSampler",
]
