"""Converters of other annotation forms to COCO json."""

from mmdet_lite.datasets.converters.via import (
    convert_balloon_to_coco,
    load_via,
    via_class_names,
    via_to_coco,
)
from mmdet_lite.datasets.converters.voc import (
    convert_voc_to_coco,
    voc_class_names,
    voc_splits,
    voc_to_coco,
)

__all__ = [
    "convert_balloon_to_coco",
    "convert_voc_to_coco",
    "load_via",
    "via_class_names",
    "via_to_coco",
    "voc_class_names",
    "voc_splits",
    "voc_to_coco",
]
