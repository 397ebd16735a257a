"""Heads that work on regions: pooling, boxes, masks."""

from mmdet_lite.models.roi_heads.bbox_head import (
    BBoxHead,
    Shared2FCBBoxHead,
    Shared4Conv1FCBBoxHead,
)
from mmdet_lite.models.roi_heads.cascade_roi_head import CascadeRoIHead
from mmdet_lite.models.roi_heads.fcn_mask_head import FCNMaskHead
from mmdet_lite.models.roi_heads.keypoint_head import KeypointRCNNHead
from mmdet_lite.models.roi_heads.keypoint_roi_head import KeypointRoIHead
from mmdet_lite.models.roi_heads.res_layer import ResLayer
from mmdet_lite.models.roi_heads.single_roi_extractor import SingleRoIExtractor
from mmdet_lite.models.roi_heads.standard_roi_head import StandardRoIHead

__all__ = [
    "BBoxHead",
    "CascadeRoIHead",
    "FCNMaskHead",
    "KeypointRCNNHead",
    "KeypointRoIHead",
    "ResLayer",
    "Shared2FCBBoxHead",
    "Shared4Conv1FCBBoxHead",
    "SingleRoIExtractor",
    "StandardRoIHead",
]
