"""ResNet against torchvision's models with the same weights."""

import pytest
import torch
import torchvision
from torch import nn

from mmdet_lite.models.backbones.resnet import ResNet

TINY = {"depth": 18, "base_channels": 8, "norm_eval": False}


def shaken(model):
    """Give batch norms statistics and weights that a mistake would show."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.0)
    return model


def stage_outputs(model, x):
    x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
    outputs = []
    for name in ("layer1", "layer2", "layer3", "layer4"):
        x = getattr(model, name)(x)
        outputs.append(x)
    return outputs


def assert_equal_features(ours, theirs, x):
    for a, b in zip(ours(x), stage_outputs(theirs, x), strict=True):
        assert torch.allclose(a, b, atol=1e-4 * b.detach().abs().max().item(), rtol=1e-4)


@pytest.mark.parametrize("depth", [18, 50, 101])
def test_features_are_torchvisions_with_the_same_weights(depth):
    theirs = shaken(getattr(torchvision.models, f"resnet{depth}")()).eval()
    ours = ResNet(depth).eval()
    weights = {k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    assert list(ours.state_dict()) == list(weights)
    ours.load_state_dict(weights)
    with torch.no_grad():
        assert_equal_features(ours, theirs, torch.randn(2, 3, 64, 96))


def test_training_with_batch_statistics_equals_torchvision():
    theirs, ours = shaken(torchvision.models.resnet18()).train(), ResNet(18, norm_eval=False)
    weights = {k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    ours.load_state_dict(weights)
    ours.train()
    x = torch.randn(4, 3, 64, 64)
    assert_equal_features(ours, theirs, x)
    assert torch.allclose(ours.bn1.running_mean, theirs.bn1.running_mean)


def test_caffe_style_strides_on_the_first_convolution():
    theirs = shaken(torchvision.models.resnet50()).eval()
    for name in ("layer2", "layer3", "layer4"):
        block = getattr(theirs, name)[0]
        block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)
    ours = ResNet(50, style="caffe").eval()
    ours.load_state_dict(theirs.state_dict(), strict=False)
    with torch.no_grad():
        assert_equal_features(ours, theirs, torch.randn(1, 3, 64, 64))


def test_folded_norms_give_the_gradients_of_unfolded_ones(monkeypatch):
    model = shaken(ResNet(50, base_channels=8, norm_eval=True)).double().train()
    x = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    weights = list(model.parameters())

    def gradients():
        return torch.autograd.grad(sum(f.square().mean() for f in model(x)), weights)

    folded = gradients()
    path = "mmdet_lite.models.backbones.resnet.conv_norm"
    monkeypatch.setattr(path, lambda x, conv, norm: norm(conv(x)))
    for a, b in zip(folded, gradients(), strict=True):
        assert torch.allclose(a, b, atol=1e-10 + 1e-8 * b.detach().abs().max().item())


def test_frozen_stages_neither_learn_nor_change_statistics():
    model = ResNet(**TINY, frozen_stages=2).train()
    frozen = [model.conv1, model.bn1, model.layer1, model.layer2]
    assert not any(p.requires_grad for m in frozen for p in m.parameters())
    assert not any(sub.training for m in frozen for sub in m.modules())
    free = [model.layer3, model.layer4]
    assert all(p.requires_grad for m in free for p in m.parameters())
    assert all(sub.training for m in free for sub in m.modules())
    before = {k: v.clone() for k, v in model.named_buffers()}
    model(torch.randn(2, 3, 64, 64))
    changed = {k for k, v in model.named_buffers() if not torch.equal(v, before[k])}
    assert changed and all(k.startswith(("layer3", "layer4")) for k in changed)


def test_stem_alone_and_nothing_can_be_frozen():
    assert all(p.requires_grad for p in ResNet(**TINY, frozen_stages=-1).parameters())
    stem_only = ResNet(**TINY, frozen_stages=0)
    assert not stem_only.conv1.weight.requires_grad
    assert all(p.requires_grad for p in stem_only.layer1.parameters())


@pytest.mark.parametrize("frozen", [-2, 4, 9])
def test_stages_that_are_not_there_cannot_be_frozen(frozen):
    three = {"num_stages": 3, "out_indices": (2,)}
    with pytest.raises(ValueError, match=rf"ResNet: frozen_stages must be.* to 3 .*got {frozen}"):
        ResNet(**TINY, **three, frozen_stages=frozen)
    assert not any(p.requires_grad for p in ResNet(**TINY, **three, frozen_stages=3).parameters())


def test_norm_eval_keeps_all_statistics_in_training():
    model = ResNet(18, base_channels=8, norm_eval=True).train()
    before = [b.clone() for b in model.buffers()]
    model(torch.randn(2, 3, 64, 64))
    assert all(torch.equal(a, b) for a, b in zip(model.buffers(), before, strict=True))
    assert model.layer1.training and not model.layer1[0].bn1.training


def test_checkpointing_changes_no_value_and_no_gradient():
    plain = ResNet(18, base_channels=8)
    saving = ResNet(18, base_channels=8, with_cp=True)
    saving.load_state_dict(plain.state_dict())
    x = torch.randn(1, 3, 64, 64)
    outputs = [model.train()(x) for model in (plain, saving)]
    assert all(torch.equal(a, b) for a, b in zip(*outputs, strict=True))
    for out in outputs:
        sum(f.sum() for f in out).backward()
    for a, b in zip(plain.parameters(), saving.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-5)


def test_group_norm_takes_its_names_and_works():
    model = ResNet(
        50, base_channels=8, norm_cfg={"type": "GN", "num_groups": 4}, out_indices=(1, 3)
    )
    assert "gn1.weight" in model.state_dict()
    assert "layer1.0.gn3.weight" in model.state_dict()
    assert "layer1.0.downsample.1.weight" in model.state_dict()
    features = model(torch.randn(1, 3, 64, 64))
    assert [f.shape[1:] for f in features] == [(64, 8, 8), (256, 2, 2)]


def test_options_of_shape_are_honoured():
    model = ResNet(
        50, in_channels=1, stem_channels=4, base_channels=8, num_stages=3,
        strides=(1, 2, 1), dilations=(1, 1, 2), out_indices=(2,),
    ).eval()  # fmt: skip
    assert model.conv1.weight.shape == (4, 1, 7, 7)
    assert model.layer3[0].conv2.dilation == (2, 2)
    (feature,) = model(torch.randn(1, 1, 64, 64))
    assert feature.shape == (1, 128, 8, 8)
    assert not hasattr(model, "layer4")


def test_from_scratch_each_block_starts_as_its_shortcut():
    model = ResNet(50, base_channels=8)
    model.init_weights()
    assert all(block.bn3.weight.abs().sum() == 0 for block in model.layer2)
    kept = ResNet(50, base_channels=8, zero_init_residual=False)
    kept.init_weights()
    assert all(torch.equal(block.bn3.weight, torch.ones(64)) for block in kept.layer2)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"depth": 51}, r"depth must be one of \[18, 34, 50, 101, 152\], got 51"),
        ({"depth": 50, "style": "tf"}, "style must be 'pytorch' or 'caffe', got 'tf'"),
        ({"depth": 50, "deep_stem": True}, "deep_stem=True is not available"),
        ({"depth": 50, "avg_down": True}, "avg_down=True is not available"),
        ({"depth": 50, "dcn": {"type": "DCN"}}, "dcn=.* is not available"),
        ({"depth": 50, "plugins": [{}]}, "plugins=.* is not available"),
        (
            {"depth": 50, "pretrained": "a.pth", "init_cfg": {"type": "Kaiming"}},
            "give init_cfg or the older pretrained",
        ),
    ],
)
def test_options_that_are_not_built_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        ResNet(**args)


def test_older_pretrained_becomes_init_cfg():
    assert ResNet(18, base_channels=8, pretrained="a.pth").init_cfg == {
        "type": "Pretrained",
        "checkpoint": "a.pth",
    }


def test_a_dilated_last_stage_keeps_its_stride():
    model = ResNet(50, base_channels=8, strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2),
                   out_indices=(3,), style="caffe").eval()  # fmt: skip
    (x,) = model(torch.randn(1, 3, 64, 96))
    assert x.shape == (1, 256, 4, 6)
    dilations = {
        m.dilation for m in model.layer4.modules() if getattr(m, "kernel_size", 0) == (3, 3)
    }
    assert dilations == {(2, 2)}
    assert model.layer4[0].downsample[0].stride == (1, 1)


def test_three_stages_are_enough_for_c4():
    model = ResNet(18, base_channels=8, num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1),
                   out_indices=(2,)).eval()  # fmt: skip
    assert not any(key.startswith("layer4") for key in model.state_dict())
    assert [x.shape for x in model(torch.randn(1, 3, 64, 64))] == [(1, 32, 4, 4)]


def test_standardised_weights_make_every_filter_of_mean_zero():
    norm = {"type": "GN", "num_groups": 4}
    model = ResNet(18, base_channels=8, conv_cfg={"type": "ConvWS"}, norm_cfg=norm)
    convs = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert {type(m).__name__ for m in convs} == {"ConvWS2d"}
    x = torch.randn(1, 3, 32, 32)
    wanted = model(x)
    with torch.no_grad():  # a filter's mean and scale have no effect
        for conv in convs:
            conv.weight.mul_(3).add_(0.5)
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(model(x), wanted, strict=True))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"num_stages": 5}, "num_stages must be 1, 2, 3 or 4, got 5"),
        ({"strides": (1, 2)}, r"strides=\(1, 2\) has no entry for each of 4 stages"),
        ({"dilations": (1,)}, "dilations="),
        ({"num_stages": 3, "out_indices": (3,)}, "must name stages from 0 to 2"),
        ({"out_indices": ()}, "must name stages from 0 to 3"),
    ],
)
def test_stages_that_do_not_exist_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        ResNet(18, **args)
