"""Masks in crops against full bitmaps drawn by pycocotools and changed by cv2."""

import copy
import pickle

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from pycocotools import mask as coco_mask

from mmdet_lite.structures import BitmapMasks, PolygonMasks


def random_polygons(rng, height, width, num=4):
    """Objects of 1 or 2 polygons with two decimals, a third of them partly out of the frame."""
    objects = []
    for _ in range(num):
        parts = []
        for _ in range(rng.integers(1, 3)):
            center = rng.uniform(-0.2, 1.2, 2) * (width, height)
            points = center + rng.normal(0, 0.25, (rng.integers(3, 12), 2)) * (width, height)
            parts.append(points.round(int(rng.integers(0, 3))).ravel())
        objects.append(parts)
    return objects


def full_bitmaps(objects, height, width):
    """The classic path: every object drawn in the whole frame."""
    drawn = [
        coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(list(parts), height, width)))
        for parts in objects
    ]
    return np.stack(drawn)


def cases(seed, num=60):
    rng = np.random.default_rng(seed)
    for _ in range(num):
        height, width = (int(side) for side in rng.integers(3, 90, 2))
        objects = random_polygons(rng, height, width)
        masks = BitmapMasks.from_polygons(objects, height, width)
        yield rng, masks, full_bitmaps(objects, height, width)


def assert_tight(masks):
    for crop in masks.crops:
        if crop.size:
            assert crop[0].any() and crop[-1].any() and crop[:, 0].any() and crop[:, -1].any()
        else:
            assert crop.shape == (0, 0)


def test_rasterised_polygons_equal_the_full_frame_bit_by_bit():
    for _, masks, full in cases(0, 200):
        assert np.array_equal(masks.to_ndarray(), full)
        assert_tight(masks)


def test_constructor_crops_full_bitmaps_and_gives_them_back():
    for _, masks, full in cases(1):
        again = BitmapMasks(full, masks.height, masks.width)
        assert np.array_equal(again.to_ndarray(), full)
        assert np.array_equal(again.offsets_xy, masks.offsets_xy)
        assert_tight(again)


def test_resize_equals_cv2_nearest_of_the_full_bitmaps():
    for rng, masks, full in cases(2, 150):
        out_h, out_w = (int(side) for side in rng.integers(1, 200, 2))
        resized = masks.resize((out_h, out_w))
        expected = [cv2.resize(m, (out_w, out_h), interpolation=cv2.INTER_NEAREST) for m in full]
        assert np.array_equal(resized.to_ndarray(), np.stack(expected))
        assert (resized.height, resized.width) == (out_h, out_w)
        assert_tight(resized)


def test_resize_of_photo_sizes_equals_cv2_nearest():
    rng = np.random.default_rng(3)
    for size, out in [((3000, 4000), (800, 1067)), ((427, 640), (800, 1199)), ((480, 7), (33, 5))]:
        full = cv2.resize(rng.integers(0, 2, (40, 40), np.uint8), size[::-1], None, 0, 0, 0)
        expected = cv2.resize(full, out[::-1], interpolation=cv2.INTER_NEAREST)
        assert np.array_equal(BitmapMasks([full], *size).resize(out).to_ndarray()[0], expected)


@pytest.mark.parametrize(
    ("direction", "axes"), [("horizontal", (2,)), ("vertical", (1,)), ("diagonal", (1, 2))]
)
def test_flip_equals_the_flipped_bitmaps(direction, axes):
    for _, masks, full in cases(4):
        assert np.array_equal(masks.flip(direction).to_ndarray(), np.flip(full, axes))


def test_crop_equals_the_cut_bitmaps():
    for rng, masks, full in cases(5, 150):
        x1, x2 = sorted(rng.integers(0, masks.width + 1, 2))
        y1, y2 = sorted(rng.integers(0, masks.height + 1, 2))
        if x1 == x2 or y1 == y2:
            continue
        cut = masks.crop(np.array([x1, y1, x2, y2]))
        assert np.array_equal(cut.to_ndarray(), full[:, y1:y2, x1:x2])
        assert_tight(cut)


def test_pad_adds_nothing_but_frame():
    for _, masks, full in cases(6, 20):
        padded = masks.pad((masks.height + 3, masks.width + 5))
        assert np.array_equal(padded.to_ndarray(), np.pad(full, ((0, 0), (0, 3), (0, 5))))
    with pytest.raises(ValueError, match="cannot pad a frame of"):
        masks.pad((1, 1))


def test_areas_and_boxes_equal_those_of_the_bitmaps():
    for _, masks, full in cases(7):
        assert np.array_equal(masks.areas, full.sum((1, 2)))
        for box, bitmap in zip(masks.get_bboxes().tolist(), full, strict=True):
            ys, xs = np.nonzero(bitmap)
            tight = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1] if len(xs) else [0] * 4
            assert box == tight


def test_rle_equals_pycocotools_and_comes_back():
    for _, masks, full in cases(8):
        rles = masks.to_rle()
        assert rles == [coco_mask.encode(np.asfortranarray(m)) for m in full]
        again = BitmapMasks.from_rle(rles, masks.height, masks.width)
        assert np.array_equal(again.to_ndarray(), full)


INDICES = [
    1,
    -1,
    slice(1, 3),
    slice(0, 0),
    [2, 0],
    [],
    np.array([True, False, True, False]),
    np.array([3, 3, 0]),
    torch.tensor([False, False, False, False]),
    torch.tensor([2, 1]),
]


@pytest.mark.parametrize("kind", [BitmapMasks, PolygonMasks])
@pytest.mark.parametrize("index", INDICES, ids=str)
def test_every_kind_of_index_selects_instances(kind, index):
    objects = random_polygons(np.random.default_rng(9), 30, 40)
    masks = PolygonMasks(objects, 30, 40)
    masks = masks.to_bitmap() if kind is BitmapMasks else masks
    chosen = masks[index]
    full = masks.to_ndarray()
    positions = np.array(index, int) if isinstance(index, list) else index
    expected = full[np.asarray(positions) if isinstance(index, torch.Tensor) else positions]
    assert type(chosen) is kind
    assert np.array_equal(chosen.to_ndarray(), expected.reshape(-1, 30, 40))


@pytest.mark.parametrize("kind", [BitmapMasks, PolygonMasks])
def test_no_instances_pass_through_everything(kind):
    masks = kind([], 20, 30)
    for changed in (
        masks.resize((40, 10)),
        masks.flip("diagonal"),
        masks.crop([2, 2, 10, 9]),
        masks.pad((50, 50)),
        masks[[]],
        kind.cat([masks, masks]),
    ):
        assert type(changed) is kind and len(changed) == 0
        assert changed.get_bboxes().shape == (0, 4)
        assert changed.areas.shape == (0,)
        assert changed.to_rle() == []
        assert changed.to_ndarray().shape == (0, changed.height, changed.width)


@pytest.mark.parametrize("kind", [BitmapMasks, PolygonMasks])
def test_an_empty_instance_passes_through_everything(kind):
    masks = PolygonMasks([[], [[2, 2, 8, 2, 8, 8]]], 20, 30)
    masks = masks.to_bitmap() if kind is BitmapMasks else masks
    for changed in (masks.resize((40, 10)), masks.flip(), masks.crop([0, 0, 10, 9]), masks):
        assert len(changed) == 2
        assert changed.areas[0] == 0 < changed.areas[1]
        assert changed.get_bboxes()[0].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", [BitmapMasks, PolygonMasks])
def test_methods_leave_the_masks_unchanged(kind):
    masks = PolygonMasks(random_polygons(np.random.default_rng(10), 30, 40), 30, 40)
    masks = masks.to_bitmap() if kind is BitmapMasks else masks
    before = copy.deepcopy(masks)
    masks.resize((60, 20)), masks.flip("diagonal"), masks.crop([5, 5, 20, 25]), masks.pad((99, 99))
    assert (masks.height, masks.width) == (before.height, before.width)
    assert np.array_equal(masks.to_ndarray(), before.to_ndarray())


@pytest.mark.parametrize("kind", [BitmapMasks, PolygonMasks])
def test_masks_travel_in_instance_data_and_through_pickle(kind):
    masks = PolygonMasks(random_polygons(np.random.default_rng(11), 30, 40), 30, 40)
    masks = masks.to_bitmap() if kind is BitmapMasks else masks
    data = InstanceData(masks=masks, labels=torch.arange(4))
    picked = data[torch.tensor([True, False, False, True])]
    assert np.array_equal(picked.masks.to_ndarray(), masks.to_ndarray()[[0, 3]])
    joined = InstanceData.cat([data, picked])
    assert len(joined.masks) == 6
    again = pickle.loads(pickle.dumps(data.to("cpu")))
    assert np.array_equal(again.masks.to_ndarray(), masks.to_ndarray())


def test_objects_of_a_large_photo_cost_their_boxes_only():
    angle = np.linspace(0, 2 * np.pi, 60)[:-1]
    circle = np.stack([np.cos(angle), np.sin(angle)], 1) * 100
    objects = [[np.add(circle, (500 + 100 * i, 1500)).ravel()] for i in range(20)]
    masks = BitmapMasks.from_polygons(objects, 3000, 4000)
    assert sum(crop.nbytes for crop in masks.crops) < 20 * 202 * 202  # bitmaps: 240e6
    assert all(crop.base is None or crop.base.nbytes < 203 * 203 for crop in masks.crops)


def test_a_crop_of_a_bitmap_does_not_keep_the_bitmap_alive():
    full = np.zeros((2000, 2000), np.uint8)
    full[5:9, 5:9] = 1
    masks = BitmapMasks([full], 2000, 2000)
    held = masks.crops[0] if masks.crops[0].base is None else masks.crops[0].base
    assert held.nbytes < 1000


def test_mask_of_another_size_than_its_frame_is_refused():
    with pytest.raises(ValueError, match=r"size of its frame, \(4, 5\) .* got \(5, 4\)"):
        BitmapMasks(np.zeros((1, 5, 4), np.uint8), 4, 5)


def test_unknown_flip_direction_is_refused():
    for masks in (BitmapMasks([], 4, 4), PolygonMasks([], 4, 4)):
        with pytest.raises(ValueError, match=r"one of .*diagonal.* got 'sideways'"):
            masks.flip("sideways")


def test_masks_of_different_frames_do_not_join():
    for kind in (BitmapMasks, PolygonMasks):
        with pytest.raises(ValueError, match="one common frame"):
            kind.cat([kind([], 4, 4), kind([], 5, 4)])
        with pytest.raises(ValueError, match="one common frame"):
            kind.cat([])


def test_polygon_areas_and_boxes_are_those_of_geometry():
    masks = PolygonMasks([[[1, 1, 5, 1, 5, 4, 1, 4], [10, 10, 14, 10, 10, 12]]], 20, 20)
    assert masks.areas.tolist() == [12 + 4]
    assert masks.get_bboxes().tolist() == [[1, 1, 14, 12]]
    doubled = masks.resize((40, 60))
    assert doubled.areas.tolist() == [16 * 6]
    assert doubled.get_bboxes().tolist() == [[3, 2, 42, 24]]
    assert masks.flip("horizontal").get_bboxes().tolist() == [[6, 1, 19, 12]]
    assert masks.flip("vertical").get_bboxes().tolist() == [[1, 8, 14, 19]]


def test_polygon_crop_keeps_exactly_the_part_inside():
    diamond = [0.0, 5, 5, 0, 10, 5, 5, 10]
    cut = PolygonMasks([[diamond], [[0, 0, 3, 0, 0, 3]]], 10, 10).crop([5, 2, 9, 9])
    # the right half: 25, without the tips beyond x = 9 (1), y < 2 (2) and y > 9 (0.5)
    assert cut.areas.tolist() == [25 - 1 - 2 - 0.5, 0]
    assert cut.get_bboxes().tolist() == [[0, 0, 4, 7], [0, 0, 0, 0]]


def test_polygon_crop_covers_the_same_pixels_as_the_bitmap_crop():
    rng = np.random.default_rng(12)
    different, total = 0, 0
    for _ in range(50):
        masks = PolygonMasks(random_polygons(rng, 80, 80), 80, 80)
        window = [10, 20, 60, 75]
        from_polygons = masks.crop(window).to_ndarray()
        from_pixels = masks.to_bitmap().crop(window).to_ndarray()
        different += (from_polygons != from_pixels).sum()
        total += from_pixels.sum()
    assert different < 0.01 * total  # only where rounding differs at edges


def test_invalid_polygon_is_refused():
    with pytest.raises(ValueError, match="at least 3 points"):
        PolygonMasks([[[0, 0, 1, 1]]], 4, 4)


def maps(rng):
    """A random map of the plane, around the middle of 80 x 80."""
    linear = np.eye(2) + rng.normal(0, 0.3, (2, 2))
    shift = 40 - linear @ (40, 40) + rng.normal(0, 15, 2)
    return np.concatenate([linear, shift[:, None]], axis=1)


def random_ellipses(rng, num=3):
    """Objects of one polygon of 40 points, some partly out of a frame of 80 x 80."""
    angle = np.linspace(0, 2 * np.pi, 41)[:-1]
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    return [[(circle * rng.uniform(8, 30, 2) + rng.uniform(0, 80, 2)).ravel()] for _ in range(num)]


@pytest.mark.parametrize("kind", [BitmapMasks, PolygonMasks])
def test_mapped_masks_cover_what_opencv_makes_of_the_full_bitmaps(kind):
    rng = np.random.default_rng(20)
    different, total = 0, 0
    for _ in range(40):
        masks = PolygonMasks(random_ellipses(rng), 80, 80)
        matrix, (height, width) = maps(rng), (int(side) for side in rng.integers(30, 120, 2))
        indices = matrix.copy()  # OpenCV counts from the centre of the first pixel
        indices[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5
        full = masks.to_ndarray()
        expected = [cv2.warpAffine(m * 255, indices, (width, height)) > 127 for m in full]
        given = masks if kind is PolygonMasks else masks.to_bitmap()
        warped = given.warp_affine(matrix, (height, width))
        assert type(warped) is kind and (warped.height, warped.width) == (height, width)
        if kind is BitmapMasks:
            assert_tight(warped)
        different += (warped.to_ndarray() != np.stack(expected)).sum()
        total += np.sum(expected)
    # rounding at edges, where the polygon is not drawn and mapped but mapped and drawn
    assert different < (0.005 if kind is BitmapMasks else 0.03) * total


@pytest.mark.parametrize("kind", [BitmapMasks, PolygonMasks])
def test_a_map_of_a_square_by_hand(kind):
    masks = PolygonMasks([[[10, 10, 20, 10, 20, 30, 10, 30]], []], 50, 50)
    masks = masks.to_bitmap() if kind is BitmapMasks else masks
    double = masks.warp_affine(np.array([[2.0, 0, -30], [0, 1, 30]]), (50, 60))
    assert double.get_bboxes().tolist() == [[0, 40, 10, 50], [0, 0, 0, 0]]
    assert double.areas.tolist() == [100, 0]
    gone = masks.warp_affine(np.array([[1.0, 0, 70], [0, 1, 0]]), (50, 60))
    assert gone.areas.tolist() == [0, 0]


@pytest.mark.parametrize("kind", [BitmapMasks, PolygonMasks])
def test_shift_moves_into_another_frame_and_cuts(kind):
    masks = PolygonMasks([[[10, 10, 20, 10, 20, 30, 10, 30]], []], 50, 50)
    masks = masks.to_bitmap() if kind is BitmapMasks else masks
    shifted = masks.shift((25, 60), -15, 10)
    assert type(shifted) is kind and (shifted.height, shifted.width) == (25, 60)
    assert shifted.get_bboxes().tolist() == [[0, 20, 5, 25], [0, 0, 0, 0]]
    for left, top in ((-20, 0), (60, 0), (0, -30), (0, 25)):
        assert masks.shift((25, 60), left, top).areas.tolist() == [0, 0]
    assert kind([], 5, 5).shift((9, 9), 1, 1).areas.shape == (0,)
    assert len(kind([], 5, 5).warp_affine(np.eye(3)[:2], (9, 9))) == 0


def test_union_and_what_lies_behind_it_equal_the_full_bitmaps():
    for rng, masks, full in cases(21, 30):
        assert np.array_equal(masks.union(), full.any(axis=0))
        covered = rng.random((masks.height, masks.width)) < 0.5
        left = masks.without(covered)
        assert np.array_equal(left.to_ndarray(), full * ~covered)
        assert np.array_equal(masks.to_ndarray(), full)
        assert_tight(left)
    none = BitmapMasks([], 4, 6)
    assert none.union().shape == (4, 6) and not none.union().any()
    assert len(none.without(np.ones((4, 6), bool))) == 0
