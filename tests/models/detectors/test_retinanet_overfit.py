"""A small RetinaNet learns two pictures by heart: every part must pull its weight for that."""

from typing import Any

import pytest
import torch
from mmengine.structures import InstanceData

from mmdet_lite.evaluation import CocoMetric
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample

SIDE = 96
NORM = {"type": "GN", "num_groups": 4}
# class, x1, y1, x2, y2 of rectangles of one colour a class
PICTURES = [
    [(0, 8, 12, 40, 44), (1, 50, 40, 88, 84)],
    [(1, 10, 44, 44, 80), (0, 52, 8, 86, 38), (0, 56, 60, 84, 90)],
]
COLOURS = [(230.0, 160.0, 60.0), (60.0, 170.0, 230.0)]


def config() -> dict[str, Any]:
    return {
        "type": "RetinaNet",
        "data_preprocessor": {
            "type": "DetDataPreprocessor", "mean": [110.0] * 3, "std": [60.0] * 3,
            "pad_size_divisor": 32,
        },
        "backbone": {
            "type": "ResNet", "depth": 18, "base_channels": 8, "norm_cfg": NORM,
            "norm_eval": False, "zero_init_residual": False, "out_indices": (1, 2),
        },
        "neck": {"type": "FPN", "in_channels": [16, 32], "out_channels": 32, "num_outs": 2},
        "bbox_head": {
            "type": "RetinaHead", "num_classes": 2, "in_channels": 32, "feat_channels": 32,
            "stacked_convs": 1,
            "anchor_generator": {
                "type": "AnchorGenerator", "octave_base_scale": 3, "scales_per_octave": 2,
                "ratios": [1.0], "strides": [8, 16],
            },
            "loss_cls": {"type": "FocalLoss", "use_sigmoid": True},
            "loss_bbox": {"type": "L1Loss"},
        },
        "train_cfg": {
            "assigner": {"type": "MaxIoUAssigner", "pos_iou_thr": 0.5, "neg_iou_thr": 0.4,
                         "min_pos_iou": 0},
            "sampler": {"type": "PseudoSampler"},
        },
        "test_cfg": {
            "nms_pre": 100, "min_bbox_size": 0, "score_thr": 0.05, "max_per_img": 20,
            "nms": {"type": "nms", "iou_threshold": 0.5},
        },
    }  # fmt: skip


def batch() -> dict[str, Any]:
    """The two pictures, packed: rectangles on noise."""
    packed: dict[str, Any] = {"inputs": [], "data_samples": []}
    for number, shapes in enumerate(PICTURES):
        generator = torch.Generator().manual_seed(number)
        image = torch.randint(60, 110, (3, SIDE, SIDE), generator=generator, dtype=torch.uint8)
        for label, x1, y1, x2, y2 in shapes:
            image[:, y1:y2, x1:x2] = torch.tensor(COLOURS[label]).byte()[:, None, None]
        sample = DetDataSample(
            metainfo={
                "img_id": number, "ori_shape": (SIDE, SIDE), "img_shape": (SIDE, SIDE),
                "scale_factor": (1.0, 1.0),
            }
        )  # fmt: skip
        sample.gt_instances = InstanceData(
            bboxes=torch.tensor([shape[1:] for shape in shapes], dtype=torch.float32),
            labels=torch.tensor([shape[0] for shape in shapes]),
        )
        packed["inputs"].append(image)
        packed["data_samples"].append(sample)
    return packed


def train(model: Any, steps: int) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    model.train()
    for _ in range(steps):
        losses = model(**model.data_preprocessor(batch(), training=True), mode="loss")
        optimizer.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        schedule.step()


def average_precision(samples: list[DetDataSample]) -> float:
    metric = CocoMetric(metric="bbox")
    metric.dataset_meta = {"classes": ("orange", "blue")}
    metric.process(None, [sample.to_dict() for sample in samples])
    return float(metric.evaluate(len(samples))["coco/bbox_mAP"])


@pytest.fixture
def one_thread():
    """Maps this small are slower on two threads, and far slower where cores are shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_two_pictures_are_learned_to_a_box_ap_above_nine_tenths():
    torch.manual_seed(1)
    model = MODELS.build(config())
    model.init_weights()
    assert average_precision(predict(model)) < 0.1
    train(model, 80)
    assert average_precision(predict(model)) > 0.9


def predict(model: Any) -> list[DetDataSample]:
    model.eval()
    with torch.no_grad():
        return model.test_step(batch())
