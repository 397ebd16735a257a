"""What travels between the rooms: data samples, masks, records of a batch."""

from mmdet_lite.structures.batch import BatchTargets, Detections, ImageBatch, Proposals, SizeHW
from mmdet_lite.structures.det_data_sample import DetDataSample
from mmdet_lite.structures.masks import BitmapMasks, InstanceMasks, PolygonMasks

__all__ = [
    "BatchTargets",
    "BitmapMasks",
    "DetDataSample",
    "Detections",
    "ImageBatch",
    "InstanceMasks",
    "PolygonMasks",
    "Proposals",
    "SizeHW",
]
