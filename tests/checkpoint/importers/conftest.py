"""Small detectors whose weights the tests write down as another program would."""

import copy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

import mmdet_lite.models  # noqa: F401
from mmdet_lite.registry import MODELS

sys.path.insert(0, str(Path(__file__).parent))  # for foreign_layouts

BASES = Path(__file__).parents[3] / "configs" / "_base_" / "models"
KINDS = {
    "mask": "mask-rcnn_r50_fpn",
    "gn": "mask-rcnn_r50_fpn_gn",
    "keypoint": "keypoint-rcnn_r50_fpn",
    "cascade": "cascade-mask-rcnn_r50_fpn",
    "retina": "retinanet_r50_fpn",
    "c4": "mask-rcnn_r50-caffe-c4",
}


def small_config(kind):
    """The configured model with few channels (where no other part has its width built in)."""
    cfg = copy.deepcopy(Config.fromfile(BASES / f"{KINDS[kind]}.py").model)
    if kind == "c4":  # the shared head has its full width
        return cfg
    base, width = (32, 32) if kind == "gn" else (8, 16)  # groups of channels are 32
    cfg.backbone.base_channels = base
    cfg.neck.update(in_channels=[base * 4 * 2**i for i in range(4)], out_channels=width)
    if kind == "retina":
        cfg.bbox_head.update(in_channels=width, feat_channels=width)
        return cfg
    cfg.rpn_head.update(in_channels=width, feat_channels=width)
    for name in ("bbox_roi_extractor", "mask_roi_extractor", "keypoint_roi_extractor"):
        if name in cfg.roi_head:
            cfg.roi_head[name].out_channels = width
    boxes = cfg.roi_head.bbox_head
    for head in boxes if isinstance(boxes, list) else [boxes]:
        head.update(in_channels=width, conv_out_channels=width, fc_out_channels=24)
    for name in ("mask_head", "keypoint_head"):
        heads = cfg.roi_head.get(name) or []
        for head in heads if isinstance(heads, list) else [heads]:
            head.update(in_channels=width, conv_out_channels=width)
    return cfg


@pytest.fixture(scope="session")
def built():
    """Models by kind, built once, every tensor of each with values of its own."""
    cache = {}

    def build(kind):
        if kind not in cache:
            model = MODELS.build(small_config(kind))
            generator = torch.Generator().manual_seed(0)
            for tensor in model.state_dict().values():
                if tensor.is_floating_point():
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            cache[kind] = model
        return cache[kind]

    return build


@pytest.fixture
def own_weights(built):
    """A function from a kind to that model's tensors, without the counters of batch norm."""

    def weights(kind):
        state = built(kind).state_dict()
        return {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}

    return weights


@pytest.fixture
def small_config_of():
    """The function that makes a small config of a kind."""
    return small_config
