"""SSD's anchors against numbers of the paper and its configs."""

import math

import pytest
import torch

from mmdet_lite.models.task_modules import SSDAnchorGenerator

SSD300 = {
    "strides": [8, 16, 32, 64, 100, 300],
    "ratios": [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
    "scale_major": False,
}
SSD512 = {
    "strides": [8, 16, 32, 64, 128, 256, 512],
    "ratios": [[2], [2, 3], [2, 3], [2, 3], [2, 3], [2], [2]],
    "scale_major": False,
    "input_size": 512,
}


def sides(anchors):
    return (anchors[:, 2:] - anchors[:, :2]).tolist()


@pytest.mark.parametrize(
    ("args", "least", "maps", "total"),
    [
        (SSD300, [21, 45, 99, 153, 207, 261], (38, 19, 10, 5, 3, 1), 8732),
        (
            {**SSD300, "basesize_ratio_range": (0.2, 0.9)},
            [30, 60, 111, 162, 213, 264],
            (38, 19, 10, 5, 3, 1),
            8732,
        ),
        (
            {**SSD512, "basesize_ratio_range": (0.1, 0.9)},
            [20, 51, 133, 215, 296, 378, 460],
            (64, 32, 16, 8, 4, 2, 1),
            24564,
        ),
    ],
)
def test_sizes_and_numbers_are_those_of_ssd(args, least, maps, total):
    generator = SSDAnchorGenerator(**args)
    assert [sides(b)[0] for b in generator.base_anchors] == [[s, s] for s in least]
    anchors = generator.grid_anchors([(n, n) for n in maps], torch.device("cpu"))
    assert anchors.shape == (total, 4)


def test_a_position_has_two_squares_then_pairs_of_ratios():
    generator = SSDAnchorGenerator(
        [10], [[2, 3]], min_sizes=[20], max_sizes=[45], scale_major=False
    )
    anchors = generator.base_anchors[0]
    big, two, three = 30, math.sqrt(2), math.sqrt(3)
    wanted = [
        [20, 20], [big, big], [20 * two, 20 / two], [20 / two, 20 * two],
        [20 * three, 20 / three], [20 / three, 20 * three],
    ]  # fmt: skip
    assert torch.allclose(torch.tensor(sides(anchors)), torch.tensor(wanted))
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert torch.allclose(centres, torch.full_like(centres, 5.0), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"basesize_ratio_range": (0.3, 0.9)}, r"must be one of \[\(300, 15\)"),
        ({"input_size": 320}, r"got \(320, 15\)"),
        ({"ratios": [[2]] * 5}, "ratios has 5 entries for 6 strides"),
        ({"min_sizes": [1.0] * 6}, "both min_sizes and max_sizes"),
        ({"use_box_type": True}, "use_box_type=True is not available"),
    ],
)
def test_wrong_arguments_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        SSDAnchorGenerator(**{**SSD300, **change})
