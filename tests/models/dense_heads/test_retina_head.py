"""RetinaNet's head against a slow second writing of its losses and detections."""

import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import (
    batched_nms,
    box_iou,
    generalized_box_iou_loss,
    sigmoid_focal_loss,
)

from mmdet_lite.models.dense_heads import RetinaHead
from mmdet_lite.ops.box_deltas import decode_deltas, encode_deltas

SIZES = [(12, 16), (6, 8)]
BACKGROUND, IGNORED = -1, -2
NO_MEANS, ONES = (0.0,) * 4, (1.0,) * 4
ASSIGNER = {"type": "MaxIoUAssigner", "pos_iou_thr": 0.5, "neg_iou_thr": 0.4, "min_pos_iou": 0}
TRAIN_CFG = {
    "assigner": ASSIGNER,
    "sampler": {"type": "PseudoSampler"},
    "allowed_border": -1,
    "pos_weight": -1,
    "debug": False,
}
TEST_CFG = {
    "nms_pre": 60,
    "min_bbox_size": 0,
    "score_thr": 0.3,
    "nms": {"type": "nms", "iou_threshold": 0.5},
    "max_per_img": 20,
}


def make_head(**args):
    generator = {
        "type": "AnchorGenerator",
        "octave_base_scale": 3,
        "scales_per_octave": 2,
        "ratios": [0.5, 1.0, 2.0],
        "strides": [8, 16],
    }
    given = {
        "anchor_generator": generator,
        "train_cfg": TRAIN_CFG,
        "test_cfg": TEST_CFG,
        "loss_cls": {"type": "FocalLoss", "use_sigmoid": True},
        "loss_bbox": {"type": "L1Loss"},
        "num_classes": 3,
        **args,
    }
    head = RetinaHead(in_channels=4, stacked_convs=1, feat_channels=6, **given)
    for layer in (head.retina_cls, head.retina_reg):
        torch.nn.init.normal_(layer.weight, std=0.3)
    return head


def assign(anchors, usable, gts, positive_from, negative_below):
    """Ground truth of each anchor, or BACKGROUND or IGNORED: best IoU, best anchors of objects."""
    found = torch.full((len(anchors),), IGNORED)
    overlaps = box_iou(gts, anchors) if len(gts) else torch.zeros(1, len(anchors))
    overlaps[:, ~usable] = -1
    best, gt = overlaps.max(0)
    found[(best >= 0) & (best < negative_below)] = BACKGROUND
    found[best >= positive_from] = gt[best >= positive_from]
    for g in range(len(gts)):
        found[overlaps[g] == overlaps[g].max()] = g
    found[~usable] = IGNORED
    return found


def usable_anchors(sizes_hw, strides, num_base, limit_hw):
    """Whether an anchor's position lies in the image's own part of the batch."""
    flags = []
    for (h, w), stride in zip(sizes_hw, strides, strict=True):
        for y in range(h):
            for x in range(w):
                flags += [y * stride < limit_hw[0] and x * stride < limit_hw[1]] * num_base
    return torch.tensor(flags)


def detect(scores, boxes, counts, cfg, factors=None):
    """Boxes, scores, labels of one image from scores (A, K) and boxes (A, 4)."""
    found, start = [], 0
    for count in counts:
        level = scores[start : start + count]
        entries = [
            (float(level[a, k].detach()), start + a, k)
            for a, k in torch.nonzero(level > cfg["score_thr"]).tolist()
        ]
        found += sorted(entries, reverse=True)[: cfg["nms_pre"]]
        start += count
    position = torch.tensor([entry[1] for entry in found], dtype=torch.long)
    label = torch.tensor([entry[2] for entry in found], dtype=torch.long)
    score = scores[position, label]
    if factors is not None:
        score = score * factors[position]
    box = boxes[position]
    large = ((box[:, 2:] - box[:, :2]) > cfg["min_bbox_size"]).all(1)
    box, score, label = box[large], score[large], label[large]
    keep = batched_nms(box, score, label, cfg["nms"]["iou_threshold"])[: cfg["max_per_img"]]
    return box[keep], score[keep], label[keep]


def slow_loss(head, features, images, targets, decoded=False):
    logits, deltas, sizes_hw = head(features)
    anchors = head.anchors.grid_anchors(sizes_hw, torch.device("cpu"))
    total_cls = total_box = divisor = 0
    for i, (gts, labels) in enumerate(zip(targets.boxes, targets.labels, strict=True)):
        usable = usable_anchors(SIZES, (8, 16), 6, images.pad_shapes_hw[i])
        gt = assign(anchors, usable, gts, 0.5, 0.4)
        positive = gt >= 0
        wanted = torch.zeros(len(anchors), 3)
        wanted[positive, labels[gt[positive]]] = 1
        focal = sigmoid_focal_loss(logits[i], wanted, alpha=0.25, gamma=2)
        total_cls = total_cls + focal[gt != IGNORED].sum()
        divisor += max(int(positive.sum()), 1)
        if decoded:
            boxes = decode_deltas(anchors[positive], deltas[i, positive], NO_MEANS, ONES)
            loss = generalized_box_iou_loss(boxes, gts[gt[positive]]).sum()
        else:
            offsets = encode_deltas(anchors[positive], gts[gt[positive]], NO_MEANS, ONES)
            loss = F.l1_loss(deltas[i, positive], offsets, reduction="sum")
        total_box = total_box + loss
    return {"loss_cls": total_cls / divisor, "loss_bbox": total_box / divisor}


def check_losses(head, batch, **kwargs):
    losses, wanted = head.loss(*batch), slow_loss(head, *batch, **kwargs)
    assert list(losses) == ["loss_cls", "loss_bbox"]
    for name in wanted:
        assert torch.allclose(losses[name], wanted[name], rtol=1e-5), name
    return losses


def test_losses_are_those_of_the_slow_writing(batch):
    assert check_losses(make_head(), batch)["loss_bbox"] > 0


def test_images_without_objects_count_as_background_and_reach_every_weight(batch, empty):
    features, images, _ = batch
    for gone in ((1,), (0, 1)):
        head = make_head()
        losses = check_losses(head, (features, images, empty(*gone)))
        sum(losses.values()).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())
    assert losses["loss_bbox"] == 0


def test_the_box_loss_may_compare_boxes(batch):
    head = make_head(reg_decoded_bbox=True, loss_bbox={"type": "GIoULoss"})
    check_losses(head, batch, decoded=True)


def test_ignored_regions_count_nothing(batch):
    features, images, targets = batch
    everywhere = [torch.tensor([[-200.0, -200.0, 400.0, 400.0]])] * 2
    head = make_head(train_cfg={**TRAIN_CFG, "assigner": {**ASSIGNER, "ignore_iof_thr": 0.5}})
    losses = head.loss(features, images, replace(targets, ignored_boxes=everywhere))
    assert losses["loss_cls"] == 0 and losses["loss_bbox"] == 0
    plain = head.loss(features, images, targets)
    assert plain["loss_cls"] > 0


def test_softmax_has_one_more_class(batch):
    features, images, targets = batch
    head = make_head(loss_cls={"type": "CrossEntropyLoss"}, test_cfg={**TEST_CFG, "score_thr": 0.2})
    assert head.retina_cls.out_channels == 6 * 4
    assert head.loss(features, images, targets)["loss_cls"].isfinite()
    found = head.predict(features, images)
    logits = head(features)[0]
    assert found.labels.max() <= 2
    assert torch.allclose(found.scores.max(), logits.softmax(-1)[..., :-1].max())


def test_a_random_sampler_bounds_what_counts(batch):
    sampler = {"type": "RandomSampler", "num": 8, "pos_fraction": 0.5}
    head = make_head(train_cfg={**TRAIN_CFG, "sampler": sampler})
    _, images, targets = batch
    wanted = head.matcher.targets(SIZES, images, targets, 3, torch.device("cpu"))
    drawn = wanted.positive | wanted.negative
    assert drawn.sum(1).tolist() == [8, 8] and wanted.divisor == 16
    assert (wanted.positive.sum(1) <= 4).all() and wanted.positive.any()
    assert (wanted.labels[~wanted.positive] == 3).all()
    everything = {"type": "RandomSampler", "num": 10**6, "pos_fraction": 0.5}
    whole = make_head(train_cfg={**TRAIN_CFG, "sampler": everything})
    pseudo = make_head()
    whole.load_state_dict(pseudo.state_dict())
    all_of_both = [h.matcher.targets(SIZES, images, targets, 3, torch.device("cpu"))
                   for h in (whole, pseudo)]  # fmt: skip
    assert torch.equal(all_of_both[0].labels, all_of_both[1].labels)
    assert torch.equal(all_of_both[0].negative, all_of_both[1].negative)


def test_detections_are_those_of_a_loop_over_images_and_levels(batch):
    head, (features, images, _) = make_head(), batch
    copies = [f.clone() for f in features]
    for change in ({}, {"nms_pre": 8}, {"min_bbox_size": 30}):
        head.test_cfg = {**TEST_CFG, **change}
        found = head.predict(features, images)
        logits, deltas, sizes_hw = head(features)
        anchors = head.anchors.grid_anchors(sizes_hw, torch.device("cpu"))
        for i, (height, width) in enumerate(images.sizes_hw):
            boxes = decode_deltas(anchors, deltas[i], NO_MEANS, ONES)
            boxes[:, 0::2] = boxes[:, 0::2].clamp(0, width)
            boxes[:, 1::2] = boxes[:, 1::2].clamp(0, height)
            counts = [h * w * 6 for h, w in SIZES]
            wanted = detect(logits[i].sigmoid(), boxes, counts, head.test_cfg)
            rows = found.of_image(i)
            got = found.boxes[rows], found.scores[rows], found.labels[rows]
            assert len(rows) > 3
            assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(got, wanted, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(features, copies, strict=True))
    assert not found.boxes.requires_grad


def test_nothing_above_the_threshold_is_nothing(batch):
    features, images, _ = batch
    for threshold in (0.999999, 1.0):
        head = make_head(test_cfg={**TEST_CFG, "score_thr": threshold})
        found = head.predict(features, images)
        assert found.boxes.shape == (0, 4) and len(found.scores) == 0


def test_without_bounds_everything_comes_out(batch):
    features, images, _ = batch
    bounds = {"nms_pre": -1, "max_per_img": -1, "score_thr": 0.0, "min_bbox_size": -1}
    head = make_head(test_cfg={**bounds, "nms": {"type": "nms", "iou_threshold": 1.0}})
    assert len(head.predict(features, images).scores) == 2 * (192 + 48) * 6 * 3


def test_before_a_roi_head_it_knows_objects_only(batch):
    features, images, targets = batch
    head, proposal_cfg = make_head(num_classes=1), {**TEST_CFG, "max_per_img": 5}
    losses, proposals = head.loss_and_predict(features, images, targets, proposal_cfg)
    alone = head.loss(features, images, targets.without_classes())
    assert losses == {f"rpn_{name}": loss for name, loss in alone.items()}
    found = head.predict(features, images)
    for i in range(2):
        valid, rows = proposals.valid[i], found.of_image(i)[:5]
        assert torch.equal(proposals.boxes[i][valid], found.boxes[rows])
        assert torch.equal(proposals.scores[i][valid], found.scores[rows])
    assert torch.equal(head.propose(features, images).boxes[:, :5], proposals.boxes)


def test_names_and_first_values_are_those_of_checkpoints():
    head = RetinaHead(3, 4, stacked_convs=2, feat_channels=6)
    head.init_weights()
    state = head.state_dict()
    assert list(state) == [
        f"{layer}.{kind}"
        for layer in (
            "cls_convs.0.conv", "cls_convs.1.conv", "reg_convs.0.conv", "reg_convs.1.conv",
            "retina_cls", "retina_reg",
        )
        for kind in ("weight", "bias")
    ]  # fmt: skip
    assert torch.allclose(head.retina_cls.bias.sigmoid(), torch.full((27,), 0.01))
    assert state["retina_cls.weight"].std() < 0.02
    normed = RetinaHead(3, 8, 1, norm_cfg={"type": "GN", "num_groups": 2}, feat_channels=8)
    assert {"cls_convs.0.gn.weight"} <= set(normed.state_dict())
    assert "cls_convs.0.conv.bias" not in normed.state_dict()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"train_cfg": {**TRAIN_CFG, "allow_border": 1}}, r"train_cfg\.allow_border.*allowed"),
        ({"train_cfg": {"sampler": {"type": "PseudoSampler"}}}, r"assigner is missing"),
        (
            {
                "train_cfg": {
                    **TRAIN_CFG,
                    "sampler": {"type": "OHEMSampler", "num": 4, "pos_fraction": 0.5},
                }
            },
            "draws RoIs by their losses",
        ),
        ({"test_cfg": {**TEST_CFG, "score_th": 1}}, r"test_cfg\.score_th.*score_thr"),
        ({"test_cfg": {"score_thr": 0.1}}, r"test_cfg\.nms is missing"),
    ],
)
def test_wrong_arguments_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        make_head(**args)


def test_a_missing_number_of_classes_is_named():
    with pytest.raises(ValueError, match=r"set model\.bbox_head\.num_classes"):
        RetinaHead()


def test_configs_and_targets_stay_as_they_were(batch):
    cfgs, before = copy.deepcopy((TRAIN_CFG, TEST_CFG)), copy.deepcopy(batch)
    head = make_head()
    head.loss(*batch)
    head.predict(*batch[:2])
    assert cfgs == (TRAIN_CFG, TEST_CFG)
    for a, b in zip(batch[2].boxes + batch[2].labels, before[2].boxes + before[2].labels,
                    strict=True):  # fmt: skip
        assert torch.equal(a, b)
