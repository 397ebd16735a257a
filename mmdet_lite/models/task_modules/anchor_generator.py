"""Anchors: reference boxes at every position of every feature level."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmdet_lite.registry import TASK_UTILS

SizeHW = tuple[int, int]


@TASK_UTILS.register_module()
class AnchorGenerator:
    """Makes the anchors of a pyramid, as one cached tensor an input size.

    ``strides`` one a level, as an int or (w, h); ``ratios`` h/w; ``scales`` times the base size, or
    ``octave_base_scale`` with ``scales_per_octave``; ``base_sizes`` default to the strides;
    ``centers`` or ``center_offset`` (in strides) place the first anchor; ``scale_major`` orders the
    anchors of a position by scale inside ratio (True) or ratio inside scale.
    Source: order and rounding are MMDetection 3's.
    """

    def __init__(
        self,
        strides: Sequence[int | tuple[int, int]],
        ratios: Sequence[float],
        scales: Sequence[float] | None = None,
        base_sizes: Sequence[float] | None = None,
        scale_major: bool = True,
        octave_base_scale: float | None = None,
        scales_per_octave: int | None = None,
        centers: Sequence[tuple[float, float]] | None = None,
        center_offset: float = 0.0,
        use_box_type: bool = False,
    ) -> None:
        if use_box_type:
            raise ValueError("AnchorGenerator: use_box_type=True is not available; leave it out")
        if not 0 <= center_offset <= 1:
            raise ValueError(
                f"AnchorGenerator: center_offset must be in [0, 1], got {center_offset}"
            )
        if centers is not None and center_offset:
            raise ValueError("AnchorGenerator: give centers or center_offset, not both")
        octave = (octave_base_scale, scales_per_octave)
        if (scales is None) == (None in octave) or (octave.count(None) == 1):
            raise ValueError(
                "AnchorGenerator: give either scales, or octave_base_scale and scales_per_octave;"
                f" got scales={scales}, octave_base_scale={octave_base_scale},"
                f" scales_per_octave={scales_per_octave}"
            )
        self.strides = [s if isinstance(s, (tuple, list)) else (s, s) for s in strides]
        sizes = [min(s) for s in self.strides] if base_sizes is None else list(base_sizes)
        for name, given in (("base_sizes", sizes), ("centers", centers)):
            if given is not None and len(given) != len(self.strides):
                raise ValueError(
                    f"AnchorGenerator: {name} has {len(given)} entries for {len(strides)} strides"
                )
        if octave_base_scale is not None and scales_per_octave is not None:
            scales = [
                octave_base_scale * 2 ** (i / scales_per_octave) for i in range(scales_per_octave)
            ]
        assert scales is not None
        if centers is None:
            centers = [(center_offset * w, center_offset * h) for w, h in self.strides]
        self.base_anchors = [
            _base_anchors(size, ratios, scales, scale_major, centre)
            for size, centre in zip(sizes, centers, strict=True)
        ]
        self._cache: dict[tuple[tuple[SizeHW, ...], torch.device], Tensor] = {}

    @property
    def num_levels(self) -> int:
        """Number of feature levels."""
        return len(self.strides)

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
            levels = [self._level_anchors(i, size) for i, size in enumerate(key[0])]
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

    def _level_anchors(self, level: int, size_hw: SizeHW) -> Tensor:
        stride_w, stride_h = self.strides[level]
        y, x = torch.meshgrid(
            torch.arange(size_hw[0]) * stride_h, torch.arange(size_hw[1]) * stride_w, indexing="ij"
        )
        shifts = torch.stack([x, y, x, y], dim=-1).view(-1, 1, 4)
        return (shifts + self.base_anchors[level]).view(-1, 4)


def _base_anchors(
    base_size: float,
    ratios: Sequence[float],
    scales: Sequence[float],
    scale_major: bool,
    centre_xy: tuple[float, float],
) -> Tensor:
    """Anchors of one position: (len(ratios) * len(scales), 4), around ``centre_xy``."""
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
