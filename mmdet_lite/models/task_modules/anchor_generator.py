"""Anchors: reference boxes at every position of every feature level."""

from collections.abc import Sequence

from mmdet_lite.models.task_modules.anchor_grid import AnchorGrid, anchors_around, pair_strides
from mmdet_lite.registry import TASK_UTILS


@TASK_UTILS.register_module()
class AnchorGenerator(AnchorGrid):
    """Makes the anchors of a pyramid, as one cached tensor an input size.

    ``strides`` one a level, as an int or (w, h); ``ratios`` h/w; ``scales`` times the base size, or
    ``octave_base_scale`` with ``scales_per_octave``; ``base_sizes`` default to the strides;
    ``centers`` (pixels) or ``center_offset`` (in base sizes) place the first anchor;
    ``scale_major`` orders the anchors of a position by scale inside ratio (True) or ratio inside
    scale.
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
        wh_strides = pair_strides(strides)
        sizes = [min(s) for s in wh_strides] if base_sizes is None else list(base_sizes)
        for name, given in (("base_sizes", sizes), ("centers", centers)):
            if given is not None and len(given) != len(wh_strides):
                raise ValueError(
                    f"AnchorGenerator: {name} has {len(given)} entries for {len(strides)} strides"
                )
        if octave_base_scale is not None and scales_per_octave is not None:
            scales = [
                octave_base_scale * 2 ** (i / scales_per_octave) for i in range(scales_per_octave)
            ]
        assert scales is not None
        if centers is None:
            centers = [(center_offset * size, center_offset * size) for size in sizes]
        base_anchors = [
            anchors_around(centre, size, ratios, scales, scale_major)
            for size, centre in zip(sizes, centers, strict=True)
        ]
        super().__init__(wh_strides, base_anchors)
        self.center_offset = center_offset
