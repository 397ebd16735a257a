"""Outlines paint the pixels that they were taken from."""

import numpy as np
import pytest

from mmdet_lite.ops.outlines import PARTS, TRACED, join_loops, mask_loops, one_outline
from mmdet_lite.ops.rle import encode_crop, segmentation_to_rle


def painted(polygon, height, width):
    from pycocotools import mask as coco_mask

    return coco_mask.decode(segmentation_to_rle([polygon], height, width))


def rle_of(mask):
    return encode_crop(mask.astype(np.uint8), 0, 0, mask.shape)


def ring(size=20, x=10, y=10, outer=8, inner=4):
    rows, cols = np.mgrid[:size, :size]
    distance = np.hypot(cols - x, rows - y)
    return (distance <= outer) & (distance > inner)


@pytest.mark.parametrize("seed", range(8))
def test_the_joined_outline_of_any_mask_paints_the_same_mask(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((17, 23)) < (0.1 + 0.1 * seed)  # many parts, holes, corners that touch
    outline, what = one_outline(rle_of(mask), 17, 23)
    assert what == TRACED
    assert (painted(outline, 17, 23) == mask).all()


def test_a_ring_keeps_its_hole():
    mask = ring()
    loops = mask_loops(rle_of(mask))
    assert len(loops) == 2
    assert (painted(join_loops(loops), 20, 20) == mask).all()


def test_a_rectangle_has_four_corners_clockwise():
    mask = np.zeros((6, 8), bool)
    mask[1:4, 2:7] = True
    [loop] = mask_loops(rle_of(mask))
    assert sorted(loop.tolist()) == [[2, 1], [2, 4], [7, 1], [7, 4]]
    xs, ys = loop.T
    assert (xs * np.roll(ys, -1) - ys * np.roll(xs, -1)).sum() / 2 == 15


def test_pixels_that_touch_at_a_corner_stay_apart():
    mask = np.eye(3, dtype=bool)
    assert [len(loop) for loop in mask_loops(rle_of(mask))] == [4, 4, 4]


def test_one_polygon_stays_as_it_is():
    polygon = [1.5, 2.25, 9.75, 2, 5, 8.125]
    assert one_outline([polygon], 20, 20) == (polygon, "")


def test_parts_of_an_object_are_joined_with_their_corners_and_pixels_kept():
    parts = [[1.5, 1, 6, 1, 6, 6.5], [10, 10, 18, 10, 18, 18, 10, 18]]
    outline, what = one_outline(parts, 20, 20)
    assert what == PARTS
    corners = set(zip(outline[0::2], outline[1::2], strict=True))
    assert corners == {(p[i], p[i + 1]) for p in parts for i in range(0, len(p), 2)}
    expected = painted(parts[0], 20, 20) | painted(parts[1], 20, 20)
    assert (painted(outline, 20, 20) == expected).all()


def test_parts_that_overlap_are_traced_so_that_no_hole_appears():
    parts = [[2, 2, 12, 2, 12, 12, 2, 12], [6, 6, 18, 6, 18, 18, 6, 18]]
    outline, what = one_outline(parts, 20, 20)
    assert what == PARTS
    expected = painted(parts[0], 20, 20) | painted(parts[1], 20, 20)
    assert (painted(outline, 20, 20) == expected).all()


def test_an_empty_mask_has_no_outline():
    empty = rle_of(np.zeros((4, 4), bool))
    assert mask_loops(empty) == []
    assert one_outline(empty, 4, 4) == ([], TRACED)


def test_a_mask_that_fills_its_picture_is_traced_along_the_border():
    outline, _ = one_outline(rle_of(np.ones((5, 7), bool)), 5, 7)
    assert painted(outline, 5, 7).all()
    assert min(outline) == 0
    assert max(outline) == 7
