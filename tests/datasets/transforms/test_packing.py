"""Filtering, colours and packing."""

import copy

import cv2
import numpy as np
import pytest
import torch

from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures import DetDataSample


def build(kind, **kwargs):
    return TRANSFORMS.build({"type": kind, **kwargs})


def test_filter_drops_by_box_and_by_mask(make_sample):
    sample = make_sample()
    sample["gt_bboxes"] = np.array([[0, 0, 5, 5], [0, 0, 6, 1], [0, 0, 50, 50]], np.float32)
    by_box = build("FilterAnnotations", min_gt_bbox_wh=(4, 1))(dict(sample))
    assert by_box["gt_bboxes_labels"].tolist() == [2, 1]
    assert len(by_box["gt_masks"]) == len(by_box["gt_ignore_flags"]) == 2
    least = int(np.sort(sample["gt_masks"].areas)[1])
    by_mask = build("FilterAnnotations", by_box=False, by_mask=True, min_gt_mask_area=least)
    kept = by_mask(dict(sample))
    assert sorted(kept["gt_masks"].areas) == sorted(
        a for a in sample["gt_masks"].areas if a >= least
    )


def test_filter_gives_none_where_all_are_dropped_unless_keep_empty_is_false(make_sample):
    cfg = {"min_gt_bbox_wh": (1000, 1000)}
    assert build("FilterAnnotations", **cfg)(make_sample()) is None
    kept = build("FilterAnnotations", **cfg, keep_empty=False)(make_sample())
    assert kept["gt_bboxes"].shape == (0, 4) and len(kept["gt_masks"]) == 0
    assert build("FilterAnnotations", **cfg)(kept) is kept


def test_filter_by_nothing_is_refused():
    with pytest.raises(ValueError, match="by_box or by_mask"):
        build("FilterAnnotations", by_box=False)


def test_distortion_without_ranges_changes_nothing_but_the_order_of_channels():
    image = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    still = build(
        "PhotoMetricDistortion",
        brightness_delta=0,
        contrast_range=(1, 1),
        saturation_range=(1, 1),
        hue_delta=0,
    )
    for _ in range(20):
        out = still({"img": image})["img"]
        assert out.dtype == np.float32
        assert np.array_equal(np.sort(out, axis=2), np.sort(image, axis=2))


@pytest.mark.parametrize("contrast_first", [True, False])
def test_distortion_equals_the_formulas(contrast_first, monkeypatch):
    image = np.random.default_rng(1).integers(0, 256, (8, 9, 3), np.uint8)
    distort = build("PhotoMetricDistortion")
    drawn = {
        "contrast_first": contrast_first,
        "brightness": 10.0,
        "contrast": 1.25,
        "saturation": 0.5,
        "hue": -15.0,
        "channels": np.array([2, 0, 1]),
    }
    monkeypatch.setattr(distort, "_draw", lambda: drawn)
    expected = image.astype(np.float32) + 10
    expected *= 1.25 if contrast_first else 1
    hsv = cv2.cvtColor(expected, cv2.COLOR_BGR2HSV)
    hsv[..., 1] *= 0.5
    hsv[..., 0] = np.where(hsv[..., 0] < 15, hsv[..., 0] + 345, hsv[..., 0] - 15)
    expected = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR) * (1 if contrast_first else 1.25)
    assert np.allclose(distort({"img": image})["img"], expected[..., [2, 0, 1]], atol=1e-3)


def test_distortion_leaves_its_input_and_varies():
    image = np.random.default_rng(2).integers(0, 256, (8, 9, 3), np.uint8)
    before = image.copy()
    distort = build("PhotoMetricDistortion")
    means = {round(float(distort({"img": image})["img"].mean()), 3) for _ in range(20)}
    assert len(means) > 10
    assert np.array_equal(image, before)


def test_distortion_refuses_a_turned_range():
    with pytest.raises(ValueError, match="contrast_range: 0 <= low <= high; got"):
        build("PhotoMetricDistortion", contrast_range=(1.5, 0.5))


def test_packing_parts_ignored_instances_and_keeps_metainfo(make_sample):
    sample = make_sample(4)
    packed = build("PackDetInputs")({**sample, "scale_factor": (2.0, 3.0), "flip": False})
    inputs, data = packed["inputs"], packed["data_samples"]
    assert isinstance(data, DetDataSample)
    assert inputs.shape == (3, 97, 121) and inputs.dtype == torch.uint8 and inputs.is_contiguous()
    assert np.array_equal(inputs.numpy().transpose(1, 2, 0), sample["img"])
    assert data.gt_instances.labels.tolist() == [2, 1]
    assert data.ignored_instances.labels.tolist() == [0]
    assert data.gt_instances.labels.dtype == torch.int64
    assert data.gt_instances.bboxes.dtype == torch.float32
    assert torch.equal(data.gt_instances.bboxes, data.gt_instances.masks.get_bboxes())
    assert data.metainfo == {
        "img_id": 4,
        "img_path": "4.jpg",
        "ori_shape": (97, 121),
        "img_shape": (97, 121),
        "scale_factor": (2.0, 3.0),
        "flip": False,
    }


def test_packing_takes_chosen_meta_keys(make_sample):
    packed = build("PackDetInputs", meta_keys=("img_id", "ori_shape"))(make_sample())
    assert set(packed["data_samples"].metainfo) == {"img_id", "ori_shape"}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(6, 7, 3), (6, 7)])
def test_packing_takes_views_floats_and_grey_images(dtype, shape):
    image = np.random.default_rng(3).integers(0, 256, shape).astype(dtype)[:, ::-1]
    inputs = build("PackDetInputs")({"img": image})["inputs"]
    assert inputs.is_contiguous() and inputs.shape == (3 if len(shape) == 3 else 1, 6, 7)
    assert np.array_equal(inputs.numpy().transpose(1, 2, 0).reshape(shape), image)


def test_packing_without_annotations_or_objects(make_sample):
    bare = build("PackDetInputs")({"img": np.zeros((4, 4, 3), np.uint8)})["data_samples"]
    assert len(bare.gt_instances) == len(bare.ignored_instances) == 0
    sample = make_sample()
    for key in ("gt_bboxes", "gt_bboxes_labels", "gt_ignore_flags", "gt_masks"):
        sample[key] = sample[key][np.zeros(3, bool)]
    empty = build("PackDetInputs")(sample)["data_samples"]
    assert empty.gt_instances.bboxes.shape == (0, 4) and len(empty.gt_instances.masks) == 0


def test_packing_leaves_its_input(make_sample):
    sample = make_sample()
    before = copy.deepcopy(sample)
    build("PackDetInputs")(sample)
    assert np.array_equal(sample["gt_bboxes"], before["gt_bboxes"])
    assert len(sample["gt_masks"]) == len(before["gt_masks"])
