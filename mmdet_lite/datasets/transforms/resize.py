"""Resizing and padding: mmcv's transforms, with masks, and others made of them."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms import Pad as CvPad
from mmcv.transforms import RandomChoiceResize as CvRandomChoiceResize
from mmcv.transforms import RandomResize as CvRandomResize
from mmcv.transforms import Resize as CvResize

from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.registry import TRANSFORMS


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
        if "gt_keypoints" in results:  # mmcv writes into them
            results["gt_keypoints"] = results["gt_keypoints"].copy()
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
class ResizeShortestEdge(BaseTransform):
    """Resize to a length of the short side, less where the long side would become too long.

    Args:
        scale: length of the short side in pixels; of two numbers the smaller one counts.
        max_size: largest length of the long side; None: any.
        resize_type: the transform that resizes to a (width, height).
        resize_kwargs: its other arguments.

    Raises:
        ValueError: ``keep_ratio``, which is always kept.

    Source: arguments are MMDetection 3's; the size is Detectron2's.
    """

    def __init__(
        self,
        scale: Any,
        max_size: int | None = None,
        resize_type: str = "Resize",
        **resize_kwargs: Any,
    ) -> None:
        if "keep_ratio" in resize_kwargs:
            raise ValueError("ResizeShortestEdge always keeps the ratio: leave out keep_ratio")
        self.shortest = scale if isinstance(scale, int) else min(scale)
        self.max_size = max_size
        self.resize_cfg = {"type": resize_type, **resize_kwargs}
        self.resize = TRANSFORMS.build({"scale": 0, **self.resize_cfg})

    def transform(self, results: Results) -> Results:
        """Resize image, boxes, masks and keypoints."""
        height, width = results["img"].shape[:2]
        factor = self.shortest / min(height, width)
        if self.max_size is not None:
            factor = min(factor, self.max_size / max(height, width))
        self.resize.scale = (int(width * factor + 0.5), int(height * factor + 0.5))
        resized: Results = self.resize(results)
        return resized

    def __repr__(self) -> str:
        return (
            f"ResizeShortestEdge(scale={self.shortest}, max_size={self.max_size}, "
            f"resize_cfg={self.resize_cfg})"
        )


@TRANSFORMS.register_module()
class FixShapeResize(Resize):
    """Resize to one size; with ``keep_ratio`` as large as fits into it, and padded to it.

    Args:
        width: of the result, in pixels.
        height: of the result, in pixels.
        pad_val: value of the padding, to the right and below.
        keep_ratio: keep the ratio of the image's sides.
        kwargs: others of Resize.

    Source: arguments are MMDetection 3's.
    """

    def __init__(
        self, width: int, height: int, pad_val: Any = 0, keep_ratio: bool = False, **kwargs: Any
    ) -> None:
        # mmcv's keep_ratio fits the long side to the longer number, whichever that is
        super().__init__(scale=(width, height), keep_ratio=False, **kwargs)
        self.fit_within = keep_ratio
        self._pad = Pad(size=(width, height), pad_val=pad_val)

    def _resize_img(self, results: Results) -> None:
        if self.fit_within:
            results["scale"] = _size_within(results["img"], self.scale)
        super()._resize_img(results)

    def transform(self, results: Results) -> Results:
        """Resize and pad image, boxes, masks and keypoints."""
        padded: Results = self._pad(super().transform(results))
        return padded


@TRANSFORMS.register_module()
class Pad(CvPad):
    """mmcv's Pad, which also extends the frame of ``gt_masks``."""

    def transform(self, results: Results) -> Results:
        """Pad image and masks to the right and below."""
        results = super().transform(results)
        if "gt_masks" in results:
            results["gt_masks"] = results["gt_masks"].pad(results["img_shape"])
        return results


def fit_within(results: Results, scale_wh: tuple[int, int], clip: bool = True) -> Results:
    """Return results resized to be as large as fits into (width, height); ``clip``: boxes."""
    size_wh = _size_within(results["img"], scale_wh)
    fitted: Results = Resize(size_wh, clip_object_border=clip)(dict(results))
    return fitted


def _size_within(img: "np.ndarray[Any, Any]", scale_wh: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) of the image's shape that fits into another one."""
    height, width = img.shape[:2]
    factor = min(scale_wh[0] / width, scale_wh[1] / height)
    return max(round(width * factor), 1), max(round(height * factor), 1)


def _as_tuple_of_numbers(scale: Any) -> Any:
    """Make one scale a tuple, leave a list of scales alone."""
    return scale if isinstance(scale[0], tuple) else tuple(scale)
