"""The row of equal convolutions that many heads begin with."""

from typing import Any

from mmcv.cnn import ConvModule
from torch import nn


def conv_tower(
    in_channels: int, channels: int, num_convs: int, kernel_size: int = 3, **modules: Any
) -> nn.Sequential:
    """Convolutions of one width that keep the size; ``modules`` are arguments of ConvModule.

    Without any what goes in comes out.
    """
    padding = (kernel_size - 1) // 2
    return nn.Sequential(
        *(
            ConvModule(
                channels if i else in_channels, channels, kernel_size, padding=padding, **modules
            )
            for i in range(num_convs)
        )
    )
