"""Targets of bitmaps against RoIAlign over whole frames, of polygons against pycocotools."""

import copy

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask
from torchvision.ops import roi_align

from mmdet_lite.models.roi_heads.mask_targets import mask_targets
from mmdet_lite.structures import BitmapMasks, PolygonMasks

HW = (60, 80)


def frames(rng, count):
    """Masks of every kind: inside, at one border or more, whole frame, empty, a single pixel."""
    masks = np.zeros((count, *HW), np.uint8)
    for i, mask in enumerate(masks):
        kind = i % 8
        y0, x0 = rng.integers(0, HW[0] - 10), rng.integers(0, HW[1] - 10)
        h, w = rng.integers(3, 40), rng.integers(3, 40)
        if kind == 0:
            continue
        if kind == 1:
            mask[:] = 1
            continue
        if kind == 2:
            mask[y0, x0] = 1
            continue
        if kind == 3:
            y0 = x0 = 0
        if kind == 4:
            y0, x0 = HW[0] - h if h < HW[0] else 0, HW[1] - w
        mask[y0 : y0 + h, x0 : x0 + w] = rng.random(mask[y0 : y0 + h, x0 : x0 + w].shape) < 0.7
    return masks


def random_boxes(rng, count):
    corners = rng.uniform(-10, 95, (count, 2, 2))
    corners[:, :, 1] *= 0.75
    return torch.from_numpy(np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32))


@pytest.mark.parametrize("size_hw", [(28, 28), (14, 14), (7, 28)])
def test_bitmaps_are_sampled_as_whole_frames_would_be(size_hw):
    rng = np.random.default_rng(0)
    full = [frames(rng, 24), frames(rng, 0), frames(rng, 16)]
    masks = [BitmapMasks(f, *HW) for f in full]
    image_idx = torch.from_numpy(rng.choice([0, 2], 300))
    gt_idx = torch.from_numpy(rng.integers(0, 16, 300))
    boxes = random_boxes(rng, 300)
    got = mask_targets(masks, image_idx, gt_idx, boxes, size_hw)
    chosen = np.stack([full[i][g] for i, g in zip(image_idx, gt_idx, strict=True)])
    limits = torch.tensor([HW[1], HW[0]] * 2, dtype=torch.float32)
    clipped = torch.minimum(boxes.clamp(min=0), limits)
    rois = torch.cat([torch.arange(300.0)[:, None], clipped], 1)
    values = roi_align(torch.from_numpy(chosen)[:, None].float(), rois, size_hw, 1.0, 0, True)[:, 0]
    assert got.shape == (300, *size_hw) and set(got.unique().tolist()) == {0, 1}
    different = got.bool() != (values >= 0.5)
    assert not different.any() or (values[different] - 0.5).abs().max() < 1e-4
    assert 0.05 < got.mean() < 0.95


def test_targets_do_not_depend_on_padding_the_frame():
    rng = np.random.default_rng(1)
    masks = BitmapMasks(frames(rng, 16)[2:3], *HW)
    boxes = torch.tensor([[5.0, 5.0, 60.0, 50.0]])
    zero = torch.zeros(1, dtype=torch.long)
    a = mask_targets([masks], zero, zero, boxes, (28, 28))
    b = mask_targets([masks.pad((96, 96))], zero, zero, boxes, (28, 28))
    assert torch.equal(a, b)


def test_polygons_are_drawn_into_the_grid_of_their_roi():
    polygons = [
        [[10.0, 10.0, 50.0, 12.0, 30.0, 45.0]],
        [[0.0, 0.0, 20.0, 0.0, 20.0, 20.0, 0.0, 20.0], [40.0, 5.0, 70.0, 5.0, 70.0, 50.0]],
    ]
    masks = [PolygonMasks([], *HW), PolygonMasks(polygons, *HW)]
    boxes = torch.tensor([[8.0, 6.0, 52.0, 47.0], [-5.0, -3.0, 75.0, 55.0], [10.0, 10.0, 10.2, 30]])
    gt_idx = torch.tensor([0, 1, 0])
    got = mask_targets(masks, torch.ones(3, dtype=torch.long), gt_idx, boxes, (28, 14))
    for target, gt, (x1, y1, x2, y2) in zip(got, gt_idx, boxes.tolist(), strict=True):
        drawn = np.zeros((28, 14), np.uint8)
        for polygon in polygons[gt]:
            points = np.array(polygon).reshape(-1, 2) - [x1, y1]
            points *= [14 / max(x2 - x1, 1), 28 / max(y2 - y1, 1)]
            drawn |= coco_mask.decode(coco_mask.frPyObjects([points.ravel()], 28, 14))[..., 0]
        assert np.array_equal(target.numpy(), drawn)
    assert got[:2].sum() > 50


def test_both_kinds_agree_about_a_large_object():
    polygon = [[[10.0, 10.0, 70.0, 12.0, 40.0, 55.0]]]
    zero, box = torch.zeros(1, dtype=torch.long), torch.tensor([[5.0, 5.0, 75.0, 58.0]])
    masks = PolygonMasks(polygon, *HW)
    a = mask_targets([masks], zero, zero, box, (28, 28))
    b = mask_targets([masks.to_bitmap()], zero, zero, box, (28, 28))
    assert (a != b).float().mean() < 0.05


@pytest.mark.parametrize(
    "masks", [BitmapMasks([], *HW), PolygonMasks([], *HW), BitmapMasks(np.ones((1, *HW)), *HW)]
)
def test_no_rois_give_no_targets(masks):
    none = torch.zeros(0, dtype=torch.long)
    assert mask_targets([masks], none, none, torch.zeros(0, 4), (28, 28)).shape == (0, 28, 28)


def test_arguments_stay_as_they_were():
    masks = BitmapMasks(frames(np.random.default_rng(2), 8), *HW)
    before = masks.to_ndarray()
    boxes = random_boxes(np.random.default_rng(3), 8)
    copies = copy.deepcopy((masks.offsets_xy, boxes))
    mask_targets([masks], torch.zeros(8, dtype=torch.long), torch.arange(8), boxes, (28, 28))
    assert np.array_equal(masks.to_ndarray(), before)
    assert np.array_equal(masks.offsets_xy, copies[0]) and torch.equal(boxes, copies[1])


def test_an_object_of_which_a_crop_left_only_the_box_has_an_empty_target():
    ell = [0, 0, 10, 0, 10, 50, 50, 50, 50, 60, 0, 60]  # its box has an empty upper right corner
    masks = PolygonMasks([[np.array(ell, float)]], *HW).crop((30, 5, 50, 40))
    assert masks.areas.tolist() == [0]
    one = torch.zeros(1, dtype=torch.long)
    box = torch.tensor([[0.0, 0.0, 20.0, 35.0]])
    for kind in (masks, masks.to_bitmap()):
        assert not mask_targets([kind], one, one, box, (28, 28)).any()


def test_large_crops_are_sampled_apart_with_the_same_result(monkeypatch):
    rng = np.random.default_rng(1)
    masks = [BitmapMasks(frames(rng, count), *HW) for count in (24, 0, 16)]
    image_idx = torch.from_numpy(rng.choice([0, 2], 50))
    gt_idx = torch.from_numpy(rng.integers(0, 16, 50))
    case = (masks, image_idx, gt_idx, random_boxes(rng, 50), (28, 28))
    at_once = mask_targets(*case)
    monkeypatch.setattr("mmdet_lite.models.roi_heads.mask_targets.MOST_PIXELS", 3000)
    assert torch.equal(mask_targets(*case), at_once) and at_once.any()


def test_mixed_kinds_in_a_batch_are_refused():
    mixed = [BitmapMasks([], *HW), PolygonMasks([], *HW)]
    none = torch.zeros(0, dtype=torch.long)
    with pytest.raises(TypeError, match=r"one class, got \['BitmapMasks', 'PolygonMasks'\]"):
        mask_targets(mixed, none, none, torch.zeros(0, 4), (28, 28))
