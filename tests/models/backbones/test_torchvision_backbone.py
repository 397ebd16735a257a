"""TorchvisionBackbone against torchvision's own networks and its feature extractor."""

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import nn
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor

from mmdet_lite.models.backbones.torchvision_backbone import (
    FoldedSequential,
    TorchvisionBackbone,
    available_names,
)
from mmdet_lite.registry import MODELS

LIGHT = ("mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "mnasnet0_5", "regnet_y_400mf",
         "shufflenet_v2_x0_5", "resnet18", "convnext_tiny", "swin_t")  # fmt: skip


def shaken(model):
    """Give batch norms statistics and weights that a mistake would show."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.0)
    return model


@pytest.mark.parametrize("name", LIGHT)
def test_features_and_keys_are_torchvisions(name):
    theirs = shaken(models.get_model(name, weights=None)).eval()
    ours = TorchvisionBackbone(name).eval()
    missing = ours.load_state_dict(theirs.state_dict(), strict=False).missing_keys
    assert missing == []
    extractor = create_feature_extractor(theirs, ours.out_steps)
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        wanted = extractor(x)
        found = ours(x)
    assert ours.out_strides == [4, 8, 16, 32]
    for feature, step, channels, stride in zip(
        found, ours.out_steps, ours.out_channels, ours.out_strides, strict=True
    ):
        expected = wanted[step].permute(0, 3, 1, 2) if name == "swin_t" else wanted[step]
        assert feature.shape == (1, channels, 64 // stride, 96 // stride)
        assert torch.allclose(feature, expected, atol=1e-4 * expected.abs().max(), rtol=1e-4)


def test_layers_behind_the_last_stage_asked_for_are_left_out():
    ours = TorchvisionBackbone("mobilenet_v2", out_indices=(1, 2))
    assert ours.out_channels == [32, 96] and ours.out_strides == [8, 16]
    assert ours.steps[-1].name == "features.13"
    assert not any(key.startswith("features.14.") for key in ours.state_dict())


@pytest.mark.parametrize(
    ("frozen", "learning"),
    [(-1, "features.0"), (0, "features.2"), (1, "features.4"), (2, "features.7"), (4, None)],
)
def test_frozen_stages_do_not_learn(frozen, learning):
    model = TorchvisionBackbone("mobilenet_v2", frozen_stages=frozen, norm_eval=False).train()
    first = next((key for key, p in model.named_parameters() if p.requires_grad), None)
    assert first is None if learning is None else first.startswith(f"{learning}.")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    learners = [p for p in model.parameters() if p.requires_grad]
    total = sum(f.square().mean() for f in model(torch.randn(2, 3, 64, 64)))
    if learners:
        total.backward()
        torch.optim.SGD(learners, 0.1).step()
    changed = {key for key, value in model.state_dict().items() if not value.equal(before[key])}
    order = list(before)
    start = order.index(first) if first else len(order)
    assert not changed & set(order[:start])
    assert bool(changed) == bool(learners)


def test_the_stem_of_a_patchifying_network_is_its_first_layer():
    model = TorchvisionBackbone("convnext_tiny", frozen_stages=0)
    frozen = [key for key, p in model.named_parameters() if not p.requires_grad]
    assert frozen and all(key.startswith("features.0.") for key in frozen)


def test_norm_eval_keeps_statistics_and_its_absence_does_not():
    for norm_eval in (True, False):
        model = TorchvisionBackbone("mobilenet_v2", norm_eval=norm_eval).train()
        before = model.features["0"][1].running_mean.clone()
        model(torch.randn(2, 3, 64, 64))
        assert model.features["0"][1].running_mean.equal(before) == norm_eval


def test_folded_norms_give_the_gradients_of_unfolded_ones():
    plain = shaken(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())).double().eval()
    folded = FoldedSequential(*plain.children())
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    for a, b in zip(
        torch.autograd.grad(plain(x).square().sum(), list(plain.parameters())),
        torch.autograd.grad(folded(x).square().sum(), list(folded.parameters())),
        strict=True,
    ):
        assert torch.allclose(a, b)
    # a convolution at the end, and one before something else than a norm
    mixed = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 1)).double()
    assert FoldedSequential(*mixed.children())(x).equal(mixed(x))


def test_checkpointing_gives_the_same_gradients():
    torch.manual_seed(1)
    model = TorchvisionBackbone("mobilenet_v2", frozen_stages=1, out_indices=(1, 2)).train()
    x = torch.randn(1, 3, 64, 64)
    learners = [p for p in model.parameters() if p.requires_grad]

    def gradients():
        return torch.autograd.grad(sum(f.square().mean() for f in model(x)), learners)

    plain = gradients()
    model.with_cp = True
    for a, b in zip(plain, gradients(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_an_imagenet_file_with_torchvisions_names_loads(shared_dir):
    path = shared_dir / "weights" / "mobilenet_v2-imagenet-backbone.pth"
    stored = torch.load(path, weights_only=True)
    init_default_scope("mmdet_lite")
    for how in ({"init_cfg": {"type": "Pretrained", "checkpoint": str(path)}},
                {"pretrained": str(path)}):  # fmt: skip
        model = MODELS.build({"type": "TorchvisionBackbone", "name": "mobilenet_v2", **how})
        model.init_weights()
        own = model.state_dict()
        assert set(own) <= set(stored)
        assert all(own[key].equal(stored[key]) for key in own)


def test_wrong_names_stages_and_two_sources_of_weights_are_refused():
    with pytest.raises(ValueError, match=r"'mobilenet_2'.*did you mean 'mobilenet_v2'"):
        TorchvisionBackbone("mobilenet_2")
    with pytest.raises(ValueError, match="'vit_b_16' is no network of torchvision with feature"):
        TorchvisionBackbone("vit_b_16")
    for stages in ((), (1, 0), (0, 4), (1, 1)):
        with pytest.raises(ValueError, match=r"must rise and be some of \[0, 1, 2, 3\]"):
            TorchvisionBackbone("mobilenet_v2", out_indices=stages)
    with pytest.raises(ValueError, match="frozen_stages must be -1"):
        TorchvisionBackbone("mobilenet_v2", frozen_stages=5)
    with pytest.raises(ValueError, match="init_cfg or pretrained, not both"):
        TorchvisionBackbone("mobilenet_v2", pretrained=True, init_cfg={"type": "Pretrained"})


def test_pretrained_true_is_torchvisions_file_of_that_name():
    model = TorchvisionBackbone("mobilenet_v3_small", pretrained=True)
    assert model.init_cfg == {
        "type": "Pretrained",
        "checkpoint": "torchvision://mobilenet_v3_small",
    }


def test_a_neck_of_other_widths_is_told_the_right_ones(tiny_cfg):
    backbone = {"type": "TorchvisionBackbone", "name": "mobilenet_v2"}
    with pytest.raises(ValueError, match=r"write in_channels=\[24, 32, 96, 1280\]"):
        MODELS.build({**tiny_cfg, "backbone": backbone})
    neck = {**tiny_cfg["neck"], "in_channels": [24, 32, 96, 1280]}
    detector = MODELS.build({**tiny_cfg, "backbone": backbone, "neck": neck})
    assert "backbone.features.18.0.weight" in detector.state_dict()


@pytest.mark.slow
@pytest.mark.parametrize("name", available_names())
def test_every_name_builds_and_runs(name):
    model = TorchvisionBackbone(name).eval()
    with torch.no_grad():
        features = model(torch.zeros(1, 3, 64, 64))
    assert [f.shape[1] for f in features] == model.out_channels
    assert set(model.state_dict()) <= set(models.get_model(name, weights=None).state_dict())
