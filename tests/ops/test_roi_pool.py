"""RoIPool against plain loops over bins and pixels."""

import math

import torch

from mmdet_lite.ops.roi_pool import roi_pool_levels


def by_hand(features, rois, levels, strides, size):
    pooled = torch.zeros(len(rois), features[0].shape[1], size, size)
    for r, (image, x1, y1, x2, y2) in enumerate(rois.tolist()):
        x, stride = features[levels[r]][int(image)], strides[levels[r]]
        height, width = x.shape[-2:]
        left, top = x1 / stride, y1 / stride
        step_x, step_y = ((x2 + 1) / stride - left) / size, ((y2 + 1) / stride - top) / size
        if step_x <= 0 or step_y <= 0:
            continue
        for i in range(size):
            for j in range(size):
                rows = range(
                    max(math.floor(top + i * step_y), 0),
                    min(math.ceil(top + (i + 1) * step_y), height),
                )
                columns = range(
                    max(math.floor(left + j * step_x), 0),
                    min(math.ceil(left + (j + 1) * step_x), width),
                )
                if len(rows) and len(columns):
                    part = x[:, rows.start : rows.stop, columns.start : columns.stop]
                    pooled[r, :, i, j] = part.amax((1, 2))
    return pooled


def case(count=40):
    strides = [4, 8]
    features = [torch.randn(2, 3, 96 // s, 128 // s) for s in strides]
    # sixteenths of a pixel: bins' edges are exact, here and in the plain loops
    corners = (torch.rand(count, 2, 2) * torch.tensor([150.0, 110.0]) * 16).round() / 16 - 10
    boxes = torch.cat([corners.amin(1), corners.amax(1)], dim=1)
    boxes[0] = torch.tensor([500.0, 500.0, 600.0, 600.0])  # outside: nothing to take
    boxes[1, 2:] = boxes[1, :2] - 2  # turned inside out
    rois = torch.cat([torch.randint(2, (count, 1)).float(), boxes], dim=1)
    return features, rois, torch.randint(2, (count,)), strides


def test_values_are_those_of_plain_loops():
    features, rois, levels, strides = case()
    got = roi_pool_levels(features, rois, levels, strides, 4)
    assert torch.equal(got, by_hand(features, rois, levels, strides, 4))
    assert (got[:2] == 0).all() and (got[2:] != 0).any()


def test_gradients_reach_the_largest_pixels():
    features, rois, levels, strides = case()
    features = [f.requires_grad_() for f in features]
    roi_pool_levels(features, rois, levels, strides, 2).sum().backward()
    assert all(f.grad.abs().sum() > 0 for f in features)


def test_no_rois_give_no_features():
    features, rois, levels, strides = case()
    assert roi_pool_levels(features, rois[:0], levels[:0], strides, 7).shape == (0, 3, 7, 7)


def test_features_in_half_are_pooled_into_float_at_whole_rois():
    torch.manual_seed(0)
    features = [torch.randn(1, 2, 300, 300).bfloat16()]
    rois = torch.tensor([[0, 1.0, 1.0, 1111.0, 1111.0], [0, 1051.0, 1051.0, 1099.0, 1099.0]])
    levels = torch.zeros(2, dtype=torch.long)
    with torch.autocast("cpu", torch.bfloat16):
        got = roi_pool_levels(features, rois, levels, [4], 3)
    assert got.dtype == torch.float32
    assert torch.equal(got, by_hand([features[0].float()], rois, levels, [4], 3))
