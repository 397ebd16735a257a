"""Heads that predict at every position of the feature maps."""

from mmdet_lite.models.dense_heads.dense_head import DenseHead
from mmdet_lite.models.dense_heads.fcos_head import FCOSHead
from mmdet_lite.models.dense_heads.retina_head import RetinaHead
from mmdet_lite.models.dense_heads.rpn_head import RPNHead
from mmdet_lite.models.dense_heads.ssd_head import SSDHead

__all__ = ["DenseHead", "FCOSHead", "RPNHead", "RetinaHead", "SSDHead"]
