"""Losses on whole boxes against torchvision's and hand-made numbers."""

import math

import pytest
import torch
from torchvision.ops import (
    box_iou,
    complete_box_iou_loss,
    distance_box_iou_loss,
    generalized_box_iou_loss,
)

from mmdet_lite.models.losses import BoundedIoULoss, CIoULoss, DIoULoss, GIoULoss, IoULoss

LOSSES = [IoULoss, GIoULoss, DIoULoss, CIoULoss, BoundedIoULoss]
SQUARE = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
SHIFTED = torch.tensor([[1.0, 0.0, 3.0, 2.0]])  # IoU with SQUARE is 1/3


def pairs(num=200, spread=20.0):
    boxes = torch.rand(num, 4) * 40
    boxes[:, 2:] += boxes[:, :2] + 5
    return boxes, boxes + spread * (torch.rand(num, 4) - 0.5) * torch.tensor([1, 1, 0.5, 0.5])


@pytest.mark.parametrize(
    ("loss", "theirs"),
    [(GIoULoss, generalized_box_iou_loss), (DIoULoss, distance_box_iou_loss)],
)
def test_every_box_and_gradient_is_torchvisions(loss, theirs):
    pred, target = pairs(spread=80.0)
    pred[:, 2:] = torch.maximum(pred[:, 2:], pred[:, :2] + 1)
    target[:, 2:] = torch.maximum(target[:, 2:], target[:, :2] + 1)
    pred.requires_grad_()
    got, wanted = loss(reduction="none")(pred, target), theirs(pred, target)
    assert torch.allclose(got, wanted, atol=1e-5) and got.max() > 1
    grads = [torch.autograd.grad(one.sum(), pred)[0] for one in (got, wanted)]
    assert torch.allclose(*grads, atol=1e-4)


def test_ciou_is_torchvisions_above_half_and_diou_below():
    pred, target = pairs()
    got = CIoULoss(reduction="none")(pred, target)
    half = box_iou(pred, target).diagonal() > 0.5
    assert 20 < half.sum() < 180
    assert torch.allclose(got[half], complete_box_iou_loss(pred, target)[half], atol=1e-4)
    assert torch.allclose(got[~half], DIoULoss(reduction="none")(pred, target)[~half], atol=1e-5)


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ({}, math.log(3)),
        ({"mode": "linear"}, 2 / 3),
        ({"linear": True}, 2 / 3),
        ({"mode": "square"}, 8 / 9),
        ({"loss_weight": 3.0}, 3 * math.log(3)),
    ],
)
def test_modes_of_the_iou_loss_by_hand(args, wanted):
    assert IoULoss(**args)(SQUARE, SHIFTED).item() == pytest.approx(wanted, abs=1e-5)


def test_boxes_apart_cost_the_logarithm_of_eps():
    far = SQUARE + 10
    assert IoULoss(eps=1e-4)(SQUARE, far).item() == pytest.approx(-math.log(1e-4), abs=1e-3)
    # enclosing box 12 x 12, both boxes cover 8 of it
    assert GIoULoss()(SQUARE, far).item() == pytest.approx(1 + 136 / 144, abs=1e-5)


def test_the_bounded_loss_by_hand():
    # shifted by half a width in x: (2 - 2) / (2 + 2) = 0 bounds the IoU, so the loss is 1 there
    smooth = BoundedIoULoss(reduction="none", eps=1e-9)(SHIFTED, SQUARE)
    assert torch.allclose(smooth, torch.tensor([[0.9, 0.0, 0.0, 0.0]]), atol=1e-6)
    # width 2.2 for 2: loss 1 - 2 / 2.2 = 1 / 11 lies below beta, 0.5 / 121 / 0.2
    wide = torch.tensor([[-0.1, 0.0, 2.1, 2.0]])
    got = BoundedIoULoss(reduction="none", eps=1e-9)(wide, SQUARE)
    assert torch.allclose(got, torch.tensor([[0.0, 0.0, 2.5 / 121, 0.0]]), atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_equal_boxes_cost_nothing_and_gradients_pull_towards_the_target(loss):
    assert loss()(SQUARE, SQUARE).item() == pytest.approx(0, abs=1e-3)
    pred = torch.tensor([[0.5, 0.0, 2.5, 2.0]], requires_grad=True)
    loss()(pred, SQUARE).backward()
    assert pred.grad[0, 0] + pred.grad[0, 2] > 0


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_count_by_box_or_by_number(loss):
    pred, target = pairs(8)
    weight = torch.tensor([1.0, 0.0, 2.0, 1.0, 0.0, 0.0, 1.0, 3.0])
    each = loss(reduction="none")(pred, target)
    each = each.sum(-1) if each.dim() == 2 else each
    for given in (weight, weight[:, None].expand(8, 4)):
        got = loss()(pred, target, given, avg_factor=5)
        assert torch.allclose(got, (each * weight).sum() / 5, rtol=1e-5)
    several = loss()(pred.view(2, 4, 4), target.view(2, 4, 4), weight.view(2, 4), avg_factor=5)
    assert torch.allclose(several, got)


@pytest.mark.parametrize("loss", LOSSES)
def test_degenerate_boxes_and_no_boxes_keep_gradients_finite(loss):
    pred = torch.tensor([[3.0, 3.0, 3.0, 3.0], [5.0, 1.0, 2.0, 4.0]], requires_grad=True)
    target = torch.tensor([[3.0, 3.0, 3.0, 3.0], [0.0, 0.0, 2.0, 2.0]])
    loss()(pred, target).backward()
    assert pred.grad.isfinite().all()
    empty = torch.zeros(0, 4, requires_grad=True)
    value = loss()(empty, torch.zeros(0, 4), avg_factor=1)
    value.backward()
    assert value.item() == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_arguments_stay_as_they_were(loss):
    tensors = (*pairs(5), torch.rand(5, 4))
    copies = [t.clone() for t in tensors]
    loss()(*tensors)
    assert all(torch.equal(a, b) for a, b in zip(tensors, copies, strict=True))


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="mode must be one of"):
        IoULoss(mode="cubic")
    with pytest.raises(ValueError, match="beta must be positive"):
        BoundedIoULoss(beta=0)
    with pytest.raises(ValueError, match="reduction must be one of"):
        CIoULoss(reduction="avg")
