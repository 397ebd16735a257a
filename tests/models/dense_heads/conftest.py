"""A small batch for heads: features of two levels, two images, three objects."""

import pytest
import torch

from mmdet_lite.structures import BatchTargets, ImageBatch

SIZES = [(12, 16), (6, 8)]


@pytest.fixture
def batch():
    """Features of strides 8 and 16, images of which the second is smaller, their objects."""
    features = [torch.randn(2, 4, h, w) for h, w in SIZES]
    sizes_hw = [(96, 128), (70, 100)]
    images = ImageBatch(sizes_hw, [(96, 128), (80, 112)], (96, 128), torch.tensor(sizes_hw).float())
    boxes = [
        torch.tensor([[5.0, 5.0, 40.0, 50.0], [60.0, 20.0, 90.0, 44.0]]),
        torch.tensor([[30.0, 10.0, 55.0, 33.0]]),
    ]
    labels = [torch.tensor([2, 0]), torch.tensor([1])]
    return features, images, BatchTargets(boxes, labels, [torch.zeros(0, 4)] * 2)


@pytest.fixture
def empty(batch):
    """Make targets like ``batch``'s, without objects in the images that are named."""
    targets = batch[2]

    def make(*images):
        boxes, labels = list(targets.boxes), list(targets.labels)
        for i in images:
            boxes[i], labels[i] = boxes[i][:0], labels[i][:0]
        return BatchTargets(boxes, labels, targets.ignored_boxes)

    return make
