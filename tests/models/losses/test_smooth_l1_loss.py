"""L1 and smooth L1 against torch.nn.functional."""

import pytest
import torch
import torch.nn.functional as F

from mmdet_lite.models.losses import L1Loss, SmoothL1Loss


def test_l1_equals_torch():
    a, b, weight = torch.randn(7, 4), torch.randn(7, 4), torch.rand(7, 4)
    assert torch.allclose(L1Loss()(a, b), F.l1_loss(a, b))
    weighted = ((a - b).abs() * weight).sum() / 3 * 2
    assert torch.allclose(L1Loss(loss_weight=2.0)(a, b, weight, avg_factor=3), weighted)
    assert torch.equal(L1Loss(reduction="none")(a, b), (a - b).abs())
    assert torch.allclose(L1Loss(reduction="sum")(a, b), (a - b).abs().sum())


@pytest.mark.parametrize("beta", [0, 1 / 9, 1.0, 3.0])
def test_smooth_l1_equals_torch(beta):
    a, b = torch.randn(50, 4), torch.randn(50, 4)
    assert torch.allclose(SmoothL1Loss(beta=beta)(a, b), F.smooth_l1_loss(a, b, beta=beta))


def test_smooth_l1_by_hand():
    loss = SmoothL1Loss(beta=2.0, reduction="none")(torch.tensor([1.0, 5.0]), torch.zeros(2))
    assert loss.tolist() == [0.25, 4.0]


@pytest.mark.parametrize("loss", [L1Loss(), SmoothL1Loss()])
def test_nothing_gives_zero_with_a_gradient(loss):
    pred = torch.zeros(0, 4, requires_grad=True)
    value = loss(pred, torch.zeros(0, 4))
    value.backward()
    assert value == 0 and pred.grad is not None


def test_negative_beta_and_unknown_reduction_are_refused():
    with pytest.raises(ValueError, match="beta must not be negative, got -1"):
        SmoothL1Loss(beta=-1)
    with pytest.raises(ValueError, match="got 'max'"):
        L1Loss(reduction="max")
