"""The second stage alone: proposals of an RPN's run go through a file into training and testing."""

import copy
import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData

from mmdet_lite.evaluation import DumpProposals
from mmdet_lite.models import FastRCNN
from mmdet_lite.registry import DATASETS, MODELS

BOXES = [[10.0, 10.0, 50.0, 60.0], [60.0, 20.0, 100.0, 70.0]]
RESIZE = {"type": "Resize", "scale": (160, 120), "keep_ratio": True}


@pytest.fixture
def fast_cfg(tiny_cfg):
    """The Mask R-CNN of the other tests without its RPN."""
    cfg = copy.deepcopy(tiny_cfg)
    del cfg["rpn_head"]
    for part in ("train_cfg", "test_cfg"):
        cfg[part] = {"rcnn": cfg[part]["rcnn"]}
    return {**cfg, "type": "FastRCNN"}


@pytest.fixture
def rpn_cfg(tiny_cfg):
    """An RPN on the same features."""
    cfg = copy.deepcopy(tiny_cfg)
    del cfg["roi_head"], cfg["train_cfg"]["rcnn"], cfg["train_cfg"]["rpn_proposal"]
    del cfg["test_cfg"]["rcnn"]
    return {**cfg, "type": "RPN"}


@pytest.fixture
def data(tmp_path):
    """Two pictures of noise with two boxes each, as arguments of CocoDataset."""
    (tmp_path / "val").mkdir()
    rng = np.random.default_rng(0)
    for i in range(2):
        picture = rng.integers(0, 256, (96, 128, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "val" / f"{i}.png"), picture)
    annotations = [
        {
            "id": 2 * i + k, "image_id": i, "category_id": k + 1,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "segmentation": [[x1, y1, x2, y1, x2, y2, x1, y2]],
        }
        for i in range(2)
        for k, (x1, y1, x2, y2) in enumerate(BOXES)
    ]  # fmt: skip
    content = {
        "images": [
            {"id": i, "file_name": f"{i}.png", "height": 96, "width": 128} for i in range(2)
        ],
        "categories": [{"id": k, "name": f"c{k}"} for k in range(1, 4)],
        "annotations": annotations,
    }
    (tmp_path / "val.json").write_text(json.dumps(content))
    return {
        "type": "CocoDataset", "data_root": str(tmp_path), "ann_file": "val.json",
        "data_prefix": {"img": "val/"},
    }  # fmt: skip


def batch_of(cfg, *pipeline):
    steps = [{"type": "LoadImageFromFile"}, *pipeline, {"type": "PackDetInputs"}]
    dataset = DATASETS.build({**cfg, "pipeline": steps})
    return pseudo_collate([dataset[i] for i in range(2)])


def test_proposals_of_an_rpn_run_train_and_test_fast_rcnn(fast_cfg, rpn_cfg, data, tmp_path):
    rpn = MODELS.build(rpn_cfg).eval()
    dump = DumpProposals(str(tmp_path / "proposals"), "rpn.pkl")
    with torch.no_grad():
        samples = rpn.test_step(batch_of(data, RESIZE))
    dump.process({}, [sample.to_dict() for sample in samples])
    dump.evaluate(2)

    data["proposal_file"] = "proposals/rpn.pkl"
    load = {"type": "LoadProposals", "num_max_proposals": 15}
    annotations = {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True}
    flip = {"type": "RandomFlip", "prob": 1.0}
    moved = {"type": "ProposalBroadcaster", "transforms": [RESIZE, flip]}
    batch = batch_of(data, load, annotations, moved)
    given = batch["data_samples"][0].proposals
    found = samples[0].pred_instances.bboxes[:15]
    mirrored = 160 - found[:, [2, 1, 0, 3]] * 1.25  # 128 x 96 becomes 160 x 120
    assert torch.allclose(given.bboxes[:, ::2], mirrored[:, ::2], atol=1e-3)
    assert torch.allclose(given.bboxes[:, 1::2], found[:, 1::2] * 1.25, atol=1e-3)
    assert torch.equal(given.scores, samples[0].pred_instances.scores[:15])

    model = MODELS.build(fast_cfg)
    assert type(model) is FastRCNN and not any("rpn" in key for key in model.state_dict())
    before = model.roi_head.bbox_head.fc_cls.weight.detach().clone()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    losses = model.train_step(batch, wrapper)
    assert {"loss_cls", "loss_bbox", "loss_mask", "acc"} <= losses.keys()
    assert all(value.isfinite() for value in losses.values())
    assert not torch.equal(model.roi_head.bbox_head.fc_cls.weight, before)

    model.eval()
    unmoved = {"type": "ProposalBroadcaster", "transforms": [RESIZE]}
    with torch.no_grad():
        samples = model.test_step(batch_of(data, load, unmoved))
    assert len(samples[0].pred_instances) and len(samples[0].pred_instances.masks)


def with_proposals(batch, counts):
    for sample, count in zip(batch["data_samples"], counts, strict=True):
        boxes = torch.tensor(BOXES)[torch.arange(count) % 2] + torch.rand(count, 4)
        sample.proposals = InstanceData(bboxes=boxes, scores=torch.rand(count))
    return batch


@pytest.mark.parametrize("counts", [(5, 2), (0, 3), (0, 0)])
def test_images_may_have_any_number_of_proposals(fast_cfg, make_batch, counts):
    model = MODELS.build(fast_cfg)
    batch = with_proposals(make_batch(BOXES, []), counts)
    losses = model(**model.data_preprocessor(batch, training=True), mode="loss")
    sum(value for name, value in losses.items() if "loss" in name).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    model.eval()
    with torch.no_grad():
        found = model.test_step(batch)
    assert (len(found[0].pred_instances) > 0) == (counts[0] > 0)


def test_detections_are_the_roi_heads_of_the_given_boxes(fast_cfg, make_batch):
    fast_cfg["test_cfg"]["rcnn"].update(score_thr=0.0, nms={"type": "nms", "iou_threshold": 1.0})
    model = MODELS.build(fast_cfg).eval()
    torch.nn.init.zeros_(model.roi_head.bbox_head.fc_reg.weight)
    torch.nn.init.zeros_(model.roi_head.bbox_head.fc_reg.bias)
    batch = with_proposals(make_batch(BOXES), (3,))
    given = batch["data_samples"][0].proposals.bboxes.clone()
    with torch.no_grad():
        (sample,) = model.test_step(batch)
    got = sample.pred_instances.bboxes
    assert all((torch.isclose(g, given, atol=1e-3).all(1)).any() for g in got)
    assert torch.equal(sample.proposals.bboxes, given)


def test_data_without_proposals_says_how_to_load_them(fast_cfg, make_batch):
    model = MODELS.build(fast_cfg)
    data = model.data_preprocessor(make_batch(BOXES), training=True)
    with pytest.raises(ValueError, match="proposal_file and start the pipeline with"):
        model(**data, mode="loss")
    with pytest.raises(ValueError, match=r"model\.train_cfg\.rpn: no such key"):
        MODELS.build({**fast_cfg, "train_cfg": {"rpn": {}}})
