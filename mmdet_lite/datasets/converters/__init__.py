"""Converters of other annotation forms to COCO json."""

from mmdet_lite.datasets.converters.via import (
    convert_balloon_to_coco,
    load_via,
    via_class_names,
    via_to_coco,
)

__all__ = ["convert_balloon_to_coco", "load_via", "via_class_names", "via_to_coco"]
