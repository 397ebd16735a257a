"""as_picture: any array of a pipeline as RGB on a screen."""

import numpy as np
import pytest
import torch

from mmdet_lite.visualization import as_picture

BGR = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def test_bgr_becomes_rgb_and_a_packed_tensor_the_same() -> None:
    before = BGR.copy()
    assert np.array_equal(as_picture(BGR), BGR[..., ::-1])
    assert np.array_equal(as_picture(torch.from_numpy(BGR).permute(2, 0, 1)), BGR[..., ::-1])
    assert np.array_equal(BGR, before)


@pytest.mark.parametrize("to_rgb", [True, False])
def test_normalisation_is_undone(to_rgb: bool) -> None:
    mean, std = np.array([123.7, 116.3, 103.5]), np.array([58.4, 57.1, 57.4])
    image = (BGR[..., ::-1] if to_rgb else BGR).astype(np.float32)
    norm = {"mean": mean, "std": std, "to_rgb": to_rgb}
    assert np.array_equal(as_picture((image - mean) / std, norm), BGR[..., ::-1])


@pytest.mark.parametrize("channels", [None, 1, 2])
def test_few_channels_are_grey(channels: int | None) -> None:
    grey = np.full((3, 5) if channels is None else (3, 5, channels), 7, np.uint8)
    assert np.array_equal(as_picture(grey), np.full((3, 5, 3), 7))


def test_of_many_channels_the_first_three_are_shown() -> None:
    many = np.stack([np.full((2, 2), n, np.uint8) for n in range(6)], axis=2)
    assert as_picture(many)[0, 0].tolist() == [2, 1, 0]


def test_sixteen_bits_are_stretched_and_slight_excess_is_cut() -> None:
    deep = np.array([[0, 30000, 60000]], np.uint16)
    assert as_picture(deep)[0, :, 0].tolist() == [0, 128, 255]
    bright = np.array([[-10.0, 100.0, 300.0]], np.float32)
    assert as_picture(bright)[0, :, 0].tolist() == [0, 100, 255]
    assert as_picture(np.array([[np.nan, 50.0]]))[0, :, 0].tolist() == [0, 50]


def test_an_empty_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r"an image is \(H, W\) or .* got \(0, 3\)"):
        as_picture(np.zeros((0, 3), np.uint8))
