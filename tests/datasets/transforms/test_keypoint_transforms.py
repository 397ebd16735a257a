"""Keypoints through loading, resizing, flipping, cropping, filtering and packing."""

import copy

import numpy as np
import pytest

from mmdet_lite.registry import TRANSFORMS

FLIP = (0, 2, 1)


def apply(results, name, **kwargs):
    return TRANSFORMS.build({"type": name, **kwargs}).transform(results)


@pytest.fixture
def sample(make_sample):
    """Three objects of three joints, the last of which is not labelled."""
    results = make_sample(height=100, width=120)
    keypoints = np.random.default_rng(0).uniform(5, 95, (3, 3, 3)).astype(np.float32)
    keypoints[..., 2] = (2, 1, 0)
    return {**results, "gt_keypoints": keypoints, "flip_indices": FLIP}


def loaded(keypoints, **kwargs):
    instances = [
        {"bbox": [0, 0, 9, 9], "bbox_label": 0, "ignore_flag": 0, "ann_id": 7, **extra}
        for extra in keypoints
    ]
    results = {"instances": instances, "ori_shape": (10, 10), "img_path": "x.jpg"}
    return apply({**results, **kwargs.pop("results", {})}, "LoadAnnotations", **kwargs)


def test_loading_gives_joints_and_moves_labelled_ones_by_the_offset():
    given = [{"keypoints": [1, 2, 2, 0, 0, 0]}, {"keypoints": [3, 4, 1, 5, 6, 2]}]
    plain = loaded(given, with_keypoints=True)["gt_keypoints"]
    assert plain.dtype == np.float32
    assert plain.tolist() == [[[1, 2, 2], [0, 0, 0]], [[3, 4, 1], [5, 6, 2]]]
    moved = loaded(given, with_keypoints=True, keypoint_offset=0.5)["gt_keypoints"]
    assert moved.tolist() == [[[1.5, 2.5, 2], [0, 0, 0]], [[3.5, 4.5, 1], [5.5, 6.5, 2]]]
    assert "gt_keypoints" not in loaded(given)


def test_an_image_without_objects_knows_the_number_of_joints():
    results = {"flip_indices": FLIP}
    assert loaded([], with_keypoints=True, results=results)["gt_keypoints"].shape == (0, 3, 3)


def test_an_instance_without_joints_is_refused():
    with pytest.raises(ValueError, match=r"annotation 7 of 'x.jpg' has no keypoints.*person_key"):
        loaded([{}], with_keypoints=True)


def test_resizing_scales_joints(sample):
    before = copy.deepcopy(sample["gt_keypoints"])
    got = apply(sample, "Resize", scale=(60, 200), keep_ratio=False)["gt_keypoints"]
    np.testing.assert_allclose(got[..., :2], before[..., :2] * [0.5, 2], rtol=1e-5)
    np.testing.assert_array_equal(got[..., 2], before[..., 2])


@pytest.mark.parametrize("direction", ["horizontal", "vertical", "diagonal"])
def test_flip_twice_is_the_identity(sample, direction):
    before = copy.deepcopy(sample)
    once = apply(sample, "RandomFlip", prob=1.0, direction=direction)
    assert not np.allclose(once["gt_keypoints"], before["gt_keypoints"])
    again = {key: value for key, value in once.items() if key not in ("flip", "flip_direction")}
    twice = apply(again, "RandomFlip", prob=1.0, direction=direction)
    np.testing.assert_allclose(twice["gt_keypoints"], before["gt_keypoints"], atol=1e-4)
    np.testing.assert_array_equal(twice["img"], before["img"])


def test_horizontal_flip_swaps_left_and_right(sample):
    before = sample["gt_keypoints"].copy()
    got = apply(sample, "RandomFlip", prob=1.0)["gt_keypoints"]
    np.testing.assert_allclose(got[:, 1, 0], 120 - before[:, 2, 0], rtol=1e-5)
    np.testing.assert_array_equal(got[:, 1, 1:], before[:, 2, 1:])


def test_flipping_joints_of_unknown_partners_is_refused(sample):
    del sample["flip_indices"]
    with pytest.raises(ValueError, match="partners of left and right joints"):
        apply(sample, "RandomFlip", prob=1.0)


def test_cropping_moves_joints_and_forgets_those_outside(sample):
    before = sample["gt_keypoints"].copy()
    crop = TRANSFORMS.build(
        {"type": "RandomCrop", "crop_size": (60, 50), "allow_negative_crop": True}
    )
    crop._draw_offset = lambda margin_h, margin_w: (20, 30)
    kept = sample["gt_bboxes"]
    inside_window = (kept[:, 0] < 90) & (kept[:, 2] > 30) & (kept[:, 1] < 70) & (kept[:, 3] > 20)
    got = crop.transform(sample)["gt_keypoints"]
    wanted = before[inside_window] - np.array([30, 20, 0], np.float32)
    inside = (wanted[..., 0] >= 0) & (wanted[..., 0] < 60)
    inside &= (wanted[..., 1] >= 0) & (wanted[..., 1] < 50)
    assert inside.any() and not inside.all()
    np.testing.assert_allclose(got[..., :2], wanted[..., :2], rtol=1e-5)
    np.testing.assert_array_equal(got[..., 2], np.where(inside, wanted[..., 2], 0))


def test_filtering_keeps_instances_with_enough_labelled_joints(sample):
    sample["gt_keypoints"][0, :, 2] = 0
    sample["gt_keypoints"][1, :, 2] = 0  # is ignored, so it stays
    args = {"by_box": False, "by_keypoints": True}
    kept = apply(dict(sample), "FilterAnnotations", **args, min_gt_keypoints=2)
    assert len(kept["gt_bboxes"]) == len(kept["gt_keypoints"]) == 2
    np.testing.assert_array_equal(kept["gt_keypoints"], sample["gt_keypoints"][1:])
    sample["gt_ignore_flags"][:] = False
    assert apply(dict(sample), "FilterAnnotations", **args, min_gt_keypoints=3) is None


def test_packing_parts_joints_of_ignored_objects_and_tells_the_partners(sample):
    packed = apply(sample, "PackDetInputs")["data_samples"]
    np.testing.assert_array_equal(packed.gt_instances.keypoints, sample["gt_keypoints"][[0, 2]])
    np.testing.assert_array_equal(packed.ignored_instances.keypoints, sample["gt_keypoints"][[1]])
    assert packed.flip_indices == FLIP
