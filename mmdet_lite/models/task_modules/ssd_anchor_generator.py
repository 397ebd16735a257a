"""SSD's anchors, whose sizes grow evenly from level to level."""

import math
from collections.abc import Sequence

from mmdet_lite.models.task_modules.anchor_grid import AnchorGrid, anchors_around, pair_strides
from mmdet_lite.registry import TASK_UTILS

# input size and least size (percent) -> sizes of the first level, also in percent
FIRST_LEVEL = {(300, 15): (7, 15), (300, 20): (10, 20), (512, 10): (4, 10), (512, 15): (7, 15)}


@TASK_UTILS.register_module()
class SSDAnchorGenerator(AnchorGrid):
    """Anchors in the middle of each cell: a small and a larger square, then pairs of ratios.

    ``ratios`` one list a level: r stands for 1/r and r. The small square of a level has side
    ``min_sizes``, the larger the geometric mean of that and ``max_sizes``, in input pixels. Without
    them ``basesize_ratio_range`` (least and largest size as a part of ``input_size``) is divided
    evenly; the first level then has SSD's own numbers, which exist for input 300 from 0.15 (COCO)
    or 0.2 (VOC) and for input 512 from 0.1 (COCO) or 0.15 (VOC). ``scale_major``: as in
    AnchorGenerator.
    Source: SSD (Liu et al., 2016), section 2.2; numbers, rounding and order are MMDetection 3's.

    Raises:
        ValueError: lists that do not go with the strides, or a range for which SSD has no numbers.
    """

    def __init__(
        self,
        strides: Sequence[int | tuple[int, int]],
        ratios: Sequence[Sequence[float]],
        min_sizes: Sequence[float] | None = None,
        max_sizes: Sequence[float] | None = None,
        basesize_ratio_range: tuple[float, float] = (0.15, 0.9),
        input_size: int = 300,
        scale_major: bool = True,
        use_box_type: bool = False,
    ) -> None:
        if use_box_type:
            raise ValueError("SSDAnchorGenerator: use_box_type=True is not available; leave it out")
        if (min_sizes is None) != (max_sizes is None):
            raise ValueError("SSDAnchorGenerator: give both min_sizes and max_sizes, or neither")
        if min_sizes is None or max_sizes is None:
            min_sizes, max_sizes = _even_sizes(input_size, basesize_ratio_range, len(strides))
        lists = {"ratios": ratios, "min_sizes": min_sizes, "max_sizes": max_sizes}
        for name, given in lists.items():
            if len(given) != len(strides):
                raise ValueError(
                    f"SSDAnchorGenerator: {name} has {len(given)} entries for {len(strides)}"
                    f" strides: {list(given)}"
                )
        wh_strides = pair_strides(strides)
        base_anchors = []
        for stride, low, high, pairs in zip(wh_strides, min_sizes, max_sizes, ratios, strict=True):
            centre = (stride[0] / 2, stride[1] / 2)
            level_ratios = [1.0, *(ratio for r in pairs for ratio in (1 / r, r))]
            scales = [1.0, math.sqrt(high / low)]
            anchors = anchors_around(centre, low, level_ratios, scales, scale_major)
            # the larger square moves to the second place; larger boxes of other ratios are left out
            order = [0, len(level_ratios), *range(1, len(level_ratios))]
            base_anchors.append(anchors[order])
        super().__init__(wh_strides, base_anchors)


def _even_sizes(
    input_size: int, part_range: tuple[float, float], num_levels: int
) -> tuple[list[float], list[float]]:
    """Least and largest anchor size of each level in pixels."""
    low, high = int(part_range[0] * 100), int(part_range[1] * 100)
    if (input_size, low) not in FIRST_LEVEL or num_levels < 3:
        raise ValueError(
            "SSDAnchorGenerator: without min_sizes and max_sizes (input_size,"
            " 100 * basesize_ratio_range[0]) must be one of"
            f" {sorted(FIRST_LEVEL)} and there must be 3 levels or more; got {(input_size, low)}"
            f" and {num_levels} levels"
        )
    step = (high - low) // (num_levels - 2)
    percents = [
        FIRST_LEVEL[input_size, low],
        *((p, p + step) for p in range(low, high + 1, step)),
    ]
    sizes = [(float(input_size * a // 100), float(input_size * b // 100)) for a, b in percents]
    return [a for a, _ in sizes], [b for _, b in sizes]
