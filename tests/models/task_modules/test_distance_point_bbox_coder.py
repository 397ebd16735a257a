"""Boxes as distances from points."""

import pytest
import torch

from mmdet_lite.models.task_modules import DistancePointBBoxCoder

POINTS = torch.tensor([[5.0, 6.0], [1.0, 2.0]])
BOXES = torch.tensor([[1.0, 2.0, 9.0, 7.0], [-3.0, 0.0, 30.0, 40.0]])


def test_decode_of_encode_gives_the_boxes():
    coder = DistancePointBBoxCoder()
    distances = coder.encode(POINTS, BOXES)
    assert distances[0].tolist() == [4, 4, 4, 1]
    assert torch.equal(coder.decode(POINTS, distances), BOXES)
    assert coder.decode(POINTS[:0], distances[:0]).shape == (0, 4)


def test_boxes_are_clipped_to_their_images_unless_told_otherwise():
    distances = DistancePointBBoxCoder().encode(POINTS, BOXES)
    sizes_hw = torch.tensor([[5.0, 8.0], [20.0, 10.0]])
    clipped = DistancePointBBoxCoder().decode(POINTS, distances, sizes_hw)
    assert clipped.tolist() == [[1, 2, 8, 5], [0, 0, 10, 20]]
    free = DistancePointBBoxCoder(clip_border=False).decode(POINTS, distances, sizes_hw)
    assert torch.equal(free, BOXES)
    with pytest.raises(ValueError, match="use_box_type"):
        DistancePointBBoxCoder(use_box_type=True)
