"""Features of each RoI from the one pyramid level that fits its size."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor

from mmdet_lite.ops.checks import check_keys
from mmdet_lite.ops.roi_align import map_roi_levels, roi_align_levels
from mmdet_lite.ops.roi_pool import roi_pool_levels
from mmdet_lite.registry import MODELS

LAYER_KEYS = {
    "RoIAlign": (
        "type", "output_size", "sampling_ratio", "aligned", "pool_mode", "use_torchvision",
    ),
    "RoIPool": ("type", "output_size"),
}  # fmt: skip


@MODELS.register_module()
class SingleRoIExtractor(BaseModule):
    """RoIAlign or RoIPool from the level that a RoI's size asks for.

    ``roi_layer``: dict(type='RoIAlign', output_size, sampling_ratio=0, aligned=True), where
    ``use_torchvision`` changes nothing, the two operators are equal; or dict(type='RoIPool',
    output_size). ``featmap_strides`` one a level; ``finest_scale``: RoIs below twice this side go
    to the first level.
    """

    def __init__(
        self,
        roi_layer: Mapping[str, Any],
        out_channels: int,
        featmap_strides: Sequence[int],
        finest_scale: int = 56,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        kind = roi_layer.get("type")
        if kind not in LAYER_KEYS:
            raise ValueError(f"roi_layer.type: expected 'RoIAlign' or 'RoIPool', got {kind!r}")
        check_keys(roi_layer, LAYER_KEYS[kind], "roi_layer")
        if roi_layer.get("pool_mode", "avg") != "avg":
            raise ValueError(f"roi_layer.pool_mode: expected 'avg', got {roi_layer['pool_mode']!r}")
        self.output_size = _side(roi_layer.get("output_size"))
        self.takes_maximum = kind == "RoIPool"
        self.sampling_ratio = roi_layer.get("sampling_ratio", 0)
        self.aligned = roi_layer.get("aligned", True)
        self.out_channels = out_channels
        self.featmap_strides = list(featmap_strides)
        self.finest_scale = finest_scale

    def forward(self, features: Sequence[Tensor], rois: Tensor) -> Tensor:
        """Pool RoIs (R, 5) in input pixels to (R, C, output_size, output_size)."""
        features = features[: len(self.featmap_strides)]
        levels = map_roi_levels(rois, len(features), self.finest_scale)
        if self.takes_maximum:
            return roi_pool_levels(features, rois, levels, self.featmap_strides, self.output_size)
        return roi_align_levels(
            features, rois, levels, self.featmap_strides, self.output_size,
            self.sampling_ratio, self.aligned,
        )  # fmt: skip


def _side(output_size: Any) -> int:
    """The side of a square given as one number or as two equal ones."""
    sides = output_size if isinstance(output_size, Sequence) else [output_size]
    if not all(isinstance(side, int) and side > 0 for side in sides) or len(sides) not in (1, 2):
        raise ValueError(
            f"roi_layer.output_size: expected a number of pixels such as 7, got {output_size!r}"
        )
    if len(set(sides)) != 1:
        raise ValueError(f"roi_layer.output_size: must be square, got {output_size}")
    return int(sides[0])
