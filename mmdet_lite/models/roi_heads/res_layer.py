"""One ResNet stage on pooled RoI features: the head of C4 models."""

from typing import Any

from mmengine.model import BaseModule
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mmdet_lite.models.backbones.freezing import keep_norm_statistics
from mmdet_lite.models.backbones.resnet import (
    STAGE_BLOCKS,
    Bottleneck,
    block_of,
    default_init,
    make_stage,
)
from mmdet_lite.registry import MODELS


@MODELS.register_module()
class ResLayer(BaseModule):
    """Stage ``stage`` (0 to 3; 3 is res5) of a ResNet of this depth.

    Arguments are MMDetection 3's; ``style``, ``norm_eval`` and ``with_cp`` as in ResNet. Its
    weights have the names that they have in the ResNet (``layer4``), so that ``init_cfg`` can name
    the same ImageNet checkpoint. ``conv_cfg`` (ConvWS), ``groups`` and ``base_width`` make it fit
    for the other backbones of the family.
    """

    def __init__(
        self,
        depth: int,
        stage: int = 3,
        stride: int = 2,
        dilation: int = 1,
        style: str = "pytorch",
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        norm_eval: bool = True,
        with_cp: bool = False,
        groups: int = 1,
        base_width: int = 4,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg or default_init())
        block = block_of(depth, style)
        if not 0 <= stage < len(STAGE_BLOCKS[depth]):
            raise ValueError(f"ResLayer: stage must be 0, 1, 2 or 3, got {stage}")
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        self.name = f"layer{stage + 1}"
        channels = 64 * 2**stage
        grouped = {}
        if groups > 1 and block is Bottleneck:
            grouped = {"groups": groups, "width": channels * base_width * groups // 64}
        layer = make_stage(
            block,
            STAGE_BLOCKS[depth][stage],
            channels // 2 * block.expansion if stage else 64,
            channels,
            stride,
            dilation,
            conv_cfg,
            norm_cfg or {"type": "BN", "requires_grad": True},
            style=style,
            **grouped,
        )
        self.add_module(self.name, layer)

    def forward(self, x: Tensor) -> Tensor:
        """(R, C, h, w) to (R, 2C, h/stride, w/stride)."""
        for block in getattr(self, self.name):
            if self.with_cp and x.requires_grad:
                x = checkpoint(block, x, use_reentrant=False)
            else:
                x = block(x)
        return x

    def train(self, mode: bool = True) -> "ResLayer":
        """Switch the mode; batch norms under ``norm_eval`` stay in eval."""
        super().train(mode)
        if mode and self.norm_eval:
            keep_norm_statistics(self)
        return self
