"""Small Mask and Cascade Mask R-CNNs learn two pictures by heart, which needs every part."""

import copy
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmdet_lite.registry import MODELS
from mmdet_lite.structures import BitmapMasks, DetDataSample

SIDE = 128
NORM = {"type": "GN", "num_groups": 4}
# shapes (class, centre x, y, size): discs are class 0, boxes with a cut corner class 1
PICTURES = [
    [(0, 36, 40, 22), (1, 92, 84, 28)],
    [(1, 34, 88, 24), (0, 88, 34, 26), (0, 96, 98, 18)],
]


def extractor(size: int) -> dict[str, Any]:
    return {
        "type": "SingleRoIExtractor",
        "roi_layer": {"type": "RoIAlign", "output_size": size, "sampling_ratio": 0},
        "out_channels": 32,
        "featmap_strides": [4, 8, 16, 32],
    }


def assigner(positive: float, negative: float) -> dict[str, Any]:
    return {
        "type": "MaxIoUAssigner",
        "pos_iou_thr": positive,
        "neg_iou_thr": negative,
        "min_pos_iou": negative,
    }


def config() -> dict[str, Any]:
    proposals = {"nms_pre": 200, "max_per_img": 50, "nms": {"type": "nms", "iou_threshold": 0.7}}
    rpn_sampler = {
        "type": "RandomSampler", "num": 64, "pos_fraction": 0.5, "add_gt_as_proposals": False,
    }  # fmt: skip
    rcnn_sampler = {"type": "RandomSampler", "num": 32, "pos_fraction": 0.5}
    generator = {
        "type": "AnchorGenerator", "scales": [8], "ratios": [1.0], "strides": [4, 8, 16, 32, 64],
    }  # fmt: skip
    return {
        "type": "MaskRCNN",
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
            "type": "StandardRoIHead",
            "bbox_roi_extractor": extractor(7),
            "bbox_head": {
                "type": "Shared2FCBBoxHead", "in_channels": 32, "fc_out_channels": 64,
                "num_classes": 2, "loss_bbox": {"type": "L1Loss"},
            },
            "mask_roi_extractor": extractor(14),
            "mask_head": {
                "type": "FCNMaskHead", "num_convs": 2, "in_channels": 32,
                "conv_out_channels": 32, "num_classes": 2,
            },
        },
        "train_cfg": {
            "rpn": {"assigner": assigner(0.7, 0.3), "sampler": rpn_sampler},
            "rpn_proposal": proposals,
            "rcnn": {"assigner": assigner(0.5, 0.5), "sampler": rcnn_sampler, "mask_size": 28},
        },
        "test_cfg": {
            "rpn": proposals,
            "rcnn": {
                "score_thr": 0.05, "nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 20,
            },
        },
    }  # fmt: skip


def cascade(cfg: dict[str, Any]) -> dict[str, Any]:
    """The same detector with three stages."""
    roi_head, rcnn = cfg["roi_head"], cfg["train_cfg"]["rcnn"]
    stds = [(0.1, 0.1, 0.2, 0.2), (0.05, 0.05, 0.1, 0.1), (0.033, 0.033, 0.067, 0.067)]
    coders = [{"type": "DeltaXYWHBBoxCoder", "target_stds": s} for s in stds]
    head = {**roi_head["bbox_head"], "reg_class_agnostic": True}
    cfg["type"] = "CascadeRCNN"
    roi_head.update(
        type="CascadeRoIHead",
        num_stages=3,
        stage_loss_weights=[1, 0.5, 0.25],
        bbox_head=[{**head, "bbox_coder": coder} for coder in coders],
    )
    rcnn["sampler"]["num"] = 16
    cfg["train_cfg"]["rpn_proposal"] = {**cfg["train_cfg"]["rpn_proposal"], "max_per_img": 30}
    cfg["train_cfg"]["rcnn"] = [
        {**copy.deepcopy(rcnn), "assigner": assigner(iou, iou)} for iou in (0.5, 0.6, 0.7)
    ]
    return cfg


def draw(kind: int, x: int, y: int, size: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    if kind == 0:
        cv2.circle(mask, (x, y), size, 1, -1)
    else:
        corners = [(-1, -1), (0, -1), (1, 0), (1, 1), (-1, 1)]
        points = np.array([(x + size * a, y + size * b) for a, b in corners], np.int32)
        cv2.fillPoly(mask, [points], 1)
    return mask


def picture(number: int) -> dict[str, Any]:
    """Packed sample: shapes of random colours on noise."""
    rng = np.random.default_rng(number)
    image = rng.integers(60, 110, (SIDE, SIDE, 3), dtype=np.uint8)
    masks = []
    for kind, x, y, size in PICTURES[number]:
        mask = draw(kind, x, y, size)
        image[mask == 1] = rng.integers(130, 255, 3)
        masks.append(mask)
    bitmaps = BitmapMasks(masks, SIDE, SIDE)
    sample = DetDataSample(
        metainfo={
            "img_id": number, "ori_shape": (SIDE, SIDE), "img_shape": (SIDE, SIDE),
            "scale_factor": (1.0, 1.0),
        }
    )  # fmt: skip
    sample.gt_instances = InstanceData(
        bboxes=bitmaps.get_bboxes(),
        labels=torch.tensor([shape[0] for shape in PICTURES[number]]),
        masks=bitmaps,
    )
    return {"inputs": torch.from_numpy(image).permute(2, 0, 1), "data_samples": sample}


def batch() -> dict[str, Any]:
    pictures = [picture(i) for i in range(len(PICTURES))]
    return {key: [p[key] for p in pictures] for key in pictures[0]}


def train(model: Any, steps: int) -> float:
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    model.train()
    for _ in range(steps):
        losses = model(**model.data_preprocessor(batch(), training=True), mode="loss")
        loss = sum(value for name, value in losses.items() if "loss" in name)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        schedule.step()
    return float(loss.detach())


def average_precision(samples: list[DetDataSample], kind: str) -> float:
    """COCO AP by pycocotools alone."""
    truth = COCO()
    truth.dataset = {
        "images": [{"id": i, "height": SIDE, "width": SIDE} for i in range(len(PICTURES))],
        "categories": [{"id": 0}, {"id": 1}],
        "annotations": [],
    }
    results = []
    for number, sample in enumerate(samples):
        for kind_id, *shape in PICTURES[number]:
            rle = coco_mask.encode(np.asfortranarray(draw(kind_id, *shape)))
            truth.dataset["annotations"].append(
                {
                    "id": len(truth.dataset["annotations"]) + 1, "image_id": number, "iscrowd": 0,
                    "category_id": kind_id, "segmentation": rle,
                    "bbox": coco_mask.toBbox(rle).tolist(), "area": float(coco_mask.area(rle)),
                }
            )  # fmt: skip
        pred = sample.pred_instances
        for box, score, label, rle in zip(
            pred.bboxes.tolist(), pred.scores.tolist(), pred.labels.tolist(), pred.masks,
            strict=True,
        ):  # fmt: skip
            one = {"image_id": number, "category_id": label, "score": score}
            wh = [box[2] - box[0], box[3] - box[1]]
            form = {"bbox": [*box[:2], *wh]} if kind == "bbox" else {"segmentation": rle}
            results.append({**one, **form})
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(results), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return float(evaluation.stats[0])


@pytest.fixture
def one_thread():
    """Maps this small are slower on two threads, and far slower where cores are shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    ("make", "steps"),
    [(config, 200), (lambda: cascade(config()), 120)],
    ids=["mask", "cascade"],
)
def test_two_pictures_are_learned_to_a_box_and_mask_ap_above_nine_tenths(make, steps):
    torch.manual_seed(1)
    model = MODELS.build(make())
    model.init_weights()
    loss = train(model, steps)
    model.eval()
    with torch.no_grad():
        samples = model.test_step(batch())
    scores = {kind: average_precision(samples, kind) for kind in ("bbox", "segm")}
    assert min(scores.values()) > 0.9, (scores, loss)
