"""Necks: backbone features in, features that the heads share out."""

from mmdet_lite.models.necks.fpn import FPN
from mmdet_lite.models.necks.ssd_neck import SSDNeck

__all__ = ["FPN", "SSDNeck"]
