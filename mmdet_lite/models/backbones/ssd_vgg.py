"""VGG as SSD uses it (Liu et al., 2016)."""

from collections.abc import Sequence
from math import prod
from typing import Any

from mmcv.cnn import VGG
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdet_lite.registry import MODELS


@MODELS.register_module()
class SSDVGG(BaseModule):
    """VGG's convolutions, with its last pooling and its first two full layers as convolutions.

    ``depth`` 11, 13, 16 or 19. ``with_last_pool``: keep VGG's own last pooling as well;
    ``ceil_mode``: its poolings round sizes up. ``out_feature_indices``: after which layers of
    ``features`` maps come out. They are what ``out_indices`` names by stages, so both must be of
    one length.

    Raises:
        ValueError: an unknown depth, or indices that do not fit.
    """

    def __init__(
        self,
        depth: int,
        with_last_pool: bool = False,
        ceil_mode: bool = True,
        out_indices: Sequence[int] = (3, 4),
        out_feature_indices: Sequence[int] = (22, 34),
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg or _default_init())
        if depth not in VGG.arch_settings:
            raise ValueError(f"SSDVGG: depth must be one of {list(VGG.arch_settings)}, got {depth}")
        vgg = VGG(depth, with_last_pool=with_last_pool, ceil_mode=ceil_mode)
        self.features = nn.Sequential(
            *vgg.features,
            nn.MaxPool2d(3, stride=1, padding=1),
            nn.Conv2d(512, 1024, 3, padding=6, dilation=6),
            nn.ReLU(inplace=True),
            nn.Conv2d(1024, 1024, 1),
            nn.ReLU(inplace=True),
        )
        fits = all(0 <= i < len(self.features) for i in out_feature_indices)
        if not fits or len(out_indices) != len(out_feature_indices):
            raise ValueError(
                f"SSDVGG: out_feature_indices={tuple(out_feature_indices)} must be as many as"
                f" out_indices={tuple(out_indices)} and less than {len(self.features)}"
            )
        self.out_feature_indices = tuple(out_feature_indices)
        outputs = sorted(set(self.out_feature_indices))  # the order in which they come out
        self.out_channels = [_width_after(self.features, i) for i in outputs]
        self.out_strides = [_stride_after(self.features, i) for i in outputs]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images (N, 3, H, W) to the maps after ``out_feature_indices``, in order of depth."""
        maps = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self.out_feature_indices:
                maps.append(x)
        return tuple(maps)


def _width_after(layers: nn.Sequential, index: int) -> int:
    """Channels that come out of a layer: those of the last convolution up to it."""
    convs = [layer for layer in layers[: index + 1] if isinstance(layer, nn.Conv2d)]
    return convs[-1].out_channels


def _stride_after(layers: nn.Sequential, index: int) -> int:
    """Pixels between two positions of what comes out of a layer."""
    strides: list[Any] = [
        layer.stride for layer in layers[: index + 1] if isinstance(layer, nn.MaxPool2d)
    ]
    return prod(strides)


def _default_init() -> list[dict[str, Any]]:
    return [{"type": "Kaiming", "layer": "Conv2d"}]
