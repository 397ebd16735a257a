"""Keypoints: mirrored, drawn as targets of heatmaps, and read from heatmaps.

Letters: R boxes with keypoints, J joints of an object, h w cells of a heatmap.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmdet_lite.ops.like_sizes import stretches_of_like_size

Points = TypeVar("Points", Tensor, NDArray[np.float32])

NOT_VISIBLE = -1
# of enlarged heatmaps: what a CPU's cache holds; on a GPU few large steps, of 64 MiB
PIXELS_AT_ONCE = {"cpu": 1 << 18}
PIXELS_AT_ONCE_ELSEWHERE = 1 << 24
CUBIC_A = -0.75  # of the bicubic kernel, as PyTorch and OpenCV have it


def flip_keypoints(
    keypoints: Points, size_hw: tuple[int, int], direction: str, flip_indices: Sequence[int]
) -> Points:
    """Mirror keypoints with their image; what was a left joint becomes a right one.

    Shapes: keypoints (..., J, 2 or more), x and y first, in pixels of an image of ``size_hw``;
    tensor or array, unchanged; returns the same. ``flip_indices`` (J,): the joint that each one
    becomes in a mirror. Turning around ('diagonal') is no mirroring: left stays left.

    >>> flip_keypoints(torch.tensor([[1., 5.], [2., 6.]]), (10, 8), "horizontal", (1, 0)).tolist()
    [[6.0, 6.0], [7.0, 5.0]]
    """
    if direction not in ("horizontal", "vertical", "diagonal"):
        raise ValueError(
            f"direction of a flip is 'horizontal', 'vertical' or 'diagonal', got {direction!r}"
        )
    if len(flip_indices) != keypoints.shape[-2]:
        raise ValueError(
            f"flip_indices name {len(flip_indices)} joints, the keypoints have "
            f"{keypoints.shape[-2]}"
        )
    order = list(range(len(flip_indices))) if direction == "diagonal" else list(flip_indices)
    flipped = keypoints[..., order, :]  # indexing by a list makes a copy
    if direction != "vertical":
        flipped[..., 0] = size_hw[1] - flipped[..., 0]
    if direction != "horizontal":
        flipped[..., 1] = size_hw[0] - flipped[..., 1]
    return flipped


def heatmap_targets(keypoints: Tensor, boxes: Tensor, heatmap_hw: tuple[int, int]) -> Tensor:
    """The cell of its box's heatmap in which each joint lies.

    Shapes: keypoints (R, J, 3) x, y, visibility and boxes (R, 4) in the same pixels; returns
    (R, J) long, ``row * w + column``, and -1 for a joint that is not labelled (visibility 0) or
    outside of the box. A joint on the right or lower border belongs to the last cell.
    Source: Detectron's keypoints_to_heatmap_labels.

    >>> joints = torch.tensor([[[4., 9., 2.], [20., 3., 1.], [1., 1., 0.], [21., 3., 1.]]])
    >>> heatmap_targets(joints, torch.tensor([[0., 0., 20., 10.]]), (5, 10)).tolist()
    [[42, 19, -1, -1]]
    """
    height, width = heatmap_hw
    size = boxes.new_tensor([width, height])
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    points = keypoints[..., :2]
    cell = ((points - low) * (size / (high - low))).floor()
    cell = torch.where(points == high, size - 1, cell)
    inside = ((cell >= 0) & (cell < size)).all(dim=-1) & (keypoints[..., 2] > 0)
    cell = cell.masked_fill(~inside[..., None], 0).long()  # boxes without area give NaN
    return (cell[..., 1] * width + cell[..., 0]).masked_fill(~inside, NOT_VISIBLE)


def decode_heatmaps(heatmaps: Tensor, boxes: Tensor) -> Tensor:
    """The peak of each joint's heatmap, looked for at the size that its box has in pixels.

    Shapes: heatmaps (R, J, h, w) of any finite values, boxes (R, 4); returns (R, J, 3) float32:
    x and y in the pixels of ``boxes``, and the value at the peak. R = 0 gives (0, J, 3).

    Each heatmap is enlarged to its box (rounded up to whole pixels, at least 1) by bicubic
    interpolation, the highest pixel is taken, and its centre counts. Boxes of like size are
    enlarged together as products with the interpolation's matrices; one question to the host.
    Source: Detectron's heatmaps_to_keypoints; same values as torchvision's function of this name.
    """
    boxes = boxes.float()
    sizes = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
    pixels = sizes.ceil().long()
    order = pixels.prod(dim=1).argsort(stable=True)
    decoded = boxes.new_zeros(*heatmaps.shape[:2], 3)
    most = PIXELS_AT_ONCE.get(boxes.device.type, PIXELS_AT_ONCE_ELSEWHERE)
    # half precision would move peaks
    with torch.autocast(boxes.device.type, enabled=False):
        for start, end in stretches_of_like_size(pixels[order].tolist(), most // heatmaps.shape[1]):
            rows = order[start:end]
            decoded[rows] = _peaks(heatmaps[rows].float(), pixels[rows])
    scale, offset = (sizes / pixels)[:, None], boxes[:, None, :2]
    return torch.cat([decoded[..., :2] * scale + offset, decoded[..., 2:]], dim=-1)


def _peaks(heatmaps: Tensor, pixels_wh: Tensor) -> Tensor:
    """Centre of the highest pixel of each heatmap (R, J, h, w) at its size, and the value there."""
    columns = _bicubic_matrix(heatmaps.shape[3], pixels_wh[:, 0])
    rows = _bicubic_matrix(heatmaps.shape[2], pixels_wh[:, 1])
    enlarged = rows[:, None] @ (heatmaps @ columns.transpose(1, 2)[:, None])
    highest_of_row = enlarged.amax(dim=3)  # far faster than one argmax over all
    y = highest_of_row.argmax(dim=2, keepdim=True)
    row = enlarged.gather(2, y[..., None].expand(-1, -1, -1, enlarged.shape[3]))[:, :, 0]
    value, x = row.max(dim=2, keepdim=True)
    cell = torch.minimum(torch.cat([x, y], dim=2), pixels_wh[:, None] - 1)
    return torch.cat([cell + 0.5, value], dim=2)


def _bicubic_matrix(num_cells: int, num_pixels: Tensor) -> Tensor:
    """How cells mix into pixels along one axis: (R, most pixels, num_cells).

    Rows beyond ``num_pixels`` (R,) repeat the last one; a peak found there is the last pixel's.
    """
    most = int(num_pixels.max())
    pixel = torch.arange(most, device=num_pixels.device)
    pixel = torch.minimum(pixel, num_pixels[:, None] - 1)
    position = (pixel + 0.5) * (num_cells / num_pixels[:, None]) - 0.5
    first = position.floor()
    fraction = (position - first)[..., None]
    matrix = position.new_zeros(*position.shape, num_cells)
    for step in (-1, 0, 1, 2):
        cell = (first + step).clamp(0, num_cells - 1).long()[..., None]
        matrix.scatter_add_(2, cell, _cubic((fraction - step).abs()))
    return matrix


def _cubic(distance: Tensor) -> Tensor:
    """Keys' kernel at a distance of 0 to 2 cells."""
    near = ((CUBIC_A + 2) * distance - (CUBIC_A + 3)) * distance * distance + 1
    far = ((distance - 5) * distance + 8) * distance * CUBIC_A - 4 * CUBIC_A
    return torch.where(distance <= 1, near, far)
