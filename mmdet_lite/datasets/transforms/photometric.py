"""Random changes of colour."""

from typing import Any

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from numpy.typing import NDArray

from mmdet_lite.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PhotoMetricDistortion(BaseTransform):
    """Change brightness, contrast, saturation, hue and channel order, each with chance 1/2.

    Contrast comes before or after the colours, with chance 1/2. The image becomes float32 and is
    not clipped to 0..255.

    Args:
        brightness_delta: largest amount added, in grey levels.
        contrast_range: smallest and largest factor.
        saturation_range: smallest and largest factor.
        hue_delta: largest turn in degrees.

    Raises:
        ValueError: a range does not begin with its smaller number.

    Source: SSD (Liu et al. 2016); numbers and order are MMDetection 3's.
    """

    def __init__(
        self,
        brightness_delta: float = 32,
        contrast_range: tuple[float, float] = (0.5, 1.5),
        saturation_range: tuple[float, float] = (0.5, 1.5),
        hue_delta: float = 18,
    ) -> None:
        for name, (low, high) in {
            "contrast_range": contrast_range,
            "saturation_range": saturation_range,
        }.items():
            if not 0 <= low <= high:
                raise ValueError(
                    f"PhotoMetricDistortion: {name}: 0 <= low <= high; got {low, high}"
                )
        self.brightness_delta = brightness_delta
        self.contrast_range = contrast_range
        self.saturation_range = saturation_range
        self.hue_delta = hue_delta

    @cache_randomness
    def _draw(self) -> dict[str, Any]:
        """Draw what is done; a neutral number where nothing is."""
        chance = np.random.rand(6) < 0.5
        return {
            "contrast_first": chance[0],
            "brightness": chance[1] * np.random.uniform(-1, 1) * self.brightness_delta,
            "contrast": np.random.uniform(*self.contrast_range) if chance[2] else 1.0,
            "saturation": np.random.uniform(*self.saturation_range) if chance[3] else 1.0,
            "hue": chance[4] * np.random.uniform(-1, 1) * self.hue_delta,
            "channels": np.random.permutation(3) if chance[5] else np.arange(3),
        }

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Distort ``results['img']`` (H, W, 3) BGR."""
        drawn = self._draw()
        img = results["img"].astype(np.float32) + np.float32(drawn["brightness"])
        if drawn["contrast_first"]:
            img *= np.float32(drawn["contrast"])
        if drawn["saturation"] != 1 or drawn["hue"] != 0:
            img = mmcv.bgr2hsv(img)  # hue in degrees, saturation in 0..1
            img[..., 1] *= drawn["saturation"]
            if drawn["saturation"] > 1:
                img[..., 1] = img[..., 1].clip(0, 1)
            img[..., 0] = (img[..., 0] + drawn["hue"]) % 360
            img = mmcv.hsv2bgr(img)
        if not drawn["contrast_first"]:
            img *= np.float32(drawn["contrast"])
        return {**results, "img": img[..., drawn["channels"]]}

    def __repr__(self) -> str:
        return (
            f"PhotoMetricDistortion(brightness_delta={self.brightness_delta}, "
            f"contrast_range={self.contrast_range}, saturation_range={self.saturation_range}, "
            f"hue_delta={self.hue_delta})"
        )


@TRANSFORMS.register_module()
class YOLOXHSVRandomAug(BaseTransform):
    """Add to hue, saturation and value of the image, each with chance 1/2; the image stays uint8.

    Args:
        hue_delta: largest amount in OpenCV's hue, which is half the angle in degrees (0..179).
        saturation_delta: largest amount, in 0..255.
        value_delta: largest amount, in 0..255.

    Raises:
        ValueError: a negative number, or an image that is not uint8 of 3 channels.

    Source: YOLOX (Ge et al. 2021); arguments are MMDetection 3's.
    """

    def __init__(
        self, hue_delta: int = 5, saturation_delta: int = 30, value_delta: int = 30
    ) -> None:
        deltas = (hue_delta, saturation_delta, value_delta)
        if min(deltas) < 0:
            raise ValueError(
                "YOLOXHSVRandomAug: hue_delta, saturation_delta and value_delta must not be "
                f"negative; got {deltas}"
            )
        self.deltas = deltas

    @cache_randomness
    def _draw(self) -> NDArray[np.int16]:
        """Draw what is added to each."""
        amounts = np.random.uniform(-1, 1, 3) * self.deltas * (np.random.rand(3) < 0.5)
        return amounts.astype(np.int16)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``results['img']`` (H, W, 3) BGR."""
        check_bgr_uint8(results["img"], "YOLOXHSVRandomAug")
        amounts = self._draw()
        hsv = cv2.cvtColor(results["img"], cv2.COLOR_BGR2HSV).astype(np.int16) + amounts
        hsv[..., 0] %= 180
        hsv = hsv.clip(0, 255).astype(np.uint8)
        return {**results, "img": cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)}

    def __repr__(self) -> str:
        hue, saturation, value = self.deltas
        return (
            f"YOLOXHSVRandomAug(hue_delta={hue}, saturation_delta={saturation}, "
            f"value_delta={value})"
        )


def check_bgr_uint8(img: NDArray[Any], name: str) -> None:
    """Raise ValueError unless an image is (H, W, 3) uint8."""
    if img.dtype != np.uint8 or img.ndim != 3 or img.shape[2] != 3:
        raise ValueError(
            f"{name} needs an image of 3 channels of uint8; got shape {img.shape} of {img.dtype}; "
            "put it before transforms that make the image float (PhotoMetricDistortion), and leave "
            "it out for images of other channels"
        )
