"""RPN against a slow second writing of its loss and of its choice of proposals."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import box_iou, nms

from mmdet_lite.models.dense_heads import RPNHead
from mmdet_lite.ops.box_deltas import decode_deltas, encode_deltas
from mmdet_lite.structures import BatchTargets, ImageBatch

SIZES = [(12, 16), (6, 8)]
NO_MEANS, ONES = (0.0,) * 4, (1.0,) * 4
TRAIN_CFG = {
    "assigner": {
        "type": "MaxIoUAssigner",
        "pos_iou_thr": 0.6,
        "neg_iou_thr": 0.3,
        "min_pos_iou": 0.2,
    },
    "sampler": {"type": "RandomSampler", "num": 10**7, "pos_fraction": 0.5},
}
TEST_CFG = {
    "nms_pre": 40,
    "max_per_img": 15,
    "nms": {"type": "nms", "iou_threshold": 0.6},
    "min_bbox_size": 0,
}


def make_head(**args):
    generator = {
        "type": "AnchorGenerator",
        "scales": [3],
        "ratios": [0.5, 1.0, 2.0],
        "strides": [8, 16],
    }
    cfgs = {"anchor_generator": generator, "train_cfg": TRAIN_CFG, "test_cfg": TEST_CFG, **args}
    head = RPNHead(4, feat_channels=6, **cfgs)
    for layer in (head.rpn_cls, head.rpn_reg):
        torch.nn.init.normal_(layer.weight, std=0.3)
    return head


def case():
    features = [torch.randn(2, 4, h, w) for h, w in SIZES]
    sizes_hw = [(96, 128), (70, 100)]
    images = ImageBatch(sizes_hw, [(96, 128), (80, 112)], (96, 128), torch.tensor(sizes_hw).float())
    boxes = [
        torch.tensor([[5.0, 5.0, 40.0, 50.0], [60.0, 20.0, 90.0, 44.0]]),
        torch.tensor([[30.0, 10.0, 55.0, 33.0]]),
    ]
    labels = [torch.zeros(len(b), dtype=torch.long) for b in boxes]
    return features, images, BatchTargets(boxes, labels, [torch.zeros(0, 4)] * 2)


def slow_loss(head, features, images, targets):
    logits, deltas, sizes_hw = head(features)
    anchors = head.anchors.grid_anchors(sizes_hw, torch.device("cpu"))
    total_cls = total_box = count = 0
    for i, gts in enumerate(targets.boxes):
        position = []
        for (h, w), stride in zip(SIZES, (8, 16), strict=True):
            limit_h, limit_w = images.pad_shapes_hw[i]
            for y in range(h):
                for x in range(w):
                    position += [y * stride < limit_h and x * stride < limit_w] * 3
        usable = torch.tensor(position)
        overlaps = box_iou(gts, anchors) if len(gts) else torch.zeros(1, len(anchors))
        overlaps[:, ~usable] = -1
        best, gt = overlaps.max(0)
        label = torch.full((len(anchors),), -1)
        label[(best >= 0) & (best < 0.3)] = 0
        label[best >= 0.6] = 1
        for g in range(len(gts)):
            if overlaps[g].max() >= 0.2:
                chosen = overlaps[g] == overlaps[g].max()
                label[chosen], gt[chosen] = 1, g
        counted, positive = label >= 0, label == 1
        count += max(int(positive.sum()), 1) + max(int((counted & ~positive).sum()), 1)
        total_cls = total_cls + F.binary_cross_entropy_with_logits(
            logits[i, counted, 0], label[counted].float(), reduction="sum"
        )
        if positive.any():
            wanted = encode_deltas(anchors[positive], gts[gt[positive]], NO_MEANS, ONES)
            total_box = total_box + F.smooth_l1_loss(
                deltas[i, positive], wanted, beta=1 / 9, reduction="sum"
            )
    return total_cls / count, total_box / count


def test_losses_are_those_of_the_slow_writing():
    head, (features, images, targets) = make_head(), case()
    losses = head.loss(features, images, targets)
    wanted_cls, wanted_box = slow_loss(head, features, images, targets)
    assert list(losses) == ["loss_rpn_cls", "loss_rpn_bbox"]
    assert torch.allclose(losses["loss_rpn_cls"], wanted_cls, rtol=1e-5)
    assert torch.allclose(losses["loss_rpn_bbox"], wanted_box, rtol=1e-5)
    assert wanted_box > 0


def test_an_image_without_objects_counts_as_background_only():
    head, (features, images, targets) = make_head(), case()
    no_labels = torch.zeros(0, dtype=torch.long)
    for boxes in ([targets.boxes[0], torch.zeros(0, 4)], [torch.zeros(0, 4)] * 2):
        some = BatchTargets(boxes, [no_labels] * 2, targets.ignored_boxes)
        losses = head.loss(features, images, some)
        wanted_cls, wanted_box = slow_loss(head, features, images, some)
        assert torch.allclose(losses["loss_rpn_cls"], wanted_cls, rtol=1e-5)
        assert torch.allclose(losses["loss_rpn_bbox"], torch.as_tensor(wanted_box), rtol=1e-5)
        sum(losses.values()).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())


def test_an_image_without_a_positive_counts_one_as_in_mmdetection():
    sampler = {"type": "RandomSampler", "num": 64, "pos_fraction": 0.5}
    head = make_head(train_cfg={**TRAIN_CFG, "sampler": sampler})
    features, images, targets = case()
    torch.nn.init.zeros_(head.rpn_cls.weight)
    torch.nn.init.zeros_(head.rpn_cls.bias)
    none = BatchTargets([torch.zeros(0, 4)] * 2, targets.labels, targets.ignored_boxes)
    loss = head.loss(features, images, none)["loss_rpn_cls"]
    assert loss.item() == pytest.approx(math.log(2) * 64 / 65)


def test_proposals_are_those_of_a_loop_over_images_and_levels():
    head, (features, images, _) = make_head(), case()
    copies = [f.clone() for f in features]
    proposals = head.propose(features, images)
    logits, deltas, sizes_hw = head(features)
    anchors = head.anchors.grid_anchors(sizes_hw, torch.device("cpu"))
    counts = [h * w * 3 for h, w in SIZES]
    for i, (height, width) in enumerate(images.sizes_hw):
        boxes, scores, start = [], [], 0
        for count in counts:
            level = slice(start, start + count)
            score, top = logits[i, level, 0].sigmoid().topk(40)
            box = decode_deltas(anchors[level][top], deltas[i, level][top], NO_MEANS, ONES)
            box[:, 0::2] = box[:, 0::2].clamp(0, width)
            box[:, 1::2] = box[:, 1::2].clamp(0, height)
            large = (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
            box, score = box[large], score[large]
            keep = nms(box, score, 0.6)
            boxes.append(box[keep])
            scores.append(score[keep])
            start += count
        boxes, scores = torch.cat(boxes), torch.cat(scores)
        order = scores.argsort(descending=True)[:15]
        valid = proposals.valid[i]
        assert valid.sum() == len(order)
        assert torch.allclose(proposals.scores[i][valid], scores[order])
        assert torch.allclose(proposals.boxes[i][valid], boxes[order], atol=1e-3)
        assert proposals.boxes[i][~valid].abs().sum() == 0
    assert all(torch.equal(a, b) for a, b in zip(features, copies, strict=True))
    assert not proposals.boxes.requires_grad


def test_losses_and_proposals_at_once_are_those_of_each():
    head, (features, images, targets) = make_head(), case()
    losses, proposals = head.loss_and_predict(features, images, targets, TEST_CFG)
    alone = head.loss(features, images, targets)
    assert all(torch.allclose(losses[k], alone[k], rtol=1e-5) for k in alone)
    assert torch.equal(proposals.boxes, head.propose(features, images).boxes)


def test_small_proposals_are_dropped_and_all_may_be():
    cfg = {**TEST_CFG, "min_bbox_size": 20, "nms_pre": -1}
    features, images, _ = case()
    proposals = make_head(test_cfg=cfg).propose(features, images)
    sizes = (proposals.boxes[..., 2:] - proposals.boxes[..., :2])[proposals.valid]
    assert len(sizes) and (sizes > 20).all()
    none = make_head(test_cfg={**cfg, "min_bbox_size": 10**6}).propose(features, images)
    assert none.boxes.shape == (2, 0, 4) and none.valid.shape == (2, 0)


def test_two_logits_are_a_softmax_whose_first_class_is_object():
    head = make_head(loss_cls={"type": "CrossEntropyLoss"})
    features, images, targets = case()
    assert head.rpn_cls.out_channels == 6
    logits, _, _ = head(features)
    scores = logits.softmax(-1)[..., 0]
    best = head.propose(features, images).scores[0, 0]
    assert torch.allclose(best, scores[0].max(), atol=1e-5)
    assert head.loss(features, images, targets)["loss_rpn_cls"].isfinite()


def test_anchors_beyond_the_allowed_border_are_left_out():
    features, images, targets = case()
    free = make_head()
    strict = make_head(train_cfg={**TRAIN_CFG, "allowed_border": 0})
    strict.load_state_dict(free.state_dict())
    logits, _, sizes_hw = free(features)
    anchors = free.anchors.grid_anchors(sizes_hw, torch.device("cpu"))
    none = BatchTargets([torch.zeros(0, 4)] * 2, targets.labels, targets.ignored_boxes)
    inside = [
        (anchors[:, :2] >= 0).all(1) & (anchors[:, 2] < w) & (anchors[:, 3] < h)
        for h, w in images.sizes_hw
    ]
    counted = torch.cat([logits[i, rows, 0] for i, rows in enumerate(inside)])
    wanted = F.binary_cross_entropy_with_logits(
        counted, torch.zeros_like(counted), reduction="sum"
    ) / (len(counted) + 2)  # each image counts a positive that it has not
    assert torch.allclose(strict.loss(features, images, none)["loss_rpn_cls"], wanted)
    assert 0 < len(counted) < 2 * len(anchors)


def test_weight_of_positives_is_honoured():
    features, images, targets = case()
    plain, heavy = make_head(), make_head(train_cfg={**TRAIN_CFG, "pos_weight": 3})
    heavy.load_state_dict(plain.state_dict())
    background = BatchTargets([torch.zeros(0, 4)] * 2, targets.labels, targets.ignored_boxes)
    a, b = (h.loss(features, images, background)["loss_rpn_cls"] for h in (plain, heavy))
    assert torch.allclose(a, b, rtol=1e-5)
    a, b = (h.loss(features, images, targets) for h in (plain, heavy))
    assert b["loss_rpn_cls"] > a["loss_rpn_cls"] + 1e-3
    assert torch.allclose(a["loss_rpn_bbox"], b["loss_rpn_bbox"], rtol=1e-5)


def test_box_loss_may_compare_decoded_boxes():
    features, images, targets = case()
    head = make_head(reg_decoded_bbox=True, loss_bbox={"type": "L1Loss"})
    offsets = make_head(loss_bbox={"type": "L1Loss"})
    offsets.load_state_dict(head.state_dict())
    decoded = head.loss(features, images, targets)["loss_rpn_bbox"]
    assert decoded.isfinite()
    assert decoded > 5 * offsets.loss(features, images, targets)["loss_rpn_bbox"]  # pixels


def test_several_convolutions_have_their_own_names():
    head = make_head(num_convs=2)
    assert "rpn_conv.1.conv.weight" in head.state_dict()
    assert list(make_head().state_dict())[:2] == ["rpn_conv.weight", "rpn_conv.bias"]
    features, images, targets = case()
    assert head.loss(features, images, targets)["loss_rpn_cls"].isfinite()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"num_classes": 2}, "num_classes can only be 1"),
        ({"train_cfg": {**TRAIN_CFG, "allow_border": 1}}, r"train_cfg\.rpn\.allow_border.*allowed"),
        ({"test_cfg": {**TEST_CFG, "nms_per": 1}}, r"test_cfg\.rpn\.nms_per"),
        ({"test_cfg": {"nms_pre": 4, "max_per_img": 3}}, r"test_cfg\.rpn\.nms is missing"),
        (
            {"test_cfg": {**TEST_CFG, "nms": {"type": "fast_nms", "iou_threshold": 0.5}}},
            r"test_cfg\.rpn\.nms\.type: expected 'nms'",
        ),
    ],
)
def test_wrong_arguments_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        make_head(**args)


def test_configs_stay_as_they_were():
    copies = copy.deepcopy((TRAIN_CFG, TEST_CFG))
    features, images, targets = case()
    make_head().loss_and_predict(features, images, targets, TEST_CFG)
    assert copies == (TRAIN_CFG, TEST_CFG)
