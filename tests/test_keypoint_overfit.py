"""A small Keypoint R-CNN learns the joints of people in two photographs by heart."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.dataset import pseudo_collate

from mmdet_lite.evaluation import CocoMetric
from mmdet_lite.registry import DATASETS, MODELS

IMAGES = (30752, 442450)  # three people, with 15 and 16 labelled joints
NORM = {"type": "GN", "num_groups": 4}
STEPS = 120


def extractor(size: int) -> dict[str, Any]:
    return {
        "type": "SingleRoIExtractor",
        "roi_layer": {"type": "RoIAlign", "output_size": size, "sampling_ratio": 2},
        "out_channels": 32,
        "featmap_strides": [4, 8, 16, 32],
    }


def assigner(positive: float, negative: float) -> dict[str, Any]:
    return {
        "type": "MaxIoUAssigner", "pos_iou_thr": positive, "neg_iou_thr": negative,
        "min_pos_iou": negative,
    }  # fmt: skip


def config() -> dict[str, Any]:
    proposals = {"nms_pre": 100, "max_per_img": 30, "nms": {"type": "nms", "iou_threshold": 0.7}}
    rpn_sampler = {
        "type": "RandomSampler", "num": 64, "pos_fraction": 0.5, "add_gt_as_proposals": False,
    }  # fmt: skip
    generator = {
        "type": "AnchorGenerator", "scales": [8], "ratios": [1.0, 2.0],
        "strides": [4, 8, 16, 32, 64],
    }  # fmt: skip
    return {
        "type": "KeypointRCNN",
        "data_preprocessor": {
            "type": "DetDataPreprocessor", "mean": [110.0] * 3, "std": [60.0] * 3,
            "pad_size_divisor": 32,
        },
        "backbone": {
            "type": "ResNet", "depth": 18, "base_channels": 16, "norm_cfg": NORM,
            "norm_eval": False, "zero_init_residual": False,
        },
        "neck": {
            "type": "FPN", "in_channels": [16, 32, 64, 128], "out_channels": 32, "num_outs": 5,
        },
        "rpn_head": {
            "type": "RPNHead", "in_channels": 32, "feat_channels": 32,
            "anchor_generator": generator, "loss_bbox": {"type": "L1Loss"},
        },
        "roi_head": {
            "type": "KeypointRoIHead",
            "bbox_roi_extractor": extractor(7),
            "bbox_head": {
                "type": "Shared2FCBBoxHead", "in_channels": 32, "fc_out_channels": 64,
                "num_classes": 1, "loss_bbox": {"type": "L1Loss"},
            },
            "keypoint_roi_extractor": extractor(14),
            "keypoint_head": {
                "type": "KeypointRCNNHead", "num_keypoints": 17, "num_convs": 2,
                "in_channels": 32, "conv_out_channels": 64,
            },
        },
        "train_cfg": {
            "rpn": {"assigner": assigner(0.7, 0.3), "sampler": rpn_sampler},
            "rpn_proposal": proposals,
            "rcnn": {
                "assigner": assigner(0.5, 0.5),
                "sampler": {"type": "RandomSampler", "num": 16, "pos_fraction": 0.5},
            },
        },
        "test_cfg": {
            "rpn": proposals,
            "rcnn": {
                "score_thr": 0.05, "nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 5,
            },
        },
    }  # fmt: skip


def two_photographs(root: Path) -> tuple[Any, dict[str, Any]]:
    """The data set, and its two images as one batch."""
    dataset = DATASETS.build(
        {
            "type": "CocoDataset",
            "data_root": str(root),
            "ann_file": "annotations/person_keypoints_train2017.json",
            "data_prefix": {"img": "train2017/"},
            "pipeline": [
                {"type": "LoadImageFromFile"},
                {"type": "LoadAnnotations", "with_keypoints": True, "keypoint_offset": 0.5},
                {"type": "Resize", "scale": (224, 224), "keep_ratio": True},
                {"type": "PackDetInputs"},
            ],
        }
    )
    ids = [dataset.get_data_info(i)["img_id"] for i in range(len(dataset))]
    return dataset, pseudo_collate([dataset[ids.index(image)] for image in IMAGES])


def train(model: Any, batch: dict[str, Any]) -> dict[str, float]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=STEPS)
    model.train()
    data = model.data_preprocessor(batch, training=True)
    for _ in range(STEPS):
        losses = model(**data, mode="loss")
        optimizer.zero_grad()
        sum(value for name, value in losses.items() if "loss" in name).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
        optimizer.step()
        schedule.step()
    return {name: value.item() for name, value in losses.items()}


@pytest.fixture
def one_thread():
    """Maps this small are slower on two threads, and far slower where cores are shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_two_photographs_are_learned_to_a_keypoint_ap_above_nine_tenths(shared_dir):
    torch.manual_seed(1)
    dataset, batch = two_photographs(shared_dir / "data" / "coco")
    model = MODELS.build(config())
    model.init_weights()
    losses = train(model, batch)
    model.eval()
    with torch.no_grad():
        samples = model.test_step(batch)
    metric = CocoMetric(
        ann_file=str(shared_dir / "data/coco/annotations/person_keypoints_train2017.json"),
        metric=["bbox", "keypoints"],
        keypoint_offset=0.5,
    )
    metric.dataset_meta = dataset.metainfo
    metric.process(None, [sample.to_dict() for sample in samples])
    scores = metric.evaluate(size=len(IMAGES))
    assert scores["coco/keypoints_mAP"] > 0.9, (scores, losses)
