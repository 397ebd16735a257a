"""Run lengths against pycocotools on full frames."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mmdet_lite.ops.rle import (
    decode_crop,
    encode_crop,
    is_valid_polygon,
    run_lengths,
    segmentation_to_rle,
)


def random_case(rng):
    """A frame and a crop in it, often touching borders, sometimes empty, full or thin."""
    height, width = rng.integers(1, 40, 2)
    y0, x0 = rng.integers(0, height), rng.integers(0, width)
    h, w = rng.integers(0, height - y0 + 1), rng.integers(0, width - x0 + 1)
    if rng.random() < 0.3:
        y0, h = 0, height
    if rng.random() < 0.3:
        x0, w = 0, width
    crop = rng.random((h, w)) < rng.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    frame = np.zeros((height, width), np.uint8, order="F")
    frame[y0 : y0 + h, x0 : x0 + w] = crop
    return crop, int(x0), int(y0), frame


def test_encode_crop_equals_pycocotools_byte_for_byte():
    rng = np.random.default_rng(0)
    for _ in range(1500):
        crop, x0, y0, frame = random_case(rng)
        assert encode_crop(crop, x0, y0, frame.shape) == coco_mask.encode(frame)


def test_decode_crop_restores_the_frame_and_is_tight():
    rng = np.random.default_rng(1)
    for _ in range(1500):
        _, _, _, frame = random_case(rng)
        crop, x0, y0 = decode_crop(coco_mask.encode(frame))
        restored = np.zeros_like(frame)
        restored[y0 : y0 + crop.shape[0], x0 : x0 + crop.shape[1]] = crop
        assert np.array_equal(restored, frame)
        if crop.size:
            assert crop[0].any() and crop[-1].any() and crop[:, 0].any() and crop[:, -1].any()
        else:
            assert not frame.any()


def test_run_lengths_undoes_compression_of_long_and_short_runs():
    rng = np.random.default_rng(2)
    for size in (1, 2, 3, 4, 50):
        for scale in (2, 40, 5000, 300000):
            counts = rng.integers(1, scale + 1, size)
            rle = coco_mask.frPyObjects(
                {"size": [int(counts.sum()), 1], "counts": counts.tolist()}, int(counts.sum()), 1
            )
            assert np.array_equal(run_lengths(rle), counts)
            as_text = {**rle, "counts": rle["counts"].decode()}
            assert np.array_equal(run_lengths(as_text), counts)


def test_large_photo_is_encoded_without_its_frame():
    import tracemalloc

    crop = np.ones((660, 660), bool)
    tracemalloc.start()
    rle = encode_crop(crop, 2000, 1500, (3000, 4000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # the frame alone would be 12e6
    assert coco_mask.area(rle) == 660 * 660
    assert coco_mask.toBbox(rle).tolist() == [2000, 1500, 660, 660]


@pytest.mark.parametrize(("x0", "y0"), [(-1, 0), (0, -1), (3, 0), (0, 3)])
def test_crop_outside_of_its_frame_is_refused(x0, y0):
    with pytest.raises(ValueError, match="leaves its frame of 4 x 4"):
        encode_crop(np.ones((2, 2), bool), x0, y0, (4, 4))


def test_counts_that_do_not_fill_the_frame_are_refused():
    with pytest.raises(ValueError, match="must count 16 pixels, it counts 7"):
        decode_crop({"size": [4, 4], "counts": [3, 4]})
    with pytest.raises(ValueError, match="must count 16 pixels, it counts 0"):
        decode_crop({"size": [4, 4], "counts": b""})


def test_uncompressed_counts_with_empty_runs_decode():
    crop, x0, y0 = decode_crop({"size": [2, 3], "counts": [0, 0, 2, 0, 1, 2, 1]})
    assert (crop.tolist(), x0, y0) == ([[0, 1], [1, 0]], 1, 0)


def test_all_forms_of_segmentation_give_the_same_rle():
    square = [1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]
    from_polygon = segmentation_to_rle([square], 6, 5)
    counts = run_lengths(from_polygon).tolist()
    assert segmentation_to_rle({"size": [6, 5], "counts": counts}, 6, 5) == from_polygon
    assert segmentation_to_rle(from_polygon, 6, 5) == from_polygon
    assert segmentation_to_rle([], 6, 5) == coco_mask.encode(np.zeros((6, 5), np.uint8, order="F"))


@pytest.mark.parametrize(
    "polygon", [[0, 0, 1, 1], [0, 0, 1, 0, 1, 1, 0], [0, 0, 1, 0, float("nan"), 1]]
)
def test_invalid_polygon_is_refused(polygon):
    with pytest.raises(ValueError, match="at least 3 points, as finite numbers"):
        segmentation_to_rle([polygon], 6, 5)


def test_rle_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"\[6, 5\] \(height, width\), its image \[5, 6\]"):
        segmentation_to_rle({"size": [6, 5], "counts": [30]}, 5, 6)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ("zz\x7f", "no text as COCO writes it"),
        ("5P", "no text as COCO writes it"),  # ends in the middle of a number
        ("!!!!", "no text as COCO writes it"),
        ("P" * 30 + "0", "too large"),
        ([-5, 1205], "one of its counts is -5"),
        ([600], "must count 1200 pixels, it counts 600"),
        ("", "must count 1200 pixels, it counts 0"),
    ],
)
def test_counts_that_are_no_run_lengths_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        decode_crop({"size": [30, 40], "counts": counts})


@pytest.mark.parametrize("far", [2.0**22, 1e300, float("nan"), float("inf"), 10**30])
def test_polygons_with_points_out_of_this_world_are_not_drawn(far):
    polygon = [1, 1, 9, 1, 9, far]
    assert not is_valid_polygon(polygon)
    with pytest.raises(ValueError, match="finite"):
        segmentation_to_rle([polygon], 30, 40)
    assert is_valid_polygon([-2000, 1, 90_000, 1, 9, 70_000])
