"""The front doors for Python: build a detector, look at pictures."""

from mmdet_lite.apis.detector import Picture, inference_detector, init_detector, picture_pipeline

__all__ = ["Picture", "inference_detector", "init_detector", "picture_pipeline"]
