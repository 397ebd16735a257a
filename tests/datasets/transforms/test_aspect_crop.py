"""AspectCrop by hand-made numbers."""

import numpy as np
import pytest

from mmdet_lite.datasets.transforms import AspectCrop


def sample(height, width, boxes):
    ys, xs = np.mgrid[:height, :width]
    return {
        "img": np.stack([xs % 256, ys % 256, xs // 256], axis=2).astype(np.uint8),
        "img_shape": (height, width),
        "gt_bboxes": np.array(boxes, np.float32).reshape(-1, 4),
        "gt_bboxes_labels": np.arange(len(boxes)),
        "gt_ignore_flags": np.zeros(len(boxes), bool),
    }


def starts(results_of, axis, number=200):
    """Where windows began, from the pixels."""
    return {int(results_of()["img"][0, 0, axis]) for _ in range(number)}


@pytest.mark.parametrize("size", [(100, 200), (200, 100), (100, 130)])
def test_images_within_the_aspects_stay(size):
    before = sample(*size, [(10, 10, 30, 20)])
    assert AspectCrop()(before) is before


def test_a_wide_image_is_cut_around_its_objects():
    boxes = [(60, 10, 90, 20), (150, 0, 180, 50)]
    crop = AspectCrop()
    # a window of 100 that holds 60..180 does not exist: begins within the first half of the rest
    assert starts(lambda: crop(sample(50, 250, boxes)), 0) == set(range(60, 71))
    # one that holds 60..130: all of them
    near = [(60, 10, 90, 20), (100, 0, 130, 50)]
    assert starts(lambda: crop(sample(50, 250, near)), 0, 600) == set(range(30, 61))
    done = crop(sample(50, 250, near))
    start = int(done["img"][0, 0, 0])
    assert done["img_shape"] == done["img"].shape[:2] == (50, 100)
    assert done["gt_bboxes"].tolist() == [
        [60 - start, 10, 90 - start, 20],
        [100 - start, 0, 130 - start, 50],
    ]


def test_an_upright_image_is_cut_in_height():
    crop = AspectCrop(aspect_lo=0.8)
    done = crop(sample(200, 50, [(0, 180, 10, 200)]))
    assert done["img_shape"] == (63, 50)  # 50 / 0.8, rounded up
    start = int(done["img"][0, 0, 1])
    assert start == 137 and done["gt_bboxes"].tolist() == [[0, 43, 10, 63]]


def test_objects_that_do_not_fit_are_cut_or_dropped():
    boxes = [(0, 0, 20, 50), (230, 0, 250, 50), (50, 0, 200, 50)]
    for _ in range(30):
        done = AspectCrop()(sample(50, 250, boxes))
        start = int(done["img"][0, 0, 0])
        assert 0 <= start <= 75
        assert (0 in done["gt_bboxes_labels"]) == (start < 20)
        assert 1 not in done["gt_bboxes_labels"] and 2 in done["gt_bboxes_labels"]
        assert done["gt_bboxes"][-1].tolist() == [max(50 - start, 0), 0, 100, 50]


def test_without_objects_the_window_is_anywhere():
    crop = AspectCrop()
    assert starts(lambda: crop(sample(50, 120, [])), 0, 600) == set(range(21))
    bare = {"img": np.zeros((50, 120, 3), np.uint8)}
    assert crop(bare)["img_shape"] == (50, 100)


def test_boxes_over_the_border_do_not_move_the_window_out():
    for _ in range(30):
        assert AspectCrop()(sample(50, 120, [(-30, 0, 500, 50)]))["img"].shape[:2] == (50, 100)


def test_wrong_aspects_are_refused():
    with pytest.raises(ValueError, match=r"0 < aspect_lo <= aspect_hi; got 2 and 1"):
        AspectCrop(2, 1)
