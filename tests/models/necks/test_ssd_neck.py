"""SSD's neck: sizes, names, the normalisation."""

import pytest
import torch

from mmdet_lite.models.necks import SSDNeck
from mmdet_lite.models.necks.ssd_neck import L2Norm

SSD300 = {
    "in_channels": (16, 32),
    "out_channels": (16, 32, 16, 8, 8, 8),
    "level_strides": (2, 2, 1, 1),
    "level_paddings": (1, 1, 0, 0),
}


def test_levels_have_the_sizes_of_ssd300():
    inputs = [torch.randn(1, 16, 38, 38), torch.randn(1, 32, 19, 19)]
    copies = [x.clone() for x in inputs]
    outputs = SSDNeck(**SSD300)(inputs)
    assert [tuple(x.shape[1:]) for x in outputs] == [
        (16, 38, 38), (32, 19, 19), (16, 10, 10), (8, 5, 5), (8, 3, 3), (8, 1, 1),
    ]  # fmt: skip
    assert torch.equal(outputs[1], inputs[1])
    assert all(torch.equal(a, b) for a, b in zip(inputs, copies, strict=True))


def test_each_position_gets_length_one_times_the_scale():
    x = torch.randn(2, 16, 3, 4)
    x[0, :, 0, 0] = 0
    outputs = SSDNeck(**SSD300)([x, torch.randn(2, 32, 19, 19)])
    length = outputs[0].norm(dim=1)
    assert length[0, 0, 0] == 0
    assert torch.allclose(length.flatten()[1:], torch.full((23,), 20.0))
    norm = L2Norm(2, 10.0)
    norm.weight.data = torch.tensor([10.0, 100.0])
    got = norm(torch.tensor([3.0, 4.0]).view(1, 2, 1, 1))
    assert torch.allclose(got.flatten(), torch.tensor([6.0, 80.0]))
    assert norm(x[:1, :2].bfloat16()).dtype == torch.bfloat16


def test_names_are_those_of_checkpoints():
    neck = SSDNeck(**SSD300)
    neck.init_weights()
    state = neck.state_dict()
    assert list(state)[:3] == [
        "l2_norm.weight", "extra_layers.0.0.conv.weight", "extra_layers.0.0.conv.bias"
    ]  # fmt: skip
    assert state["extra_layers.3.1.conv.weight"].shape == (8, 4, 3, 3)
    assert (state["l2_norm.weight"] == 20).all()
    assert "l2_norm.weight" not in SSDNeck(**SSD300, l2_norm_scale=None).state_dict()


def test_depthwise_layers_and_a_larger_last_kernel():
    neck = SSDNeck(**SSD300, use_depthwise=True, last_kernel_size=2, norm_cfg={"type": "BN"})
    state = neck.state_dict()
    assert state["extra_layers.3.1.depthwise_conv.conv.weight"].shape == (4, 1, 2, 2)
    assert state["extra_layers.0.1.pointwise_conv.bn.weight"].shape == (16,)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"out_channels": (16, 8, 4)}, "must begin with in_channels"),
        ({"out_channels": (16, 32)}, "more levels"),
        ({"level_strides": (2, 2)}, "4 extra levels need as many"),
    ],
)
def test_lists_that_do_not_fit_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        SSDNeck(**{**SSD300, **change})
