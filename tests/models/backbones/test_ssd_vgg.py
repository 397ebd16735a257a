"""SSD's VGG: layers, names, sizes of its maps."""

import pytest
import torch

from mmdet_lite.models.backbones import SSDVGG


@pytest.fixture(scope="module")
def vgg():
    return SSDVGG(16).eval()


def test_maps_come_after_the_fourth_stage_and_the_converted_layers(vgg):
    with torch.no_grad():
        outputs = vgg(torch.randn(1, 3, 75, 75))
    # 75 -> 38 -> 19 -> 10 -> 5: the poolings round up, the last two keep the size
    assert [tuple(x.shape) for x in outputs] == [(1, 512, 10, 10), (1, 1024, 5, 5)]
    assert vgg.out_channels == [512, 1024]
    assert all((x >= 0).all() for x in outputs)


def test_names_and_shapes_are_those_of_checkpoints(vgg):
    state = vgg.state_dict()
    assert len(state) == 30
    assert state["features.0.weight"].shape == (64, 3, 3, 3)
    assert state["features.28.weight"].shape == (512, 512, 3, 3)
    assert state["features.31.weight"].shape == (1024, 512, 3, 3)
    assert state["features.33.weight"].shape == (1024, 1024, 1, 1)
    assert vgg.features[31].dilation == (6, 6)


def test_poolings_and_outputs_are_switches():
    args = {"with_last_pool": True, "ceil_mode": False, "out_indices": (4,)}
    vgg = SSDVGG(11, **args, out_feature_indices=(25,))
    with torch.no_grad():
        (output,) = vgg(torch.randn(1, 3, 75, 75))
    assert output.shape == (1, 1024, 2, 2)  # 75 / 32 rounded down


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"depth": 50}, r"depth must be one of \[11, 13, 16, 19\]"),
        ({"depth": 16, "out_feature_indices": (22, 35)}, "less than 35"),
        ({"depth": 16, "out_indices": (4,)}, "as many as out_indices"),
    ],
)
def test_wrong_arguments_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        SSDVGG(**args)
