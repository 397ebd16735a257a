"""Box arithmetic against torchvision."""

import pytest
import torch
from torchvision.ops import box_area, box_iou, clip_boxes_to_image

from mmdet_lite.ops.boxes import box_areas, boxes_to_rois, clip_boxes, pairwise_overlaps


def random_boxes(*shape: int, size: float = 100.0) -> torch.Tensor:
    corners = torch.rand(*shape, 2, 2) * size
    return torch.cat([corners.amin(dim=-2), corners.amax(dim=-2)], dim=-1)


def test_areas_equal_torchvision():
    boxes = random_boxes(50)
    assert torch.allclose(box_areas(boxes), box_area(boxes))


def test_area_of_an_inverted_box_is_zero():
    assert box_areas(torch.tensor([[5.0, 5.0, 3.0, 9.0], [5.0, 5.0, 3.0, 3.0]])).tolist() == [0, 0]


def test_iou_equals_torchvision():
    a, b = random_boxes(40), random_boxes(30)
    assert torch.allclose(pairwise_overlaps(a, b), box_iou(a, b), atol=1e-6)


def test_iou_of_a_batch_is_that_of_each_image():
    gts, anchors = random_boxes(3, 5), random_boxes(20)
    shared = pairwise_overlaps(gts, anchors)
    own = pairwise_overlaps(gts, random_boxes(3, 7))
    assert shared.shape == (3, 5, 20) and own.shape == (3, 5, 7)
    for i in range(3):
        assert torch.allclose(shared[i], box_iou(gts[i], anchors), atol=1e-6)


def test_iof_divides_by_the_area_of_the_first_box():
    a = torch.tensor([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 2.0, 5.0]])
    b = torch.tensor([[5.0, 0.0, 25.0, 10.0], [0.0, 0.0, 1.0, 1.0]])
    wanted = torch.tensor([[0.5, 0.01], [0.0, 0.1]])
    assert torch.allclose(pairwise_overlaps(a, b, "iof"), wanted)


@pytest.mark.parametrize("mode", ["iou", "iof"])
def test_boxes_without_area_overlap_nothing_and_give_no_nan(mode):
    point = torch.tensor([[3.0, 3.0, 3.0, 3.0]])
    assert pairwise_overlaps(point, point, mode).item() == 0


@pytest.mark.parametrize("mode", ["iou", "iof"])
def test_no_boxes_give_an_empty_map(mode):
    none, some = torch.zeros(0, 4), random_boxes(3)
    assert pairwise_overlaps(none, some, mode).shape == (0, 3)
    assert pairwise_overlaps(some, none, mode).shape == (3, 0)
    assert pairwise_overlaps(torch.zeros(2, 0, 4), some, mode).shape == (2, 0, 3)


def test_overlaps_leave_their_arguments_unchanged():
    a, b = random_boxes(4), random_boxes(5)
    a_before, b_before = a.clone(), b.clone()
    pairwise_overlaps(a, b)
    pairwise_overlaps(a, b, "iof")
    assert torch.equal(a, a_before) and torch.equal(b, b_before)


def test_unknown_overlap_mode_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'iou' or 'iof', got 'giou'"):
        pairwise_overlaps(torch.zeros(1, 4), torch.zeros(1, 4), "giou")


def test_clipping_equals_torchvision_for_every_image():
    boxes = random_boxes(2, 30, size=300) - 100
    sizes = torch.tensor([[80.0, 120.0], [150.0, 60.0]])
    before = boxes.clone()
    clipped = clip_boxes(boxes, sizes)
    for i in range(2):
        size_hw = (int(sizes[i, 0]), int(sizes[i, 1]))
        assert torch.equal(clipped[i], clip_boxes_to_image(boxes[i], size_hw))
    assert torch.equal(boxes, before)


def test_clipping_takes_one_size_a_box():
    boxes = torch.tensor([[-1.0, -1.0, 50.0, 50.0], [-1.0, -1.0, 50.0, 50.0]])
    clipped = clip_boxes(boxes, torch.tensor([[10.0, 20.0], [30.0, 40.0]]))
    assert clipped.tolist() == [[0, 0, 20, 10], [0, 0, 40, 30]]
    assert clip_boxes(boxes[:0], torch.zeros(0, 2)).shape == (0, 4)


def test_rois_carry_their_images_index_in_front():
    rois = boxes_to_rois(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.tensor([7]))
    assert rois.tolist() == [[7, 1, 2, 3, 4]]
    assert boxes_to_rois(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)).shape == (0, 5)
