"""The last transform: from a dict of arrays to tensors and a data sample."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData
from torch import Tensor

from mmdet_lite.datasets.transforms.proposals import check_proposal_frame
from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures import DetDataSample

PACKED_NAMES = {
    "gt_bboxes": "bboxes",
    "gt_bboxes_labels": "labels",
    "gt_masks": "masks",
    "gt_keypoints": "keypoints",
}
META_KEYS = (
    "img_id",
    "img_path",
    "ori_shape",
    "img_shape",
    "scale_factor",
    "flip",
    "flip_direction",
    "flip_indices",
)


@TRANSFORMS.register_module()
class PackDetInputs(BaseTransform):
    """Pack an image and its annotations for the model.

    Gives ``inputs``, a contiguous (C, H, W) tensor in the dtype of the image (uint8 as loaded,
    float32 after PhotoMetricDistortion), and ``data_samples``, a DetDataSample whose
    ``gt_instances`` and ``ignored_instances`` are parted by ``gt_ignore_flags``, and whose
    ``proposals`` (bboxes, scores) are there if LoadProposals was.

    Args:
        meta_keys: what of the results becomes metainfo; those that no transform has set are left
            out.
    """

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        self.meta_keys = meta_keys

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return the packed sample."""
        packed: dict[str, Any] = {}
        if "img" in results:
            packed["inputs"] = _to_chw(results["img"])
        sample = DetDataSample(metainfo={k: results[k] for k in self.meta_keys if k in results})
        present = {name: results[key] for key, name in PACKED_NAMES.items() if key in results}
        num = len(next(iter(present.values()), ()))
        ignored = np.asarray(results.get("gt_ignore_flags", np.zeros(num, bool)), bool)
        sample.gt_instances = _select(present, ~ignored)
        sample.ignored_instances = _select(present, ignored)
        if "proposals_scores" in results:
            check_proposal_frame(results)
            sample.proposals = InstanceData(
                bboxes=torch.from_numpy(results["proposals"]),
                scores=torch.from_numpy(results["proposals_scores"]),
            )
        packed["data_samples"] = sample
        return packed

    def __repr__(self) -> str:
        return f"PackDetInputs(meta_keys={tuple(self.meta_keys)})"


def _select(present: dict[str, Any], keep: "np.ndarray[Any, Any]") -> InstanceData:
    """Build instances of those where ``keep`` is True, arrays as tensors."""
    chosen = {name: value[keep] for name, value in present.items()}
    return InstanceData(
        **{n: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for n, v in chosen.items()}
    )


def _to_chw(img: "np.ndarray[Any, Any]") -> Tensor:
    """Return an image (H, W, C) or (H, W) as a contiguous tensor (C, H, W)."""
    channels = 1 if img.ndim == 2 else img.shape[2]
    planes = np.empty((channels, *img.shape[:2]), img.dtype)
    # Writes into the planes; several times as fast as a transposed copy by numpy or torch.
    cv2.split(img, list(planes))
    return torch.from_numpy(planes)
