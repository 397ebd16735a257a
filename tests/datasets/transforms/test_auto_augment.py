"""AutoAugment, RandAugment and the transforms that they draw from."""

import inspect

import mmcv
import numpy as np
import pytest

from mmdet_lite.datasets.transforms import (
    AutoAugment,
    AutoContrast,
    Brightness,
    Color,
    ColorTransform,
    Contrast,
    Equalize,
    Invert,
    Posterize,
    RandAugment,
    RandomOrder,
    Rotate,
    Sharpness,
    ShearX,
    ShearY,
    Solarize,
    SolarizeAdd,
    TranslateX,
    TranslateY,
    YOLOXHSVRandomAug,
)

GEOMETRIC = [Rotate, ShearX, ShearY, TranslateX, TranslateY]
COLOURS = [
    *(AutoContrast, Brightness, Color, ColorTransform, Contrast, Equalize, Invert, Posterize),
    *(Sharpness, Solarize, SolarizeAdd),
]


def sample(height=40, width=60):
    rng = np.random.default_rng(0)
    return {
        "img": rng.integers(20, 220, (height, width, 3), np.uint8),
        "img_shape": (height, width),
        "gt_bboxes": np.array([[10, 10, 30, 20]], np.float32),
        "gt_bboxes_labels": np.array([1]),
        "gt_ignore_flags": np.array([False]),
    }


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (
            Rotate(level=5, reversal_prob=0.0),
            lambda i: mmcv.imrotate(i, 15, border_value=(128,) * 3),
        ),
        (
            Rotate(level=10, reversal_prob=1.0),
            lambda i: mmcv.imrotate(i, -30, border_value=(128,) * 3),
        ),
        (
            ShearX(max_mag=45, level=10, reversal_prob=0.0, img_border_value=(1, 2, 3)),
            lambda i: mmcv.imshear(i, 1, "horizontal", (1, 2, 3)),
        ),
        (
            ShearY(max_mag=45, level=10, reversal_prob=1.0, img_border_value=0),
            lambda i: mmcv.imshear(i, -1, "vertical", 0),
        ),
        (
            TranslateX(level=5, reversal_prob=0.0, img_border_value=9),
            lambda i: mmcv.imtranslate(i, 3, "horizontal", 9),
        ),
        (
            TranslateY(level=10, reversal_prob=1.0, interpolation="nearest"),
            lambda i: mmcv.imtranslate(i, -4, "vertical", 128, "nearest"),
        ),
        (Color(level=0), lambda i: mmcv.adjust_color(i, 0.1)),
        (Brightness(level=10), lambda i: mmcv.adjust_brightness(i, 1.9)),
        (Contrast(min_mag=0.5, max_mag=0.5), lambda i: mmcv.adjust_contrast(i, 0.5)),
        (Sharpness(level=10), lambda i: mmcv.adjust_sharpness(i, 1.9)),
        (Solarize(level=5), lambda i: np.where(i < 128, i, 255 - i)),
        (SolarizeAdd(level=10), lambda i: np.where(i < 128, np.minimum(i + 110.0, 255), i)),
        (Posterize(level=10), lambda i: i // 16 * 16),
        (Posterize(level=0), lambda i: i // 128 * 128),
        (Equalize(), mmcv.imequalize),
        (AutoContrast(), mmcv.auto_contrast),
        (Invert(), lambda i: 255 - i),
        (ColorTransform(), lambda i: i),
        (Rotate(prob=0.0), lambda i: i),
        (Invert(prob=0.0), lambda i: i),
    ],
    ids=lambda value: None if inspect.isfunction(value) else repr(value)[:30],
)
def test_images_are_mmcvs_at_the_magnitude_of_the_level(transform, expected):
    done = transform(sample())
    assert done["img"].dtype == np.uint8
    np.testing.assert_array_equal(done["img"], expected(sample()["img"]))


def test_boxes_of_levels_by_hand():
    turned = Rotate(max_mag=90, level=10, reversal_prob=0.0)(sample(60, 60))["gt_bboxes"]
    np.testing.assert_allclose(turned, [[40, 10, 50, 30]], atol=1e-4)  # clockwise
    moved = TranslateX(level=10, reversal_prob=1.0)(sample())["gt_bboxes"]
    np.testing.assert_allclose(moved, [[4, 10, 24, 20]], atol=1e-4)
    # row y goes right by y - 1/2: OpenCV shears around the centre of the first pixel
    sheared = ShearX(max_mag=45, level=10, reversal_prob=0.0)(sample())["gt_bboxes"]
    np.testing.assert_allclose(sheared, [[19.5, 10, 49.5, 20]], atol=1e-4)


@pytest.mark.parametrize("kind", COLOURS)
def test_changes_of_colour_leave_the_objects_and_the_image_given(kind):
    before = sample()
    image = before["img"].copy()
    for level in (0, 3, 10, None):
        done = kind(level=level)(dict(before))
        assert done["img"].shape == image.shape and done["img"].dtype == np.uint8
        assert all(done[key] is before[key] for key in before if key != "img")
        np.testing.assert_array_equal(before["img"], image)


@pytest.mark.parametrize("kind", [*GEOMETRIC, *COLOURS])
def test_magnitudes_are_drawn_over_their_whole_range(kind):
    transform = kind()
    low, high = sorted(kind.magnitudes)
    drawn = np.abs([transform._draw() for _ in range(300)])
    assert low <= drawn.min() < low + 0.05 * (high - low)
    assert high - 0.05 * (high - low) < drawn.max() <= high


def test_reversal_and_probability_come_as_often_as_told():
    rotate = Rotate(prob=0.4, reversal_prob=0.25)
    drawn = [rotate._draw() for _ in range(2000)]
    given = [one for one in drawn if one is not None]
    assert 0.36 < len(given) / 2000 < 0.44
    assert 0.2 < np.mean(np.array(given) < 0) < 0.3


@pytest.mark.parametrize(
    "kind", [c for c in COLOURS if c is not ColorTransform] + [YOLOXHSVRandomAug]
)
def test_images_of_other_kinds_are_refused(kind):
    for img in (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 5), np.uint8)):
        with pytest.raises(ValueError, match=rf"{kind.__name__} needs an image of 3 channels of u"):
            kind()({"img": img})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Rotate(prob=2), ValueError, "Rotate: prob must be in 0..1; got 2"),
        (lambda: ShearX(level=11), ValueError, "ShearX: level must be in 0..10; got 11"),
        (lambda: Color(level=1.5), TypeError, "Color: level must be an integer or None; got 1.5"),
        (lambda: Rotate(min_mag=40), ValueError, "min_mag must not exceed max_mag; got 40"),
        (lambda: Rotate(reversal_prob=-1), ValueError, "reversal_prob must be in 0..1; got -1"),
        (lambda: Rotate(mask_border_value=1), ValueError, "mask_border_value can only be 0"),
        (lambda: Rotate(interpolation="area"), ValueError, "one of .*'nearest'.* got 'area'"),
        (lambda: RandAugment([]), ValueError, "aug_space must be a list .* not empty; got"),
        (lambda: RandAugment(aug_num=16), ValueError, "aug_num must be in 1..15, .* got 16"),
        (lambda: AutoAugment([[Invert()]], [0.5]), ValueError, r"each of policies \(1\), in sum 1"),
        (lambda: AutoAugment(prob=[1.0]), ValueError, r"each of policies \(its default\)"),
        (lambda: YOLOXHSVRandomAug(hue_delta=-1), ValueError, r"not be negative; got \(-1, 30"),
    ],
)
def test_wrong_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


class Note:
    """A transform that writes down that it was there."""

    def __init__(self, name):
        self.name = name

    def __call__(self, results):
        return {"seen": [*results.get("seen", []), self.name]}


def test_auto_augment_applies_one_policy_whole():
    auto = AutoAugment([[Note("a"), Note("b")], [Note("c")]], prob=[0.8, 0.2])
    seen = ["".join(auto({})["seen"]) for _ in range(500)]
    assert set(seen) == {"ab", "c"}
    assert 0.73 < seen.count("ab") / 500 < 0.87


def test_rand_augment_applies_several_once_each_in_any_order():
    rand = RandAugment([[Note("a")], [Note("b")], Note("c")], aug_num=2)
    seen = {"".join(rand({})["seen"]) for _ in range(200)}
    assert seen == {"ab", "ba", "ac", "ca", "bc", "cb"}
    never = RandAugment([Note("a"), Note("b")], aug_num=1, prob=[1.0, 0.0])
    assert {"".join(never({})["seen"]) for _ in range(20)} == {"a"}


def test_random_order_applies_all():
    order = RandomOrder([Note("a"), Note("b"), Note("c")])
    seen = {"".join(order({})["seen"]) for _ in range(200)}
    assert len(seen) == 6 and all(sorted(one) == ["a", "b", "c"] for one in seen)


def test_a_dropped_image_stays_dropped():
    for transform in (RandomOrder([lambda r: None] * 2), RandAugment([lambda r: None] * 2)):
        assert transform({}) is None


def test_the_defaults_run_without_a_default_scope():
    from mmengine.registry import DefaultScope

    DefaultScope._instance_dict.clear()
    auto, rand = AutoAugment(), RandAugment()
    assert len(auto.transforms) == 25 and len(rand.transforms) == 15
    assert all(len(policy.transforms) == 2 for policy in auto.transforms)
    for transform in (auto, rand):
        for seed in range(40):
            np.random.seed(seed)
            done = transform(sample())
            assert done["img"].shape == (40, 60, 3) and done["img"].dtype == np.uint8


def test_hsv_changes_stay_within_their_deltas(monkeypatch):
    aug = YOLOXHSVRandomAug(5, 30, 20)
    drawn = np.array([aug._draw() for _ in range(500)])
    assert np.abs(drawn).max(0).tolist() == [4, 29, 19]  # whole numbers below the deltas
    assert ((drawn == 0).mean(0) > 0.4).all()
    monkeypatch.setattr(aug, "_draw", lambda: np.array([90, 0, -20], np.int16))
    img = np.zeros((1, 2, 3), np.uint8)
    img[0, 0] = (255, 0, 0)  # blue becomes yellow, half a turn away, and a little darker
    np.testing.assert_array_equal(aug({"img": img})["img"][0], [(0, 235, 235), (0, 0, 0)])
