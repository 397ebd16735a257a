"""Anchors against hand-computed boxes and a loop over positions."""

import pytest
import torch

from mmdet_lite.models.task_modules import AnchorGenerator

CPU = torch.device("cpu")


def test_one_square_anchor_a_position():
    anchors = AnchorGenerator([16], [1.0], [1.0], [9])
    wanted = [[-4.5, -4.5, 4.5, 4.5], [11.5, -4.5, 20.5, 4.5]]
    wanted += [[-4.5, 11.5, 4.5, 20.5], [11.5, 11.5, 20.5, 20.5]]
    assert anchors.grid_anchors([(2, 2)], CPU).tolist() == wanted


def test_ratio_is_height_over_width_at_equal_area():
    boxes = AnchorGenerator([10], [0.25, 1.0, 4.0], [2.0]).grid_anchors([(1, 1)], CPU)
    sizes = boxes[:, 2:] - boxes[:, :2]
    assert sizes.tolist() == [[40, 10], [20, 20], [10, 40]]
    assert (boxes[:, 2:] + boxes[:, :2]).abs().max() == 0


def test_order_is_level_row_column_ratio_scale():
    strides, ratios, scales = [4, 8], [0.5, 2.0], [1.0, 3.0, 8.0]
    sizes_hw = [(3, 5), (2, 1)]
    wanted = []
    for stride, (height, width) in zip(strides, sizes_hw, strict=True):
        for y in range(height):
            for x in range(width):
                for ratio in ratios:
                    for scale in scales:
                        w, h = stride * scale / ratio**0.5, stride * scale * ratio**0.5
                        cx, cy = x * stride, y * stride
                        wanted.append([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
    anchors = AnchorGenerator(strides, ratios, scales)
    assert torch.allclose(anchors.grid_anchors(sizes_hw, CPU), torch.tensor(wanted), atol=1e-4)
    assert anchors.num_base_priors == [6, 6]


def test_minor_scale_puts_ratios_inside_scales():
    major = AnchorGenerator([4], [0.5, 2.0], [1.0, 3.0]).grid_anchors([(1, 1)], CPU)
    minor = AnchorGenerator([4], [0.5, 2.0], [1.0, 3.0], scale_major=False)
    assert torch.equal(minor.grid_anchors([(1, 1)], CPU), major[[0, 2, 1, 3]])


def test_octaves_are_scales():
    octaves = AnchorGenerator([8], [1.0], octave_base_scale=4, scales_per_octave=3)
    scales = AnchorGenerator([8], [1.0], [4 * 2 ** (i / 3) for i in range(3)])
    sizes = [(2, 3)]
    assert torch.allclose(octaves.grid_anchors(sizes, CPU), scales.grid_anchors(sizes, CPU))


def test_centres_are_moved_by_offset_or_in_pixels():
    plain = AnchorGenerator([8], [1.0], [1.0]).grid_anchors([(2, 2)], CPU)
    offset = AnchorGenerator([8], [1.0], [1.0], center_offset=0.5)
    assert torch.equal(offset.grid_anchors([(2, 2)], CPU), plain + 4)
    small = AnchorGenerator([16], [1.0], [1.0], base_sizes=[9], center_offset=0.5)
    assert small.grid_anchors([(1, 1)], CPU).tolist() == [[0, 0, 9, 9]]  # as in MMDetection
    pixels = AnchorGenerator([8], [1.0], [1.0], centers=[(1.0, 2.0)])
    moved = plain + torch.tensor([1.0, 2.0, 1.0, 2.0])
    assert torch.equal(pixels.grid_anchors([(2, 2)], CPU), moved)


def test_strides_may_differ_by_axis():
    boxes = AnchorGenerator([(4, 10)], [1.0], [1.0]).grid_anchors([(2, 2)], CPU)
    assert (boxes[:, :2] + 2).tolist() == [[0, 0], [4, 0], [0, 10], [4, 10]]


def test_anchors_of_one_size_are_made_once():
    anchors = AnchorGenerator([4], [1.0], [1.0])
    first = anchors.grid_anchors([(3, 3)], CPU)
    assert anchors.grid_anchors([(3, 3)], CPU) is first
    assert anchors.grid_anchors([(3, 4)], CPU) is not first
    for i in range(100):
        anchors.grid_anchors([(1, i + 1)], CPU)
    assert torch.equal(anchors.grid_anchors([(3, 3)], CPU), first)


def test_positions_in_the_padding_of_a_batch_are_outside_the_image():
    anchors = AnchorGenerator([4, 8], [1.0], [1.0, 2.0])
    inside = anchors.inside_image([(4, 6), (2, 3)], [(16, 24), (9, 8)], CPU)
    assert inside.shape == (2, (24 + 6) * 2)
    assert inside[0].all()
    fine, coarse = inside[1][:48].view(4, 6, 2), inside[1][48:].view(2, 3, 2)
    assert fine[:3, :2].all() and fine.sum() == 3 * 2 * 2
    assert coarse[:2, :1].all() and coarse.sum() == 2 * 1 * 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "either scales, or octave_base_scale"),
        ({"scales": [1], "octave_base_scale": 4, "scales_per_octave": 3}, "either scales"),
        ({"octave_base_scale": 4}, "scales_per_octave=None"),
        ({"scales": [1], "center_offset": 2}, r"center_offset must be in \[0, 1\], got 2"),
        ({"scales": [1], "centers": [(0, 0)], "center_offset": 0.5}, "not both"),
        ({"scales": [1], "base_sizes": [4, 8]}, "base_sizes has 2 entries for 1 strides"),
        ({"scales": [1], "use_box_type": True}, "use_box_type=True is not available"),
    ],
)
def test_wrong_arguments_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        AnchorGenerator([4], [1.0], **args)
