"""Affine maps against OpenCV, mmcv and hand-made values."""

import copy

import cv2
import mmcv
import numpy as np
import pytest

from mmdet_lite.ops.affine import (
    of_continuous,
    of_indices,
    transform_boxes,
    transform_points,
    warp_image,
)

TURN = np.array([[0.0, -1, 10], [1, 0, 0]])  # a quarter, of a frame 10 high


def image(channels=3, height=40, width=60, seed=0):
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_points_and_boxes_of_a_quarter_turn():
    assert transform_points(np.array([[0.0, 0], [4, 10]]), TURN).tolist() == [[10, 0], [0, 4]]
    boxes = transform_boxes(np.array([[1, 2, 3, 8]], np.float32), TURN)
    assert boxes.tolist() == [[2, 1, 8, 3]]
    assert boxes.dtype == np.float32


def test_a_turned_box_is_the_upright_one_around_its_corners():
    angle = np.pi / 4
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    (box,) = transform_boxes(np.array([[0.0, 0, 2, 2]]), turn)
    np.testing.assert_allclose(box, [-(2**0.5), 0, 2**0.5, 2 * 2**0.5], atol=1e-6)


def test_no_boxes_and_no_points():
    assert transform_boxes(np.zeros((0, 4)), TURN).shape == (0, 4)
    assert transform_points(np.zeros((0, 3, 2)), TURN).shape == (0, 3, 2)


def test_the_two_ways_of_counting_pixels_undo_each_other():
    matrix = np.random.default_rng(0).normal(size=(2, 3))
    np.testing.assert_allclose(of_continuous(of_indices(matrix)), matrix)


def test_an_enlarged_image_is_opencvs_where_it_does_not_meet_the_border():
    img = cv2.blur(image(), (5, 5))
    double = np.array([[2.0, 0, 0], [0, 2, 0]])
    expected = cv2.resize(img, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    got = warp_image(img, double, (80, 120))
    inner = (slice(2, -2), slice(2, -2))
    assert np.abs(got[inner].astype(int) - expected[inner]).max() <= 1


def test_a_quarter_turn_moves_pixels_without_mixing_them():
    img = image(height=10, width=14)
    np.testing.assert_array_equal(warp_image(img, TURN, (14, 10)), np.rot90(img, -1))


@pytest.mark.parametrize("channels", [0, 1, 3, 4, 5, 9])
def test_any_number_of_channels_and_their_own_fill(channels):
    img = image(channels)
    shift = np.array([[1.0, 0, 7], [0, 1, -3]])
    fill = list(range(10, 10 + max(channels, 1)))
    got = warp_image(img, shift, (30, 50), fill)
    assert got.dtype == np.uint8 and got.shape == (30, 50, *img.shape[2:])
    np.testing.assert_array_equal(got[:, 7:], img[3:33, :43])
    assert (got[:, :7] == (fill if channels else fill[0])).all()


def test_arguments_stay_as_they_were():
    img, matrix, boxes = image(), TURN.copy(), np.array([[1.0, 2, 3, 8]])
    before = copy.deepcopy((img, matrix, boxes))
    warp_image(img, matrix, (20, 20)), transform_boxes(boxes, matrix), of_indices(matrix)
    for old, now in zip(before, (img, matrix, boxes), strict=True):
        np.testing.assert_array_equal(old, now)


def test_a_fill_of_another_number_of_channels_is_refused():
    with pytest.raises(ValueError, match=r"4 channels needs one value, or one a channel; got \(1"):
        warp_image(image(4), TURN, (20, 20), (1, 2, 3))


def test_mmcvs_rotate_is_such_a_map():
    img = image()
    center = (29.5, 19.5)
    matrix = of_continuous(cv2.getRotationMatrix2D(center, -17.0, 1.0))
    expected = mmcv.imrotate(img, 17.0, border_value=(1, 2, 3))
    np.testing.assert_array_equal(warp_image(img, matrix, (40, 60), (1, 2, 3)), expected)
    # and the centre of the image stays where it is
    np.testing.assert_allclose(transform_points(np.array([30.0, 20.0]), matrix), [30, 20])
