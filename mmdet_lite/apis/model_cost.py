"""What a model costs: parameters and multiply-adds of one picture."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmdet_lite.registry import MODELS, SCOPE
from mmdet_lite.structures import DetDataSample

IMAGE_HW = (800, 1280)
REGIONS = 1000  # proposals that the second stage sees, as test_cfg.rpn.max_per_img has it


def model_cost(cfg: Mapping[str, Any]) -> tuple[int, int]:
    """Parameters and multiply-adds of a config's model; the same model is measured once."""
    model = {**cfg["model"].to_dict(), "test_cfg": _all_regions(cfg["model"]["test_cfg"])}
    model["backbone"] = {**model["backbone"], "init_cfg": None}
    for idle in ("train_cfg", "data_preprocessor"):  # decide nothing here, and differ often
        model.pop(idle, None)
    return _measured(json.dumps(model, sort_keys=True), _input_hw(cfg))


@cache
def _measured(model_text: str, size_hw: tuple[int, int]) -> tuple[int, int]:
    init_default_scope(SCOPE)
    torch.manual_seed(0)
    model: nn.Module = MODELS.build(json.loads(model_text)).eval()
    # RoIAlign is a sparse matrix product on a CPU: its zeros are no work, and it is no layer
    counter = FlopCounterMode(display=False, custom_mapping={torch.ops.aten.mm: _no_work})
    with torch.inference_mode(), counter:
        model(torch.zeros(1, 3, *size_hw), [_sample(size_hw)], mode="predict")
    return sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2


def _no_work(*shapes: Any, **kwargs: Any) -> int:
    """FLOPs of an operator that is not counted."""
    return 0


def _all_regions(test_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """A ``test_cfg`` that drops no box for its score or overlap, so that counts are exact."""
    kept: dict[str, Any] = test_cfg.to_dict() if hasattr(test_cfg, "to_dict") else dict(test_cfg)
    if "rpn" in kept:
        kept["rpn"] = {**kept["rpn"], "nms": {"type": "nms", "iou_threshold": 1.0}}
    if "rcnn" in kept:
        kept["rcnn"] = {**kept["rcnn"], "score_thr": 0.0}
    return kept


def _input_hw(cfg: Mapping[str, Any]) -> tuple[int, int]:
    """1280 x 800, or the one size that a network without ``keep_ratio`` takes."""
    dataset = cfg["test_dataloader"]["dataset"]
    for step in dataset.get("pipeline", ()):
        if step["type"] == "Resize" and not step.get("keep_ratio", False):
            width, height = step["scale"]
            return height, width
    return IMAGE_HW


def _sample(size_hw: tuple[int, int]) -> DetDataSample:
    """A picture's metainfo, and proposals for a detector that takes them from a file."""
    height, width = size_hw
    corners = torch.rand(REGIONS, 2, 2) * torch.tensor([width, height])
    boxes = torch.cat([corners.amin(1), corners.amax(1)], dim=1)
    sample = DetDataSample(
        metainfo={
            "img_shape": size_hw,
            "ori_shape": size_hw,
            "pad_shape": size_hw,
            "batch_input_shape": size_hw,
            "scale_factor": (1.0, 1.0),
        }
    )
    sample.proposals = InstanceData(bboxes=boxes, scores=torch.ones(REGIONS))
    return sample
