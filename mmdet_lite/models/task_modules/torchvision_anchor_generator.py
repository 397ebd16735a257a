"""Anchors as torchvision's detectors place them, for weights that were trained there."""

from collections.abc import Sequence

import torch

from mmdet_lite.models.task_modules.anchor_grid import (
    AnchorGrid,
    SizeHW,
    anchors_around,
    pair_strides,
)
from mmdet_lite.registry import TASK_UTILS


@TASK_UTILS.register_module()
class TorchvisionAnchorGenerator(AnchorGrid):
    """Anchors with corners on whole pixels, as far apart as the image divided by the grid.

    ``strides`` one a level, the first of which divides the padded image; ``sizes`` a list of
    sides (of the square) for each level; ``ratios`` h/w. Sizes are ordered inside ratios. The
    spacing of a level is the image's size over the grid's, rounded down: 61 in place of 64 pixels
    where 800 pixels make 13 cells.
    Source: torchvision 0.29, AnchorGenerator.

    Raises:
        ValueError: ``sizes`` and ``strides`` have different lengths.
    """

    def __init__(
        self,
        strides: Sequence[int],
        sizes: Sequence[Sequence[float]],
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
    ) -> None:
        if len(sizes) != len(strides):
            raise ValueError(
                f"TorchvisionAnchorGenerator: sizes has {len(sizes)} entries for {len(strides)} "
                "strides"
            )
        anchors = [anchors_around((0.0, 0.0), 1.0, ratios, level, True) for level in sizes]
        super().__init__(pair_strides(strides), [torch.round(level) for level in anchors])

    def spacing(self, level: int, featmap_sizes_hw: Sequence[SizeHW]) -> tuple[int, int]:
        """Pixels (w, h) between two positions of a level of this image."""
        first_h, first_w = featmap_sizes_hw[0]
        stride_w, stride_h = self.strides[0]
        height, width = featmap_sizes_hw[level]
        return first_w * stride_w // width, first_h * stride_h // height
