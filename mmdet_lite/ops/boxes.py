"""Pure functions on boxes (x1, y1, x2, y2): continuous pixels, w = x2 - x1."""

from collections.abc import Sequence

import torch
from torch import Tensor

Box = tuple[float, float, float, float]


def box_areas(boxes: Tensor) -> Tensor:
    """Areas of boxes (..., 4), clamped at zero: shape (...,).

    >>> box_areas(torch.tensor([[0., 0., 2., 3.], [5., 5., 4., 9.]])).tolist()
    [6.0, 0.0]
    """
    wh = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0)
    return wh[..., 0] * wh[..., 1]


def pairwise_overlaps(boxes1: Tensor, boxes2: Tensor, mode: str = "iou") -> Tensor:
    """Overlap of each box of the first set with each of the second.

    Shapes: boxes1 (..., G, 4), boxes2 (..., A, 4) with equal or broadcastable leading
    dimensions; returns (..., G, A) in [0, 1]. G = 0 or A = 0 gives an empty tensor.
    ``mode`` is 'iou' (intersection over union) or 'iof' (intersection over the first box's area).

    >>> a, b = torch.tensor([[0., 0., 2., 2.]]), torch.tensor([[1., 0., 3., 2.]])
    >>> round(pairwise_overlaps(a, b).item(), 4), pairwise_overlaps(a, b, 'iof').item()
    (0.3333, 0.5)
    """
    if mode not in ("iou", "iof"):
        raise ValueError(f"mode of the overlap must be 'iou' or 'iof', got {mode!r}")
    first, second = boxes1.unsqueeze(-2), boxes2.unsqueeze(-3)
    # one (G, A) map at a time and in place: this is the largest tensor of target assignment
    width = torch.minimum(first[..., 2], second[..., 2])
    width = width.sub_(torch.maximum(first[..., 0], second[..., 0])).clamp_(min=0)
    height = torch.minimum(first[..., 3], second[..., 3])
    height = height.sub_(torch.maximum(first[..., 1], second[..., 1])).clamp_(min=0)
    intersection = width.mul_(height)
    denominator = box_areas(boxes1).unsqueeze(-1)
    if mode == "iou":
        denominator = denominator + box_areas(boxes2).unsqueeze(-2) - intersection
    return intersection.div_(denominator.clamp(min=1e-6))


def clip_boxes(boxes: Tensor, sizes_hw: Tensor) -> Tensor:
    """Boxes (N, ..., 4) moved inside images of ``sizes_hw`` (N, 2): same shape.

    >>> clip_boxes(torch.tensor([[-1., 2., 30., 9.]]), torch.tensor([[8., 20.]])).tolist()
    [[0.0, 2.0, 20.0, 8.0]]
    """
    limits = sizes_hw.to(boxes)[:, [1, 0, 1, 0]]
    limits = limits.view(len(limits), *[1] * (boxes.dim() - 2), 4)
    return torch.minimum(boxes.clamp(min=0), limits)


def boxes_to_rois(boxes: Tensor, image_idx: Tensor) -> Tensor:
    """Boxes (R, 4) with their image's index (R,) in front: (R, 5), the form RoI pooling takes."""
    return torch.cat([image_idx.to(boxes)[:, None], boxes], dim=1)


def flip_boxes(boxes: Tensor, size_hw: Sequence[int], direction: str | None) -> Tensor:
    """Boxes (..., 4) mirrored with their image of ``size_hw``; None leaves them as they are.

    ``direction`` is 'horizontal', 'vertical' or 'diagonal' (both). The argument is unchanged.

    >>> flip_boxes(torch.tensor([[1., 2., 3., 5.]]), (10, 8), "horizontal").tolist()
    [[5.0, 2.0, 7.0, 5.0]]
    """
    if direction not in (None, "horizontal", "vertical", "diagonal"):
        raise ValueError(
            f"direction of a flip is 'horizontal', 'vertical' or 'diagonal', got {direction!r}"
        )
    x1, y1, x2, y2 = boxes.unbind(dim=-1)
    height, width = size_hw
    if direction in ("horizontal", "diagonal"):
        x1, x2 = width - x2, width - x1
    if direction in ("vertical", "diagonal"):
        y1, y2 = height - y2, height - y1
    return torch.stack([x1, y1, x2, y2], dim=-1)
