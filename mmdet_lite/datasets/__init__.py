"""From files on disk to one packed sample."""

from mmdet_lite.datasets import transforms
from mmdet_lite.datasets.class_names import generate_palette
from mmdet_lite.datasets.coco import CocoDataset
from mmdet_lite.datasets.coco_file import read_class_names
from mmdet_lite.datasets.coco_metainfo import coco_metainfo
from mmdet_lite.datasets.keypoint_names import KEYPOINT_KEYS, complete_keypoint_metainfo
from mmdet_lite.datasets.samplers import AspectRatioBatchSampler
from mmdet_lite.datasets.wrappers import ConcatDataset, dataset_classes

__all__ = [
    "KEYPOINT_KEYS",
    "AspectRatioBatchSampler",
    "CocoDataset",
    "ConcatDataset",
    "coco_metainfo",
    "complete_keypoint_metainfo",
    "dataset_classes",
    "generate_palette",
    "read_class_names",
    "transforms",
]
