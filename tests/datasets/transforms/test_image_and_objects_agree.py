"""Every transform that moves or hides: image, boxes, masks and keypoints stay in step."""

import copy
import importlib.util

import numpy as np
import pytest
from drawn_objects import KINDS, assert_agrees, draw_sample

from mmdet_lite.datasets import transforms
from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures import BitmapMasks

BLACK = {"img_border_value": 0}
# name: (config, how the results must agree)
CASES = {
    "Resize": ({"scale": (333, 240), "keep_ratio": True}, {}),
    "FixShapeResize": ({"width": 240, "height": 240, "keep_ratio": True}, {}),
    "FixShapeResize stretched": ({"width": 240, "height": 170}, {}),
    "ResizeShortestEdge": ({"scale": 200, "max_size": 240}, {}),
    "RandomFlip": ({"prob": 1.0, "direction": ["horizontal", "vertical", "diagonal"]}, {}),
    "Pad": ({"size_divisor": 64}, {}),
    "Expand": ({"mean": (0, 0, 0, 0), "ratio_range": (1, 2), "prob": 1.0}, {}),
    "RandomCrop": ({"crop_size": (90, 80), "allow_negative_crop": True}, {}),
    # drops objects of which less than the centre is left
    "MinIoURandomCrop": ({}, {"lost": False}),
    "AspectCrop": ({"aspect_lo": 0.9, "aspect_hi": 1.1}, {}),
    "AspectCrop upright": ({"aspect_lo": 1.6, "aspect_hi": 1.7}, {}),
    "RandomShift": ({"prob": 1.0, "max_shift_px": 90}, {}),
    "RandomAffine": (
        {
            "max_rotate_degree": 20,
            "scaling_ratio_range": (0.6, 1.6),
            "max_shear_degree": 5,
            "border": (10, -8),
            "border_val": 0,
        },
        {},
    ),
    "Rotate": (BLACK, {}),
    "ShearX": (BLACK, {}),
    "ShearY": (BLACK, {}),
    "TranslateX": ({"max_mag": 0.5, **BLACK}, {}),
    "TranslateY": ({"max_mag": 0.5, "interpolation": "nearest", **BLACK}, {}),
    "RandAugment": (
        {"aug_space": [[{"type": "Rotate", **BLACK}], {"type": "RandomFlip", "prob": 0.5}]},
        {},
    ),
    "AutoAugment": (
        {"policies": [[{"type": "ShearX", **BLACK}, {"type": "TranslateY", **BLACK}]]},
        {},
    ),
    "RandomOrder": (
        {"transforms": [{"type": "Rotate", **BLACK}, {"type": "TranslateX", **BLACK}]},
        {},
    ),
    # boxes stay around what was erased; objects nearly erased are dropped
    "RandomErasing": (
        {"n_patches": (1, 4), "ratio": (0.1, 0.5), "squared": False, **BLACK},
        {"tight": False, "lost": False},
    ),
    "Mosaic": ({"img_scale": (180, 150), "pad_val": 0}, {}),
    "MixUp": (
        {"img_scale": (200, 160), "ratio_range": (0.7, 1.6), "pad_val": 0},
        {"fade": 0.5},
    ),
    # drops objects of which little is left
    "CopyPaste": ({}, {"lost": False}),
    "CopyPaste all": ({"selected": False, "mask_occluded_thr": 900}, {"lost": False}),
}
if importlib.util.find_spec("albumentations"):
    CASES["Albu"] = (
        {
            "transforms": [
                {"type": "HorizontalFlip", "p": 0.5},
                {"type": "OneOf", "transforms": [{"type": "VerticalFlip"}, {"type": "Transpose"}]},
                {"type": "Affine", "rotate": (-20, 20), "scale": (0.8, 1.3), "p": 0.7},
                {"type": "RandomCrop", "height": 120, "width": 140, "p": 0.5},
            ]
        },
        {},
    )
OTHERS = {"Mosaic": [[1], [2], [3]], "MixUp": [[2, 1]], "CopyPaste": [[2, 3]]}
NAMES = {name: name.split()[0] for name in CASES}


def build(name):
    return TRANSFORMS.build({"type": NAMES[name], **copy.deepcopy(CASES[name][0])})


def sample_for(name, seed, kind="bitmaps", empty=False):
    """Results of objects 0 and 1, with the other images that a mixing transform wants."""
    rng = np.random.default_rng(seed)
    others = OTHERS.get(NAMES[name])
    first = [0] if NAMES[name] in ("Mosaic", "MixUp") else [0, 1]
    results = draw_sample(rng, [] if empty else first, kind)
    if others:
        images = [draw_sample(rng, [] if empty else labels, kind) for labels in others]
        results["mix_results"] = images
    return results


def arrays_of(results):
    """Everything that a transform could write into, as lists of arrays."""
    found = []
    for key, value in sorted(results.items()):
        if key == "mix_results":
            found += [array for one in value for array in arrays_of(one)]
        elif hasattr(value, "to_ndarray"):
            found.append(value.to_ndarray())
        elif isinstance(value, np.ndarray):
            found.append(value)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_image_boxes_masks_and_joints_agree(name, kind):
    transform, agreement = build(name), CASES[name][1]
    objects = 0
    for seed in range(15):
        np.random.seed(seed)
        results = transform(sample_for(name, seed, kind))
        assert_agrees(results, **agreement)
        objects += len(results["gt_bboxes"])
    assert objects >= 10


@pytest.mark.parametrize("name", CASES)
def test_arguments_stay_as_they_were(name):
    transform = build(name)
    for seed in range(4):
        sample = sample_for(name, seed, KINDS[seed % 2])
        before = copy.deepcopy(arrays_of(sample))
        kept = arrays_of(sample)
        transform(dict(sample))
        assert len(before) == len(kept) > 5
        for old, now in zip(before, kept, strict=True):
            np.testing.assert_array_equal(old, now)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_no_objects_pass_through(name, kind):
    transform = build(name)
    for seed in range(4):
        results = transform(sample_for(name, seed, kind, empty=True))
        assert results["gt_bboxes"].shape == (0, 4)
        assert results["gt_keypoints"].shape == (0, 3, 3)
        assert len(results["gt_masks"]) == len(results["gt_bboxes_labels"]) == 0
        assert (results["gt_masks"].height, results["gt_masks"].width) == results["img_shape"]
        assert results["img"].shape[:2] == results["img_shape"]


@pytest.mark.parametrize("name", [name for name in CASES if NAMES[name] != "CopyPaste"])
def test_images_without_annotations_pass_through(name):
    sample = sample_for(name, 0)
    for one in [sample, *sample.get("mix_results", [])]:
        for key in [key for key in one if key.startswith("gt_")]:
            del one[key]
    results = build(name)(sample)
    assert results["img"].shape[:2] == results["img_shape"]


@pytest.mark.parametrize("name", CASES)
def test_numpys_random_state_repeats_the_result(name):
    def run(seed):
        np.random.seed(seed)
        return build(name)(sample_for(name, 3))

    first, again = run(5), run(5)
    for one, other in zip(arrays_of(first), arrays_of(again), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", CASES)
def test_grey_images_without_an_axis_of_channels_work(name):
    if NAMES[name] == "Expand":
        pytest.skip("its mean has a number a channel")
    sample = sample_for(name, 0)
    for one in [sample, *sample.get("mix_results", [])]:
        one["img"] = one["img"].max(axis=2)
    results = build(name)(sample)
    assert results["img"].ndim == 2
    assert results["img"].dtype == np.uint8


@pytest.mark.parametrize("name", CASES)
def test_text_of_a_transform_begins_with_its_name(name):
    assert repr(build(name)).startswith(NAMES[name])


@pytest.mark.parametrize("name", ["CopyPaste", "RandomErasing", "Albu"])
def test_what_can_make_holes_always_gives_bitmaps(name):
    if name not in CASES:
        pytest.skip("albumentations is not installed")
    for seed in range(6):
        results = build(name)(sample_for(name, seed, "polygons", empty=seed == 5))
        assert isinstance(results["gt_masks"], BitmapMasks)


def test_every_transform_of_the_room_is_registered():
    for name in transforms.__all__:
        assert TRANSFORMS.get(name) is getattr(transforms, name)
