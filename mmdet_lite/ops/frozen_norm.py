"""Batch norm with fixed statistics, folded into the convolution before it."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv_norm(x: Tensor, conv: nn.Module, norm: nn.Module) -> Tensor:
    """``norm(conv(x))``; where ``norm`` is a batch norm in eval mode, as one convolution.

    The affine map of a batch norm with fixed statistics goes into weight and bias:
    ``w' = w * gamma / sqrt(var + eps)``, ``b' = beta - mean * gamma / sqrt(var + eps)``. Values
    and gradients (of x, w, gamma and beta) are those of the two steps up to rounding, without the
    passes over the feature map. Any other pair of modules is simply called.
    """
    if (
        type(conv) is not nn.Conv2d
        or not isinstance(norm, nn.BatchNorm2d)
        or norm.training
        or norm.running_mean is None
        or norm.running_var is None
        or _has_hooks(conv, norm)
    ):
        return norm(conv(x))
    scale = torch.rsqrt(norm.running_var + norm.eps)
    if norm.affine:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    if norm.affine:
        shift = shift + norm.bias
    if conv.bias is not None:
        shift = shift + conv.bias * scale
    weight = conv.weight * scale.view(-1, 1, 1, 1)
    return F.conv2d(x, weight, shift, conv.stride, conv.padding, conv.dilation, conv.groups)


def _has_hooks(*modules: Any) -> bool:
    """Whether somebody watches these modules, who would then miss the call."""
    return any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in modules)
