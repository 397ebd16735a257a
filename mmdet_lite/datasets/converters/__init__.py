"""Converters of other annotation forms to COCO json."""

from mmdet_lite.datasets.converters.annotated_images import (
    AnnotatedImages,
    guess_form,
    read_annotated,
)
from mmdet_lite.datasets.converters.cityscapes import cityscapes_to_coco, convert_cityscapes
from mmdet_lite.datasets.converters.via import (
    convert_balloon_to_coco,
    load_via,
    via_class_names,
    via_to_coco,
)
from mmdet_lite.datasets.converters.voc import read_devkit

__all__ = [
    "AnnotatedImages",
    "cityscapes_to_coco",
    "convert_balloon_to_coco",
    "convert_cityscapes",
    "guess_form",
    "load_via",
    "read_annotated",
    "read_devkit",
    "via_class_names",
    "via_to_coco",
]
