"""Box offsets against hand-computed numbers and their own inverse."""

import math

import torch

from mmdet_lite.ops.box_deltas import MAX_LOG_RATIO, decode_deltas, encode_deltas

NO_MEANS, ONES = (0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 1.0, 1.0)
MEANS, STDS = (0.1, -0.2, 0.3, 0.0), (0.1, 0.1, 0.2, 0.2)


def random_boxes(count: int) -> torch.Tensor:
    xy = torch.rand(count, 2) * 100
    return torch.cat([xy, xy + 1 + torch.rand(count, 2) * 50], dim=1)


def test_encoding_follows_the_papers_equation():
    box = torch.tensor([[10.0, 20.0, 30.0, 60.0]])  # centre (20, 40), 20 x 40
    target = torch.tensor([[20.0, 30.0, 60.0, 40.0]])  # centre (40, 35), 40 x 10
    raw = torch.tensor([[1.0, -0.125, math.log(2), math.log(0.25)]])
    assert torch.allclose(encode_deltas(box, target, NO_MEANS, ONES), raw)
    normalised = (raw - torch.tensor(MEANS)) / torch.tensor(STDS)
    assert torch.allclose(encode_deltas(box, target, MEANS, STDS), normalised)


def test_decode_of_encode_returns_the_target():
    boxes, targets = random_boxes(200), random_boxes(200)
    deltas = encode_deltas(boxes, targets, MEANS, STDS)
    assert torch.allclose(decode_deltas(boxes, deltas, MEANS, STDS), targets, atol=1e-3)


def test_sizes_change_at_most_by_the_largest_ratio():
    box = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    grown = decode_deltas(box, torch.tensor([[0.0, 0.0, 99.0, -99.0]]), NO_MEANS, ONES)
    width, height = (grown[0, 2:] - grown[0, :2]).tolist()
    assert math.isclose(width, 10 * 1000 / 16, rel_tol=1e-4)
    assert math.isclose(height, 10 * 16 / 1000, rel_tol=1e-3)
    assert math.isclose(MAX_LOG_RATIO, math.log(1000 / 16))


def test_a_bounded_centre_moves_so_many_pixels_at_most():
    box = torch.tensor([[0.0, 0.0, 100.0, 100.0]])
    moved = decode_deltas(
        box, torch.tensor([[5.0, -5.0, 0.0, -9.0]]), NO_MEANS, ONES, max_centre_shift=32
    )
    centre = (moved[0, :2] + moved[0, 2:]) / 2
    assert torch.allclose(centre, torch.tensor([82.0, 18.0]))
    height = (moved[0, 3] - moved[0, 1]).item()
    assert math.isclose(height, 100 * math.exp(-9), rel_tol=1e-2)  # sizes have no lower bound then


def test_no_boxes_give_no_boxes():
    none = torch.zeros(0, 4)
    assert encode_deltas(none, none, MEANS, STDS).shape == (0, 4)
    assert decode_deltas(none, none, MEANS, STDS).shape == (0, 4)


def test_boxes_of_all_images_meet_deltas_of_each():
    boxes, deltas = random_boxes(6), torch.randn(3, 6, 4)
    decoded = decode_deltas(boxes, deltas, MEANS, STDS)
    assert decoded.shape == (3, 6, 4)
    assert torch.equal(decoded[1], decode_deltas(boxes, deltas[1], MEANS, STDS))


def test_arguments_stay_as_they_were():
    boxes, deltas = random_boxes(5), torch.randn(5, 4)
    copies = boxes.clone(), deltas.clone()
    decode_deltas(boxes, deltas, MEANS, STDS, max_centre_shift=2)
    encode_deltas(boxes, boxes, MEANS, STDS)
    assert torch.equal(boxes, copies[0]) and torch.equal(deltas, copies[1])


def test_decoding_has_a_gradient():
    deltas = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    boxes = random_boxes(4).double()
    assert torch.autograd.gradcheck(lambda d: decode_deltas(boxes, d, MEANS, STDS), deltas)
