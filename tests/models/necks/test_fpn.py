"""FPN against torchvision's operator with the same weights."""

import pytest
import torch
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from mmdet_lite.models.necks.fpn import FPN

CHANNELS = [4, 8, 12]


def features(size=20):
    return [torch.randn(2, c, size >> i, (size + 3) >> i) for i, c in enumerate(CHANNELS)]


def torchvision_fpn(ours, extra=None, inputs=slice(None)):
    theirs = FeaturePyramidNetwork(CHANNELS[inputs], 6, extra_blocks=extra)
    for theirs_convs, ours_convs in (
        (theirs.inner_blocks, ours.lateral_convs),
        (theirs.layer_blocks, ours.fpn_convs),
    ):
        for theirs_conv, ours_conv in zip(theirs_convs, ours_convs, strict=False):
            theirs_conv[0].load_state_dict(ours_conv.conv.state_dict())
    return theirs


def assert_same(ours, theirs, x, inputs=slice(None)):
    wanted = theirs({str(i): f for i, f in enumerate(x[inputs])}).values()
    for a, b in zip(ours(x), wanted, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_pooled_extra_levels_equal_torchvision():
    ours = FPN(CHANNELS, 6, num_outs=4)
    assert list(ours.state_dict())[:2] == [
        "lateral_convs.0.conv.weight",
        "lateral_convs.0.conv.bias",
    ]
    assert_same(ours, torchvision_fpn(ours, LastLevelMaxPool()), features())


def test_each_pooled_level_halves_the_last():
    levels = FPN(CHANNELS, 6, num_outs=5)(features())
    assert torch.equal(levels[3], levels[2][..., ::2, ::2])
    assert torch.equal(levels[4], levels[3][..., ::2, ::2])


@pytest.mark.parametrize(("source", "channels"), [("on_input", 12), ("on_output", 6)])
def test_convolved_extra_levels_equal_torchvision(source, channels):
    ours = FPN(CHANNELS, 6, 5, add_extra_convs=source, relu_before_extra_convs=True)
    extra = LastLevelP6P7(channels, 6)
    extra.p6.load_state_dict(ours.fpn_convs[3].conv.state_dict())
    extra.p7.load_state_dict(ours.fpn_convs[4].conv.state_dict())
    assert_same(ours, torchvision_fpn(ours, extra), features())


def test_start_level_leaves_out_the_finest_inputs():
    ours = FPN(CHANNELS, 6, num_outs=3, start_level=1)
    assert_same(
        ours, torchvision_fpn(ours, LastLevelMaxPool(), slice(1, None)), features(), slice(1, None)
    )


def test_end_level_leaves_out_the_coarsest_inputs():
    ours = FPN(CHANNELS, 6, num_outs=2, end_level=1)
    assert_same(ours, torchvision_fpn(ours, None, slice(2)), features(), slice(2))


def test_extra_levels_from_the_lateral():
    ours = FPN(CHANNELS, 6, 4, add_extra_convs="on_lateral")
    x = features()
    wanted = ours.fpn_convs[3](ours.lateral_convs[2](x[2]))
    assert torch.allclose(ours(x)[3], wanted, atol=1e-6)


def test_true_means_on_input():
    assert FPN(CHANNELS, 6, 4, add_extra_convs=True).fpn_convs[3].conv.in_channels == 12


def test_norm_can_be_left_off_the_laterals():
    ours = FPN(CHANNELS, 6, 3, norm_cfg={"type": "BN"}, no_norm_on_lateral=True)
    assert not any("bn" in k for k in ours.state_dict() if k.startswith("lateral"))
    assert any("bn" in k for k in ours.state_dict() if k.startswith("fpn_convs"))


def test_upsampling_by_a_factor_is_honoured():
    ours = FPN(CHANNELS, 6, 3, upsample_cfg={"mode": "bilinear", "scale_factor": 2})
    ours.eval()
    x = [torch.randn(1, c, 16 >> i, 16 >> i) for i, c in enumerate(CHANNELS)]
    nearest = FPN(CHANNELS, 6, 3)
    nearest.load_state_dict(ours.state_dict())
    assert torch.equal(ours(x)[2], nearest(x)[2])
    assert not torch.allclose(ours(x)[0], nearest(x)[0])


def test_inputs_stay_as_they_were():
    x = features()
    copies = [f.clone() for f in x]
    FPN(CHANNELS, 6, 5, add_extra_convs="on_output")(x)
    assert all(torch.equal(a, b) for a, b in zip(x, copies, strict=True))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"num_outs": 2}, "num_outs=2 does not fit"),
        ({"num_outs": 4, "end_level": 1}, "extra levels need the last input"),
        ({"num_outs": 4, "add_extra_convs": "on_top"}, "add_extra_convs must be .* got 'on_top'"),
    ],
)
def test_wrong_arguments_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        FPN(CHANNELS, 6, **args)


def test_wrong_number_of_inputs_is_refused():
    with pytest.raises(ValueError, match=r"expected 3 inputs .* got 2"):
        FPN(CHANNELS, 6, 3)(features()[:2])
