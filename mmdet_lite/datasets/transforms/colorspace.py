"""Changes of colour by a level, for AutoAugment and RandAugment."""

import math
from typing import ClassVar

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from numpy.typing import NDArray

from mmdet_lite.datasets.transforms.magnitude import draw_magnitude, magnitude_range
from mmdet_lite.datasets.transforms.photometric import check_bgr_uint8
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.registry import TRANSFORMS

Image = NDArray[np.uint8]
BLEND = (0.1, 1.9)  # 1 changes nothing


@TRANSFORMS.register_module()
class ColorTransform(BaseTransform):
    """A change of colours by a magnitude; this one itself leaves the image as it is.

    Args:
        prob: how often.
        level: 0 to 10, from ``min_mag`` to ``max_mag``; None: drawn between the two.
        min_mag: smallest magnitude; None: that of the class.
        max_mag: largest magnitude; None: that of the class.

    Raises:
        ValueError: a number out of its range, or an image that is not (H, W, 3) uint8.

    Source: AutoAugment (Cubuk et al. 2018); arguments and magnitudes are MMDetection 3's, the
    changes mmcv's.
    """

    magnitudes: ClassVar[tuple[float, float]] = BLEND

    def __init__(
        self,
        prob: float = 1.0,
        level: int | None = None,
        min_mag: float | None = None,
        max_mag: float | None = None,
    ) -> None:
        self.min_mag, self.max_mag = magnitude_range(
            type(self).__name__, self.magnitudes, prob, level, min_mag, max_mag
        )
        self.prob = prob
        self.level = level

    @cache_randomness
    def _draw(self) -> float | None:
        """Draw the magnitude, or None for no change."""
        return draw_magnitude(self.prob, self.level, self.min_mag, self.max_mag)

    def _changed(self, img: Image, magnitude: float) -> Image:
        return img

    def transform(self, results: Results) -> Results:
        """Change the image, into a new array."""
        magnitude = self._draw()
        if magnitude is None:
            return results
        check_bgr_uint8(results["img"], type(self).__name__)
        return {**results, "img": self._changed(results["img"], magnitude)}

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(prob={self.prob}, level={self.level}, "
            f"min_mag={self.min_mag}, max_mag={self.max_mag})"
        )


@TRANSFORMS.register_module()
class Color(ColorTransform):
    """Blend with the grey image: 0 is grey. See ColorTransform."""

    def _changed(self, img: Image, magnitude: float) -> Image:
        return mmcv.adjust_color(img, magnitude, backend="cv2")


@TRANSFORMS.register_module()
class Brightness(ColorTransform):
    """Blend with black: 0 is black. See ColorTransform."""

    def _changed(self, img: Image, magnitude: float) -> Image:
        return mmcv.adjust_brightness(img, magnitude, backend="cv2")


@TRANSFORMS.register_module()
class Contrast(ColorTransform):
    """Blend with the mean grey: 0 is one grey. See ColorTransform."""

    def _changed(self, img: Image, magnitude: float) -> Image:
        return mmcv.adjust_contrast(img, magnitude, backend="cv2")


@TRANSFORMS.register_module()
class Sharpness(ColorTransform):
    """Blend with a smoothed image: 0 is smooth, more than 1 sharper. See ColorTransform."""

    def _changed(self, img: Image, magnitude: float) -> Image:
        return mmcv.adjust_sharpness(img, magnitude)


@TRANSFORMS.register_module()
class Solarize(ColorTransform):
    """Invert pixels that are not below the magnitude. See ColorTransform."""

    magnitudes = (0.0, 256.0)

    def _changed(self, img: Image, magnitude: float) -> Image:
        return mmcv.solarize(img, math.floor(magnitude))


@TRANSFORMS.register_module()
class SolarizeAdd(ColorTransform):
    """Add the magnitude to pixels below 128. See ColorTransform."""

    magnitudes = (0.0, 110.0)

    def _changed(self, img: Image, magnitude: float) -> Image:
        brighter = np.minimum(img.astype(np.int16) + math.floor(magnitude), 255)
        return np.where(img < 128, brighter, img).astype(np.uint8)


@TRANSFORMS.register_module()
class Posterize(ColorTransform):
    """Keep the highest bits, as many as the magnitude rounded up, at least 1. See ColorTransform.

    No bits would be a black image.
    """

    magnitudes = (0.0, 4.0)

    def _changed(self, img: Image, magnitude: float) -> Image:
        return mmcv.posterize(img, min(max(math.ceil(magnitude), 1), 8))


@TRANSFORMS.register_module()
class Equalize(ColorTransform):
    """Make all values of each channel as frequent; no magnitude. See ColorTransform."""

    def _changed(self, img: Image, magnitude: float) -> Image:
        return mmcv.imequalize(img)


@TRANSFORMS.register_module()
class AutoContrast(ColorTransform):
    """Stretch each channel to 0..255; no magnitude. See ColorTransform."""

    def _changed(self, img: Image, magnitude: float) -> Image:
        return mmcv.auto_contrast(img)


@TRANSFORMS.register_module()
class Invert(ColorTransform):
    """Make the negative; no magnitude. See ColorTransform."""

    def _changed(self, img: Image, magnitude: float) -> Image:
        return mmcv.iminvert(img)
