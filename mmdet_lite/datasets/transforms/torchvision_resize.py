"""Resizing as torchvision's detectors do it, for weights that were trained there."""

import math
from typing import Any

import torch
import torch.nn.functional as F

from mmdet_lite.datasets.transforms.resize import Resize
from mmdet_lite.registry import TRANSFORMS


@TRANSFORMS.register_module()
class TorchvisionResize(Resize):
    """Resize to a short side of ``min_size``, or less where the long side would pass ``max_size``.

    Sides are rounded down, and pixels become float32 without rounding. Boxes, masks and keypoints
    are resized as in :class:`Resize`.
    Source: torchvision 0.29, GeneralizedRCNNTransform.
    """

    def __init__(self, min_size: int = 800, max_size: int = 1333) -> None:
        super().__init__(scale=(max_size, min_size), keep_ratio=True)
        self.min_size, self.max_size = min_size, max_size

    def _resize_img(self, results: dict[str, Any]) -> None:
        if results.get("img") is None:
            return
        height, width = results["img"].shape[:2]
        scale = min(self.min_size / min(height, width), self.max_size / max(height, width))
        new_h, new_w = math.floor(height * scale), math.floor(width * scale)
        planes = torch.from_numpy(results["img"]).permute(2, 0, 1)[None].float()
        resized = F.interpolate(planes, (new_h, new_w), mode="bilinear", align_corners=False)
        results["img"] = resized[0].permute(1, 2, 0).numpy()
        results["img_shape"] = (new_h, new_w)
        results["scale_factor"] = (new_w / width, new_h / height)
        results["keep_ratio"] = True
