"""Masks through their box against grid_sample over the whole image."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pycocotools import mask as coco_mask

from mmdet_lite.ops.mask_paste import masks_to_rle


def values_over_image(probs, boxes, size_hw):
    """Bilinear values at the pixel centres of the whole image, zero outside the mask."""
    height, width = size_hw
    x = (torch.arange(width) + 0.5 - boxes[:, :1]) / (boxes[:, 2:3] - boxes[:, :1]) * 2 - 1
    y = (torch.arange(height) + 0.5 - boxes[:, 1:2]) / (boxes[:, 3:4] - boxes[:, 1:2]) * 2 - 1
    grid = torch.stack(
        [x[:, None].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1
    )
    return F.grid_sample(probs[:, None].double(), grid, align_corners=False)[:, 0]


def random_boxes(count, low, high):
    corners = low + torch.rand(count, 2, 2, dtype=torch.float64) * (high - low)
    return torch.cat([corners.amin(1), corners.amax(1)], dim=1)


@pytest.mark.parametrize("mask_size", [1, 7, 28])
@pytest.mark.parametrize("span", [(-60, 160), (10, 60), (40.0, 42.5), (-3000, 4000)])
@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_pixels_are_those_of_grid_sample(mask_size, span, threshold):
    size_hw = (70, 90)
    boxes = random_boxes(40, *span)
    probs = torch.rand(40, mask_size, mask_size)
    if mask_size == 28:  # smooth, as heads answer, and with full ones
        probs = F.avg_pool2d(probs[:, None], 9, 1, 4)[:, 0] * 1.0
        probs[:5] = 1
    values = values_over_image(probs, boxes, size_hw).numpy()
    rles = masks_to_rle(probs, boxes, size_hw, threshold)
    assert all(r["size"] == list(size_hw) for r in rles)
    got = np.stack([coco_mask.decode(r) for r in rles]).astype(bool)
    different = got != (values >= threshold)
    assert np.abs(values[different] - threshold).max(initial=0) < 1e-5
    assert got.any() or span[0] == -3000


def test_boxes_without_area_or_outside_the_image_give_empty_masks():
    boxes = torch.tensor(
        [
            [5.0, 5.0, 5.0, 9.0],
            [9.0, 9.0, 3.0, 3.0],
            [-50.0, -50.0, -20.0, -20.0],
            [500.0, 2.0, 600.0, 8.0],
        ]
    )
    rles = masks_to_rle(torch.ones(4, 28, 28), boxes, (20, 30))
    assert [int(coco_mask.area(r)) for r in rles] == [0, 0, 0, 0]


def test_a_full_mask_fills_its_box():
    (rle,) = masks_to_rle(torch.ones(1, 28, 28), torch.tensor([[3.0, 4.0, 13.0, 24.0]]), (40, 50))
    wanted = np.zeros((40, 50), np.uint8)
    wanted[4:24, 3:13] = 1
    assert np.array_equal(coco_mask.decode(rle), wanted)


def test_no_detections_give_no_masks():
    assert masks_to_rle(torch.zeros(0, 28, 28), torch.zeros(0, 4), (20, 30)) == []


def test_arguments_stay_as_they_were():
    probs, boxes = torch.rand(3, 28, 28), random_boxes(3, 0, 30).float()
    copies = probs.clone(), boxes.clone()
    masks_to_rle(probs, boxes, (40, 40))
    assert torch.equal(probs, copies[0]) and torch.equal(boxes, copies[1])
