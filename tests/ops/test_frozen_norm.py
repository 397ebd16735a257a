"""Folded batch norm against the two modules called one after the other, in double precision."""

import pytest
import torch
from torch import nn

from mmdet_lite.ops.frozen_norm import conv_norm


def pair(bias=False, affine=True, **conv_args):
    conv = nn.Conv2d(4, 6, 3, bias=bias, **conv_args).double()
    norm = nn.BatchNorm2d(6, affine=affine).double()
    nn.init.normal_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.3, 3.0)
    if affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return conv, norm.eval()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize(
    "conv_args", [{}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": 2}]
)
def test_values_and_gradients_are_those_of_the_two_steps(bias, affine, conv_args):
    conv, norm = pair(bias, affine, **conv_args)
    x = torch.randn(2, 4, 9, 8, dtype=torch.float64, requires_grad=True)
    inputs = [x, *conv.parameters(), *norm.parameters()]
    folded, plain = conv_norm(x, conv, norm), norm(conv(x))
    assert torch.allclose(folded, plain, atol=1e-12)
    wanted = torch.randn_like(plain)
    for a, b in zip(
        torch.autograd.grad((folded * wanted).sum(), inputs),
        torch.autograd.grad((plain * wanted).sum(), inputs),
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-10)


def test_folding_is_one_convolution(monkeypatch):
    conv, norm = pair()
    monkeypatch.setattr(nn.BatchNorm2d, "forward", lambda *_: pytest.fail("the norm was called"))
    conv_norm(torch.randn(1, 4, 5, 5, dtype=torch.float64), conv, norm)


def test_a_training_norm_uses_and_updates_its_batch_statistics():
    conv, norm = pair()
    norm.train()
    before = norm.running_mean.clone()
    x = torch.randn(4, 4, 9, 9, dtype=torch.float64)
    out = conv_norm(x, conv, norm)
    assert not torch.equal(norm.running_mean, before)
    normal = (out - norm.bias.view(-1, 1, 1)) / norm.weight.view(-1, 1, 1)
    assert normal.mean(dim=(0, 2, 3)).abs().max() < 1e-6


def test_norm_without_statistics_and_other_norms_are_called():
    conv, _ = pair()
    x = torch.randn(2, 4, 6, 6, dtype=torch.float64)
    for norm in (nn.BatchNorm2d(6, track_running_stats=False), nn.GroupNorm(2, 6)):
        norm = norm.double().eval()
        assert torch.equal(conv_norm(x, conv, norm), norm(conv(x)))


def test_a_hook_on_either_module_still_fires():
    for watched in range(2):
        modules = pair()
        seen = []
        modules[watched].register_forward_hook(lambda *_, seen=seen: seen.append(1))
        conv_norm(torch.randn(1, 4, 5, 5, dtype=torch.float64), *modules)
        assert seen
