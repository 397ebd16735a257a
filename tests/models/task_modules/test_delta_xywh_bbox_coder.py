"""The configured coder hands its numbers on."""

import pytest
import torch

from mmdet_lite.models.task_modules import DeltaXYWHBBoxCoder
from mmdet_lite.ops.box_deltas import decode_deltas, encode_deltas

MEANS, STDS = (0.1, 0.0, 0.0, 0.2), (0.1, 0.1, 0.2, 0.2)


def random_boxes(*shape):
    xy = torch.rand(*shape, 2) * 100
    return torch.cat([xy, xy + 5 + torch.rand(*shape, 2) * 50], dim=-1)


def test_decode_of_encode_returns_boxes():
    coder = DeltaXYWHBBoxCoder(MEANS, STDS)
    boxes, targets = random_boxes(30), random_boxes(30)
    deltas = coder.encode(boxes, targets)
    assert torch.equal(deltas, encode_deltas(boxes, targets, MEANS, STDS))
    assert torch.allclose(coder.decode(boxes, deltas), targets, atol=1e-3)


def test_decoded_boxes_are_clipped_to_their_own_image():
    boxes, deltas = random_boxes(2, 30), torch.randn(2, 30, 4)
    sizes = torch.tensor([[60.0, 90.0], [20.0, 50.0]])
    decoded = DeltaXYWHBBoxCoder().decode(boxes, deltas, sizes)
    for i, (height, width) in enumerate(sizes.tolist()):
        free = decode_deltas(boxes[i], deltas[i], (0,) * 4, (1,) * 4)
        limits = torch.tensor([width, height, width, height])
        assert torch.allclose(decoded[i], torch.minimum(free.clamp(min=0), limits))


def test_clipping_can_be_switched_off():
    boxes, deltas, sizes = random_boxes(1, 30), torch.randn(1, 30, 4), torch.tensor([[20.0, 20.0]])
    coder = DeltaXYWHBBoxCoder(clip_border=False)
    assert torch.equal(coder.decode(boxes, deltas, sizes), coder.decode(boxes, deltas))


def test_centre_clamp_is_off_unless_asked_for():
    box, delta = torch.tensor([[0.0, 0.0, 10.0, 10.0]]), torch.tensor([[10.0, 0.0, 0.0, 0.0]])
    assert DeltaXYWHBBoxCoder(ctr_clamp=3).decode(box, delta)[0, 0] == 100
    assert DeltaXYWHBBoxCoder(add_ctr_clamp=True, ctr_clamp=3).decode(box, delta)[0, 0] == 3


def test_ratio_clip_bounds_the_growth():
    box, delta = torch.tensor([[0.0, 0.0, 10.0, 10.0]]), torch.tensor([[0.0, 0.0, 9.0, 0.0]])
    grown = DeltaXYWHBBoxCoder().decode(box, delta, wh_ratio_clip=0.5)
    assert torch.allclose(grown[0, 2] - grown[0, 0], torch.tensor(20.0))


def test_half_precision_deltas_are_decoded_in_float():
    boxes, deltas = random_boxes(5), torch.randn(5, 4).bfloat16()
    coder = DeltaXYWHBBoxCoder()
    assert torch.equal(coder.decode(boxes, deltas), coder.decode(boxes, deltas.float()))


def test_box_classes_are_refused():
    with pytest.raises(ValueError, match="use_box_type=True is not available"):
        DeltaXYWHBBoxCoder(use_box_type=True)
