"""ResNeXt against torchvision's models with the same weights."""

import pytest
import torch
import torchvision

from mmdet_lite.models.backbones.resnext import ResNeXt


@pytest.mark.parametrize(
    ("name", "depth", "groups", "base_width"),
    [("resnext50_32x4d", 50, 32, 4), ("resnext101_32x8d", 101, 32, 8)],
)
def test_features_are_torchvisions_with_the_same_weights(name, depth, groups, base_width):
    theirs = getattr(torchvision.models, name)().eval()
    ours = ResNeXt(depth=depth, groups=groups, base_width=base_width).eval()
    weights = {k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    assert list(ours.state_dict()) == list(weights)
    ours.load_state_dict(weights)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        features = ours(x)
        x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(x))))
        for i, feature in enumerate(features):
            x = getattr(theirs, f"layer{i + 1}")(x)
            assert torch.allclose(feature, x, atol=1e-4 * float(x.abs().max()), rtol=1e-4)


def test_one_group_is_a_plain_resnet():
    assert ResNeXt(depth=50, groups=1).layer1[0].conv2.weight.shape == (64, 64, 3, 3)


def test_basic_blocks_take_no_groups():
    with pytest.raises(ValueError, match="depth 50, 101 or 152"):
        ResNeXt(depth=18, groups=32)
