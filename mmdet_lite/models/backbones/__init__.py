"""Backbones: images in, feature maps of growing stride out."""

from mmdet_lite.models.backbones.resnet import ResNet
from mmdet_lite.models.backbones.resnext import ResNeXt
from mmdet_lite.models.backbones.ssd_vgg import SSDVGG
from mmdet_lite.models.backbones.timm_backbone import TimmBackbone
from mmdet_lite.models.backbones.torchvision_backbone import TorchvisionBackbone

__all__ = ["SSDVGG", "ResNeXt", "ResNet", "TimmBackbone", "TorchvisionBackbone"]
