"""From files on disk to one packed sample."""

from mmdet_lite.datasets import transforms
from mmdet_lite.datasets.base import DetDataset
from mmdet_lite.datasets.check.training import CheckDataHook
from mmdet_lite.datasets.cityscapes import CityscapesDataset
from mmdet_lite.datasets.class_names import generate_palette
from mmdet_lite.datasets.coco import CocoDataset
from mmdet_lite.datasets.coco_file import read_class_names
from mmdet_lite.datasets.coco_metainfo import coco_metainfo
from mmdet_lite.datasets.keypoint_names import KEYPOINT_KEYS, complete_keypoint_metainfo
from mmdet_lite.datasets.multi_image_mix import MultiImageMixDataset
from mmdet_lite.datasets.pipeline_stages import PipelineWatch
from mmdet_lite.datasets.samplers import (
    AspectRatioBatchSampler,
    ClassAwareSampler,
    MultiDataSampler,
    MultiSourceSampler,
)
from mmdet_lite.datasets.voc import VOCDataset
from mmdet_lite.datasets.wrappers import ConcatDataset, dataset_classes
from mmdet_lite.datasets.xml_style import XMLDataset

__all__ = [
    "KEYPOINT_KEYS",
    "AspectRatioBatchSampler",
    "CheckDataHook",
    "CityscapesDataset",
    "ClassAwareSampler",
    "CocoDataset",
    "ConcatDataset",
    "DetDataset",
    "MultiDataSampler",
    "MultiImageMixDataset",
    "MultiSourceSampler",
    "PipelineWatch",
    "VOCDataset",
    "XMLDataset",
    "coco_metainfo",
    "complete_keypoint_metainfo",
    "dataset_classes",
    "generate_palette",
    "read_class_names",
    "transforms",
]
