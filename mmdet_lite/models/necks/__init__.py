"""Necks: backbone features in, features that the heads share out."""

from mmdet_lite.models.necks.fpn import FPN

__all__ = ["FPN"]
