"""Resizing and padding: mmcv's transforms, with masks (and mmcv's keypoints)."""

from typing import Any

import numpy as np
from mmcv.transforms import Pad as CvPad
from mmcv.transforms import RandomChoiceResize as CvRandomChoiceResize
from mmcv.transforms import RandomResize as CvRandomResize
from mmcv.transforms import Resize as CvResize

from mmdet_lite.registry import TRANSFORMS

Results = dict[str, Any]


def _as_tuple(value: Any) -> Any:
    """Turn a list of a config file into the tuple that mmcv asks for."""
    return tuple(value) if isinstance(value, list) else value


@TRANSFORMS.register_module()
class Resize(CvResize):
    """mmcv's Resize, which also resizes ``gt_masks`` and keeps boxes float32.

    ``scale`` is (width, height) in pixels; with ``keep_ratio`` the image is made as large as fits
    into it, long side to long side. Sets ``scale_factor`` = (new width / width, new height /
    height), by which boxes are multiplied.
    """

    scale: Any

    def __init__(self, scale: Any = None, scale_factor: Any = None, **kwargs: Any) -> None:
        super().__init__(_as_tuple(scale), _as_tuple(scale_factor), **kwargs)

    def transform(self, results: Results) -> Results:
        """Resize image, boxes and masks."""
        scale = self.scale
        # RandomChoiceResize may have set one number, which mmcv would take for a factor.
        self.scale = (scale, scale) if isinstance(scale, int) and scale else scale
        results = super().transform(results)
        if "gt_bboxes" in results:
            results["gt_bboxes"] = results["gt_bboxes"].astype(np.float32, copy=False)
        if "gt_masks" in results:
            results["gt_masks"] = results["gt_masks"].resize(results["img_shape"])
        return results


@TRANSFORMS.register_module()
class RandomResize(CvRandomResize):
    """mmcv's RandomResize around our Resize.

    ``scale`` is one (width, height) with ``ratio_range``, or two between which is drawn.
    """

    def __init__(
        self, scale: Any, ratio_range: Any = None, resize_type: str = "Resize", **kwargs: Any
    ) -> None:
        if isinstance(scale[0], list | tuple):
            scale = [tuple(one) for one in scale]
        super().__init__(_as_tuple_of_numbers(scale), ratio_range, resize_type, **kwargs)
        self.resize = TRANSFORMS.build({"scale": 0, **self.resize_cfg})


@TRANSFORMS.register_module()
class RandomChoiceResize(CvRandomChoiceResize):
    """mmcv's RandomChoiceResize around our Resize; ``scales`` is a list of (width, height)."""

    def __init__(self, scales: Any, resize_type: str = "Resize", **kwargs: Any) -> None:
        listed = scales if isinstance(scales, list) else [scales]
        super().__init__([_as_tuple(one) for one in listed], resize_type, **kwargs)
        self.resize = TRANSFORMS.build({"scale": 0, **self.resize_cfg})


@TRANSFORMS.register_module()
class Pad(CvPad):
    """mmcv's Pad, which also extends the frame of ``gt_masks``."""

    def transform(self, results: Results) -> Results:
        """Pad image and masks to the right and below."""
        results = super().transform(results)
        if "gt_masks" in results:
            results["gt_masks"] = results["gt_masks"].pad(results["img_shape"])
        return results


def _as_tuple_of_numbers(scale: Any) -> Any:
    """Make one scale a tuple, leave a list of scales alone."""
    return scale if isinstance(scale[0], tuple) else tuple(scale)
