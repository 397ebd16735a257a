"""Keeping parts of a backbone as they were trained before."""

from collections.abc import Iterable

from torch import nn


def check_frozen_stages(backbone: str, frozen_stages: int, num_stages: int) -> None:
    """Refuse a number of frozen stages that a backbone does not have."""
    if not -1 <= frozen_stages <= num_stages:
        raise ValueError(
            f"{backbone}: frozen_stages must be -1 (nothing), 0 (the stem) to {num_stages} (all),"
            f" got {frozen_stages}"
        )


def freeze_modules(modules: Iterable[nn.Module]) -> None:
    """Stop these modules from learning: no gradients, dropout off, statistics as they are."""
    for module in modules:
        module.eval()
        module.requires_grad_(False)


def keep_norm_statistics(backbone: nn.Module) -> None:
    """Put batch norms below ``backbone`` into eval mode; their weights still learn."""
    for module in backbone.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
