"""A ResNet stage as a head: the same numbers as the backbone's stage, and its switches."""

import pytest
import torch
from torch import nn

from mmdet_lite.models.backbones import ResNet, ResNeXt
from mmdet_lite.models.roi_heads import ResLayer


@pytest.mark.parametrize("style", ["pytorch", "caffe"])
@pytest.mark.parametrize("depth", [18, 50])
def test_it_is_the_backbones_last_stage(depth, style):
    backbone = ResNet(depth, style=style).eval()
    layer = ResLayer(depth, style=style).eval()
    weights = {k: v for k, v in backbone.state_dict().items() if k.startswith("layer4.")}
    layer.load_state_dict(weights, strict=True)
    x = torch.randn(2, 256 if depth == 18 else 1024, 14, 14)
    wanted = backbone.layer4(x)
    assert torch.allclose(layer(x), wanted, atol=1e-4)
    assert wanted.shape == (2, 512 if depth == 18 else 2048, 7, 7)


def test_groups_make_it_the_stage_of_a_resnext():
    backbone, layer = ResNeXt(depth=50, groups=32, base_width=4), ResLayer(
        50, groups=32, base_width=4
    )  # fmt: skip
    wanted = {k: v.shape for k, v in backbone.state_dict().items() if k.startswith("layer4.")}
    assert {k: v.shape for k, v in layer.state_dict().items()} == wanted


def test_norms_stay_in_eval_and_recomputation_changes_nothing():
    layer = ResLayer(18, stage=0, stride=1, norm_cfg={"type": "BN"}).train()
    norms = [m for m in layer.modules() if isinstance(m, nn.BatchNorm2d)]
    assert layer.training and not any(m.training for m in norms)
    assert all(m.training for m in ResLayer(18, norm_eval=False).train().modules())
    other = ResLayer(18, stage=0, stride=1, norm_cfg={"type": "BN"}, with_cp=True).train()
    other.load_state_dict(layer.state_dict())
    x = torch.randn(1, 64, 8, 8, requires_grad=True)
    grads = [torch.autograd.grad(m(x).sum(), x)[0] for m in (layer, other)]
    assert torch.allclose(*grads, atol=1e-5)


def test_weights_come_from_the_checkpoint_of_the_whole_network(tmp_path):
    backbone = ResNet(18)
    torch.save(backbone.state_dict(), tmp_path / "resnet18.pth")
    init = {"type": "Pretrained", "checkpoint": str(tmp_path / "resnet18.pth")}
    layer = ResLayer(18, init_cfg=init)
    layer.init_weights()
    assert torch.equal(layer.layer4[1].conv2.weight, backbone.layer4[1].conv2.weight)


def test_no_rois_give_no_features():
    assert ResLayer(18).eval()(torch.zeros(0, 256, 14, 14)).shape == (0, 512, 7, 7)


def test_an_unknown_stage_is_refused():
    with pytest.raises(ValueError, match="stage must be 0, 1, 2 or 3, got 4"):
        ResLayer(50, stage=4)
    with pytest.raises(ValueError, match="style must be 'pytorch' or 'caffe', got 'tf'"):
        ResLayer(50, style="tf")
