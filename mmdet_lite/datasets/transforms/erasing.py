"""Rectangles of the image filled with one colour."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from numpy.typing import NDArray

from mmdet_lite.datasets.transforms.arguments import check_border_values
from mmdet_lite.datasets.transforms.filtering import select_instances
from mmdet_lite.datasets.transforms.instances import hide_keypoints
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.registry import TRANSFORMS

Windows = NDArray[np.int64]


@TRANSFORMS.register_module()
class CutOut(BaseTransform):
    """Fill rectangles of the image; boxes, masks and keypoints stay as they are.

    Args:
        n_holes: how many, or the (smallest, largest) number between which is drawn.
        cutout_shape: (height, width) of a rectangle in pixels, or a list of which one is drawn for
            each rectangle.
        cutout_ratio: the same in parts of the image's height and width, instead of pixels.
        fill_in: value of the pixels, one or one a channel.

    Raises:
        ValueError: none or both of ``cutout_shape`` and ``cutout_ratio``, or a number out of range.

    Source: DeVries and Taylor 2017; arguments are MMDetection 3's.
    """

    def __init__(
        self,
        n_holes: int | tuple[int, int],
        cutout_shape: Sequence[Any] | None = None,
        cutout_ratio: Sequence[Any] | None = None,
        fill_in: float | Sequence[float] = (0, 0, 0),
    ) -> None:
        if (cutout_shape is None) == (cutout_ratio is None):
            raise ValueError(
                "CutOut: needs one of cutout_shape and cutout_ratio; got "
                f"{cutout_shape} and {cutout_ratio}"
            )
        self.n_holes = _number_range("CutOut", "n_holes", n_holes)
        self.by_ratio = cutout_shape is None
        given: Any = cutout_ratio if self.by_ratio else cutout_shape
        single = not isinstance(given[0], Sequence)
        self.sizes = [tuple(one) for one in ([given] if single else given)]
        largest = 1 if self.by_ratio else float("inf")
        if not all(len(one) == 2 and 0 < min(one) <= max(one) <= largest for one in self.sizes):
            raise ValueError(
                f"CutOut: {'cutout_ratio' if self.by_ratio else 'cutout_shape'} must be (height, "
                f"width){' in 0..1' if self.by_ratio else ''}, or a list of these; got {given}"
            )
        self.fill_in = fill_in

    @cache_randomness
    def _draw(self, height: int, width: int) -> Windows:
        """Draw rectangles (P, 4) x1 y1 x2 y2, cut at the image's border."""
        windows = []
        for _ in range(np.random.randint(self.n_holes[0], self.n_holes[1] + 1)):
            left, top = np.random.randint(width), np.random.randint(height)
            hole_h, hole_w = self.sizes[np.random.randint(len(self.sizes))]
            if self.by_ratio:
                hole_h, hole_w = int(hole_h * height), int(hole_w * width)
            windows.append([left, top, min(left + hole_w, width), min(top + hole_h, height)])
        return np.array(windows, np.int64).reshape(-1, 4)

    def transform(self, results: Results) -> Results:
        """Fill them."""
        windows = self._draw(*results["img"].shape[:2])
        return {**results, "img": _filled(results["img"], windows, self.fill_in)}

    def __repr__(self) -> str:
        name = "cutout_ratio" if self.by_ratio else "cutout_shape"
        return f"CutOut(n_holes={self.n_holes}, {name}={self.sizes}, fill_in={self.fill_in})"


@TRANSFORMS.register_module()
class RandomErasing(BaseTransform):
    """Erase rectangles of the image and of the masks, and objects of which little is left.

    Boxes stay; a visible keypoint that is erased becomes a hidden one. Masks become BitmapMasks,
    as polygons cannot have holes.

    Args:
        n_patches: how many, or the (smallest, largest) number between which is drawn.
        ratio: side of a rectangle in parts of the image's sides, or the range between which is
            drawn.
        squared: one number for both sides; else one drawn for each.
        bbox_erased_thr: objects of whose box a larger part is erased are dropped.
        img_border_value: value of the pixels, one or one a channel.
        mask_border_value: can only be 0: nothing of an object is left there.
        seg_ignore_label: can only be 255, as there are no maps of classes.

    Raises:
        ValueError: a number out of its range, or a value that is not supported.

    Source: Zhong et al. 2017; arguments are MMDetection 3's.
    """

    def __init__(
        self,
        n_patches: int | tuple[int, int],
        ratio: float | tuple[float, float],
        squared: bool = True,
        bbox_erased_thr: float = 0.9,
        img_border_value: float | Sequence[float] = 128,
        mask_border_value: int = 0,
        seg_ignore_label: int = 255,
    ) -> None:
        check_border_values("RandomErasing", mask_border_value, seg_ignore_label)
        low, high = ratio if isinstance(ratio, Sequence) else (ratio, ratio)
        for name, values in {"ratio": (low, high), "bbox_erased_thr": (bbox_erased_thr,)}.items():
            if not 0 <= values[0] <= values[-1] <= 1:
                raise ValueError(
                    f"RandomErasing: {name} must be in 0..1, the smaller first; got {values}"
                )
        self.n_patches = _number_range("RandomErasing", "n_patches", n_patches)
        self.ratio = (low, high)
        self.squared = squared
        self.bbox_erased_thr = bbox_erased_thr
        self.img_border_value = img_border_value

    @cache_randomness
    def _draw(self, height: int, width: int) -> Windows:
        """Draw rectangles (P, 4) x1 y1 x2 y2 that lie in the image."""
        windows = []
        for _ in range(np.random.randint(self.n_patches[0], self.n_patches[1] + 1)):
            parts = np.random.uniform(*self.ratio, size=1 if self.squared else 2)
            patch_h, patch_w = int(height * parts[0]), int(width * parts[-1])
            top = int(np.random.randint(height - patch_h + 1))
            left = int(np.random.randint(width - patch_w + 1))
            windows.append([left, top, left + patch_w, top + patch_h])
        return np.array(windows, np.int64).reshape(-1, 4)

    def transform(self, results: Results) -> Results:
        """Erase them."""
        height, width = results["img"].shape[:2]
        windows = self._draw(height, width)
        results = {**results, "img": _filled(results["img"], windows, self.img_border_value)}
        erased = np.zeros((height, width), np.bool_)
        for x1, y1, x2, y2 in windows:
            erased[y1:y2, x1:x2] = True
        if "gt_masks" in results:
            results["gt_masks"] = results["gt_masks"].to_bitmap().without(erased)
        if "gt_keypoints" in results:
            results["gt_keypoints"] = hide_keypoints(results["gt_keypoints"], erased)
        if "gt_bboxes" not in results:
            return results
        keep = _covered_parts(results["gt_bboxes"], erased) <= self.bbox_erased_thr
        return select_instances(results, keep)

    def __repr__(self) -> str:
        return (
            f"RandomErasing(n_patches={self.n_patches}, ratio={self.ratio}, "
            f"squared={self.squared}, bbox_erased_thr={self.bbox_erased_thr}, "
            f"img_border_value={self.img_border_value})"
        )


def _number_range(name: str, argument: str, value: int | Sequence[int]) -> tuple[int, int]:
    """Return the (smallest, largest) number that a number or a range means."""
    low, high = value if isinstance(value, Sequence) else (value, value)
    if not 0 <= low <= high:
        raise ValueError(
            f"{name}: {argument} must be a number, or (smallest, largest), not negative; "
            f"got {value}"
        )
    return int(low), int(high)


def _filled(
    img: NDArray[np.generic], windows: Windows, value: float | Sequence[float]
) -> NDArray[np.generic]:
    """Return the image with the windows (P, 4) in one colour."""
    filled = img.copy()
    channels = 1 if img.ndim == 2 else img.shape[2]
    if np.size(value) not in (1, channels):
        raise ValueError(
            f"an image of {channels} channels needs one fill value, or one a channel; got {value}"
        )
    colour = np.asarray(value).astype(img.dtype)
    for x1, y1, x2, y2 in windows:
        filled[y1:y2, x1:x2] = colour
    return filled


def _covered_parts(boxes: NDArray[np.float32], covered: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Which part (G,) of each box's pixels (H, W) is covered; 0 for a box without pixels."""
    parts = np.zeros(len(boxes))
    lows, highs = np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])
    corners = np.concatenate([lows, highs], axis=1).clip(0).astype(int)
    for i, (x1, y1, x2, y2) in enumerate(corners):
        inside = covered[y1:y2, x1:x2]
        parts[i] = inside.mean() if inside.size else 0.0
    return parts
