"""Single-stage detectors on small batches: RetinaNet, SSD, an RPN alone, FCOS as an RPN."""

import copy

import pytest
import torch
from mmengine.structures import InstanceData

from mmdet_lite.models import RPN, RetinaNet, SingleStageDetector
from mmdet_lite.models.detectors.base import image_batch
from mmdet_lite.registry import MODELS

BOXES = [[10.0, 10.0, 50.0, 60.0], [60.0, 20.0, 100.0, 70.0]]
STRIDES = [4, 8, 16, 32, 64]
ASSIGNER = {"type": "MaxIoUAssigner", "pos_iou_thr": 0.5, "neg_iou_thr": 0.4, "min_pos_iou": 0.0}
TEST_CFG = {
    "nms_pre": 50,
    "min_bbox_size": 0,
    "score_thr": 0.0,
    "nms": {"type": "nms", "iou_threshold": 0.5},
    "max_per_img": 10,
}


def retina(tiny_cfg):
    head = {
        "type": "RetinaHead", "num_classes": 3, "in_channels": 16, "feat_channels": 16,
        "stacked_convs": 1,
        "anchor_generator": {**tiny_cfg["rpn_head"]["anchor_generator"]},
        "loss_cls": {"type": "FocalLoss", "use_sigmoid": True}, "loss_bbox": {"type": "L1Loss"},
    }  # fmt: skip
    kept = {key: tiny_cfg[key] for key in ("data_preprocessor", "backbone", "neck")}
    train_cfg = {"assigner": ASSIGNER, "sampler": {"type": "PseudoSampler"}}
    return {
        "type": "RetinaNet", **kept, "bbox_head": head, "train_cfg": train_cfg, "test_cfg": TEST_CFG
    }  # fmt: skip


def ssd(tiny_cfg):
    cfg = retina(tiny_cfg)
    widths = (32, 64, 32, 16)
    generator = {
        "type": "SSDAnchorGenerator", "strides": [16, 32, 64, 128], "scale_major": False,
        "ratios": [[2], [2, 3], [2], [2]],
        "min_sizes": [20, 40, 60, 80], "max_sizes": [40, 60, 80, 100],
    }  # fmt: skip
    cfg["backbone"]["out_indices"] = (2, 3)
    cfg["neck"] = {
        "type": "SSDNeck", "in_channels": (32, 64), "out_channels": widths,
        "level_strides": (2, 2), "level_paddings": (1, 1),
    }  # fmt: skip
    cfg["bbox_head"] = {
        "type": "SSDHead", "num_classes": 3, "in_channels": widths, "anchor_generator": generator
    }  # fmt: skip
    cfg["train_cfg"] = {**cfg["train_cfg"], "neg_pos_ratio": 3, "smoothl1_beta": 1.0}
    return {**cfg, "type": "SingleStageDetector"}


def rpn(tiny_cfg):
    kept = {key: tiny_cfg[key] for key in ("data_preprocessor", "backbone", "neck", "rpn_head")}
    cfgs = {key: {"rpn": tiny_cfg[key]["rpn"]} for key in ("train_cfg", "test_cfg")}
    return {"type": "RPN", **kept, **cfgs}


def fcos_before_roi_head(tiny_cfg):
    tiny_cfg["rpn_head"] = {
        "type": "FCOSHead", "num_classes": 1, "in_channels": 16, "feat_channels": 16,
        "stacked_convs": 1, "strides": STRIDES, "norm_cfg": {"type": "GN", "num_groups": 4},
        # small ranges: each object of these images gets points
        "regress_ranges": ((-1, 24), (24, 36), (36, 64), (64, 128), (128, 1e8)),
    }  # fmt: skip
    return tiny_cfg


MAKERS = [retina, ssd, rpn, fcos_before_roi_head]


def loss_of(model, batch):
    return model(**model.data_preprocessor(batch, training=True), mode="loss")


def total(losses):
    return sum(value for name, value in losses.items() if "loss" in name)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("boxes", [(BOXES, BOXES[:1]), (BOXES, []), ([], [])])
def test_losses_reach_every_weight_with_and_without_objects(tiny_cfg, make_batch, make, boxes):
    model = MODELS.build(make(tiny_cfg)).train()
    total(loss_of(model, make_batch(*boxes))).backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None]
    assert unused == []  # several processes would wait for each other for ever
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("make", MAKERS)
def test_names_of_the_losses(tiny_cfg, make_batch, make):
    losses = loss_of(MODELS.build(make(tiny_cfg)), make_batch(BOXES))
    names = {
        retina: ["loss_cls", "loss_bbox"],
        ssd: ["loss_cls", "loss_bbox"],
        rpn: ["loss_rpn_cls", "loss_rpn_bbox"],
        fcos_before_roi_head: ["rpn_loss_cls", "rpn_loss_bbox", "rpn_loss_centerness"],
    }
    assert [name for name in losses if "rpn" in name or make in (retina, ssd)] == names[make]


@pytest.mark.parametrize("make", MAKERS)
def test_predictions_come_in_original_pixels(tiny_cfg, make_batch, make):
    model = MODELS.build(make(tiny_cfg)).eval()
    batch = make_batch(BOXES, [])
    scaled = copy.deepcopy(batch)
    for sample in scaled["data_samples"]:
        sample.set_metainfo({"ori_shape": (48, 32), "scale_factor": (4.0, 2.0)})
    with torch.no_grad():
        here, there = model.test_step(batch), model.test_step(scaled)
    for one, other in zip(here, there, strict=True):
        a, b = one.pred_instances, other.pred_instances
        assert len(a) > 3 and (a.scores.diff() <= 0).all()
        assert torch.allclose(a.bboxes, b.bboxes * torch.tensor([4.0, 2.0, 4.0, 2.0]), atol=1e-4)
        assert torch.equal(a.scores, b.scores) and torch.equal(a.labels, b.labels)


@pytest.mark.parametrize("make", [retina, rpn])
def test_ignored_regions_reach_the_assigner(tiny_cfg, make_batch, make):
    cfg = make(tiny_cfg)
    train_cfg = cfg["train_cfg"].get("rpn", cfg["train_cfg"])
    train_cfg["assigner"] = {**train_cfg["assigner"], "ignore_iof_thr": 0.5}
    train_cfg["sampler"] = {"type": "PseudoSampler"}
    model = MODELS.build(cfg).eval()
    batch = make_batch(BOXES)
    plain = total(loss_of(model, copy.deepcopy(batch)))
    batch["data_samples"][0].ignored_instances = InstanceData(
        bboxes=torch.tensor([[60.0, 0.0, 128.0, 96.0]]), labels=torch.zeros(1, dtype=torch.long)
    )
    assert not torch.isclose(total(loss_of(model, batch)), plain, rtol=1e-3)


def test_an_rpn_alone_predicts_what_it_proposes_as_class_0(tiny_cfg, make_batch):
    whole = MODELS.build(tiny_cfg).eval()
    alone = MODELS.build(rpn(tiny_cfg)).eval()
    weights = {k.replace("rpn_head.", "bbox_head."): v for k, v in whole.state_dict().items()}
    assert not alone.load_state_dict(weights, strict=False).missing_keys
    assert "bbox_head.rpn_cls.weight" in alone.state_dict()
    batch = make_batch(BOXES, BOXES[:1])
    with torch.no_grad():
        samples = alone.test_step(copy.deepcopy(batch))
        data = whole.data_preprocessor(batch)
        features = whole.extract_features(data["inputs"])
        proposals = whole.rpn_head.propose(
            features, image_batch(data["inputs"], data["data_samples"])
        )
    for i, sample in enumerate(samples):
        pred = sample.pred_instances
        assert len(pred) == proposals.valid[i].sum() > 5
        assert torch.allclose(pred.bboxes, proposals.boxes[i][proposals.valid[i]])
        assert (pred.labels == 0).all() and "masks" not in pred


def test_an_rpn_does_not_look_at_classes(tiny_cfg, make_batch):
    cfg = rpn(fcos_before_roi_head(tiny_cfg))
    model, batch = MODELS.build(cfg).eval(), make_batch(BOXES)
    plain = total(loss_of(model, copy.deepcopy(batch)))
    batch["data_samples"][0].gt_instances.labels += 40
    assert torch.equal(total(loss_of(model, batch)), plain)


def test_config_and_annotations_stay_as_they_were(tiny_cfg, make_batch):
    for make in (retina, ssd, rpn):
        cfg = make(copy.deepcopy(tiny_cfg))
        before, batch = copy.deepcopy(cfg), make_batch(BOXES)
        truth = copy.deepcopy(batch["data_samples"][0].gt_instances)
        model = MODELS.build(cfg)
        loss_of(model, batch)
        after = batch["data_samples"][0].gt_instances
        assert cfg == before and torch.equal(after.bboxes, truth.bboxes)
        assert torch.equal(after.labels, truth.labels)


def test_names_and_missing_parts(tiny_cfg):
    assert RetinaNet is SingleStageDetector
    assert type(MODELS.build(rpn(tiny_cfg))) is RPN
    with pytest.raises(ValueError, match="needs bbox_head"):
        MODELS.build({**retina(tiny_cfg), "bbox_head": None})
    with pytest.raises(ValueError, match="RPN needs rpn_head"):
        MODELS.build({**rpn(tiny_cfg), "rpn_head": None})
    cfg = rpn(tiny_cfg)
    with pytest.raises(ValueError, match=r"model\.test_cfg\.rcnn"):
        MODELS.build({**cfg, "test_cfg": {**cfg["test_cfg"], "rcnn": {}}})
