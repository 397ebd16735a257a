"""Backbones: images in, feature maps of growing stride out."""

from mmdet_lite.models.backbones.resnet import ResNet
from mmdet_lite.models.backbones.resnext import ResNeXt

__all__ = ["ResNeXt", "ResNet"]
