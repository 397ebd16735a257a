"""Our own models are of no other program, whatever their parts are called."""

from functools import lru_cache

import pytest
import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import nn

import mmdet_lite.models  # noqa: F401
from mmdet_lite.checkpoint import load_checkpoint_file, save_checkpoint
from mmdet_lite.checkpoint.importers import import_weights
from mmdet_lite.models.backbones.torchvision_backbone import FAMILIES
from mmdet_lite.registry import MODELS

OF_FAMILY = {
    "convnext": "convnext_tiny", "densenet": "densenet121", "efficientnet": "efficientnet_b0",
    "mnasnet": "mnasnet0_5", "mobilenet": "mobilenet_v3_small", "regnet": "regnet_x_400mf",
    "resnet": "resnet18", "resnext": "resnext50_32x4d", "shufflenet": "shufflenet_v2_x0_5",
    "swin": "swin_t", "vgg": "vgg11", "wide_resnet": "wide_resnet50_2",
}  # fmt: skip
BACKBONES = {
    "ResNet": {"type": "ResNet", "depth": 50, "base_channels": 8},
    "ResNeXt": {"type": "ResNeXt", "depth": 50, "groups": 2, "base_width": 4},
    "SSDVGG": {"type": "SSDVGG", "depth": 16},
    "guest": {"type": "GuestNet"},
    **{name: {"type": "TorchvisionBackbone", "name": name} for name in OF_FAMILY.values()},
}


class GuestNet(BaseModule):
    """Names its parts as Detectron2 does, whose files begin alike."""

    def __init__(self):
        super().__init__()
        self.stem = nn.ModuleDict({"conv1": nn.Conv2d(3, 4, 3)})
        self.res2 = nn.ModuleList([nn.ModuleDict({"conv1": nn.Conv2d(4, 4, 1)})])
        self.proposal_generator = ConvModule(4, 4, 1)
        self.Conv_Body = nn.Conv2d(4, 4, 1)


@pytest.fixture(scope="module")
def weights_of():
    """Names of a detector's backbone, each with a small tensor."""
    MODELS.register_module(module=GuestNet)

    @lru_cache
    def build(name):
        state = MODELS.build(dict(BACKBONES[name])).state_dict()
        return {f"backbone.{key}": torch.full((2,), float(i)) for i, key in enumerate(state)}

    yield build
    MODELS.module_dict.pop("GuestNet")


def test_a_backbone_of_each_kind_is_here():
    assert set(OF_FAMILY) == set(FAMILIES)
    registered = {
        name for name, kind in MODELS.module_dict.items() if ".backbones." in kind.__module__
    }
    assert registered - {"TimmBackbone"} == {cfg["type"] for cfg in BACKBONES.values()} - {
        "GuestNet"
    }


@pytest.mark.parametrize("name", BACKBONES)
def test_own_checkpoint_comes_back_as_it_was_written(name, weights_of, tmp_path):
    weights = weights_of(name)
    content = {"meta": {"mmengine_version": "0.10.7", "epoch": 1}, "state_dict": weights,
               "optimizer": {"state": {}}}  # fmt: skip
    save_checkpoint(content, tmp_path / "epoch_1.pth")
    read = load_checkpoint_file(str(tmp_path / "epoch_1.pth"))
    assert set(read) == set(content) and read["meta"] == content["meta"]
    assert list(read["state_dict"]) == list(weights)
    assert all(torch.equal(read["state_dict"][key], weights[key]) for key in weights)


@pytest.mark.parametrize("name", [name for name in BACKBONES if name != "guest"])
def test_bare_weights_of_a_detector_are_of_no_other_program(name, weights_of):
    weights = weights_of(name) | {"roi_head.bbox_head.fc_cls.weight": torch.zeros(1)}
    assert import_weights(weights) is None


def test_names_that_begin_like_another_programs_are_not_enough():
    for names in (
        ["backbone.stem.conv1.weight", "stem.conv1.weight", "neck.a"],
        ["proposal_generator.rpn_head.conv.weight"],
        ["Conv_Body.conv.weight"],
    ):
        assert import_weights(dict.fromkeys(names, torch.zeros(1))) is None


def test_a_layout_that_leaves_most_names_over_is_none():
    names = ["stem.conv1.weight", "res2.0.conv1.weight", *(f"mine.{i}.weight" for i in range(3))]
    assert import_weights(dict.fromkeys(names, torch.zeros(1))) is None
