"""RandomAffine and RandomShift by hand-made numbers."""

import numpy as np
import pytest

from mmdet_lite.datasets.transforms import RandomAffine, RandomShift

STILL = {
    "max_rotate_degree": 0,
    "max_translate_ratio": 0,
    "scaling_ratio_range": (1, 1),
    "max_shear_degree": 0,
}


def sample(boxes=((10, 10, 30, 20), (80, 40, 95, 50))):
    img = np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)
    return {
        "img": img,
        "img_shape": (60, 100),
        "gt_bboxes": np.array(boxes, np.float32),
        "gt_bboxes_labels": np.arange(len(boxes)),
        "gt_ignore_flags": np.zeros(len(boxes), bool),
    }


def test_without_a_map_only_the_border_changes():
    before = sample()
    assert np.array_equal(RandomAffine(**STILL)(dict(before))["img"], before["img"])
    larger = RandomAffine(**STILL, border=(5, -10), border_val=(1, 2, 3))(dict(before))
    assert larger["img_shape"] == larger["img"].shape[:2] == (40, 110)
    assert np.array_equal(larger["img"][:, :100], before["img"][:40])
    assert (larger["img"][:, 100:] == (1, 2, 3)).all()
    # the second box begins where the image now ends
    assert larger["gt_bboxes"].tolist() == [[10, 10, 30, 20]]


def test_scaling_multiplies_boxes_and_clips_them_unless_told():
    arguments = {**STILL, "scaling_ratio_range": (2, 2)}
    assert RandomAffine(**arguments)(sample([(10, 10, 60, 20), (60, 0, 70, 9)]))[
        "gt_bboxes"
    ].tolist() == [[20, 20, 100, 40]]
    free = RandomAffine(**arguments, bbox_clip_border=False)(sample([(10, 10, 60, 20)]))
    assert free["gt_bboxes"].tolist() == [[20, 20, 120, 40]]


def test_each_part_of_the_map_stays_in_its_range():
    def matrices(**changes):
        transform = RandomAffine(**{**STILL, **changes})
        return np.array([transform._draw_matrix(60, 100) for _ in range(400)])

    factors = matrices(scaling_ratio_range=(0.5, 1.5))[:, 0, 0]
    assert 0.5 <= factors.min() < 0.55 and 1.45 < factors.max() <= 1.5
    turns = matrices(max_rotate_degree=20)
    angles = np.degrees(np.arctan2(turns[:, 1, 0], turns[:, 0, 0]))
    assert -20 <= angles.min() < -18 and 18 < angles.max() <= 20
    shifts = matrices(max_translate_ratio=0.2)[..., 2]
    assert (np.abs(shifts).max(0) <= (20, 12)).all() and (np.abs(shifts).max(0) > (18, 11)).all()
    sheared = matrices(max_shear_degree=10)
    for slope in (sheared[:, 0, 1], sheared[:, 1, 0]):
        degrees = np.degrees(np.arctan(slope))
        assert -10 <= degrees.min() < -9 and 9 < degrees.max() <= 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scaling_ratio_range": (0, 1)}, r"scaling_ratio_range: 0 < low <= high; got \(0, 1\)"),
        ({"scaling_ratio_range": (2, 1)}, r"scaling_ratio_range: .* got \(2, 1\)"),
        ({"max_translate_ratio": 2}, r"max_translate_ratio must be in 0..1; got 2"),
        ({"max_shear_degree": 45}, r"max_shear_degree must be in 0..45, .* got 45"),
    ],
)
def test_wrong_numbers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"RandomAffine: {message}"):
        RandomAffine(**arguments)


def test_a_border_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match=r"border \(0, -30\) .* leaves nothing .*\(60, 100\)"):
        RandomAffine(border=(0, -30))(sample())


def test_a_shift_moves_pixels_and_boxes_and_drops_thin_rests(monkeypatch):
    shift = RandomShift(prob=1.0, filter_thr_px=2)
    monkeypatch.setattr(shift, "_draw_shift", lambda: (18, -9))
    before = sample()
    done = shift(dict(before))
    assert np.array_equal(done["img"][:51, 18:], before["img"][9:, :82])
    assert (done["img"][51:] == 0).all() and (done["img"][:, :18] == 0).all()
    # of the second box two columns are left, which is not more than two
    assert done["gt_bboxes"].tolist() == [[28, 1, 48, 11]]
    assert done["gt_bboxes_labels"].tolist() == [0]


def test_shifts_stay_in_their_range_and_come_as_often_as_told():
    shift = RandomShift(prob=0.5, max_shift_px=4)
    drawn = [shift._draw_shift() for _ in range(1000)]
    moved = np.array([one for one in drawn if one is not None])
    assert moved.min() == -4 and moved.max() == 4 and 430 < len(moved) < 570


def test_wrong_shifts_are_refused():
    with pytest.raises(ValueError, match=r"RandomShift: prob must be in 0..1; got 2"):
        RandomShift(prob=2)
    with pytest.raises(ValueError, match=r"must not be negative; got -1 and 1"):
        RandomShift(max_shift_px=-1)
