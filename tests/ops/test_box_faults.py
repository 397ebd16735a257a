import math

import numpy as np
import pytest

from mmdet_lite.ops.box_faults import BOX_FAULTS, box_fault, box_faults

BOXES = [
    ((0, 0, 1, 1), None),
    ((-5, -5, 6, 6), None),
    ((0, 0, 20, 10), None),
    ((0, 0, 2**23, 9), None),
    ((0, 0, 0.5, 9), "smaller than a pixel"),
    ((5, 5, -3, 9), "smaller than a pixel"),
    ((math.nan, 0, 9, 9), "box is not finite"),
    ((0, 0, math.inf, 9), "box is not finite"),
    ((1e308, 0, 1e308, 9), "box is not finite"),
    ((0, 0, 2**24, 9), "box is larger than any image"),
    ((20, 0, 5, 5), "outside of the image"),
    ((0, -9, 5, 9), "outside of the image"),
]


@pytest.mark.parametrize(("box", "fault"), BOXES)
def test_boxes_that_cannot_be_used_have_a_reason(box, fault):
    assert box_fault(*box, height=10, width=20) == fault
    assert fault is None or fault in BOX_FAULTS


def test_many_boxes_have_the_faults_that_each_has_alone():
    boxes = np.array([box for box, _ in BOXES], np.float64)
    before = boxes.copy()
    frames = np.tile([20.0, 10.0], (len(boxes), 1))
    assert box_faults(boxes, frames).tolist() == [fault for _, fault in BOXES]
    np.testing.assert_array_equal(boxes, before)
    odd = np.random.default_rng(0).normal(0, 12, (500, 4))
    sizes = np.random.default_rng(1).integers(1, 30, (500, 2)).astype(np.float64)
    alone = [box_fault(*box, h, w) for box, (w, h) in zip(odd.tolist(), sizes, strict=True)]
    assert box_faults(odd, sizes).tolist() == alone
    assert len(set(alone)) == 3


def test_no_boxes_have_no_faults():
    assert box_faults(np.zeros((0, 4)), np.zeros((0, 2))).tolist() == []
