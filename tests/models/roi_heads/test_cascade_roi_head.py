"""Several stages: each trains on what the one before refined; in testing they vote."""

import copy
import itertools

import pytest
import torch

from mmdet_lite.models.roi_heads import CascadeRoIHead
from mmdet_lite.ops.boxes import boxes_to_rois, pairwise_overlaps
from mmdet_lite.ops.levels import pad_boxes
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import BatchTargets, BitmapMasks, ImageBatch, Proposals

GTS = [
    torch.tensor([[10.0, 10.0, 50.0, 60.0], [60.0, 20.0, 100.0, 70.0]]),
    torch.tensor([[30.0, 10.0, 80.0, 60.0]]),
]
LABELS = [torch.tensor([2, 0]), torch.tensor([1])]
NO_BOXES = [torch.zeros(0, 4), torch.zeros(0, 4)]
NO_LABELS = [torch.zeros(0, dtype=torch.long)] * 2
STDS = [(0.1, 0.1, 0.2, 0.2), (0.05, 0.05, 0.1, 0.1), (0.033, 0.033, 0.067, 0.067)]


@pytest.fixture
def cascade_cfg(tiny_cfg):
    """Three stages of the small head, class agnostic, with growing thresholds."""
    roi_head, rcnn = tiny_cfg["roi_head"], tiny_cfg["train_cfg"]["rcnn"]
    stages = []
    for threshold in (0.5, 0.6, 0.7):
        stage = copy.deepcopy(rcnn)
        stage["assigner"].update(
            pos_iou_thr=threshold, neg_iou_thr=threshold, min_pos_iou=threshold,
            match_low_quality=False,
        )  # fmt: skip
        stages.append(stage)
    heads = [
        {
            **roi_head["bbox_head"], "reg_class_agnostic": True,
            "bbox_coder": {"type": "DeltaXYWHBBoxCoder", "target_stds": stds},
        }
        for stds in STDS
    ]  # fmt: skip
    return {
        **roi_head,
        "type": "CascadeRoIHead",
        "num_stages": 3,
        "stage_loss_weights": [1, 0.5, 0.25],
        "bbox_head": heads,
        "train_cfg": stages,
        "test_cfg": tiny_cfg["test_cfg"]["rcnn"],
    }


def keep_everything(cfg):
    for stage in cfg["train_cfg"]:
        stage["sampler"].update(num=10**6, pos_fraction=1.0)
    return cfg


def features():
    return [torch.randn(2, 16, 96 // s, 128 // s, requires_grad=True) for s in (4, 8, 16, 32)]


def images():
    sizes = [(96, 128), (80, 100)]
    return ImageBatch(sizes, [(96, 128)] * 2, (96, 128), torch.tensor(sizes).float())


def targets(gts=GTS, labels=LABELS):
    masks = []
    for boxes in gts:
        full = torch.zeros(len(boxes), 96, 128, dtype=torch.uint8)
        for mask, (x1, y1, x2, y2) in zip(full, boxes.int().tolist(), strict=True):
            mask[y1:y2, x1:x2] = 1
        masks.append(BitmapMasks(full.numpy(), 96, 128))
    return BatchTargets(gts, labels, NO_BOXES, masks)


def proposals(counts=(30, 12)):
    boxes = []
    for count, gts in zip(counts, GTS, strict=True):
        shaken = gts[torch.randint(len(gts), (count,))] + torch.randn(count, 4) * 8
        boxes.append(shaken.clamp(0, 100))
    padded, valid = pad_boxes(boxes)
    return Proposals(padded, torch.rand(padded.shape[:2]), valid)


def detect(head, maps, given):
    return head.add_shapes(maps, head.predict_boxes(maps, given, images()))


def total(losses):
    return sum(value for name, value in losses.items() if "loss" in name)


def test_keys_are_those_of_checkpoints(cascade_cfg):
    keys = {".".join(key.split(".")[:3]) for key in MODELS.build(cascade_cfg).state_dict()}
    for stage in "012":
        assert {f"bbox_head.{stage}.fc_cls", f"bbox_head.{stage}.shared_fcs"} <= keys
        assert {f"mask_head.{stage}.convs", f"mask_head.{stage}.conv_logits"} <= keys
    assert {key.split(".")[0] for key in keys} == {"bbox_head", "mask_head"}


def test_heads_of_all_stages_are_initialised(cascade_cfg):
    head = MODELS.build(cascade_cfg)
    head.init_weights()
    for boxes, masks in zip(head.bbox_head, head.mask_head, strict=True):
        assert 0.005 < boxes.fc_cls.weight.std() < 0.015 and (boxes.fc_cls.bias == 0).all()
        assert (masks.conv_logits.bias == 0).all()


def test_losses_of_all_stages_are_named_and_reach_every_weight(cascade_cfg):
    head, maps = MODELS.build(cascade_cfg), features()
    losses = head.loss(maps, proposals(), images(), targets())
    names = ("loss_cls", "acc", "loss_bbox", "loss_mask")
    assert list(losses) == [f"s{stage}.{name}" for stage in range(3) for name in names]
    total(losses).backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in head.parameters())
    assert all(f.grad is not None for f in maps)


def test_weights_of_the_stages_count_losses_and_no_accuracy(cascade_cfg):
    cfg = keep_everything(cascade_cfg)
    head = MODELS.build(cfg)
    plain = MODELS.build({**cfg, "stage_loss_weights": [1, 1, 1]})
    plain.load_state_dict(head.state_dict())
    case = (features(), proposals(), images(), targets())
    weighted, unweighted = head.loss(*case), plain.loss(*case)
    for name, value in unweighted.items():
        factor = {"s0": 1, "s1": 0.5, "s2": 0.25}[name[:2]] if "loss" in name else 1
        assert torch.isclose(weighted[name], factor * value, rtol=1e-5), name


def test_the_first_stage_is_the_standard_head(cascade_cfg):
    cfg = keep_everything(cascade_cfg)
    head = MODELS.build(cfg)
    standard = MODELS.build(
        {
            **{k: v for k, v in cfg.items() if k not in ("num_stages", "stage_loss_weights")},
            "type": "StandardRoIHead",
            "bbox_head": cfg["bbox_head"][0],
            "train_cfg": cfg["train_cfg"][0],
        }
    )
    standard.bbox_head.load_state_dict(head.bbox_head[0].state_dict())
    standard.mask_head.load_state_dict(head.mask_head[0].state_dict())
    case = (features(), proposals(), images(), targets())
    wanted, got = standard.loss(*case), head.loss(*case)
    assert all(torch.isclose(got[f"s0.{name}"], value) for name, value in wanted.items())


def test_each_stage_trains_on_what_the_one_before_refined(cascade_cfg, monkeypatch):
    """A head that always answers with the true offsets gives the next stage perfect boxes."""
    head = MODELS.build(keep_everything(cascade_cfg))
    seen = []

    def loss(self, cls_score, bbox_pred, boxes, labels, matched_gt, pos_weight):
        seen.append((boxes, labels, matched_gt))
        return {"loss_cls": cls_score.sum()}

    def refine(self, rois, cls_score, bbox_pred, images, labels):
        boxes, _, matched = seen[-1]
        return torch.where((labels < 3)[:, None], matched, boxes)

    monkeypatch.setattr(type(head.bbox_head[0]), "loss", loss)
    monkeypatch.setattr(type(head.bbox_head[0]), "refine", refine)
    given, truth = proposals(), targets()
    head.loss(features(), given, images(), truth)
    every_gt = torch.cat(GTS)
    for before, after in itertools.pairwise(seen):
        # as many again: the added ground truths leave and are added anew
        assert len(after[0]) == len(before[0])
        best = pairwise_overlaps(after[0], every_gt).amax(1)
        assert (best[after[1] < 3] > 0.999).all()
    assert (seen[0][1] < 3).sum() <= (seen[1][1] < 3).sum()


@pytest.mark.parametrize("some", [0, 30])
@pytest.mark.parametrize("add_gt", [True, False])
def test_batches_without_objects_have_finite_losses_and_all_gradients(cascade_cfg, some, add_gt):
    for stage in cascade_cfg["train_cfg"]:
        stage["sampler"]["add_gt_as_proposals"] = add_gt
    head = MODELS.build(cascade_cfg)
    for truth in (targets(NO_BOXES, NO_LABELS), targets()):
        head.zero_grad()
        losses = head.loss(features(), proposals((some, some // 2)), images(), truth)
        total(losses).backward()
        assert all(v.isfinite() for v in losses.values()) and len(losses) == 12
        assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())


def test_detections_are_those_of_the_slow_writing(cascade_cfg):
    head, maps, given = MODELS.build(cascade_cfg).eval(), features(), proposals()
    with torch.no_grad():
        image, column = torch.nonzero(given.valid, as_tuple=True)
        boxes, logits = given.boxes[image, column], 0
        for i in range(3):
            rois = boxes_to_rois(boxes, image)
            cls_score, deltas = head.bbox_head[i](head.bbox_roi_extractor[i](maps, rois))
            logits = logits + cls_score / 3
            if i < 2:
                coder = head.bbox_head[i].bbox_coder
                boxes = coder.decode(boxes, deltas, images().sizes[image])
        wanted = head.bbox_head[2].predict(logits, deltas, rois, images(), head.test_cfg)
        found = detect(head, maps, given)
        assert len(found.boxes) > 0 and torch.equal(found.labels, wanted.labels)
        assert torch.allclose(found.boxes, wanted.boxes, atol=1e-3)
        assert torch.allclose(found.scores, wanted.scores, atol=1e-5)
        rois = boxes_to_rois(found.boxes, found.image_idx)
        rows = torch.arange(len(rois))
        probs = [
            head.mask_head[i](head.mask_roi_extractor[i](maps, rois))[rows, found.labels].sigmoid()
            for i in range(3)
        ]
        assert torch.allclose(found.mask_probs, sum(probs) / 3, atol=1e-5)


def test_no_proposals_give_no_detections(cascade_cfg):
    found = detect(MODELS.build(cascade_cfg), features(), proposals((0, 0)))
    assert found.boxes.shape == (0, 4) and found.mask_probs.shape == (0, 28, 28)


def test_without_mask_heads_there_are_boxes_only(cascade_cfg):
    del cascade_cfg["mask_head"], cascade_cfg["mask_roi_extractor"]
    head = MODELS.build(cascade_cfg)
    losses = head.loss(features(), proposals(), images(), targets())
    assert not any("mask" in name for name in losses)
    assert detect(head, features(), proposals()).mask_probs is None


def test_boxes_of_each_class_are_refined_by_the_best_class(cascade_cfg):
    for head in cascade_cfg["bbox_head"]:
        head["reg_class_agnostic"] = False
    head = MODELS.build(cascade_cfg)
    assert head.bbox_head[0].fc_reg.weight.shape[0] == 12
    assert total(head.loss(features(), proposals(), images(), targets())).isfinite()
    assert len(detect(head, features(), proposals()).boxes)


def test_hard_examples_are_mined_in_every_stage(cascade_cfg):
    for stage in cascade_cfg["train_cfg"]:
        stage["sampler"] = {"type": "OHEMSampler", "num": 8, "pos_fraction": 0.5}
    losses = MODELS.build(cascade_cfg).loss(features(), proposals(), images(), targets())
    assert total(losses).isfinite()


def test_arguments_stay_as_they_were(cascade_cfg):
    before = copy.deepcopy(cascade_cfg)
    head, given, truth, maps = MODELS.build(cascade_cfg), proposals(), targets(), features()
    copies = copy.deepcopy((given.boxes, given.valid, truth.boxes, truth.labels))
    head.loss(maps, given, images(), truth)
    detect(head, maps, given)
    assert cascade_cfg == before
    assert torch.equal(given.boxes, copies[0]) and torch.equal(given.valid, copies[1])
    assert all(torch.equal(a, b) for a, b in zip(truth.boxes, copies[2], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(truth.labels, copies[3], strict=True))


def test_wrong_configs_are_refused(cascade_cfg):
    def build(**changes):
        return MODELS.build({**cascade_cfg, **changes})

    heads, stages = cascade_cfg["bbox_head"], cascade_cfg["train_cfg"]
    with pytest.raises(ValueError, match="needs bbox_roi_extractor and bbox_head"):
        CascadeRoIHead(3, [1, 1, 1])
    with pytest.raises(ValueError, match="bbox_head has 2 entries for num_stages=3"):
        build(bbox_head=heads[:2])
    with pytest.raises(ValueError, match="stage_loss_weights has 1 entries for num_stages=3"):
        build(stage_loss_weights=[1])
    with pytest.raises(ValueError, match=r"train_cfg\.rcnn: a cascade needs a list of one a stage"):
        build(train_cfg=stages[0])
    with pytest.raises(ValueError, match=r"train_cfg\.rcnn\.1\.samplr.*sampler"):
        build(train_cfg=[stages[0], {**stages[1], "samplr": 1}, stages[2]])
    with pytest.raises(ValueError, match="shared_head is not available"):
        build(shared_head={"type": "ResLayer", "depth": 18})
    with pytest.raises(ValueError, match="every bbox_head needs with_cls and with_reg"):
        build(bbox_head=[*heads[:2], {**heads[2], "with_reg": False}])
