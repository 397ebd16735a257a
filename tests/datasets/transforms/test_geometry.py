"""Resize, flip, crop and pad: masks and boxes follow the image exactly."""

import copy

import mmcv
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import TRANSFORMS as ENGINE_TRANSFORMS

from mmdet_lite.registry import TRANSFORMS

NEAREST = {"interpolation": "nearest"}
PIPELINES = {
    "resize": [{"type": "Resize", "scale": (200, 90), "keep_ratio": True, **NEAREST}],
    "resize stretched": [{"type": "Resize", "scale": (200, 90), **NEAREST}],
    "resize by factor": [{"type": "Resize", "scale_factor": 1.7, "keep_ratio": True, **NEAREST}],
    "random resize": [
        {"type": "RandomResize", "scale": [(133, 64), (133, 80)], "keep_ratio": True, **NEAREST}
    ],
    "choice resize": [
        {"type": "RandomChoiceResize", "scales": [(60, 90), (200, 300), 50], **NEAREST}
    ],
    "flip": [
        {"type": "RandomFlip", "prob": 1.0, "direction": ["horizontal", "vertical", "diagonal"]}
    ],
    "pad": [{"type": "Pad", "size": (150, 140)}, {"type": "Pad", "size_divisor": 32}],
    "crop": [{"type": "RandomCrop", "crop_size": (60, 70), "allow_negative_crop": True}],
    "lsj": [
        {
            "type": "RandomResize",
            "scale": (100, 100),
            "ratio_range": (0.1, 2.0),
            "keep_ratio": True,
            **NEAREST,
        },
        {
            "type": "RandomCrop",
            "crop_type": "absolute",
            "crop_size": (100, 100),
            "recompute_bbox": True,
            "allow_negative_crop": True,
        },
        {"type": "RandomFlip", "prob": 0.5},
        {"type": "Pad", "size": (100, 100)},
    ],
    "choice of pipelines": [
        {
            "type": "RandomChoice",
            "transforms": [
                [{"type": "Resize", "scale": (50, 50), **NEAREST}],
                [
                    {"type": "RandomCrop", "crop_size": (0.4, 0.9), "crop_type": "relative"},
                    {"type": "Resize", "scale": (50, 50), **NEAREST},
                ],
            ],
        }
    ],
}


@pytest.mark.parametrize("name", PIPELINES)
def test_masks_equal_the_transformed_full_bitmaps(name, make_sample):
    pipeline = Compose(PIPELINES[name])
    seen = 0
    for seed in range(25):
        sample = pipeline(make_sample(seed))
        if sample is None:
            continue
        masks, image = sample["gt_masks"], sample["img"]
        assert (masks.height, masks.width) == sample["img_shape"] == image.shape[:2]
        assert len(masks) == len(sample["gt_bboxes"]) == len(sample["gt_bboxes_labels"])
        # label l is shown by channel [1, 2, 0][l]
        for label, bitmap in zip(sample["gt_bboxes_labels"], masks.to_ndarray(), strict=True):
            assert np.array_equal(bitmap, image[..., [1, 2, 0][label]])
            seen += 1
    assert seen > 20


@pytest.mark.parametrize("name", PIPELINES)
def test_boxes_stay_around_the_masks(name, make_sample):
    pipeline, cuts = Compose(PIPELINES[name]), name in ("crop", "choice of pipelines")
    for seed in range(25):
        sample = pipeline(make_sample(seed))
        if sample is None:
            continue
        boxes, tight = sample["gt_bboxes"], sample["gt_masks"].get_bboxes().numpy()
        assert boxes.dtype == np.float32
        solid = sample["gt_masks"].areas > 0
        # nearest neighbour shifts an edge by at most a pixel of the coarser grid
        slack = 1 + 1.01 * max(1, *sample.get("scale_factor", (1, 1)))
        outward = (tight - boxes) * [1, 1, -1, -1]
        assert outward[solid].min(initial=0) >= -slack
        if not cuts:  # a cut object may end before its cut box does
            assert outward[solid].max(initial=0) <= slack


@pytest.mark.parametrize("name", PIPELINES)
def test_the_masks_of_the_input_stay_as_they_were(name, make_sample):
    sample = make_sample(1)
    masks, before = sample["gt_masks"], copy.deepcopy(sample["gt_masks"])
    Compose(PIPELINES[name])(sample)
    assert np.array_equal(masks.to_ndarray(), before.to_ndarray())


def test_resize_makes_mmcvs_image_and_sets_its_scale_factors(make_sample):
    sample = make_sample(2)
    image = sample["img"] * 255
    resize = TRANSFORMS.build({"type": "Resize", "scale": (1333, 80), "keep_ratio": True})
    resized = resize({**sample, "img": image})
    expected = mmcv.imrescale(image, (1333, 80))
    assert np.array_equal(resized["img"], expected)
    height, width = expected.shape[:2]
    assert resized["scale_factor"] == (width / 121, height / 97)
    boxes = sample["gt_bboxes"] * np.array([width / 121, height / 97] * 2)
    assert np.allclose(resized["gt_bboxes"], boxes, atol=1e-4)


def test_resize_clips_boxes_unless_told_otherwise(make_sample):
    sample = make_sample(3)
    sample["gt_bboxes"] = np.array([[-10, -10, 300, 300]] * 3, np.float32)
    cfg = {"type": "Resize", "scale": (242, 194)}
    assert TRANSFORMS.build(cfg)(dict(sample))["gt_bboxes"].tolist() == [[0, 0, 242, 194]] * 3
    free = TRANSFORMS.build({**cfg, "clip_object_border": False})(dict(sample))
    assert free["gt_bboxes"].tolist() == [[-20, -20, 600, 600]] * 3


def test_lists_of_json_configs_work_like_tuples(make_sample):
    for cfg in (
        {"type": "Resize", "scale": [60, 50]},
        {"type": "RandomResize", "scale": [60, 50], "ratio_range": [1.0, 1.0]},
        {"type": "RandomResize", "scale": [[60, 50], [60, 50]]},
        {"type": "RandomChoiceResize", "scales": [[60, 50]]},
    ):
        assert TRANSFORMS.build(cfg)(make_sample())["img_shape"] == (50, 60)


def test_random_resize_uses_our_resize_without_default_scope(make_sample):
    from mmengine.registry import DefaultScope

    DefaultScope._instance_dict.clear()
    transform = TRANSFORMS.build({"type": "RandomResize", "scale": (60, 50), "ratio_range": (1, 1)})
    assert transform(make_sample())["gt_masks"].width == 60


@pytest.mark.parametrize(
    ("direction", "box"),
    [
        ("horizontal", [111, 20, 119, 40]),
        ("vertical", [2, 57, 10, 77]),
        ("diagonal", [111, 57, 119, 77]),
    ],
)
def test_flip_mirrors_boxes(direction, box, make_sample):
    sample = make_sample()
    sample["gt_bboxes"] = np.array([[2, 20, 10, 40]] * 3, np.float32)
    image = sample["img"]
    flipped = TRANSFORMS.build({"type": "RandomFlip", "prob": 1, "direction": direction})(sample)
    assert np.array_equal(flipped["img"], mmcv.imflip(image, direction))
    assert flipped["img"].flags.c_contiguous
    assert flipped["gt_bboxes"].tolist() == [box] * 3
    assert flipped["flip"] is True and flipped["flip_direction"] == direction


def test_flip_with_probabilities_for_each_direction():
    flip = TRANSFORMS.build(
        {
            "type": "RandomFlip",
            "prob": [0.2, 0.3, 0.1],
            "direction": ["horizontal", "vertical", "diagonal"],
        }
    )
    drawn = [flip._choose_direction() for _ in range(3000)]
    for direction, share in [
        ("horizontal", 0.2),
        ("vertical", 0.3),
        ("diagonal", 0.1),
        (None, 0.4),
    ]:
        assert abs(drawn.count(direction) / 3000 - share) < 0.04


def test_no_objects_pass_through_all(make_sample):
    for name, pipeline in PIPELINES.items():
        sample = make_sample()
        none = np.zeros(3, bool)
        for key in ("gt_bboxes", "gt_bboxes_labels", "gt_ignore_flags", "gt_masks"):
            sample[key] = sample[key][none]
        changed = Compose(pipeline)(sample)
        if name != "choice of pipelines":  # its crop gives None without objects
            assert changed["gt_bboxes"].shape == (0, 4) and len(changed["gt_masks"]) == 0


def test_images_without_annotations_pass_through_all(make_sample):
    for name, pipeline in PIPELINES.items():
        sample = make_sample()
        bare = {"img": sample["img"], "img_shape": sample["img_shape"]}
        changed = Compose(pipeline)(bare)
        assert changed["img_shape"] == changed["img"].shape[:2], name


@pytest.mark.parametrize(
    ("crop_type", "crop_size", "lowest_hw", "highest_hw"),
    [
        ("absolute", (50, 30), (30, 50), (30, 50)),
        ("absolute", (500, 30), (30, 121), (30, 121)),
        ("absolute_range", (20, 60), (20, 20), (60, 60)),
        ("relative", (0.5, 0.25), (24, 61), (24, 61)),
        ("relative_range", (0.5, 0.25), (48, 30), (97, 121)),
    ],
)
def test_crop_sizes_follow_their_type(crop_type, crop_size, lowest_hw, highest_hw, make_sample):
    crop = TRANSFORMS.build(
        {
            "type": "RandomCrop",
            "crop_type": crop_type,
            "crop_size": crop_size,
            "allow_negative_crop": True,
        }
    )
    shapes = np.array([crop(make_sample(seed))["img_shape"] for seed in range(40)])
    assert (shapes.min(0) >= lowest_hw).all() and (shapes.max(0) <= highest_hw).all()
    assert (np.ptp(shapes, axis=0) > 0).all() == ("range" in crop_type)


def test_crop_drops_what_is_outside_and_moves_the_rest(make_sample, monkeypatch):
    sample = make_sample()
    sample["gt_bboxes"] = np.array([[0, 0, 20, 20], [30, 30, 50, 60], [45, 5, 200, 40]], np.float32)
    crop = TRANSFORMS.build({"type": "RandomCrop", "crop_size": (40, 40)})
    monkeypatch.setattr(crop, "_draw_offset", lambda *margins: (25, 20))
    cut = crop(sample)
    assert cut["gt_bboxes"].tolist() == [[10, 5, 30, 35], [25, 0, 40, 15]]
    assert cut["gt_bboxes_labels"].tolist() == [0, 1]
    assert cut["gt_ignore_flags"].tolist() == [True, False]


def test_crop_leaves_boxes_unclipped_if_told(make_sample, monkeypatch):
    sample = make_sample()
    sample["gt_bboxes"] = np.array([[0, 0, 20, 20], [0, 0, 90, 90], [0, 0, 1, 1]], np.float32)
    crop = TRANSFORMS.build(
        {"type": "RandomCrop", "crop_size": (40, 40), "bbox_clip_border": False}
    )
    monkeypatch.setattr(crop, "_draw_offset", lambda *margins: (25, 20))
    assert crop(sample)["gt_bboxes"].tolist() == [[-20, -25, 70, 65]]


def test_negative_crop_gives_none_or_an_empty_image(make_sample, monkeypatch):
    for allow in (False, True):
        sample = make_sample()
        sample["gt_bboxes"] = np.zeros((3, 4), np.float32)
        crop = TRANSFORMS.build(
            {"type": "RandomCrop", "crop_size": (40, 40), "allow_negative_crop": allow}
        )
        monkeypatch.setattr(crop, "_draw_offset", lambda *margins: (25, 20))
        cut = crop(sample)
        assert len(cut["gt_masks"]) == 0 if allow else cut is None


@pytest.mark.parametrize(
    ("crop_type", "crop_size"),
    [
        ("absolute", (0, 5)),
        ("absolute", (0.5, 0.5)),
        ("absolute_range", (9, 5)),
        ("relative", (1.5, 0.5)),
        ("sideways", (5, 5)),
    ],
)
def test_wrong_crop_sizes_are_refused(crop_type, crop_size):
    with pytest.raises(ValueError, match=r"RandomCrop: crop_(size|type) .*got"):
        TRANSFORMS.build({"type": "RandomCrop", "crop_size": crop_size, "crop_type": crop_type})


def test_root_registry_finds_ours_in_our_scope(make_sample):
    resize = ENGINE_TRANSFORMS.build({"type": "Resize", "scale": (60, 50)})
    assert type(resize).__module__.startswith("mmdet_lite")


@pytest.mark.parametrize(
    ("config", "expected_hw"),
    [
        ({"type": "ResizeShortestEdge", "scale": 200}, (200, 400)),
        ({"type": "ResizeShortestEdge", "scale": (800, 200), "max_size": 300}, (150, 300)),
        ({"type": "FixShapeResize", "width": 90, "height": 70}, (70, 90)),
        ({"type": "FixShapeResize", "width": 50, "height": 80, "keep_ratio": True}, (80, 50)),
    ],
)
def test_sizes_of_other_resizes(config, expected_hw, make_sample):
    done = TRANSFORMS.build(config)(make_sample(height=50, width=100))
    assert done["img"].shape[:2] == done["img_shape"] == expected_hw
    assert (done["gt_masks"].height, done["gt_masks"].width) == expected_hw


def test_fix_shape_resize_fits_the_image_in_and_pads_it(make_sample):
    sample = make_sample(height=50, width=100)
    sample["img"][:] = 9
    sample["gt_bboxes"] = np.array([[10, 10, 100, 50]] * 3, np.float32)
    config = {"type": "FixShapeResize", "width": 50, "height": 80, "pad_val": 3}
    done = TRANSFORMS.build({**config, "keep_ratio": True})(sample)
    assert (done["img"][:25] == 9).all() and (done["img"][25:] == 3).all()
    assert done["scale_factor"] == (0.5, 0.5)
    assert done["gt_bboxes"].tolist() == [[5, 5, 50, 25]] * 3


def test_shortest_edge_refuses_keep_ratio():
    with pytest.raises(ValueError, match="ResizeShortestEdge always keeps the ratio"):
        TRANSFORMS.build({"type": "ResizeShortestEdge", "scale": 5, "keep_ratio": False})


def test_resize_leaves_the_joints_that_it_was_given(make_sample):
    joints = np.full((3, 2, 3), 2, np.float32)
    sample = {**make_sample(), "gt_keypoints": joints}
    assert (
        TRANSFORMS.build({"type": "Resize", "scale": (60, 50)})(sample)["gt_keypoints"]
        is not joints
    )
    assert (joints == 2).all()
