"""Heads that predict at every position of the feature maps."""

from mmdet_lite.models.dense_heads.rpn_head import RPNHead

__all__ = ["RPNHead"]
