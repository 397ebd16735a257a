"""Zooming out: image, boxes, masks and keypoints move together."""

import copy

import numpy as np
import pytest

from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures import BitmapMasks, PolygonMasks


def expand(**args):
    return TRANSFORMS.build({"type": "Expand", "prob": 1.0, **args})


@pytest.mark.parametrize("seed", range(10))
def test_boxes_masks_and_keypoints_follow_the_image(make_sample, seed):
    sample = make_sample(seed)
    points = np.random.default_rng(seed).uniform(0, 90, (3, 4, 3)).astype(np.float32)
    sample["gt_keypoints"] = points
    np.random.seed(seed)
    expanded = expand(ratio_range=(1, 3))(sample)
    height, width = expanded["img_shape"]
    assert expanded["img"].shape == (height, width, 3)
    assert 97 <= height <= 3 * 97 and 121 <= width <= 3 * 121
    masks = expanded["gt_masks"]
    # the image shows the masks as its channels, and the canvas is black
    assert np.array_equal(masks.to_ndarray(), expanded["img"].transpose(2, 0, 1))
    assert np.array_equal(masks.get_bboxes().numpy(), expanded["gt_bboxes"])
    shift = expanded["gt_bboxes"][0, :2] - sample["gt_bboxes"][0, :2]
    moved = expanded["gt_keypoints"] - points
    assert np.allclose(moved[..., :2], shift, atol=1e-4) and not moved[..., 2].any()
    assert expanded["gt_bboxes"].dtype == expanded["gt_keypoints"].dtype == np.float32


def test_polygons_move_as_well(make_sample):
    sample = make_sample(1)
    square = np.array([10.0, 20, 30, 20, 30, 50])
    sample["gt_masks"] = PolygonMasks([[square]] * 3, 97, 121)
    expanded = expand(ratio_range=(2, 2))(sample)
    shift = expanded["gt_bboxes"][0, :2] - sample["gt_bboxes"][0, :2]
    assert (expanded["gt_masks"].height, expanded["gt_masks"].width) == (194, 242)
    assert np.allclose(expanded["gt_masks"].masks[2][0], square + np.tile(shift, 3))


def test_the_canvas_has_the_mean_colour_in_the_images_order(make_sample):
    sample = {"img": np.full((8, 8, 3), 255, np.uint8)}
    for to_rgb, colour in ((True, [103, 116, 123]), (False, [123, 116, 103])):
        args = {"mean": (123.675, 116.28, 103.53), "to_rgb": to_rgb, "ratio_range": (3, 3)}
        image = expand(**args)(dict(sample))["img"]
        colours = {tuple(pixel) for pixel in image.reshape(-1, 3).tolist()}
        assert colours == {(255, 255, 255), tuple(colour)}
        assert (image == 255).all(axis=2).sum() == 64


def test_it_happens_as_often_as_told_and_leaves_the_input_alone(make_sample):
    sample = make_sample(2)
    before = copy.deepcopy(sample)
    grown = [
        expand(prob=0.3, ratio_range=(2, 2))(sample)["img_shape"] != (97, 121) for _ in range(300)
    ]
    assert 60 < sum(grown) < 120
    assert np.array_equal(sample["gt_bboxes"], before["gt_bboxes"])
    assert np.array_equal(sample["img"], before["img"])
    assert sample["img_shape"] == (97, 121)
    same = expand(prob=0.0)(sample)
    assert same["img"] is sample["img"]


def test_images_without_objects_are_fine(make_sample):
    sample = make_sample(3)
    sample["gt_bboxes"] = np.zeros((0, 4), np.float32)
    sample["gt_masks"] = BitmapMasks([], 97, 121)
    expanded = expand()(sample)
    assert expanded["gt_bboxes"].shape == (0, 4)
    assert (expanded["gt_masks"].height, expanded["gt_masks"].width) == expanded["img_shape"]


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"1 <= low <= high; got \(0.5, 2\)"):
        expand(ratio_range=(0.5, 2))
    with pytest.raises(ValueError, match="seg_ignore_label can only be None"):
        expand(seg_ignore_label=255)


def test_masks_do_not_go_where_they_do_not_fit():
    for masks in (BitmapMasks([], 10, 20), PolygonMasks([], 10, 20)):
        assert masks.expand(12, 20, 2, 0).height == 12
        for place in ((12, 20, 3, 0), (12, 20, 0, 1), (12, 20, -1, 0)):
            with pytest.raises(ValueError, match=r"a frame of \(10, 20\)"):
                masks.expand(*place)
