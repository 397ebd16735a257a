"""RoIAlign over levels against torchvision's operator, level by level, values and gradients."""

import pytest
import torch
from torchvision.ops import roi_align

from mmdet_lite.ops.roi_align import _rois_at_once, map_roi_levels, roi_align_levels

STRIDES = [4, 8, 16]


def pyramid(sizes=((20, 30), (10, 15), (5, 8)), images=2, channels=3):
    return [torch.randn(images, channels, h, w, requires_grad=True) for h, w in sizes]


def random_rois(count, images=2, low=-60.0, high=180.0):
    corners = low + torch.rand(count, 2, 2) * (high - low)
    boxes = torch.cat([corners.amin(1), corners.amax(1)], dim=1)
    return torch.cat([torch.randint(images, (count, 1)).float(), boxes], dim=1)


def by_torchvision(features, rois, levels, strides, size, sampling_ratio, aligned):
    out = features[0].new_zeros(len(rois), features[0].shape[1], size, size)
    for i, (feature, stride) in enumerate(zip(features, strides, strict=True)):
        rows = torch.nonzero(levels == i).flatten()
        pooled = roi_align(feature, rois[rows], size, 1 / stride, sampling_ratio, aligned)
        out = out.index_copy(0, rows, pooled)
    return out


def assert_same(features, rois, levels, strides, size, sampling_ratio, aligned):
    args = (features, rois, levels, strides, size, sampling_ratio, aligned)
    got, wanted = roi_align_levels(*args), by_torchvision(*args)
    assert got.shape == wanted.shape
    assert torch.allclose(got, wanted, atol=1e-4, rtol=1e-4)
    push = torch.randn_like(wanted)
    for a, b in zip(
        torch.autograd.grad((got * push).sum(), features),
        torch.autograd.grad((wanted * push).sum(), features),
        strict=True,
    ):
        assert torch.allclose(a, b, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 1, 2])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_boxes_in_and_beyond_the_image_on_all_levels(size, sampling_ratio, aligned):
    rois = random_rois(60)
    levels = torch.randint(3, (60,))
    assert_same(pyramid(), rois, levels, STRIDES, size, sampling_ratio, aligned)


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_one_level(sampling_ratio, aligned):
    rois = random_rois(20)
    levels = torch.zeros(20, dtype=torch.long)
    assert_same(pyramid()[:1], rois, levels, [4], 7, sampling_ratio, aligned)


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_maps_of_one_pixel_row_or_column(sampling_ratio, aligned):
    features = pyramid(((1, 1), (1, 9), (9, 1)))
    rois = random_rois(40, low=-20, high=40)
    assert_same(features, rois, torch.randint(3, (40,)), STRIDES, 2, sampling_ratio, aligned)


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_special_boxes(sampling_ratio, aligned):
    boxes = torch.tensor(
        [
            [10.0, 10.0, 10.0, 10.0],  # a point
            [10.0, 10.0, 10.0, 40.0],  # a line
            [0.0, 0.0, 120.0, 80.0],  # the whole map
            [-500.0, -500.0, -400.0, -400.0],  # far outside
            [116.0, 76.0, 124.0, 84.0],  # over the last corner
            [500.0, 0.0, 600.0, 50.0],
            [40.0, 40.0, 30.0, 20.0],  # inverted
            [2.0, 2.0, 2.5, 2.5],  # far below a pixel
            [0.0, 0.0, 118.0, 1.0],
        ]
    )
    rois = torch.cat([torch.arange(9)[:, None] % 2, boxes], dim=1)
    for level in range(3):
        levels = torch.full((9,), level)
        assert_same(pyramid(), rois, levels, STRIDES, 7, sampling_ratio, aligned)


def test_other_memory_formats_give_the_same():
    features = [f.detach() for f in pyramid()]
    rois, levels = random_rois(30), torch.randint(3, (30,))
    last = [f.contiguous(memory_format=torch.channels_last) for f in features]
    assert torch.equal(
        roi_align_levels(features, rois, levels, STRIDES, 7),
        roi_align_levels(last, rois, levels, STRIDES, 7),
    )


def test_half_precision_features_are_pooled_in_float():
    features = [f.detach().bfloat16() for f in pyramid()]
    rois, levels = random_rois(30), torch.randint(3, (30,))
    pooled = roi_align_levels(features, rois, levels, STRIDES, 7)
    exact = by_torchvision([f.float() for f in features], rois, levels, STRIDES, 7, 0, True)
    assert pooled.dtype == torch.float32
    assert torch.allclose(pooled, exact, atol=1e-4)


def test_no_rois_give_nothing_but_a_gradient_of_zero():
    features = pyramid()
    pooled = roi_align_levels(
        features, torch.zeros(0, 5), torch.zeros(0, dtype=torch.long), STRIDES, 7
    )
    assert pooled.shape == (0, 3, 7, 7)
    for grad in torch.autograd.grad(pooled.sum(), features):
        assert grad.abs().sum() == 0


def test_arguments_stay_as_they_were():
    features, rois, levels = pyramid(), random_rois(10), torch.randint(3, (10,))
    copies = [f.clone() for f in features], rois.clone(), levels.clone()
    roi_align_levels(features, rois, levels, STRIDES, 7)
    assert all(torch.equal(a, b) for a, b in zip(features, copies[0], strict=True))
    assert torch.equal(rois, copies[1]) and torch.equal(levels, copies[2])


def test_levels_follow_the_size_of_the_roi():
    sides = torch.tensor([1.0, 111.0, 112.1, 223.0, 224.1, 447.0, 449.0, 5000.0])
    rois = torch.stack([sides * 0, sides * 0, sides * 0, sides, sides], dim=1)
    assert map_roi_levels(rois, 4, 56).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_long_roi_counts_by_its_area():
    roi = torch.tensor([[0.0, 0.0, 0.0, 56.0, 224.0], [0.0, 5.0, 5.0, 5.0, 5.0]])
    assert map_roi_levels(roi, 4, 56).tolist() == [1, 0]
    assert map_roi_levels(roi[:0], 4, 56).shape == (0,)


@pytest.mark.gpu
@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_both_ways_agree_across_devices(sampling_ratio):
    features = [f.detach() for f in pyramid()]
    rois, levels = random_rois(60), torch.randint(3, (60,))
    on_cpu = roi_align_levels(features, rois, levels, STRIDES, 7, sampling_ratio)
    on_gpu = roi_align_levels(
        [f.cuda() for f in features], rois.cuda(), levels.cuda(), STRIDES, 7, sampling_ratio
    )
    assert torch.allclose(on_cpu, on_gpu.cpu(), atol=1e-4)


def test_slivers_are_pooled_apart_and_all_is_as_in_one_call(monkeypatch):
    rois = random_rois(60)
    rois[7, 1:] = torch.tensor([0.0, 30.0, 120.0, 31.0])  # wide and thin, tall and thin
    rois[20, 1:] = torch.tensor([30.0, 0.0, 31.0, 80.0])
    monkeypatch.setattr("mmdet_lite.ops.roi_align.MOST_WEIGHTS", 2**14)
    levels = torch.randint(3, (60,))
    assert len(_rois_at_once(rois, levels, STRIDES, 7)) > 1
    assert_same(pyramid(), rois, levels, STRIDES, 7, 0, True)


def test_rois_keep_their_precision_beside_features_in_half():
    features = [x.detach().bfloat16() for x in pyramid()]
    rois = random_rois(30) + 1 / 3
    rois[:, 0] = 0
    levels = torch.zeros(30, dtype=torch.long)
    args = (levels, STRIDES, 7)
    got = roi_align_levels(features, rois.double(), *args)
    assert got.dtype == torch.float32
    assert torch.equal(got, roi_align_levels([x.float() for x in features], rois, *args))


@pytest.mark.gpu
@pytest.mark.parametrize("levels", [1, 3])
def test_on_a_gpu_features_in_half_change_values_by_their_own_rounding_alone(levels):
    features = [x.detach().cuda() for x in pyramid()[:levels]]
    rois, of_level = random_rois(60).cuda(), torch.randint(levels, (60,), device="cuda")
    wanted = roi_align_levels(features, rois, of_level, STRIDES[:levels], 7)
    with torch.autocast("cuda", torch.bfloat16):
        half = [x.bfloat16() for x in features]
        got = roi_align_levels(half, rois, of_level, STRIDES[:levels], 7)
    assert got.dtype == torch.float32
    assert torch.allclose(got, wanted, atol=0.02)
