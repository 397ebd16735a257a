"""Drawing functions: what is drawn where, and that nothing else changes."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as mask_api

from mmdet_lite.structures import BitmapMasks
from mmdet_lite.visualization import draw_instances, side_by_side, titled, write_image

NAMES, PALETTE = ("cat", "dog"), [(220, 40, 60), (40, 80, 230)]


def picture(height: int = 120, width: int = 160) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


def disc(height: int = 120, width: int = 160, x: int = 80, y: int = 70, r: int = 20) -> Any:
    rows, columns = np.mgrid[:height, :width]
    return ((rows - y) ** 2 + (columns - x) ** 2 <= r * r).astype(np.uint8)


def rle(mask: np.ndarray) -> dict[str, Any]:
    return mask_api.encode(np.asfortranarray(mask))


def test_mask_is_blended_inside_and_only_there() -> None:
    image, mask = picture(), disc()
    drawn = draw_instances(
        image, [[60, 50, 101, 91]], [0], masks=[rle(mask)], palette=PALETTE, alpha=0.5
    )
    inside = cv2.erode(mask, np.ones((7, 7))).astype(bool)
    expected = image[inside] * 0.5 + np.array(PALETTE[0]) * 0.5
    assert np.abs(drawn[inside] - expected).max() <= 1
    far = np.ones(image.shape[:2], bool)
    far[30:100, 40:140] = False  # box, its line, and the label above it
    assert np.array_equal(drawn[far], image[far])


def test_box_is_drawn_at_its_place_in_its_classs_colour() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    drawn = draw_instances(
        image,
        torch.tensor([[40.0, 60, 100, 100]]),
        torch.tensor([1]),
        palette=PALETTE,
        line_width=1,
    )
    for y, x in ((80, 40), (100, 70)):  # a thin line is smoothed into its neighbours
        assert np.abs(drawn[y, x].astype(int) - PALETTE[1]).max() < 30
    assert tuple(drawn[80, 70]) == (0, 0, 0)


def test_a_box_beyond_the_picture_is_drawn_at_its_edge() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    drawn = draw_instances(image, [[-50, -50, 500, 500]], [0], palette=PALETTE, line_width=3)
    for y, x in ((60, 1), (60, 158), (118, 80)):
        assert tuple(drawn[y, x]) == PALETTE[0]


@pytest.mark.parametrize("kind", ["rle", "bitmap", "array"])
def test_all_forms_of_masks_give_the_same_picture(kind: str) -> None:
    image, mask = picture(), disc()
    forms = {"rle": [rle(mask)], "bitmap": BitmapMasks(mask[None], 120, 160), "array": mask[None]}
    expected = draw_instances(image, [[60, 50, 101, 91]], [0], masks=[rle(mask)])
    drawn = draw_instances(image, [[60, 50, 101, 91]], [0], masks=forms[kind])
    assert np.array_equal(drawn, expected)


def test_nothing_to_draw_returns_an_equal_copy() -> None:
    image = picture()
    drawn = draw_instances(image, np.zeros((0, 4)), [], [], [])
    assert np.array_equal(drawn, image)
    assert drawn is not image


def test_an_empty_mask_is_no_mask() -> None:
    image = picture()
    empty = [rle(np.zeros((120, 160), np.uint8))]
    boxes_only = draw_instances(image, [[60, 50, 101, 91]], [0], masks=empty)
    assert boxes_only.shape == image.shape


def test_arguments_are_unchanged() -> None:
    image, boxes = picture(), np.array([[60.0, 50, 101, 91], [5, 5, 60, 60]])
    labels, scores = np.array([0, 1]), np.array([0.3, 0.9])
    masks = [rle(disc()), rle(disc(x=30, y=30))]
    before = [image.copy(), boxes.copy(), labels.copy(), scores.copy(), [dict(m) for m in masks]]
    draw_instances(image, boxes, labels, scores, masks, NAMES, PALETTE)
    for was, now in zip(before[:4], (image, boxes, labels, scores), strict=True):
        assert np.array_equal(was, now)
    assert before[4] == masks


def test_neighbours_of_one_class_get_different_masks() -> None:
    image = np.full((120, 160, 3), 128, np.uint8)
    masks = [rle(disc(x=40)), rle(disc(x=110))]
    boxes = [[20, 50, 61, 91], [90, 50, 131, 91]]
    drawn = draw_instances(image, boxes, [0, 0], masks=masks, class_names=["balloon"])
    assert np.abs(drawn[75, 40].astype(int) - drawn[75, 110]).sum() > 30


def test_wrong_sizes_say_what_disagrees() -> None:
    with pytest.raises(ValueError, match="as many labels as boxes, got 2 for 1"):
        draw_instances(picture(), [[0, 0, 5, 5]], [0, 1])
    with pytest.raises(ValueError, match=r"size \(50, 60\) .*picture \(120, 160\)"):
        draw_instances(picture(), [[0, 0, 5, 5]], [0], masks=[rle(disc(50, 60))])
    with pytest.raises(ValueError, match="RGB"):
        draw_instances(np.zeros((5, 5), np.uint8), [[0, 0, 5, 5]], [0])


def test_side_by_side_keeps_the_pictures_below_their_titles() -> None:
    left, right = picture(), 255 - picture()
    both = side_by_side([left, right], ["ground truth", "prediction"])
    assert np.array_equal(both[-120:, :160], left)
    assert np.array_equal(both[-120:, -160:], right)
    assert both.shape[0] > 120
    assert both.shape[1] > 320
    with pytest.raises(ValueError, match="heights differ"):
        side_by_side([left, right[:50]], ["a", "b"])


def test_title_of_any_length_fits() -> None:
    assert titled(picture(), "x" * 300).shape[1] == 160
    assert titled(picture(), "").shape[1] == 160


@pytest.mark.parametrize("ending", ["png", "jpg", "pdf"])
def test_pictures_are_written_in_the_format_of_their_ending(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "deep" / f"picture.{ending}"
    image = np.full((120, 160, 3), (250, 20, 30), np.uint8)
    write_image(path, image)
    if ending == "pdf":
        assert path.read_bytes().startswith(b"%PDF")
    else:
        blue, green, red = cv2.imread(str(path)).mean(axis=(0, 1))
        assert red > 240
        assert max(blue, green) < 40


def test_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.png, \.jpg or \.pdf"):
        write_image(tmp_path / "a.xyz", picture())
