"""Feature Pyramid Network (Lin et al., 2017)."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdet_lite.registry import MODELS


@MODELS.register_module()
class FPN(BaseModule):
    """Features of all strides with one width, each informed by the coarser ones.

    Arguments are MMDetection 3's. ``num_outs`` levels come out; those beyond the inputs are max
    pooled (``add_extra_convs`` False) or convolved with stride 2 from 'on_input', 'on_lateral' or
    'on_output' (True means 'on_input'). ``start_level`` and ``end_level`` choose the inputs.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int,
        num_outs: int,
        start_level: int = 0,
        end_level: int = -1,
        add_extra_convs: bool | str = False,
        relu_before_extra_convs: bool = False,
        no_norm_on_lateral: bool = False,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        act_cfg: dict[str, Any] | None = None,
        upsample_cfg: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        default_init = {"type": "Xavier", "layer": "Conv2d", "distribution": "uniform"}
        super().__init__(init_cfg or default_init)
        last = len(in_channels) - 1 if end_level in (-1, len(in_channels) - 1) else end_level
        self.levels = range(start_level, last + 1)
        self.num_extra = num_outs - len(self.levels)
        if self.num_extra < 0 or (self.num_extra and last < len(in_channels) - 1):
            raise ValueError(
                f"FPN: num_outs={num_outs} does not fit the levels {list(self.levels)} of"
                f" {len(in_channels)} inputs (extra levels need the last input)"
            )
        if add_extra_convs not in (False, True, "on_input", "on_lateral", "on_output"):
            raise ValueError(
                "FPN: add_extra_convs must be a bool, 'on_input', 'on_lateral' or 'on_output',"
                f" got {add_extra_convs!r}"
            )
        self.in_channels = list(in_channels)
        self.out_channels = [out_channels] * num_outs
        self.extra_source = "on_input" if add_extra_convs is True else add_extra_convs
        self.relu_before_extra_convs = relu_before_extra_convs
        self.upsample_cfg = {"mode": "nearest", **(upsample_cfg or {})}
        common = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg, "act_cfg": act_cfg, "inplace": False}
        lateral = {**common, "norm_cfg": None if no_norm_on_lateral else norm_cfg}
        self.lateral_convs = nn.ModuleList(
            ConvModule(in_channels[i], out_channels, 1, **lateral) for i in self.levels
        )
        self.fpn_convs = nn.ModuleList(
            ConvModule(out_channels, out_channels, 3, padding=1, **common) for _ in self.levels
        )
        if self.extra_source:
            for i in range(self.num_extra):
                first_of_input = i == 0 and self.extra_source == "on_input"
                width = in_channels[last] if first_of_input else out_channels
                self.fpn_convs.append(
                    ConvModule(width, out_channels, 3, stride=2, padding=1, **common)
                )

    def strides_from(self, strides: Sequence[int | None]) -> list[int | None]:
        """Strides of the maps that come out, of those that come in; None where not known."""
        known = [strides[i] for i in self.levels]
        last = known[-1]
        extra = range(1, self.num_extra + 1)
        return known + [None if last is None else last * 2**i for i in extra]

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Features of the backbone to ``num_outs`` maps (N, out_channels, H_i, W_i)."""
        if len(inputs) != len(self.in_channels):
            raise ValueError(
                f"FPN: expected {len(self.in_channels)} inputs (in_channels), got {len(inputs)}"
            )
        laterals = [
            conv(inputs[i]) for i, conv in zip(self.levels, self.lateral_convs, strict=True)
        ]
        for i in range(len(laterals) - 1, 0, -1):
            laterals[i - 1] = laterals[i - 1] + self._upsample(laterals[i], laterals[i - 1])
        convs = list(self.fpn_convs)
        outputs = [conv(x) for conv, x in zip(convs, laterals, strict=False)]
        if not self.extra_source:
            for _ in range(self.num_extra):
                outputs.append(F.max_pool2d(outputs[-1], 1, stride=2))
            return tuple(outputs)
        if self.num_extra:
            sources = {
                "on_input": inputs[self.levels[-1]],
                "on_lateral": laterals[-1],
                "on_output": outputs[-1],
            }
            x = convs[len(laterals)](sources[str(self.extra_source)])
            outputs.append(x)
            for conv in convs[len(laterals) + 1 :]:
                x = conv(F.relu(x) if self.relu_before_extra_convs else x)
                outputs.append(x)
        return tuple(outputs)

    def _upsample(self, x: Tensor, like: Tensor) -> Tensor:
        if "scale_factor" in self.upsample_cfg:
            return F.interpolate(x, **self.upsample_cfg)
        return F.interpolate(x, size=like.shape[2:], **self.upsample_cfg)
