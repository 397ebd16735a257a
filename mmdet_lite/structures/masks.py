"""The two kinds of instance masks; both have the same methods."""

from mmdet_lite.structures.bitmap_masks import BitmapMasks
from mmdet_lite.structures.polygon_masks import PolygonMasks

InstanceMasks = BitmapMasks | PolygonMasks

__all__ = ["BitmapMasks", "InstanceMasks", "PolygonMasks"]
