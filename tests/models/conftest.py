"""A Mask R-CNN small enough for quick tests, and batches for it."""

from typing import Any

import pytest
import torch
from mmengine.structures import InstanceData

from mmdet_lite.structures import BitmapMasks, DetDataSample

STRIDES = [4, 8, 16, 32]


def roi_extractor(size: int) -> dict[str, Any]:
    return {
        "type": "SingleRoIExtractor",
        "roi_layer": {"type": "RoIAlign", "output_size": size, "sampling_ratio": 0},
        "out_channels": 16,
        "featmap_strides": STRIDES,
    }


def assigner(positive: float, negative: float) -> dict[str, Any]:
    return {
        "type": "MaxIoUAssigner",
        "pos_iou_thr": positive,
        "neg_iou_thr": negative,
        "min_pos_iou": negative,
        "match_low_quality": True,
    }


def sampler(num: int, add_gt: bool) -> dict[str, Any]:
    return {
        "type": "RandomSampler",
        "num": num,
        "pos_fraction": 0.5,
        "add_gt_as_proposals": add_gt,
    }


@pytest.fixture
def tiny_cfg() -> dict[str, Any]:
    """Config of a Mask R-CNN with a few thousand weights and 3 classes."""
    proposals = {"nms_pre": 50, "max_per_img": 20, "nms": {"type": "nms", "iou_threshold": 0.7}}
    return {
        "type": "MaskRCNN",
        "data_preprocessor": {
            "type": "DetDataPreprocessor",
            "mean": [120.0] * 3,
            "std": [60.0] * 3,
            "pad_mask": True,
            "pad_size_divisor": 32,
        },
        "backbone": {"type": "ResNet", "depth": 18, "base_channels": 8, "frozen_stages": -1},
        "neck": {"type": "FPN", "in_channels": [8, 16, 32, 64], "out_channels": 16, "num_outs": 5},
        "rpn_head": {
            "type": "RPNHead",
            "in_channels": 16,
            "feat_channels": 16,
            "anchor_generator": {
                "type": "AnchorGenerator",
                "scales": [4],
                "ratios": [0.5, 1.0, 2.0],
                "strides": [*STRIDES, 64],
            },
        },
        "roi_head": {
            "type": "StandardRoIHead",
            "bbox_roi_extractor": roi_extractor(7),
            "bbox_head": {
                "type": "Shared2FCBBoxHead",
                "in_channels": 16,
                "fc_out_channels": 32,
                "num_classes": 3,
            },
            "mask_roi_extractor": roi_extractor(14),
            "mask_head": {
                "type": "FCNMaskHead",
                "num_convs": 2,
                "in_channels": 16,
                "conv_out_channels": 16,
                "num_classes": 3,
            },
        },
        "train_cfg": {
            "rpn": {"assigner": assigner(0.7, 0.3), "sampler": sampler(32, False)},
            "rpn_proposal": proposals,
            "rcnn": {"assigner": assigner(0.5, 0.5), "sampler": sampler(16, True), "mask_size": 28},
        },
        "test_cfg": {
            "rpn": proposals,
            "rcnn": {
                "score_thr": 0.0,
                "nms": {"type": "nms", "iou_threshold": 0.5},
                "max_per_img": 10,
                "mask_thr_binary": 0.5,
            },
        },
    }


@pytest.fixture
def make_sample():
    """Make one packed sample: an image of noise and boxes whose masks fill them."""

    def make(
        boxes: list[list[float]], size_hw: tuple[int, int] = (96, 128), **metainfo: Any
    ) -> dict[str, Any]:
        height, width = size_hw
        boxes_tensor = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        bitmaps = torch.zeros(len(boxes), height, width, dtype=torch.uint8)
        for bitmap, (x1, y1, x2, y2) in zip(bitmaps, boxes_tensor.int().tolist(), strict=True):
            bitmap[y1:y2, x1:x2] = 1
        sample = DetDataSample(
            metainfo={
                "img_id": 1,
                "ori_shape": size_hw,
                "img_shape": size_hw,
                "scale_factor": (1.0, 1.0),
                **metainfo,
            }
        )
        sample.gt_instances = InstanceData(
            bboxes=boxes_tensor,
            labels=torch.arange(len(boxes)) % 3,
            masks=BitmapMasks(bitmaps.numpy(), height, width),
        )
        sample.ignored_instances = InstanceData(
            bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long)
        )
        image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
        return {"inputs": image, "data_samples": sample}

    return make


@pytest.fixture
def make_batch(make_sample):
    """Make a batch as the loader gives it: lists of inputs and of data samples."""

    def make(*boxes: list[list[float]], **kwargs: Any) -> dict[str, Any]:
        samples = [make_sample(b, **kwargs) for b in boxes]
        return {key: [s[key] for s in samples] for key in ("inputs", "data_samples")}

    return make
