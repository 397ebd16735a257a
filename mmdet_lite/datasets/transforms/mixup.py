"""Two images laid over each other."""

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmdet_lite.datasets.transforms.arguments import check_img_scale, check_probability
from mmdet_lite.datasets.transforms.flip import RandomFlip
from mmdet_lite.datasets.transforms.instances import (
    join_instances,
    other_images,
    shift_image,
)
from mmdet_lite.datasets.transforms.resize import Resize, fit_within
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.registry import TRANSFORMS


@TRANSFORMS.register_module()
class MixUp(BaseTransform):
    """Mix an image with another one, half and half, with boxes, masks and keypoints of both.

    The other one is resized to fit into ``img_scale`` and padded to it, resized by a factor, often
    mirrored, and cut or padded to the size of the image, which it keeps. Stands in the pipeline of
    a MultiImageMixDataset. An image without objects as the other one leaves the image as it is.

    Args:
        img_scale: (width, height) of the other image before the factor.
        ratio_range: smallest and largest factor.
        flip_ratio: how often the other one is mirrored.
        pad_val: value around the other one.
        max_iters: how many images are looked at to find one with objects.
        bbox_clip_border: clip boxes to the image.

    Raises:
        ValueError: a number out of its range, or not one image to mix with.

    Source: YOLOX (Ge et al. 2021); arguments are MMDetection 3's, which has boxes only.
    """

    def __init__(
        self,
        img_scale: tuple[int, int] = (640, 640),
        ratio_range: tuple[float, float] = (0.5, 1.5),
        flip_ratio: float = 0.5,
        pad_val: float = 114.0,
        max_iters: int = 15,
        bbox_clip_border: bool = True,
    ) -> None:
        low, high = ratio_range
        if not 0 < low <= high:
            raise ValueError(f"MixUp: ratio_range: 0 < low <= high; got {(low, high)}")
        if max_iters < 1:
            raise ValueError(f"MixUp: max_iters must be at least 1; got {max_iters}")
        check_img_scale("MixUp", img_scale)
        check_probability("MixUp", "flip_ratio", flip_ratio)
        self.img_scale = (img_scale[0], img_scale[1])
        self.ratio_range = (low, high)
        self.flip_ratio = flip_ratio
        self.pad_val = pad_val
        self.max_iters = max_iters
        self.bbox_clip_border = bbox_clip_border
        self._flip = RandomFlip(prob=1.0)

    def get_indices(self, dataset: Any) -> int:
        """Draw the other image of a data set, one with objects if ``max_iters`` draws find one."""
        for _ in range(self.max_iters):
            index = int(np.random.randint(len(dataset)))
            if _has_objects(dataset, index):
                break
        return index

    @cache_randomness
    def _draw_look(self) -> tuple[float, bool]:
        """Draw the factor, and whether to mirror."""
        return float(np.random.uniform(*self.ratio_range)), bool(np.random.rand() < self.flip_ratio)

    @cache_randomness
    def _draw_offset(self, margin_h: int, margin_w: int) -> tuple[int, int]:
        """Draw top and left of the part that is taken of a larger image."""
        return int(np.random.randint(margin_h + 1)), int(np.random.randint(margin_w + 1))

    def transform(self, results: Results) -> Results:
        """Mix; ``mix_results`` stay as they are."""
        (other,) = other_images(results, 1, "MixUp")
        if not len(other.get("gt_bboxes", ())):
            return results
        other = self._prepared(other)
        size_hw = results["img"].shape[:2]
        height, width = other["img"].shape[:2]
        top, left = self._draw_offset(max(height - size_hw[0], 0), max(width - size_hw[1], 0))
        other = self._placed(other, -left, -top, size_hw)
        mixed = cv2.addWeighted(results["img"], 0.5, other["img"], 0.5, 0)
        mixed = mixed.reshape(results["img"].shape)  # OpenCV drops a single channel's axis
        return {**results, **join_instances([results, other]), "img": mixed}

    def _placed(self, other: Results, left: int, top: int, size_hw: tuple[int, int]) -> Results:
        return shift_image(other, left, top, size_hw, self.pad_val, self.bbox_clip_border)

    def _prepared(self, other: Results) -> Results:
        """Resize, pad and mirror the other image."""
        factor, flip = self._draw_look()
        other = fit_within(other, self.img_scale, self.bbox_clip_border)
        other = self._placed(other, 0, 0, (self.img_scale[1], self.img_scale[0]))
        scale = tuple(max(int(side * factor), 1) for side in self.img_scale)
        other = Resize(scale, clip_object_border=self.bbox_clip_border)(other)
        return self._flip(other) if flip else other

    def __repr__(self) -> str:
        return (
            f"MixUp(img_scale={self.img_scale}, ratio_range={self.ratio_range}, "
            f"flip_ratio={self.flip_ratio}, pad_val={self.pad_val}, max_iters={self.max_iters}, "
            f"bbox_clip_border={self.bbox_clip_border})"
        )


def _has_objects(dataset: Any, index: int) -> bool:
    """Whether an image has objects; asks for its annotation without loading the image."""
    if hasattr(dataset, "get_data_info"):
        return bool(dataset.get_data_info(index).get("instances"))
    return len(dataset[index].get("gt_bboxes", ())) > 0
