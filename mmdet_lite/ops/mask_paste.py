"""Masks predicted over a box, as run lengths in the whole image, through the box alone."""

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mmdet_lite.ops.rle import RLE, encode_crop


def masks_to_rle(
    mask_probs: Tensor,
    boxes_orig: Tensor,
    size_hw: tuple[int, int],
    threshold: float = 0.5,
    whole_pixels: bool = False,
) -> list[RLE]:
    """Stretch each mask over its box, threshold it, and encode it.

    Shapes: mask_probs (D, h, w) in [0, 1]; boxes_orig (D, 4) in pixels of an image of ``size_hw``.
    A pixel belongs to the mask if the bilinear value at its centre reaches ``threshold``. The
    image itself is never made: the cost is that of the boxes. D = 0 gives []; a box without area,
    or outside the image, gives an empty mask. ``whole_pixels`` rounds a box to whole pixels, its
    last one included, as Detectron and torchvision do.
    Source: the values are those of MMDetection 3's mask pasting (grid_sample over the image), with
    ``whole_pixels`` those of torchvision 0.29.
    """
    probs = mask_probs.float().cpu().numpy()
    boxes = boxes_orig.double().cpu().numpy()
    return [
        _paste_one(prob, box, size_hw, threshold, whole_pixels)
        for prob, box in zip(probs, boxes, strict=True)
    ]


def _paste_one(
    prob: NDArray[np.float32],
    box: NDArray[np.float64],
    size_hw: tuple[int, int],
    threshold: float,
    whole_pixels: bool,
) -> RLE:
    resampling = _resampling_whole_pixels if whole_pixels else _resampling
    top, rows = resampling(box[1], box[3], prob.shape[0], size_hw[0])
    left, columns = resampling(box[0], box[2], prob.shape[1], size_hw[1])
    # bilinear interpolation is separable: two small products instead of a gather a pixel
    crop = rows @ prob @ columns.T >= threshold
    return encode_crop(crop, left, top, size_hw)


def _resampling(
    low: float, high: float, num_cells: int, limit: int
) -> tuple[int, NDArray[np.float32]]:
    """Along one axis: the first pixel that the mask may touch, and how cells mix into pixels.

    The matrix has a row for each pixel and a column for each cell; cells outside count as zero, so
    that values fade out within half a cell outside the box.
    """
    if not high > low:
        return 0, np.zeros((0, num_cells), np.float32)
    fade = (high - low) / num_cells / 2
    first = min(max(math.floor(low - fade) - 1, 0), limit)
    last = min(max(math.ceil(high + fade) + 1, first), limit)
    centres = np.arange(first, last) + 0.5
    cell = (centres - low) / (high - low) * num_cells - 0.5
    distance = np.abs(cell[:, None] - np.arange(num_cells))
    return first, np.maximum(1 - distance, 0).astype(np.float32)


def _resampling_whole_pixels(
    low: float, high: float, num_cells: int, limit: int
) -> tuple[int, NDArray[np.float32]]:
    """The same for a box with an empty cell on either side, cut to whole pixels, and one more."""
    half = (high - low) / 2 * (num_cells + 2) / num_cells
    centre = (high + low) / 2
    first, last = int(centre - half), int(centre + half)
    size = max(last - first + 1, 1)
    start = min(max(first, 0), limit)
    pixels = np.arange(start, max(min(last + 1, limit), start))
    cell = (pixels - first + 0.5) / size * (num_cells + 2) - 1.5
    distance = np.abs(cell[:, None] - np.arange(num_cells))
    return start, np.maximum(1 - distance, 0).astype(np.float32)
