"""Tiles of text: inside the picture, off each other, readable."""

import numpy as np
import pytest

from mmdet_lite.visualization import Label, draw_labels, scaled_font_size, text_tile
from mmdet_lite.visualization.labels import place_tile

IMAGE_HW = (100, 200)


@pytest.mark.parametrize(
    "box", [(0, 0, 50, 50), (180, 80, 200, 100), (0, 90, 200, 100), (-50, -50, 300, 300)]
)
def test_tile_is_always_inside_the_picture(box: tuple[float, ...]) -> None:
    x1, y1, x2, y2 = place_tile(box, (12, 60), IMAGE_HW, [])
    assert 0 <= x1 < x2 <= 200
    assert 0 <= y1 < y2 <= 100
    assert (y2 - y1, x2 - x1) == (12, 60)


def test_favourite_place_is_above_the_box_and_else_inside_at_its_top() -> None:
    assert place_tile((50, 40, 90, 80), (12, 30), IMAGE_HW, []) == (50, 28, 80, 40)
    assert place_tile((50, 3, 90, 80), (12, 30), IMAGE_HW, []) == (50, 3, 80, 15)


def test_second_tile_of_the_same_box_avoids_the_first() -> None:
    box = (50, 40, 120, 80)
    first = place_tile(box, (12, 30), IMAGE_HW, [])
    second = place_tile(box, (12, 30), IMAGE_HW, [first])
    assert second[0] >= first[2] or second[1] >= first[3]


def test_text_scales_with_the_picture() -> None:
    assert scaled_font_size(100, 100) == 10
    assert 12 <= scaled_font_size(480, 640) <= 18
    assert scaled_font_size(3000, 4000) > 60


def test_text_contrasts_with_its_tile() -> None:
    for background in ((250, 240, 90), (90, 20, 120), (128, 128, 128)):
        tile = text_tile("person 0.93", 14, background)
        assert tuple(tile[0, 0]) == background
        difference = np.abs(tile.astype(int) - background).max(axis=2)
        assert difference.max() > 100
        assert 0.05 < (difference > 60).mean() < 0.6


def test_labels_change_a_copy() -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    drawn = draw_labels(image, [Label("cat", (10, 30, 40, 50), (255, 255, 255), 12)])
    assert image.max() == 0
    assert drawn.max() > 200
    assert np.array_equal(draw_labels(image, []), image)


def test_a_label_wider_than_the_picture_is_cut() -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    label = Label("a very long name 0.99", (0, 0, 30, 20), (255, 255, 255), 12)
    assert draw_labels(image, [label]).shape == image.shape


def test_own_text_color_is_used() -> None:
    tile = text_tile("cat", 20, (0, 0, 0), (0, 255, 0))
    assert tile[..., 1].max() == 255
    assert tile[..., 0].max() == 0
