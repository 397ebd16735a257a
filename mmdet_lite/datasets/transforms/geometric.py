"""Turning, shearing and shifting by a level, for AutoAugment and RandAugment."""

import math
from collections.abc import Sequence
from typing import ClassVar

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmdet_lite.datasets.transforms.arguments import check_border_values, check_probability
from mmdet_lite.datasets.transforms.instances import warp_instances
from mmdet_lite.datasets.transforms.magnitude import draw_magnitude, magnitude_range
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.ops.affine import INTERPOLATIONS, Matrix, of_continuous, warp_image
from mmdet_lite.registry import TRANSFORMS


class GeomTransform(BaseTransform):
    """A map of the image by a magnitude, with boxes, masks and keypoints, in the same frame.

    Boxes become those around their four mapped corners, clipped to the image; objects that leave it
    are dropped, keypoints there become unlabelled.

    Args:
        prob: how often.
        level: 0 to 10, from ``min_mag`` to ``max_mag``; None: drawn between the two.
        min_mag: smallest magnitude; None: that of the class.
        max_mag: largest magnitude; None: that of the class.
        reversal_prob: how often to the other side.
        img_border_value: value of pixels from outside of the image, one or one a channel.
        mask_border_value: can only be 0: no object is there.
        seg_ignore_label: can only be 255, as there are no maps of classes.
        interpolation: 'nearest', 'bilinear', 'bicubic' or 'lanczos'.

    Raises:
        ValueError: a number out of its range, or a value that is not supported.

    Source: AutoAugment for detection (Zoph et al. 2019); arguments and magnitudes are MMDetection
    3's, the images those of mmcv's imrotate, imshear and imtranslate.
    """

    magnitudes: ClassVar[tuple[float, float]]

    def __init__(
        self,
        prob: float = 1.0,
        level: int | None = None,
        min_mag: float | None = None,
        max_mag: float | None = None,
        reversal_prob: float = 0.5,
        img_border_value: float | Sequence[float] = 128,
        mask_border_value: int = 0,
        seg_ignore_label: int = 255,
        interpolation: str = "bilinear",
    ) -> None:
        name = type(self).__name__
        self.min_mag, self.max_mag = magnitude_range(
            name, self.magnitudes, prob, level, min_mag, max_mag
        )
        check_probability(name, "reversal_prob", reversal_prob)
        check_border_values(name, mask_border_value, seg_ignore_label)
        if interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"{name}: interpolation must be one of {list(INTERPOLATIONS)}; "
                f"got {interpolation!r}"
            )
        self.prob = prob
        self.level = level
        self.reversal_prob = reversal_prob
        self.img_border_value = img_border_value
        self.interpolation = interpolation

    @cache_randomness
    def _draw(self) -> float | None:
        """Draw the magnitude with its sign, or None for no change."""
        magnitude = draw_magnitude(self.prob, self.level, self.min_mag, self.max_mag)
        if magnitude is None:
            return None
        return -magnitude if np.random.rand() < self.reversal_prob else magnitude

    def _index_matrix(self, magnitude: float, size_hw: tuple[int, int]) -> Matrix:
        """The map between indices of pixels, (2, 3)."""
        raise TypeError("GeomTransform is no transform itself: use Rotate, ShearX, TranslateX ...")

    def transform(self, results: Results) -> Results:
        """Map the image and everything in it."""
        magnitude = self._draw()
        if magnitude is None:
            return results
        size_hw = results["img"].shape[:2]
        matrix = of_continuous(self._index_matrix(magnitude, size_hw))
        img = warp_image(results["img"], matrix, size_hw, self.img_border_value, self.interpolation)
        return {**warp_instances(results, matrix, size_hw), "img": img, "img_shape": size_hw}

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(prob={self.prob}, level={self.level}, min_mag={self.min_mag}, "
            f"max_mag={self.max_mag}, reversal_prob={self.reversal_prob}, "
            f"img_border_value={self.img_border_value}, interpolation={self.interpolation!r})"
        )


@TRANSFORMS.register_module()
class Rotate(GeomTransform):
    """Turn around the centre, clockwise; the magnitude is in degrees. See GeomTransform."""

    magnitudes = (0.0, 30.0)

    def _index_matrix(self, magnitude: float, size_hw: tuple[int, int]) -> Matrix:
        center = ((size_hw[1] - 1) / 2, (size_hw[0] - 1) / 2)
        return np.asarray(cv2.getRotationMatrix2D(center, -magnitude, 1.0), np.float64)


@TRANSFORMS.register_module()
class ShearX(GeomTransform):
    """Move rows to the right, lower ones further; in degrees. See GeomTransform."""

    magnitudes = (0.0, 30.0)

    def _index_matrix(self, magnitude: float, size_hw: tuple[int, int]) -> Matrix:
        return np.array([[1.0, math.tan(math.radians(magnitude)), 0], [0, 1, 0]])


@TRANSFORMS.register_module()
class ShearY(GeomTransform):
    """Move columns down, those to the right further; in degrees. See GeomTransform."""

    magnitudes = (0.0, 30.0)

    def _index_matrix(self, magnitude: float, size_hw: tuple[int, int]) -> Matrix:
        return np.array([[1.0, 0, 0], [math.tan(math.radians(magnitude)), 1, 0]])


@TRANSFORMS.register_module()
class TranslateX(GeomTransform):
    """Move to the right; the magnitude is a part of the width. See GeomTransform."""

    magnitudes = (0.0, 0.1)

    def _index_matrix(self, magnitude: float, size_hw: tuple[int, int]) -> Matrix:
        return np.array([[1.0, 0, magnitude * size_hw[1]], [0, 1, 0]])


@TRANSFORMS.register_module()
class TranslateY(GeomTransform):
    """Move down; the magnitude is a part of the height. See GeomTransform."""

    magnitudes = (0.0, 0.1)

    def _index_matrix(self, magnitude: float, size_hw: tuple[int, int]) -> Matrix:
        return np.array([[1.0, 0, 0], [0, 1, magnitude * size_hw[0]]])
