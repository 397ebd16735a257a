"""The front doors for Python: build a detector, look at pictures."""

from mmdet_lite.apis.data_report import write_html_report
from mmdet_lite.apis.det_inferencer import DetInferencer
from mmdet_lite.apis.detector import (
    detect_each,
    inference_detector,
    init_detector,
    picture_pipeline,
)
from mmdet_lite.apis.model_cost import model_cost
from mmdet_lite.apis.pictures import Picture, draw_detections, drawn_names, find_pictures

__all__ = [
    "DetInferencer",
    "Picture",
    "detect_each",
    "draw_detections",
    "drawn_names",
    "find_pictures",
    "inference_detector",
    "init_detector",
    "model_cost",
    "picture_pipeline",
    "write_html_report",
]
