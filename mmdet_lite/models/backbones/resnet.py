"""ResNet and its building blocks (He et al., 2015), in PyTorch's and in Caffe's style.

Letters: N images, C channels, H W.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import Any

import torch.nn.functional as F
from mmcv.cnn import build_conv_layer, build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmdet_lite.models.backbones.freezing import (
    check_frozen_stages,
    freeze_modules,
    keep_norm_statistics,
)
from mmdet_lite.ops.frozen_norm import conv_norm
from mmdet_lite.registry import MODELS

STAGE_BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, the block of ResNet-18 and -34."""

    expansion = 1
    last_norm = "norm2"

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        dilation: int,
        style: str,
        conv_cfg: dict[str, Any] | None,
        norm_cfg: dict[str, Any],
        groups: int = 1,
        width: int | None = None,
    ) -> None:
        super().__init__()
        if groups != 1:
            raise ValueError("ResNeXt has depth 50, 101 or 152: basic blocks take no groups")
        self.conv1 = build_conv_layer(
            conv_cfg, in_channels, channels, 3, stride, dilation, dilation, bias=False
        )
        self.norm1_name = _add_norm(self, norm_cfg, channels, 1)
        self.conv2 = build_conv_layer(conv_cfg, channels, channels, 3, padding=1, bias=False)
        self.norm2_name = _add_norm(self, norm_cfg, channels, 2)
        self.downsample: nn.Sequential | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, channels, H/stride, W/stride)."""
        out = F.relu_(conv_norm(x, self.conv1, getattr(self, self.norm1_name)))
        out = conv_norm(out, self.conv2, getattr(self, self.norm2_name))
        return F.relu_(out.add_(_shortcut(x, self.downsample)))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions and a shortcut, the block of ResNet-50 and deeper.

    ``style`` 'pytorch' puts the stride on the 3x3 convolution, 'caffe' on the first 1x1.
    ``groups`` and ``width`` make it ResNeXt's.
    """

    expansion = 4
    last_norm = "norm3"

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        dilation: int,
        style: str,
        conv_cfg: dict[str, Any] | None,
        norm_cfg: dict[str, Any],
        groups: int = 1,
        width: int | None = None,
    ) -> None:
        super().__init__()
        width = width or channels
        first, second = (1, stride) if style == "pytorch" else (stride, 1)
        self.conv1 = build_conv_layer(conv_cfg, in_channels, width, 1, first, bias=False)
        self.norm1_name = _add_norm(self, norm_cfg, width, 1)
        self.conv2 = build_conv_layer(
            conv_cfg, width, width, 3, second, dilation, dilation, groups, bias=False
        )
        self.norm2_name = _add_norm(self, norm_cfg, width, 2)
        self.conv3 = build_conv_layer(conv_cfg, width, channels * self.expansion, 1, bias=False)
        self.norm3_name = _add_norm(self, norm_cfg, channels * self.expansion, 3)
        self.downsample: nn.Sequential | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 4 * channels, H/stride, W/stride)."""
        out = F.relu_(conv_norm(x, self.conv1, getattr(self, self.norm1_name)))
        out = F.relu_(conv_norm(out, self.conv2, getattr(self, self.norm2_name)))
        out = conv_norm(out, self.conv3, getattr(self, self.norm3_name))
        return F.relu_(out.add_(_shortcut(x, self.downsample)))


def _add_norm(block: nn.Module, norm_cfg: dict[str, Any], channels: int, number: int) -> str:
    """Give ``block`` a norm layer under the name checkpoints know: bn1, gn2, ..."""
    name, layer = build_norm_layer(norm_cfg, channels, postfix=number)
    block.add_module(name, layer)
    return name


def _shortcut(x: Tensor, downsample: nn.Sequential | None) -> Tensor:
    if downsample is None:
        return x
    conv, norm = downsample
    return conv_norm(x, conv, norm)


def make_stage(
    block: type[BasicBlock] | type[Bottleneck],
    num_blocks: int,
    in_channels: int,
    channels: int,
    stride: int,
    dilation: int = 1,
    conv_cfg: dict[str, Any] | None = None,
    norm_cfg: dict[str, Any] | None = None,
    **block_args: Any,
) -> nn.Sequential:
    """One stage: blocks of one resolution, the first of which strides and changes channels."""
    norm_cfg = norm_cfg or {"type": "BN"}
    common = {"dilation": dilation, "conv_cfg": conv_cfg, "norm_cfg": norm_cfg, **block_args}
    blocks = [block(in_channels, channels, stride=stride, **common)]
    out_channels = channels * block.expansion
    if stride != 1 or in_channels != out_channels:
        blocks[0].downsample = nn.Sequential(
            build_conv_layer(conv_cfg, in_channels, out_channels, 1, stride, bias=False),
            build_norm_layer(norm_cfg, out_channels)[1],
        )
    for _ in range(1, num_blocks):
        blocks.append(block(out_channels, channels, stride=1, **common))
    return nn.Sequential(*blocks)


@MODELS.register_module()
class ResNet(BaseModule):
    """ResNet 18, 34, 50, 101 or 152.

    Arguments are MMDetection 3's. ``frozen_stages``: -1 freezes nothing, 0 the stem, i also the
    first i stages. ``norm_eval``: batch norms keep their statistics in training (they are then
    folded into the convolutions). ``with_cp`` recomputes activations in the backward pass to save
    memory. ``style``: see :class:`Bottleneck`. ``pretrained`` is an older way to say
    ``init_cfg=dict(type='Pretrained', checkpoint=...)``.

    Raises:
        ValueError: an unknown depth or style, stages that it has not, or an option that is not
            built (``deep_stem``, ``avg_down``, ``dcn``, ``plugins``).
    """

    def __init__(
        self,
        depth: int,
        in_channels: int = 3,
        stem_channels: int | None = None,
        base_channels: int = 64,
        num_stages: int = 4,
        strides: Sequence[int] = (1, 2, 2, 2),
        dilations: Sequence[int] = (1, 1, 1, 1),
        out_indices: Sequence[int] = (0, 1, 2, 3),
        style: str = "pytorch",
        deep_stem: bool = False,
        avg_down: bool = False,
        frozen_stages: int = -1,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        norm_eval: bool = True,
        dcn: dict[str, Any] | None = None,
        stage_with_dcn: Sequence[bool] = (False, False, False, False),
        plugins: list[dict[str, Any]] | None = None,
        with_cp: bool = False,
        zero_init_residual: bool = True,
        pretrained: str | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        _refuse(deep_stem=deep_stem, avg_down=avg_down, dcn=dcn, plugins=plugins)
        self.block = block_of(depth, style)
        _check_stages(num_stages, strides, dilations, out_indices)
        check_frozen_stages(type(self).__name__, frozen_stages, num_stages)
        if pretrained is not None and init_cfg is not None:
            raise ValueError("ResNet: give init_cfg or the older pretrained, not both")
        if pretrained is not None:
            init_cfg = {"type": "Pretrained", "checkpoint": pretrained}
        self._zero_last_norm = init_cfg is None and zero_init_residual
        super().__init__(init_cfg or default_init())
        norm_cfg = norm_cfg or {"type": "BN", "requires_grad": True}
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        stem_channels = stem_channels or base_channels
        self.conv1 = build_conv_layer(
            conv_cfg, in_channels, stem_channels, 7, stride=2, padding=3, bias=False
        )
        self.norm1_name = _add_norm(self, norm_cfg, stem_channels, 1)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.stage_names = [f"layer{i + 1}" for i in range(num_stages)]
        for i, name in enumerate(self.stage_names):
            channels = base_channels * 2**i
            stage = make_stage(
                self.block,
                STAGE_BLOCKS[depth][i],
                channels // 2 * self.block.expansion if i else stem_channels,
                channels,
                strides[i],
                dilations[i],
                conv_cfg,
                norm_cfg,
                style=style,
                **self._block_args(channels, base_channels),
            )
            self.add_module(name, stage)
        widths = [base_channels * 2**i * self.block.expansion for i in range(num_stages)]
        every_stride = [4 * s for s in accumulate(strides[:num_stages], mul)]
        outputs = sorted(set(self.out_indices))  # the order in which they come out
        self.out_channels = [widths[i] for i in outputs]
        self.out_strides = [every_stride[i] for i in outputs]
        freeze_modules(self._frozen_modules())

    def _block_args(self, channels: int, base_channels: int) -> dict[str, Any]:
        """What a stage's blocks need besides: nothing here, groups and width in ResNeXt."""
        return {}

    def init_weights(self) -> None:
        """Initialise as ``init_cfg`` says; from scratch a block starts as its shortcut."""
        first_time = not self.is_init
        super().init_weights()
        if first_time and self._zero_last_norm:
            for module in self.modules():
                if isinstance(module, (BasicBlock, Bottleneck)):
                    name = getattr(module, f"{module.last_norm}_name")
                    nn.init.zeros_(getattr(module, name).weight)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images (N, 3, H, W) to the features of ``out_indices``, strides 4, 8, 16, 32."""
        x = F.relu_(conv_norm(x, self.conv1, getattr(self, self.norm1_name)))
        x = self.maxpool(x)
        features = []
        for i, name in enumerate(self.stage_names):
            for block in getattr(self, name):
                if self.with_cp and x.requires_grad:
                    x = checkpoint(block, x, use_reentrant=False)
                else:
                    x = block(x)
            if i in self.out_indices:
                features.append(x)
        return tuple(features)

    def train(self, mode: bool = True) -> "ResNet":
        """Switch the mode; frozen stages, and batch norms under ``norm_eval``, stay in eval."""
        super().train(mode)
        freeze_modules(self._frozen_modules())
        if mode and self.norm_eval:
            keep_norm_statistics(self)
        return self

    def _frozen_modules(self) -> list[nn.Module]:
        if self.frozen_stages < 0:
            return []
        names = ["conv1", self.norm1_name, *self.stage_names[: self.frozen_stages]]
        return [self.get_submodule(name) for name in names]


def block_of(depth: int, style: str) -> type[BasicBlock] | type[Bottleneck]:
    """The block of a ResNet of this depth; ValueError for an unknown depth or style."""
    if depth not in STAGE_BLOCKS:
        raise ValueError(f"ResNet: depth must be one of {sorted(STAGE_BLOCKS)}, got {depth}")
    if style not in ("pytorch", "caffe"):
        raise ValueError(f"ResNet: style must be 'pytorch' or 'caffe', got {style!r}")
    return BasicBlock if depth < 50 else Bottleneck


def default_init() -> list[dict[str, Any]]:
    """How a ResNet starts where no weights are given."""
    return [
        {"type": "Kaiming", "layer": "Conv2d"},
        {"type": "Constant", "val": 1, "layer": ["_BatchNorm", "GroupNorm"]},
    ]


def _check_stages(
    num_stages: int, strides: Sequence[int], dilations: Sequence[int], out_indices: Sequence[int]
) -> None:
    if not 1 <= num_stages <= 4:
        raise ValueError(f"ResNet: num_stages must be 1, 2, 3 or 4, got {num_stages}")
    for name, given in (("strides", strides), ("dilations", dilations)):
        if len(given) < num_stages:
            raise ValueError(f"ResNet: {name}={given} has no entry for each of {num_stages} stages")
    if not out_indices or not all(0 <= i < num_stages for i in out_indices):
        raise ValueError(
            f"ResNet: out_indices={tuple(out_indices)} must name stages from 0 to {num_stages - 1}"
        )


def _refuse(**options: Any) -> None:
    """Raise for options of MMDetection's ResNet that are not built here."""
    for name, value in options.items():
        if value:
            raise ValueError(f"ResNet: {name}={value!r} is not available; leave it out")
