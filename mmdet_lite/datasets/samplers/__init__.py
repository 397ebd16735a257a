"""Which images come into a batch together."""

from mmdet_lite.datasets.samplers.aspect_ratio import AspectRatioBatchSampler

__all__ = ["AspectRatioBatchSampler"]
