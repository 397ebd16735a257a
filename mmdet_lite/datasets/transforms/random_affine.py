"""Random maps of the whole image: turned, resized, sheared, shifted."""

import math
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmdet_lite.datasets.transforms.arguments import check_probability
from mmdet_lite.datasets.transforms.filtering import select_instances
from mmdet_lite.datasets.transforms.instances import (
    shift_image,
    warp_instances,
)
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.ops.affine import Matrix, warp_image
from mmdet_lite.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomAffine(BaseTransform):
    """Resize, turn, shear and shift the image, with boxes, masks and keypoints.

    The first three are around the upper left corner. Boxes become those around their four mapped
    corners; objects that leave the frame are dropped, keypoints there become unlabelled.

    Args:
        max_rotate_degree: largest angle, to either side.
        max_translate_ratio: largest shift, as a part of the result's sides.
        scaling_ratio_range: smallest and largest factor.
        max_shear_degree: largest angle of x and of y, to either side.
        border: (x, y) pixels that the result is larger on each of two sides; negative after a
            Mosaic, minus half of its ``img_scale``.
        border_val: value of pixels from outside of the image, one or one a channel.
        bbox_clip_border: clip boxes to the result.

    Raises:
        ValueError: a number out of its range, or a border that leaves nothing of an image.

    Source: YOLOX (Ge et al. 2021); arguments are MMDetection 3's, which has boxes only, and maps
    them half a pixel beside the image where the factor is not 1.
    """

    def __init__(
        self,
        max_rotate_degree: float = 10.0,
        max_translate_ratio: float = 0.1,
        scaling_ratio_range: tuple[float, float] = (0.5, 1.5),
        max_shear_degree: float = 2.0,
        border: tuple[int, int] = (0, 0),
        border_val: float | Sequence[float] = (114, 114, 114),
        bbox_clip_border: bool = True,
    ) -> None:
        low, high = scaling_ratio_range
        if not 0 < low <= high:
            raise ValueError(
                f"RandomAffine: scaling_ratio_range: 0 < low <= high; got {(low, high)}"
            )
        check_probability("RandomAffine", "max_translate_ratio", max_translate_ratio)
        if not 0 <= max_shear_degree < 45:  # at 45 and 45 the image becomes a line
            raise ValueError(
                f"RandomAffine: max_shear_degree must be in 0..45, without 45; "
                f"got {max_shear_degree}"
            )
        self.max_rotate_degree = max_rotate_degree
        self.max_translate_ratio = max_translate_ratio
        self.scaling_ratio_range = (low, high)
        self.max_shear_degree = max_shear_degree
        self.border = (border[0], border[1])
        self.border_val = border_val
        self.bbox_clip_border = bbox_clip_border

    @cache_randomness
    def _draw_matrix(self, height: int, width: int) -> Matrix:
        """Draw the map into a frame of this size."""
        angle = math.radians(np.random.uniform(-self.max_rotate_degree, self.max_rotate_degree))
        factor = np.random.uniform(*self.scaling_ratio_range)
        limit = self.max_shear_degree
        shear_x, shear_y = np.tan(np.radians(np.random.uniform(-limit, limit, 2)))
        limit = self.max_translate_ratio
        shift = np.random.uniform(-limit, limit, 2) * (width, height)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        linear = np.array([[1, shear_x], [shear_y, 1]]) @ turn * factor
        return np.concatenate([linear, shift[:, None]], axis=1)

    def transform(self, results: Results) -> Results:
        """Map the image and everything in it."""
        height = results["img"].shape[0] + 2 * self.border[1]
        width = results["img"].shape[1] + 2 * self.border[0]
        if height <= 0 or width <= 0:
            raise ValueError(
                f"RandomAffine: border {self.border} (x, y) leaves nothing of an image of "
                f"{results['img'].shape[:2]} (height, width)"
            )
        matrix = self._draw_matrix(height, width)
        size_hw = (height, width)
        img = warp_image(results["img"], matrix, size_hw, self.border_val)
        results = warp_instances(results, matrix, size_hw, self.bbox_clip_border)
        return {**results, "img": img, "img_shape": size_hw}

    def __repr__(self) -> str:
        return (
            f"RandomAffine(max_rotate_degree={self.max_rotate_degree}, "
            f"max_translate_ratio={self.max_translate_ratio}, "
            f"scaling_ratio_range={self.scaling_ratio_range}, "
            f"max_shear_degree={self.max_shear_degree}, border={self.border}, "
            f"border_val={self.border_val}, bbox_clip_border={self.bbox_clip_border})"
        )


@TRANSFORMS.register_module()
class RandomShift(BaseTransform):
    """Shift the image by some pixels, black where nothing comes from, with all objects.

    Args:
        prob: how often.
        max_shift_px: largest shift to each side.
        filter_thr_px: pixels that width and height of a box must exceed afterwards for its object
            to stay.

    Raises:
        ValueError: a number out of its range.

    Source: YOLOF (Chen et al. 2021); arguments are MMDetection 3's. An image whose objects all
    left is kept.
    """

    def __init__(self, prob: float = 0.5, max_shift_px: int = 32, filter_thr_px: int = 1) -> None:
        check_probability("RandomShift", "prob", prob)
        if max_shift_px < 0 or filter_thr_px < 0:
            raise ValueError(
                "RandomShift: max_shift_px and filter_thr_px must not be negative; got "
                f"{max_shift_px} and {filter_thr_px}"
            )
        self.prob = prob
        self.max_shift_px = max_shift_px
        self.filter_thr_px = filter_thr_px

    @cache_randomness
    def _draw_shift(self) -> tuple[int, int] | None:
        """Draw the shift in x and y, or None."""
        if np.random.rand() >= self.prob:
            return None
        x, y = np.random.randint(-self.max_shift_px, self.max_shift_px + 1, 2)
        return int(x), int(y)

    def transform(self, results: Results) -> Results:
        """Shift the image and everything in it."""
        shift = self._draw_shift()
        if shift is None:
            return results
        left, top = shift
        results = shift_image(results, left, top, results["img"].shape[:2])
        if "gt_bboxes" not in results:
            return results
        sizes = results["gt_bboxes"][:, 2:] - results["gt_bboxes"][:, :2]
        return select_instances(results, (sizes > self.filter_thr_px).all(axis=1))

    def __repr__(self) -> str:
        return (
            f"RandomShift(prob={self.prob}, max_shift_px={self.max_shift_px}, "
            f"filter_thr_px={self.filter_thr_px})"
        )
