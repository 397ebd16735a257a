"""Heads that work on regions: pooling, boxes, masks."""

from mmdet_lite.models.roi_heads.bbox_head import (
    BBoxHead,
    Shared2FCBBoxHead,
    Shared4Conv1FCBBoxHead,
)
from mmdet_lite.models.roi_heads.fcn_mask_head import FCNMaskHead
from mmdet_lite.models.roi_heads.single_roi_extractor import SingleRoIExtractor
from mmdet_lite.models.roi_heads.standard_roi_head import StandardRoIHead

__all__ = [
    "BBoxHead",
    "FCNMaskHead",
    "Shared2FCBBoxHead",
    "Shared4Conv1FCBBoxHead",
    "SingleRoIExtractor",
    "StandardRoIHead",
]
