"""Arrays of any pipeline step as pictures: channels, order and range as a screen wants them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.visualization.labels import Picture


def as_picture(image: Any, norm: Mapping[str, Any] | None = None) -> Picture:
    """Return an image as RGB (H, W, 3) uint8.

    Args:
        image: (H, W) or (H, W, C) array in the order BGR of loaded images, or a (C, H, W) tensor
            as PackDetInputs makes it; unchanged. One and two channels are shown as grey, of more
            than three the first three.
        norm: ``img_norm_cfg`` of a Normalize step: ``mean`` and ``std`` are undone, and the
            channels are in the order RGB if it has ``to_rgb``.

    Values are cut to 0..255. Only where that would show nothing (16 bits, or floats around 0
    without ``norm``) the image's own range is stretched to it. Values that are not finite are
    black.

    Raises:
        ValueError: no image.

    >>> as_picture(np.array([[[255, 0, 10]]], np.uint8)).tolist()
    [[[10, 0, 255]]]
    """
    pixels = np.moveaxis(image.numpy(), 0, -1) if hasattr(image, "numpy") else np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or not pixels.size:
        raise ValueError(f"an image is (H, W) or (H, W, C), not empty; got {np.shape(image)}")
    is_rgb = False
    if norm is not None:
        pixels = pixels * np.asarray(norm["std"], float) + np.asarray(norm["mean"], float)
        is_rgb = bool(norm.get("to_rgb", False))
    pixels = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1].repeat(3, axis=2)
    pixels = pixels if is_rgb else pixels[..., ::-1]
    return np.ascontiguousarray(_in_range(pixels, stretch=norm is None))


def _in_range(pixels: NDArray[Any], stretch: bool) -> Picture:
    if pixels.dtype == np.uint8:
        return pixels
    is_float = np.issubdtype(pixels.dtype, np.floating)
    pixels = np.nan_to_num(pixels.astype(float), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(pixels.min()), float(pixels.max())
    # PhotoMetricDistortion goes a little beyond 255: that is to be seen as the model sees it
    if stretch and high > low and (high > 4 * 255 or (is_float and high <= 16)):
        pixels = (pixels - low) * (255 / (high - low))
    return pixels.round().clip(0, 255).astype(np.uint8)
