"""SSD's neck (Liu et al., 2016): more and more strided maps after those of the backbone."""

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdet_lite.registry import MODELS


@MODELS.register_module()
class SSDNeck(BaseModule):
    """The backbone's maps, the first one L2 normalised, and extra levels behind the last.

    Arguments are MMDetection 3's. ``out_channels`` begins with ``in_channels``; each of the others
    is an extra level: a 1x1 convolution to half its width, then a 3x3 one with the level's stride
    and padding (``last_kernel_size`` in the last; separable with ``use_depthwise``).
    ``l2_norm_scale`` is the first scale of each channel, None or 0: no normalisation.

    Raises:
        ValueError: lists that do not fit each other.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: Sequence[int],
        level_strides: Sequence[int],
        level_paddings: Sequence[int],
        l2_norm_scale: float | None = 20.0,
        last_kernel_size: int = 3,
        use_depthwise: bool = False,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        act_cfg: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg or _default_init())
        own, extra = list(out_channels[: len(in_channels)]), out_channels[len(in_channels) :]
        if own != list(in_channels) or not extra:
            raise ValueError(
                f"SSDNeck: out_channels must begin with in_channels={list(in_channels)} and have"
                f" more levels, got {list(out_channels)}"
            )
        if not len(extra) == len(level_strides) == len(level_paddings):
            raise ValueError(
                f"SSDNeck: {len(extra)} extra levels need as many level_strides and"
                f" level_paddings, got {list(level_strides)} and {list(level_paddings)}"
            )
        self.in_channels, self.out_channels = list(in_channels), list(out_channels)
        self.l2_norm = L2Norm(in_channels[0], l2_norm_scale) if l2_norm_scale else None
        second = DepthwiseSeparableConvModule if use_depthwise else ConvModule
        modules = {
            "conv_cfg": conv_cfg, "norm_cfg": norm_cfg, "act_cfg": act_cfg or {"type": "ReLU"}
        }  # fmt: skip
        self.extra_layers = nn.ModuleList()
        before = in_channels[-1]
        for i, width in enumerate(extra):
            kernel = last_kernel_size if i == len(extra) - 1 else 3
            stride, padding = level_strides[i], level_paddings[i]
            self.extra_layers.append(
                nn.Sequential(
                    ConvModule(before, width // 2, 1, **modules),
                    second(width // 2, width, kernel, stride=stride, padding=padding, **modules),
                )
            )
            before = width

    def strides_from(self, strides: Sequence[int | None]) -> list[int | None]:
        """Strides of the maps that come out, of those that come in; None where not known.

        Extra levels without padding have no whole stride.
        """
        return [*strides, *[None] * len(self.extra_layers)]

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Maps of the backbone to as many maps (N, C_i, H_i, W_i) as ``out_channels``."""
        outputs = list(inputs)
        if self.l2_norm is not None:
            outputs[0] = self.l2_norm(outputs[0])
        for layer in self.extra_layers:
            outputs.append(layer(inputs[-1] if len(outputs) == len(inputs) else outputs[-1]))
        return tuple(outputs)


class L2Norm(nn.Module):
    """Gives the channel vector of each position length 1, then scales each channel.

    Source: ParseNet (Liu et al., 2015), section 3.3.
    """

    def __init__(self, channels: int, scale: float = 20.0, eps: float = 1e-10) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), float(scale)))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to one of the same shape and type; zeros stay zeros."""
        length = x.float().pow(2).sum(dim=1, keepdim=True).sqrt() + self.eps
        return (self.weight[:, None, None] * x.float() / length).type_as(x)


def _default_init() -> list[dict[str, Any]]:
    return [
        {"type": "Xavier", "distribution": "uniform", "layer": "Conv2d", "bias": 0},
        {"type": "Constant", "val": 1, "layer": "BatchNorm2d"},
    ]
