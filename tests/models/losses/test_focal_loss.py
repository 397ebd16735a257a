"""Focal loss against torchvision's and hand-made numbers."""

import math

import pytest
import torch
from torchvision.ops import sigmoid_focal_loss

from mmdet_lite.models.losses import FocalLoss

LABELS = torch.tensor([0, 3, 4, 2, -1, 4])  # 4 of 4 classes is background, as is -1


def one_hot(labels, num_classes=4):
    return (labels[:, None] == torch.arange(num_classes)).float()


@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.0, 0.5), (1.5, 0.8)])
def test_every_entry_and_gradient_is_torchvisions(gamma, alpha):
    logits = (4 * torch.randn(6, 4)).requires_grad_()
    loss = FocalLoss(gamma=gamma, alpha=alpha, reduction="none")
    wanted = sigmoid_focal_loss(logits, one_hot(LABELS), alpha=alpha, gamma=gamma)
    (wanted_grad,) = torch.autograd.grad(wanted.sum(), logits)
    for target in (LABELS, one_hot(LABELS)):
        got = loss(logits, target)
        (grad,) = torch.autograd.grad(got.sum(), logits)
        assert torch.allclose(got, wanted, atol=1e-6)
        assert torch.allclose(grad, wanted_grad, atol=1e-6)


def test_numbers_by_hand():
    # p = 1/2 on both sides: 1/4 * 1/4 * ln 2 for the object, 3/4 * 1/4 * ln 2 for the other class
    loss = FocalLoss(loss_weight=2.0)(torch.zeros(1, 2), torch.tensor([1]), avg_factor=4)
    assert loss.item() == pytest.approx(2 * (0.25 + 0.75) * 0.25 * math.log(2) / 4)


def test_weights_and_divisors_are_honoured():
    logits, weight = torch.randn(6, 4), torch.tensor([1.0, 0.0, 2.0, 1.0, 0.0, 1.0])
    each = FocalLoss(reduction="none")(logits, LABELS)
    assert torch.allclose(
        FocalLoss()(logits, LABELS, weight, avg_factor=3), (each * weight[:, None]).sum() / 3
    )
    assert torch.allclose(FocalLoss()(logits, LABELS), each.mean())
    assert torch.allclose(FocalLoss(reduction="sum")(logits, LABELS), each.sum())
    by_entry = torch.rand(6, 4)
    assert torch.allclose(FocalLoss()(logits, LABELS, by_entry), (each * by_entry).mean())


def test_probabilities_may_be_given_instead_of_logits():
    logits = torch.randn(6, 4)
    for target in (LABELS, one_hot(LABELS)):
        assert torch.allclose(
            FocalLoss(activated=True)(logits.sigmoid(), target),
            FocalLoss()(logits, target),
            atol=1e-6,
        )
    certain = torch.tensor([[0.0, 1.0]], requires_grad=True)
    FocalLoss(activated=True)(certain, torch.tensor([0])).backward()
    assert certain.grad.isfinite().all()


def test_extreme_logits_and_half_precision_stay_finite():
    logits = torch.tensor([[80.0, -80.0]], dtype=torch.bfloat16, requires_grad=True)
    loss = FocalLoss(reduction="none")(logits, torch.tensor([1]))
    assert torch.allclose(loss, torch.tensor([[60.0, 20.0]]))
    loss.sum().backward()
    assert logits.grad.isfinite().all()


def test_nothing_costs_nothing():
    logits = torch.zeros(0, 4, requires_grad=True)
    loss = FocalLoss()(logits, torch.zeros(0, dtype=torch.long), avg_factor=1)
    loss.backward()
    assert loss.item() == 0 and logits.grad.shape == (0, 4)


def test_arguments_stay_as_they_were():
    logits, labels, weight = torch.randn(6, 4), LABELS.clone(), torch.rand(6)
    copies = [t.clone() for t in (logits, labels, weight)]
    FocalLoss()(logits, labels, weight)
    assert all(torch.equal(a, b) for a, b in zip((logits, labels, weight), copies, strict=True))


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="use_sigmoid can only be True"):
        FocalLoss(use_sigmoid=False)
    with pytest.raises(ValueError, match="reduction must be one of"):
        FocalLoss(reduction="avg")
