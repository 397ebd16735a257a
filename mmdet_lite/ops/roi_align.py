"""RoIAlign over several feature levels, and which level a RoI belongs to."""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import roi_align

from mmdet_lite.ops.like_sizes import stretches_of_like_size

with warnings.catch_warnings():  # torch says once that sparse tensors are in beta: say it here
    warnings.simplefilter("ignore")
    torch.sparse_csr_tensor([0], [], [], (0, 0))

# Letters: R RoIs, O bins along one axis, S samples in a bin, L neighbouring pixels a bin reads.
MOST_WEIGHTS = 2**25  # entries of a dense sampling matrix; a wide and a tall sliver make it larger


def map_roi_levels(rois: Tensor, num_levels: int, finest_scale: float) -> Tensor:
    """Level of each RoI (R, 5) by its size: (R,) long in 0..num_levels-1.

    Source: Feature Pyramid Networks, eq. 1; ``finest_scale`` is the side in pixels from which a
    RoI goes to level 0 only below twice itself.

    >>> rois = torch.tensor([[0, 0., 0., 56., 56.], [0, 0., 0., 224., 224.]])
    >>> map_roi_levels(rois, 4, 56).tolist()
    [0, 2]
    """
    sides = torch.sqrt((rois[:, 3] - rois[:, 1]) * (rois[:, 4] - rois[:, 2]))
    return torch.log2(sides / finest_scale + 1e-6).floor().clamp(0, num_levels - 1).long()


def roi_align_levels(
    features: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor,
    strides: Sequence[int],
    output_size: int,
    sampling_ratio: int = 0,
    aligned: bool = True,
) -> Tensor:
    """Pool each RoI from its level's feature map by RoIAlign.

    Shapes: features (N, C, H, W) each; rois (R, 5) as image index and xyxy in input pixels;
    levels (R,); returns (R, C, output_size, output_size) float32. R = 0 gives (0, C, ...).
    ``sampling_ratio`` 0 takes as many samples in a bin as it is pixels long. ``aligned`` shifts by
    half a pixel (the right convention; False is Detectron's first).

    On CPU all levels are one sparse matrix product, about ten times as fast as torchvision's
    operator forward and backward; elsewhere torchvision's operator runs level by level.
    Source: Mask R-CNN, section 3; equal to torchvision's operator up to rounding.
    """
    rois = rois.float()  # in half the corners would move by pixels
    if rois.device.type == "cpu":
        pixels = torch.cat([f.permute(0, 2, 3, 1).flatten(0, 2).float() for f in features])
        parts, rows = [], _rois_at_once(rois, levels, strides, output_size)
        for row in rows:
            matrix = _sampling_matrix(
                features, rois[row], levels[row], strides, output_size, sampling_ratio, aligned
            )
            parts.append(_SparseProduct.apply(pixels, *matrix))
        pooled = torch.cat(parts).view(len(rois), output_size, output_size, pixels.shape[1])
        if len(rows) > 1:
            pooled = torch.empty_like(pooled).index_copy(0, torch.cat(rows), pooled)
        return pooled.permute(0, 3, 1, 2)
    if len(features) == 1:
        return roi_align(
            features[0].float(), rois, output_size, 1 / strides[0], sampling_ratio, aligned
        )
    order = torch.argsort(levels, stable=True)
    counts = torch.bincount(levels, minlength=len(features)).tolist()  # the one host sync
    pooled_by_level = [
        roi_align(f.float(), r, output_size, 1 / stride, sampling_ratio, aligned)
        for f, r, stride in zip(features, torch.split(rois[order], counts), strides, strict=True)
    ]
    pooled = torch.cat(pooled_by_level)
    return torch.empty_like(pooled).index_copy(0, order, pooled)


def _rois_at_once(
    rois: Tensor, levels: Tensor, strides: Sequence[int], output_size: int
) -> list[Tensor]:
    """Rows of RoIs whose sampling matrices are made together: mostly all of them."""
    sides = (rois[:, 3:] - rois[:, 1:3]).clamp(min=0) / torch.tensor(strides)[levels, None]
    lengths = (sides / output_size).ceil().long() + 2  # pixels that a bin reads, at most
    most = MOST_WEIGHTS // output_size**2
    if not len(rois) or len(rois) * int(lengths.amax(dim=0).prod()) <= most:
        return [torch.arange(len(rois))]
    order = lengths.prod(dim=1).argsort(stable=True)
    return [order[a:b] for a, b in stretches_of_like_size(lengths[order].tolist(), most)]


def _sampling_matrix(
    features: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor,
    strides: Sequence[int],
    output_size: int,
    sampling_ratio: int,
    aligned: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """RoIAlign as a sparse matrix in CSR form: one row a bin, one column a feature pixel.

    The columns run over the pixels of all levels, images, rows and columns in this order.
    """
    heights = torch.tensor([f.shape[2] for f in features])[levels]
    widths = torch.tensor([f.shape[3] for f in features])[levels]
    pixels_per_level = [f.shape[0] * f.shape[2] * f.shape[3] for f in features]
    first_pixel = torch.tensor([0, *pixels_per_level]).cumsum(0)[levels]
    boxes = rois[:, 1:] / torch.tensor(strides, dtype=rois.dtype)[levels, None]
    if aligned:
        boxes = boxes - 0.5
        sizes = boxes[:, 2:] - boxes[:, :2]
    else:
        sizes = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
    y, y_weights = _bin_weights(boxes[:, 1], sizes[:, 1], output_size, sampling_ratio, heights)
    x, x_weights = _bin_weights(boxes[:, 0], sizes[:, 0], output_size, sampling_ratio, widths)
    weights = y_weights[:, :, None, :, None] * x_weights[:, None, :, None, :]  # R, O, O, L, L
    row = y[:, :, None, None, None] + torch.arange(y_weights.shape[2])[:, None]
    column = x[:, None, :, None, None] + torch.arange(x_weights.shape[2])
    image_row = (rois[:, 0].long() * heights)[:, None, None, None, None] + row
    pixel = first_pixel[:, None, None, None, None] + column
    pixel = pixel + image_row * widths[:, None, None, None, None]
    used = weights != 0
    row_ends = used.flatten(0, 2).flatten(1).sum(1).cumsum(0)
    row_starts = torch.cat([row_ends.new_zeros(1), row_ends])
    return row_starts.int(), pixel[used].int(), weights[used]


def _bin_weights(
    start: Tensor, size: Tensor, bins: int, sampling_ratio: int, limit: Tensor
) -> tuple[Tensor, Tensor]:
    """Along one axis: the first pixel that a bin reads, and the weights of it and the next ones.

    Shapes: start, size, limit (R,) in feature pixels; returns (R, O) long and (R, O, L).
    """
    bin_size = size / bins
    if sampling_ratio > 0:
        num_samples = torch.full_like(bin_size, sampling_ratio)
    else:
        num_samples = bin_size.ceil()  # none in a box without area, which pools to zero
    divisor = num_samples.clamp(min=1)
    sample = torch.arange(int(divisor.max()) if len(divisor) else 1, dtype=start.dtype)
    offset = torch.arange(bins)[:, None] + (sample + 0.5) / divisor[:, None, None]
    position = start[:, None, None] + bin_size[:, None, None] * offset  # R, O, S
    last = (limit - 1)[:, None, None].to(position)
    # a sample more than a pixel outside the map counts as zero, nearer ones as the border pixel
    counts = (sample < num_samples[:, None, None]) & (position >= -1) & (position <= last + 1)
    weight = counts / divisor[:, None, None]
    position = torch.minimum(position.clamp(min=0), last)
    lower = torch.minimum(position.floor(), (last - 1).clamp(min=0))
    fraction = position - lower
    lower = lower.long()
    first = lower.amin(dim=2)
    distance = lower - first[:, :, None]
    length = int((distance * counts).max()) + 2 if distance.numel() else 2
    distance = distance.clamp(max=length - 2)
    weights = torch.zeros(*first.shape, length, dtype=start.dtype)
    weights.scatter_add_(2, distance, weight * (1 - fraction))
    weights.scatter_add_(2, distance + 1, weight * fraction)
    return first, weights


class _SparseProduct(torch.autograd.Function):
    """Sparse (rows x pixels) times dense (pixels x channels), with a gradient for the dense."""

    @staticmethod
    def forward(ctx: Any, dense: Tensor, starts: Tensor, columns: Tensor, values: Tensor) -> Tensor:
        ctx.save_for_backward(starts, columns, values)
        ctx.num_pixels = len(dense)
        matrix = torch.sparse_csr_tensor(
            starts, columns, values, (len(starts) - 1, len(dense)), check_invariants=False
        )
        with torch.autocast("cpu", enabled=False):  # sparse products exist in float32 only
            return matrix @ dense

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        starts, columns, values = ctx.saved_tensors
        # the same three arrays read as CSC are the transposed matrix
        transposed = torch.sparse_csc_tensor(
            starts, columns, values, (ctx.num_pixels, len(starts) - 1), check_invariants=False
        )
        return transposed.to_sparse_csr() @ grads[0].contiguous(), None, None, None
