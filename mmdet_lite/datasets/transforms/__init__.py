"""What happens to one sample between disk and model.

A sample is a dict as in MMDetection: ``img`` (H, W, 3), ``gt_bboxes`` (G, 4) float32 numpy xyxy,
``gt_bboxes_labels`` (G,) int64, ``gt_ignore_flags`` (G,) bool, ``gt_masks``, ``gt_keypoints``
(G, J, 3) float32 as x, y, visibility, and what becomes metainfo. mmcv's other transforms
(RandomChoice, RandomApply, Normalize ...) work among these.
"""

from mmdet_lite.datasets.transforms.crop import RandomCrop
from mmdet_lite.datasets.transforms.expand import Expand
from mmdet_lite.datasets.transforms.filtering import FilterAnnotations
from mmdet_lite.datasets.transforms.flip import RandomFlip
from mmdet_lite.datasets.transforms.loading import (
    LoadAnnotations,
    LoadImageFromFile,
    LoadImageFromNDArray,
)
from mmdet_lite.datasets.transforms.min_iou_crop import MinIoURandomCrop
from mmdet_lite.datasets.transforms.packing import PackDetInputs
from mmdet_lite.datasets.transforms.photometric import PhotoMetricDistortion
from mmdet_lite.datasets.transforms.proposals import LoadProposals, ProposalBroadcaster
from mmdet_lite.datasets.transforms.resize import Pad, RandomChoiceResize, RandomResize, Resize
from mmdet_lite.datasets.transforms.test_time_aug import TestTimeAug
from mmdet_lite.datasets.transforms.torchvision_resize import TorchvisionResize

__all__ = [
    "Expand",
    "FilterAnnotations",
    "LoadAnnotations",
    "LoadImageFromFile",
    "LoadImageFromNDArray",
    "LoadProposals",
    "MinIoURandomCrop",
    "PackDetInputs",
    "Pad",
    "PhotoMetricDistortion",
    "ProposalBroadcaster",
    "RandomChoiceResize",
    "RandomCrop",
    "RandomFlip",
    "RandomResize",
    "Resize",
    "TestTimeAug",
    "TorchvisionResize",
]
