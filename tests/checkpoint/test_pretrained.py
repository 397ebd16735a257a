import logging
import subprocess
import sys

import pytest
import torch
from mmengine.model import BaseModule
from torch import nn

import mmdet_lite.checkpoint
from mmdet_lite.checkpoint import PretrainedInit
from mmdet_lite.models.backbones.resnet import ResNet


class Body(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.layers = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))


def save(path, state_dict):
    torch.save({"state_dict": state_dict}, path)
    return str(path)


def test_init_cfg_pretrained_fills_the_module(tmp_path):
    weights = {key: torch.full_like(value, 7) for key, value in Body().state_dict().items()}
    path = save(tmp_path / "a.pth", weights | {"fc.weight": torch.ones(1000, 2)})
    body = Body(init_cfg={"type": "Pretrained", "checkpoint": path})
    body.init_weights()
    assert all(bool((value == 7).all()) for value in body.state_dict().values())


def test_prefix_takes_a_part_of_a_detector(tmp_path):
    weights = {f"backbone.{k}": torch.full_like(v, 7) for k, v in Body().state_dict().items()}
    path = save(tmp_path / "a.pth", weights | {"neck.w": torch.ones(1)})
    body = Body(init_cfg={"type": "Pretrained", "checkpoint": path, "prefix": "backbone."})
    body.init_weights()
    assert bool((body.layers[0].weight == 7).all())
    wrong = Body(init_cfg={"type": "Pretrained", "checkpoint": path, "prefix": "head."})
    with pytest.raises(ValueError, match=r"nothing below prefix='head\.'; it has backbone, neck"):
        wrong.init_weights()


def test_less_than_half_of_the_tensors_is_an_error(tmp_path):
    path = save(tmp_path / "a.pth", {"layers.0.weight": torch.ones(2, 2)})
    body = Body(init_cfg={"type": "Pretrained", "checkpoint": path})
    with pytest.raises(ValueError, match=r"only 1 of its 4 tensors.*(depth|style)"):
        body.init_weights()


def resnet(depth):
    return ResNet(depth, base_channels=4)


def test_network_of_less_depth_is_an_error_that_names_the_blocks(tmp_path):
    path = save(tmp_path / "r50.pth", resnet(50).state_dict())
    with pytest.raises(ValueError, match=r"nothing for 17 blocks.*layer3\.6, layer3\.7.*depth"):
        PretrainedInit(path)(resnet(101))
    PretrainedInit(path)(resnet(50))


def test_what_the_file_lacks_is_a_warning_and_counters_are_not_counted(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(
        "mmdet_lite.checkpoint.state.print_log",
        lambda text, logger, level: lines.append((level, text)),
    )
    weights = resnet(50).state_dict()
    PretrainedInit(save(tmp_path / "all.pth", weights))(resnet(50))
    part = {k: v for k, v in weights.items() if "layer4.2.conv3" not in k}
    PretrainedInit(save(tmp_path / "part.pth", part))(resnet(50))
    assert [level for level, _ in lines] == [logging.INFO, logging.WARNING]
    assert "265 tensors loaded" in lines[0][1] and "264 tensors loaded" in lines[1][1]


def test_report_of_a_wrong_file_is_in_the_error_and_nowhere_else(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr("mmdet_lite.checkpoint.state.print_log", lambda *a, **k: lines.append(a))
    weights = resnet(50).state_dict()
    counters = {k: v for k, v in weights.items() if "num_batches" in k}
    path = save(tmp_path / "a.pth", counters | {"conv1.weight": weights["conv1.weight"]})
    with pytest.raises(ValueError, match=r"only 1 of its 265 tensors[\s\S]*1 tensors loaded"):
        PretrainedInit(path)(resnet(50))
    assert lines == []


def test_mmengine_finds_this_initializer_by_scope_alone(tmp_path):
    path = save(tmp_path / "a.pth", {"weight": torch.ones(1)})
    code = (
        "from mmengine.registry import WEIGHT_INITIALIZERS, init_default_scope\n"
        "init_default_scope('mmdet_lite')\n"
        f"init = WEIGHT_INITIALIZERS.build(dict(type='Pretrained', checkpoint={path!r}))\n"
        "print(type(init).__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == mmdet_lite.checkpoint.PretrainedInit.__module__
