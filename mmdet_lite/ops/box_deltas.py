"""Boxes as offsets from reference boxes, the regression target of the R-CNN family."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# exp(dh) may enlarge a box at most by this factor; the number is Detectron's
MAX_LOG_RATIO = abs(math.log(16 / 1000))


def encode_deltas(
    boxes: Tensor, targets: Tensor, means: Sequence[float], stds: Sequence[float]
) -> Tensor:
    """Offsets that turn ``boxes`` into ``targets``, normalised.

    Shapes: boxes and targets (..., 4) xyxy; returns (..., 4) as (dx, dy, dw, dh).
    Source: R-CNN, appendix C; Faster R-CNN, eq. 2.

    >>> box, target = torch.tensor([[0., 0., 2., 2.]]), torch.tensor([[1., 0., 3., 2.]])
    >>> encode_deltas(box, target, (0, 0, 0, 0), (1, 1, 1, 1)).tolist()
    [[0.5, 0.0, 0.0, 0.0]]
    """
    wh, target_wh = boxes[..., 2:] - boxes[..., :2], targets[..., 2:] - targets[..., :2]
    centres = (boxes[..., 2:] + boxes[..., :2]) / 2
    target_centres = (targets[..., 2:] + targets[..., :2]) / 2
    deltas = torch.cat([(target_centres - centres) / wh, torch.log(target_wh / wh)], dim=-1)
    return (deltas - deltas.new_tensor(means)) / deltas.new_tensor(stds)


def decode_deltas(
    boxes: Tensor,
    deltas: Tensor,
    means: Sequence[float],
    stds: Sequence[float],
    max_log_ratio: float = MAX_LOG_RATIO,
    max_centre_shift: float | None = None,
) -> Tensor:
    """Boxes that ``deltas`` say, the inverse of :func:`encode_deltas`.

    Shapes: boxes (..., 4) and deltas (..., 4) broadcast; returns their common shape, not clipped
    to any image. ``max_centre_shift`` in pixels bounds how far a centre moves; sizes are then
    bounded above only (YOLOF's rule).

    >>> boxes, deltas = torch.tensor([[0., 0., 2., 2.]]), torch.tensor([[.5, 0., 0., 0.]])
    >>> decode_deltas(boxes, deltas, (0, 0, 0, 0), (1, 1, 1, 1)).tolist()
    [[1.0, 0.0, 3.0, 2.0]]
    """
    deltas = deltas * deltas.new_tensor(stds) + deltas.new_tensor(means)
    wh = boxes[..., 2:] - boxes[..., :2]
    centres = (boxes[..., 2:] + boxes[..., :2]) / 2
    shifts, log_wh = deltas[..., :2] * wh, deltas[..., 2:]
    if max_centre_shift is not None:
        shifts = shifts.clamp(-max_centre_shift, max_centre_shift)
        log_wh = log_wh.clamp(max=max_log_ratio)
    else:
        log_wh = log_wh.clamp(-max_log_ratio, max_log_ratio)
    half = wh * log_wh.exp() / 2
    centres = centres + shifts
    return torch.cat([centres - half, centres + half], dim=-1)
