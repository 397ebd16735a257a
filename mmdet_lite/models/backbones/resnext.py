"""ResNeXt (Xie et al., 2016): ResNet with grouped 3x3 convolutions."""

from typing import Any

from mmdet_lite.models.backbones.resnet import ResNet
from mmdet_lite.registry import MODELS


@MODELS.register_module()
class ResNeXt(ResNet):
    """ResNeXt 50, 101 or 152; ``groups=32, base_width=4`` is 32x4d. Others as in ResNet."""

    def __init__(self, groups: int = 1, base_width: int = 4, **resnet_args: Any) -> None:
        self.groups = groups
        self.base_width = base_width
        super().__init__(**resnet_args)

    def _block_args(self, channels: int, base_channels: int) -> dict[str, Any]:
        if self.groups == 1:
            return {}
        width = int(channels * (self.base_width / base_channels)) * self.groups
        return {"groups": self.groups, "width": width}
