"""Four images in one."""

from collections.abc import Sized

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmdet_lite.datasets.transforms.arguments import check_img_scale, check_probability
from mmdet_lite.datasets.transforms.instances import (
    join_instances,
    other_images,
    paste_image,
    shift_instances,
)
from mmdet_lite.datasets.transforms.resize import fit_within
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.registry import TRANSFORMS

NUM_OTHERS = 3


@TRANSFORMS.register_module()
class Mosaic(BaseTransform):
    """Put an image and three others around a point, with boxes, masks and keypoints.

    Each is resized to fit into ``img_scale``; the canvas has twice its sides. The image itself is
    above and left of the point, the others above right, below left, below right. What reaches over
    the canvas is cut off. Stands in the pipeline of a MultiImageMixDataset; the metainfo stays that
    of the image itself. RandomAffine with a ``border`` of minus half of ``img_scale`` follows it
    usually.

    Args:
        img_scale: (width, height) of one image.
        center_ratio_range: where the point may be, in parts of ``img_scale``.
        bbox_clip_border: clip boxes to the canvas.
        pad_val: value of the canvas where no image is.
        prob: how often; otherwise the image stays alone.

    Raises:
        ValueError: a number out of its range, or not three images to mix with.

    Source: YOLOv4 (Bochkovskiy et al. 2020); arguments are MMDetection 3's, which has boxes only.
    """

    def __init__(
        self,
        img_scale: tuple[int, int] = (640, 640),
        center_ratio_range: tuple[float, float] = (0.5, 1.5),
        bbox_clip_border: bool = True,
        pad_val: float = 114.0,
        prob: float = 1.0,
    ) -> None:
        low, high = center_ratio_range
        if not 0 <= low <= high <= 2:
            raise ValueError(
                f"Mosaic: center_ratio_range: 0 <= low <= high <= 2; got {(low, high)}"
            )
        check_img_scale("Mosaic", img_scale)
        check_probability("Mosaic", "prob", prob)
        self.img_scale = (img_scale[0], img_scale[1])
        self.center_ratio_range = (low, high)
        self.bbox_clip_border = bbox_clip_border
        self.pad_val = pad_val
        self.prob = prob

    def get_indices(self, dataset: Sized) -> list[int]:
        """Draw the three other images of a data set."""
        return [int(np.random.randint(len(dataset))) for _ in range(NUM_OTHERS)]

    @cache_randomness
    def _draw_center(self) -> tuple[int, int] | None:
        """Draw the point's x and y, or None for no mosaic."""
        if np.random.rand() >= self.prob:
            return None
        width, height = self.img_scale
        x, y = np.random.uniform(*self.center_ratio_range, size=2) * (width, height)
        return int(x), int(y)

    def transform(self, results: Results) -> Results:
        """Make the mosaic; ``mix_results`` stay as they are."""
        others = other_images(results, NUM_OTHERS, "Mosaic")
        center = self._draw_center()
        if center is None:
            return results
        x, y = center
        size_hw = (2 * self.img_scale[1], 2 * self.img_scale[0])
        canvas = np.full((*size_hw, *results["img"].shape[2:]), self.pad_val, results["img"].dtype)
        parts = []
        for i, image in enumerate([results, *others]):
            fitted = fit_within(image, self.img_scale, self.bbox_clip_border)
            height, width = fitted["img"].shape[:2]
            left, top = x - width * (i % 2 == 0), y - height * (i < 2)
            paste_image(canvas, fitted["img"], left, top)
            parts.append(shift_instances(fitted, left, top, size_hw, self.bbox_clip_border))
        return {**results, **join_instances(parts), "img": canvas, "img_shape": size_hw}

    def __repr__(self) -> str:
        return (
            f"Mosaic(img_scale={self.img_scale}, center_ratio_range={self.center_ratio_range}, "
            f"bbox_clip_border={self.bbox_clip_border}, pad_val={self.pad_val}, prob={self.prob})"
        )
