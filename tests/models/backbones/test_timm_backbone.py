"""TimmBackbone on a small stand-in for timm, and on timm itself where it is installed."""

import sys
from types import ModuleType

import pytest
import torch
from torch import nn

from mmdet_lite.models.backbones.timm_backbone import TimmBackbone

STRIDES = (2, 4, 8, 16, 32)


class Pyramid(nn.ModuleDict):
    """What timm's features_only networks look like from outside."""

    def __init__(self, out_indices, channels_last):
        super().__init__()
        self.channels_last = channels_last
        self.output_fmt = "NHWC" if channels_last else "NCHW"
        self.out_indices = out_indices
        self.recomputes = False
        width = 3
        for i, stride in enumerate(STRIDES):
            conv = nn.Conv2d(width, 4 * stride, 3, stride=2, padding=1)
            self[f"blocks_{i}"] = nn.Sequential(conv, nn.BatchNorm2d(4 * stride))
            width = 4 * stride

    @property
    def feature_info(self):
        info = ModuleType("info")
        info.get_dicts = lambda: [
            {"num_chs": 4 * s, "reduction": s, "module": f"blocks.{i}"}
            for i, s in enumerate(STRIDES)
        ]
        return info

    def set_grad_checkpointing(self, enable):
        self.recomputes = enable

    def forward(self, x):
        outputs = []
        for i in range(len(STRIDES)):
            x = self[f"blocks_{i}"](x)
            if i in self.out_indices:
                outputs.append(x.permute(0, 2, 3, 1) if self.channels_last else x)
        return outputs


@pytest.fixture
def fake_timm(monkeypatch):
    timm = ModuleType("timm")
    timm.calls = []

    def create_model(
        model_name, features_only, out_indices=None, pretrained=False,
        pretrained_cfg_overlay=None, channels_last=False,
    ):  # fmt: skip
        assert features_only
        timm.calls.append((model_name, out_indices, pretrained, pretrained_cfg_overlay))
        net = Pyramid(out_indices, channels_last)
        if pretrained:
            for parameter in net.parameters():
                nn.init.constant_(parameter, 0.25)
        return net

    timm.create_model = create_model
    timm.list_models = lambda: ["toynet", "toynet_large"]
    monkeypatch.setitem(sys.modules, "timm", timm)
    return timm


def test_stages_are_those_of_stride_4_to_32_whatever_timm_counts(fake_timm):
    model = TimmBackbone("toynet", out_indices=(1, 2, 3))
    assert fake_timm.calls[-1][1] == (2, 3, 4)
    assert model.out_channels == [32, 64, 128] and model.out_strides == [8, 16, 32]
    shapes = [tuple(f.shape) for f in model(torch.randn(1, 3, 64, 96))]
    assert shapes == [(1, 32, 8, 12), (1, 64, 4, 6), (1, 128, 2, 3)]
    assert next(iter(model.state_dict())) == "timm_model.blocks_0.0.weight"


def test_features_with_channels_last_are_turned(fake_timm):
    model = TimmBackbone("toynet", out_indices=(3,), model_args={"channels_last": True})
    assert model(torch.randn(1, 3, 64, 96))[0].shape == (1, 128, 2, 3)


@pytest.mark.parametrize(("frozen", "first"), [(-1, 0), (0, 1), (1, 2), (3, 4), (4, None)])
def test_frozen_stages_do_not_learn(fake_timm, frozen, first):
    model = TimmBackbone("toynet", frozen_stages=frozen, norm_eval=False).train()
    learning = [key for key, p in model.named_parameters() if p.requires_grad]
    assert learning[:1] == ([] if first is None else [f"timm_model.blocks_{first}.0.weight"])
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model(torch.randn(2, 3, 64, 64))
    changed = {key for key, value in model.state_dict().items() if not value.equal(before[key])}
    moved = {int(key.split("blocks_")[1][0]) for key in changed}
    assert moved == (set() if first is None else set(range(first, 5)))


def test_norm_eval_keeps_statistics(fake_timm):
    model = TimmBackbone("toynet").train()
    before = model.timm_model["blocks_0"][1].running_mean.clone()
    model(torch.randn(2, 3, 64, 64))
    assert model.timm_model["blocks_0"][1].running_mean.equal(before)


def test_pretrained_weights_are_read_when_weights_are_initialised(fake_timm):
    model = TimmBackbone("toynet", pretrained="toynet.pth", with_cp=True)
    assert model.timm_model.recomputes
    assert not any(pretrained for _, _, pretrained, _ in fake_timm.calls)
    model.init_weights()
    assert fake_timm.calls[-1][2:] == (True, {"file": "toynet.pth"})
    assert (model.timm_model["blocks_0"][0].weight == 0.25).all()


def test_what_does_not_fit_is_refused(fake_timm):
    with pytest.raises(ValueError, match=r"timm has no 'toynt'; did you mean 'toynet'"):
        TimmBackbone("toynt")
    with pytest.raises(ValueError, match="out_indices must rise"):
        TimmBackbone("toynet", out_indices=(3, 1))
    with pytest.raises(ValueError, match="frozen_stages must be -1"):
        TimmBackbone("toynet", frozen_stages=7)
    with pytest.raises(ValueError, match="not both"):
        TimmBackbone("toynet", pretrained=True, init_cfg={"type": "Pretrained"})


def test_without_timm_the_message_says_how_to_go_on(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ValueError, match="pip install timm, or take a network of torchvision"):
        TimmBackbone("resnet18")


def test_a_network_of_timm_itself_runs():
    pytest.importorskip("timm")
    model = TimmBackbone("resnet18", out_indices=(0, 3), frozen_stages=1).train()
    shapes = [tuple(f.shape) for f in model(torch.randn(1, 3, 64, 96))]
    assert shapes == [(1, 64, 16, 24), (1, 512, 2, 3)]
