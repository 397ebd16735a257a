"""SSD's crop: enough of every object, and everything moves together."""

import copy

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures import BitmapMasks


def crop(**args):
    return TRANSFORMS.build({"type": "MinIoURandomCrop", **args})


@pytest.mark.parametrize("seed", range(20))
def test_boxes_masks_labels_and_keypoints_follow_the_image(make_sample, seed):
    sample = make_sample(seed)
    sample["gt_keypoints"] = np.concatenate(
        [np.repeat(sample["gt_bboxes"][:, None, :2], 2, axis=1), np.full((3, 2, 1), 2)], axis=2
    ).astype(np.float32)
    np.random.seed(seed)
    cropped = crop(min_crop_size=0.5, bbox_clip_border=False)(sample)
    height, width = cropped["img"].shape[:2]
    assert cropped["img_shape"] == (height, width)
    kept = [np.flatnonzero(sample["gt_bboxes_labels"] == k)[0] for k in cropped["gt_bboxes_labels"]]
    assert len(kept) > 0
    # the image shows the masks as its channels
    shown = cropped["img"].transpose(2, 0, 1)[kept]
    assert np.array_equal(cropped["gt_masks"].to_ndarray(), shown)
    shift = cropped["gt_bboxes"] - sample["gt_bboxes"][kept]
    assert np.allclose(shift, np.tile(shift[:1, :2], 2))
    assert np.array_equal(cropped["gt_ignore_flags"], sample["gt_ignore_flags"][kept])
    points = cropped["gt_keypoints"]
    assert np.allclose(points[:, 0, :2], cropped["gt_bboxes"][:, :2])
    inside = ((points[..., :2] >= 0) & (points[..., :2] < [width, height])).all(-1)
    assert np.array_equal(points[..., 2], np.where(inside, 2, 0))


def windows(transform, boxes, size_hw, count=200):
    """Windows in which a picture of its own coordinates comes out, with the boxes of each."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    image = np.stack([x, y, x], axis=2)
    for _ in range(count):
        labels = np.arange(len(boxes))
        out = transform({"img": image, "gt_bboxes": boxes.copy(), "gt_bboxes_labels": labels})
        first, last = out["img"][0, 0], out["img"][-1, -1]
        yield np.array([first[0], first[1], last[0] + 1, last[1] + 1]), out


def test_every_window_overlaps_every_box_enough_and_keeps_those_of_inner_centre():
    boxes = np.array([[20.0, 20, 80, 90], [50, 10, 110, 60]], np.float32)
    smallest = 1.0
    for window, out in windows(crop(min_ious=(0.3,)), boxes, (100, 120)):
        ious = box_iou(torch.tensor(window[None]).float(), torch.from_numpy(boxes))[0]
        smallest = min(smallest, float(ious.min()))
        width, height = window[2:] - window[:2]
        assert 0.29 * 120 <= width <= 120 and 0.29 * 100 <= height <= 100
        assert 0.45 < height / width < 2.1
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        inner = ((centres > window[:2]) & (centres < window[2:])).all(1)
        assert out["gt_bboxes_labels"].tolist() == np.flatnonzero(inner).tolist() != []
        assert (out["gt_bboxes"] >= 0).all()
        assert (out["gt_bboxes"] <= np.tile([width, height], 2)).all()
    assert smallest < 0.3  # 'any window' is one of the choices


def test_a_large_number_asks_for_much(monkeypatch):
    boxes = np.array([[20.0, 20, 80, 90]], np.float32)
    transform = crop(min_ious=(0.6,))
    monkeypatch.setattr(np.random, "randint", lambda n: 1)  # always the second choice, 0.6
    for window, _ in windows(transform, boxes, (100, 120), 50):
        iou = box_iou(torch.tensor(window[None]).float(), torch.from_numpy(boxes))
        assert iou >= 0.6


def test_the_whole_image_is_one_of_the_choices(monkeypatch, make_sample):
    monkeypatch.setattr(np.random, "randint", lambda n: 0)
    sample = make_sample(1)
    assert crop()(sample)["img"] is sample["img"]


def test_images_without_objects_are_cropped_too(make_sample):
    sample = make_sample(3)
    sample["gt_bboxes"] = np.zeros((0, 4), np.float32)
    sample["gt_masks"] = BitmapMasks([], 97, 121)
    sample["gt_bboxes_labels"], sample["gt_ignore_flags"] = np.zeros(0, int), np.zeros(0, bool)
    shapes = set()
    for _ in range(20):
        cropped = crop()(dict(sample))
        assert cropped["gt_bboxes"].shape == (0, 4)
        assert (cropped["gt_masks"].height, cropped["gt_masks"].width) == cropped["img_shape"]
        shapes.add(cropped["img_shape"])
    assert len(shapes) > 5
    assert "gt_bboxes" not in crop()({"img": sample["img"]})


def test_the_input_stays_as_it_was(make_sample):
    sample = make_sample(2)
    before = copy.deepcopy(sample)
    for _ in range(20):
        crop()(sample)
    assert np.array_equal(sample["gt_bboxes"], before["gt_bboxes"])
    assert np.array_equal(sample["gt_masks"].to_ndarray(), before["gt_masks"].to_ndarray())
    assert sample["img_shape"] == before["img_shape"]


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"must be in 0..1; got \(0.5, 30\)"):
        crop(min_ious=(0.5, 30))
