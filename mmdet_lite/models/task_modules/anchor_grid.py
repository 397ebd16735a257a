"""Boxes repeated at every position of every feature level."""

from collections.abc import Sequence

import torch
from torch import Tensor

SizeHW = tuple[int, int]


class AnchorGrid:
    """The anchors of one position of each level, repeated, as one cached tensor an input size.

    ``strides`` (w, h) one a level; ``base_anchors`` (B, 4) one a level, around its first position.
    """

    def __init__(self, strides: Sequence[tuple[int, int]], base_anchors: Sequence[Tensor]) -> None:
        self.strides = list(strides)
        self.base_anchors = list(base_anchors)
        self._cache: dict[tuple[tuple[SizeHW, ...], torch.device], Tensor] = {}

    @property
    def num_base_priors(self) -> list[int]:
        """Number of anchors at a position, for each level."""
        return [len(b) for b in self.base_anchors]

    def grid_anchors(self, featmap_sizes_hw: Sequence[SizeHW], device: torch.device) -> Tensor:
        """All anchors (A, 4) in input pixels, ordered by level, row, column, base anchor.

        The tensor is shared between calls: do not write into it.
        """
        key = (tuple((int(h), int(w)) for h, w in featmap_sizes_hw), device)
        if key not in self._cache:
            if len(self._cache) > 64:  # many input sizes: keep memory bounded
                self._cache.clear()
            levels = [
                self._level_anchors(i, size, self.spacing(i, key[0]))
                for i, size in enumerate(key[0])
            ]
            self._cache[key] = torch.cat(levels).to(device)
        return self._cache[key]

    def inside_image(
        self, featmap_sizes_hw: Sequence[SizeHW], sizes_hw: Sequence[SizeHW], device: torch.device
    ) -> Tensor:
        """Whether an anchor's position lies in its own image's part of the batch: (N, A) bool.

        ``sizes_hw``: what each image takes of the padded batch.
        """
        flags = []
        for height, width in sizes_hw:
            for (feat_h, feat_w), (stride_w, stride_h), base in zip(
                featmap_sizes_hw, self.strides, self.base_anchors, strict=True
            ):
                rows = torch.arange(feat_h) < -(-height // stride_h)
                columns = torch.arange(feat_w) < -(-width // stride_w)
                flags.append((rows[:, None] & columns).flatten().repeat_interleave(len(base)))
        return torch.cat(flags).view(len(sizes_hw), -1).to(device, non_blocking=True)

    def spacing(self, level: int, featmap_sizes_hw: Sequence[SizeHW]) -> tuple[int, int]:
        """Pixels (w, h) between two positions of a level: its stride."""
        return self.strides[level]

    def _level_anchors(self, level: int, size_hw: SizeHW, spacing_wh: tuple[int, int]) -> Tensor:
        stride_w, stride_h = spacing_wh
        y, x = torch.meshgrid(
            torch.arange(size_hw[0]) * stride_h, torch.arange(size_hw[1]) * stride_w, indexing="ij"
        )
        shifts = torch.stack([x, y, x, y], dim=-1).view(-1, 1, 4)
        return (shifts + self.base_anchors[level]).view(-1, 4)


def pair_strides(strides: Sequence[int | tuple[int, int]]) -> list[tuple[int, int]]:
    """Strides as (w, h), where one number means both."""
    return [(s[0], s[1]) if isinstance(s, (tuple, list)) else (s, s) for s in strides]


def anchors_around(
    centre_xy: tuple[float, float],
    base_size: float,
    ratios: Sequence[float],
    scales: Sequence[float],
    scale_major: bool,
) -> Tensor:
    """Boxes of ``base_size`` times ``scales`` and of ``ratios`` h/w: (ratios x scales, 4).

    ``scale_major``: the scales of the first ratio come first, otherwise the ratios of the first
    scale.
    """
    height_factor = torch.tensor(ratios, dtype=torch.float32).sqrt()
    scale = torch.tensor(scales, dtype=torch.float32)
    if scale_major:
        width = (base_size * (1 / height_factor)[:, None] * scale).flatten()
        height = (base_size * height_factor[:, None] * scale).flatten()
    else:
        width = (base_size * scale[:, None] * (1 / height_factor)).flatten()
        height = (base_size * scale[:, None] * height_factor).flatten()
    x, y = centre_xy
    return torch.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], dim=1)
