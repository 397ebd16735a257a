"""Objects of an image moved all together, hidden, joined."""

import numpy as np
import pytest

from mmdet_lite.datasets.transforms.instances import (
    hide_keypoints,
    join_instances,
    paste_image,
    shift_image,
    shift_instances,
    warp_instances,
)
from mmdet_lite.structures import BitmapMasks, PolygonMasks

STEP = np.array([[1.0, 0, -10], [0, 1, 0]])


def objects(boxes, polygons, joints=None):
    masks = PolygonMasks([[p] if p else [] for p in polygons], 40, 60)
    results = {
        "img": np.zeros((40, 60, 3), np.uint8),
        "gt_bboxes": np.array(boxes, np.float32).reshape(-1, 4),
        "gt_bboxes_labels": np.arange(len(boxes)),
        "gt_ignore_flags": np.array([not p for p in polygons], bool),
        "gt_masks": masks,
    }
    if joints is not None:
        results["gt_keypoints"] = np.array(joints, np.float32).reshape(len(boxes), -1, 3)
    return results


@pytest.mark.parametrize("kind", ["bitmaps", "polygons"])
@pytest.mark.parametrize(
    "move",
    [
        lambda r: shift_instances(r, -10, 0, (40, 60)),
        lambda r: warp_instances(r, STEP, (40, 60)),
    ],
    ids=["shift", "warp"],
)
def test_who_leaves_the_frame(move, kind):
    before = objects(
        [(0, 0, 10, 10), (0, 0, 30, 30), (0, 0, 11, 30), (20, 5, 30, 15)],
        # whole box outside; mask outside though its box is not; an ignored region without a mask
        [[0, 0, 10, 0, 10, 10], [0, 0, 9, 0, 9, 30], [], [20, 5, 30, 5, 30, 15, 20, 15]],
        joints=[(5, 5, 2), (5, 5, 2), (9.5, 5, 1), (20, 5, 2)],
    )
    if kind == "bitmaps":
        before["gt_masks"] = before["gt_masks"].to_bitmap()
    after = move(before)
    assert after["gt_bboxes_labels"].tolist() == [2, 3]
    assert after["gt_bboxes"].tolist() == [[0, 0, 1, 30], [10, 5, 20, 15]]
    assert after["gt_ignore_flags"].tolist() == [True, False]
    assert after["gt_masks"].areas.tolist() == [0, 100]
    assert after["gt_keypoints"][:, 0].tolist() == [[-0.5, 5, 0], [10, 5, 2]]


def test_boxes_stay_unclipped_if_told():
    before = objects([(0, 5, 30, 50)], [[0, 5, 30, 5, 30, 40]])
    for after in (
        shift_instances(before, -10, 0, (40, 60), clip=False),
        warp_instances(before, STEP, (40, 60), clip=False),
    ):
        assert after["gt_bboxes"].tolist() == [[-10, 5, 20, 50]]


def test_a_new_frame_may_be_larger_and_has_one_colour():
    before = {**objects([(0, 0, 9, 9)], [[0, 0, 9, 0, 9, 9]]), "img": np.ones((40, 60), np.uint8)}
    after = shift_image(before, 5, 7, (50, 80), fill=9)
    assert after["img_shape"] == (50, 80) and after["gt_bboxes"].tolist() == [[5, 7, 14, 16]]
    assert (after["img"] == 1).sum() == 40 * 60 and (after["img"][:7] == 9).all()
    assert (after["img"][7:47, 5:65] == 1).all()


@pytest.mark.parametrize(
    ("left", "top", "number"), [(-60, 0, 0), (60, 0, 0), (0, 50, 0), (-70, -50, 0), (-59, 39, 1)]
)
def test_an_image_may_be_pasted_partly_or_wholly_outside(left, top, number):
    canvas = np.zeros((40, 60), np.uint8)
    paste_image(canvas, np.ones((40, 60), np.uint8), left, top)
    assert canvas.sum() == number


def test_only_visible_joints_on_covered_pixels_become_hidden():
    covered = np.zeros((10, 20), bool)
    covered[2:4, 5:9] = True
    joints = [(5, 2, 2), (8.9, 3.9, 2), (9, 3, 2), (6, 3, 1), (6, 3, 0), (-1, 3, 2), (6, 99, 2)]
    hidden = hide_keypoints(np.array([joints], np.float32), covered)
    assert hidden[0, :, 2].tolist() == [1, 1, 2, 1, 0, 2, 2]
    assert hide_keypoints(np.zeros((0, 0, 3), np.float32), covered).shape == (0, 0, 3)


def test_objects_are_joined_in_order_and_kinds_of_masks_too():
    first = objects([(0, 0, 9, 9)], [[0, 0, 9, 0, 9, 9]], joints=[(1, 1, 2), (2, 2, 2)])
    second = objects([(9, 9, 20, 20)], [[9, 9, 20, 9, 20, 20]], joints=[(9, 9, 2), (8, 8, 2)])
    joined = join_instances([first, second])
    assert joined["gt_bboxes"].tolist() == [[0, 0, 9, 9], [9, 9, 20, 20]]
    assert isinstance(joined["gt_masks"], PolygonMasks) and len(joined["gt_masks"]) == 2
    second["gt_masks"] = second["gt_masks"].to_bitmap()
    assert isinstance(join_instances([first, second])["gt_masks"], BitmapMasks)


def test_an_image_without_objects_need_not_know_the_number_of_joints():
    first = objects([], [])
    first["gt_keypoints"] = np.zeros((0, 0, 3), np.float32)
    second = objects([(9, 9, 20, 20)], [[9, 9, 20, 9, 20, 20]], joints=[(9, 9, 2), (8, 8, 2)])
    assert join_instances([first, second])["gt_keypoints"].shape == (1, 2, 3)
    assert join_instances([first, first])["gt_keypoints"].shape == (0, 0, 3)
