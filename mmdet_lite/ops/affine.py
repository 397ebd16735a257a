"""Affine maps of an image: of its pixels, and of the points and boxes in it.

A matrix is (2, 3) float64 and maps x, y in continuous pixels, where the first pixel covers 0..1.
OpenCV counts pixels by their index instead, so that the centre of the first one is 0, 0;
``of_indices`` and ``of_continuous`` go from one way of counting to the other.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
CHANNELS_AT_ONCE = 4  # OpenCV fills the border of no more


def transform_points(points: NDArray[np.floating], matrix: Matrix) -> NDArray[np.float64]:
    """Map points (..., 2), x and y; returns the same shape.

    >>> transform_points(np.array([[1.0, 2.0]]), np.array([[2.0, 0, 5], [0, 1, 0]])).tolist()
    [[7.0, 2.0]]
    """
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float64)


def transform_boxes(boxes: NDArray[np.floating], matrix: Matrix) -> NDArray[np.float32]:
    """Map boxes (G, 4) xyxy to the upright boxes around their four mapped corners, float32.

    A turned box therefore grows, also where its object would not. G = 0 gives (0, 4).
    Source: MMDetection 3 does the same.

    >>> quarter = np.array([[0.0, -1, 10], [1, 0, 0]])
    >>> transform_boxes(np.array([[1.0, 2, 3, 8]]), quarter).tolist()
    [[2.0, 1.0, 8.0, 3.0]]
    """
    corners = boxes[:, [0, 1, 2, 1, 0, 3, 2, 3]].reshape(-1, 4, 2)
    moved = transform_points(corners, matrix)
    hull = np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)
    return hull.astype(np.float32)


def of_indices(
    matrix: Matrix, from_xy: Sequence[float] = (0, 0), to_xy: Sequence[float] = (0, 0)
) -> Matrix:
    """The map between indices of pixels, as OpenCV wants it, for one of continuous pixels.

    ``from_xy`` and ``to_xy``: where the arrays of pixels begin that are mapped, and mapped to.

    >>> of_indices(np.array([[2.0, 0, 0], [0, 2, 0]])).tolist()
    [[2.0, 0.0, 0.5], [0.0, 2.0, 0.5]]
    """
    shift = transform_points(np.asarray(from_xy, np.float64) + 0.5, matrix) - to_xy - 0.5
    return np.concatenate([matrix[:, :2], shift[:, None]], axis=1)


def of_continuous(matrix: Matrix) -> Matrix:
    """The map of continuous pixels for one between indices of pixels; undoes ``of_indices``."""
    shift = transform_points(np.array([-0.5, -0.5]), matrix) + 0.5
    return np.concatenate([matrix[:, :2], shift[:, None]], axis=1)


def warp_image(
    img: NDArray[np.generic],
    matrix: Matrix,
    size_hw: tuple[int, int],
    fill: float | Sequence[float] = 0,
    interpolation: str = "bilinear",
) -> NDArray[np.generic]:
    """Map an image (H, W) or (H, W, C), any number of channels, into a frame of ``size_hw``.

    Args:
        img: uint8 or float; unchanged.
        matrix: from its continuous pixels to those of the new frame.
        size_hw: height and width of the new frame.
        fill: value of pixels that come from outside of the image, one or one a channel.
        interpolation: one of ``INTERPOLATIONS``.

    Raises:
        ValueError: ``fill`` has another number of values than the image has channels.
    """
    channels = 1 if img.ndim == 2 else img.shape[2]
    fills = np.ravel(fill).astype(np.float64)
    if len(fills) not in (1, channels):
        raise ValueError(
            f"the border of an image of {channels} channels needs one value, or one a channel; "
            f"got {tuple(fills.tolist())}"
        )
    fills = np.broadcast_to(fills, channels)
    planes = img.reshape(*img.shape[:2], channels)
    warped = np.empty((*size_hw, channels), img.dtype)
    for first in range(0, channels, CHANNELS_AT_ONCE):
        part = slice(first, first + CHANNELS_AT_ONCE)
        done = cv2.warpAffine(
            np.ascontiguousarray(planes[..., part]),
            of_indices(matrix),
            (size_hw[1], size_hw[0]),
            flags=INTERPOLATIONS[interpolation],
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=fills[part].tolist(),
        )
        warped[..., part] = done.reshape(*size_hw, -1)  # OpenCV drops a single channel's axis
    return warped.reshape(*size_hw, *img.shape[2:])
