"""What happens to one sample between disk and model.

A sample is a dict as in MMDetection: ``img`` (H, W, 3), ``gt_bboxes`` (G, 4) float32 numpy xyxy,
``gt_bboxes_labels`` (G,) int64, ``gt_ignore_flags`` (G,) bool, ``gt_masks``, ``gt_keypoints``
(G, J, 3) float32 as x, y, visibility, and what becomes metainfo. mmcv's other transforms
(RandomChoice, RandomApply, Normalize ...) work among these.
"""

from mmdet_lite.datasets.transforms.albu import Albu
from mmdet_lite.datasets.transforms.aspect_crop import AspectCrop
from mmdet_lite.datasets.transforms.auto_augment import AutoAugment, RandAugment, RandomOrder
from mmdet_lite.datasets.transforms.colorspace import (
    AutoContrast,
    Brightness,
    Color,
    ColorTransform,
    Contrast,
    Equalize,
    Invert,
    Posterize,
    Sharpness,
    Solarize,
    SolarizeAdd,
)
from mmdet_lite.datasets.transforms.copy_paste import CopyPaste
from mmdet_lite.datasets.transforms.crop import RandomCrop
from mmdet_lite.datasets.transforms.erasing import CutOut, RandomErasing
from mmdet_lite.datasets.transforms.expand import Expand
from mmdet_lite.datasets.transforms.filtering import FilterAnnotations
from mmdet_lite.datasets.transforms.flip import RandomFlip
from mmdet_lite.datasets.transforms.geometric import (
    Rotate,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
)
from mmdet_lite.datasets.transforms.loading import LoadAnnotations
from mmdet_lite.datasets.transforms.loading_images import (
    LoadImageFromFile,
    LoadImageFromNDArray,
    LoadMultiChannelImageFromFiles,
)
from mmdet_lite.datasets.transforms.min_iou_crop import MinIoURandomCrop
from mmdet_lite.datasets.transforms.mixup import MixUp
from mmdet_lite.datasets.transforms.mosaic import Mosaic
from mmdet_lite.datasets.transforms.packing import PackDetInputs
from mmdet_lite.datasets.transforms.photometric import PhotoMetricDistortion, YOLOXHSVRandomAug
from mmdet_lite.datasets.transforms.proposals import LoadProposals, ProposalBroadcaster
from mmdet_lite.datasets.transforms.random_affine import RandomAffine, RandomShift
from mmdet_lite.datasets.transforms.resize import (
    FixShapeResize,
    Pad,
    RandomChoiceResize,
    RandomResize,
    Resize,
    ResizeShortestEdge,
)
from mmdet_lite.datasets.transforms.test_time_aug import TestTimeAug
from mmdet_lite.datasets.transforms.torchvision_resize import TorchvisionResize

__all__ = [
    "Albu",
    "AspectCrop",
    "AutoAugment",
    "AutoContrast",
    "Brightness",
    "Color",
    "ColorTransform",
    "Contrast",
    "CopyPaste",
    "CutOut",
    "Equalize",
    "Expand",
    "FilterAnnotations",
    "FixShapeResize",
    "Invert",
    "LoadAnnotations",
    "LoadImageFromFile",
    "LoadImageFromNDArray",
    "LoadMultiChannelImageFromFiles",
    "LoadProposals",
    "MinIoURandomCrop",
    "MixUp",
    "Mosaic",
    "PackDetInputs",
    "Pad",
    "PhotoMetricDistortion",
    "Posterize",
    "ProposalBroadcaster",
    "RandAugment",
    "RandomAffine",
    "RandomChoiceResize",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomOrder",
    "RandomResize",
    "RandomShift",
    "Resize",
    "ResizeShortestEdge",
    "Rotate",
    "Sharpness",
    "ShearX",
    "ShearY",
    "Solarize",
    "SolarizeAdd",
    "TestTimeAug",
    "TorchvisionResize",
    "TranslateX",
    "TranslateY",
    "YOLOXHSVRandomAug",
]
