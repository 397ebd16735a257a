"""RoIPool over several feature levels: the largest value of each bin (Fast R-CNN)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.ops import roi_pool

# Letters: R RoIs, O bins along one axis.


def roi_pool_levels(
    features: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor,
    strides: Sequence[int],
    output_size: int,
) -> Tensor:
    """Pool each RoI from its level's feature map by the maximum of each bin.

    Shapes: features (N, C, H, W) each; rois (R, 5) as image index and xyxy in input pixels;
    levels (R,); returns (R, C, output_size, output_size) float32. R = 0 gives (0, C, ...). A bin
    without any pixel gives 0.
    A RoI reaches from x1 to x2 + 1 (in input pixels), unrounded, and a bin takes every pixel that
    it touches. Source: mmcv's operator, which MMDetection uses. (Detectron and torchvision round
    the RoI to whole pixels first.)
    """
    shape = (len(rois), features[0].shape[1], output_size, output_size)
    pooled = torch.zeros(shape, device=rois.device)
    for level, (x, stride) in enumerate(zip(features, strides, strict=True)):
        rows = torch.nonzero(levels == level).flatten()
        bins, empty = _bins(rois[rows].float(), stride, output_size, x.shape[-2:])
        # each bin is a RoI of whole pixels, pooled into one value
        values = roi_pool(x.float(), bins, 1).view(len(rows), output_size**2, x.shape[1])
        values = values.masked_fill(empty[..., None], 0).transpose(1, 2)
        pooled = pooled.index_copy(0, rows, values.unflatten(2, (output_size, output_size)))
    return pooled


def _bins(
    rois: Tensor, stride: int, output_size: int, size_hw: torch.Size
) -> tuple[Tensor, Tensor]:
    """Bins as RoIs (R*O*O, 5) with first and last pixel, and whether one is empty (R, O*O)."""
    height, width = size_hw
    top, bottom = _edges(rois[:, 2], rois[:, 4], stride, output_size, height)
    left, right = _edges(rois[:, 1], rois[:, 3], stride, output_size, width)
    image, x1, y1, x2, y2 = torch.broadcast_tensors(  # type: ignore[no-untyped-call]
        rois[:, 0, None, None], left[:, None], top[:, :, None], right[:, None], bottom[:, :, None]
    )
    empty = (y2 <= y1) | (x2 <= x1)
    bins = torch.stack([image, x1, y1, (x2 - 1).clamp(min=0), (y2 - 1).clamp(min=0)], dim=-1)
    return bins.view(-1, 5), empty.view(len(rois), output_size**2)


def _edges(
    first: Tensor, last: Tensor, stride: int, bins: int, limit: int
) -> tuple[Tensor, Tensor]:
    """Along one axis, the first pixel of each bin and the one after its last: (R, O) each."""
    start = first / stride
    length = (last + 1) / stride - start
    step = length[:, None] / bins
    number = torch.arange(bins, device=first.device)
    begin = torch.floor(start[:, None] + step * number).clamp(0, limit)
    end = torch.ceil(start[:, None] + step * (number + 1)).clamp(0, limit)
    return begin, torch.where(length[:, None] > 0, end, begin)
