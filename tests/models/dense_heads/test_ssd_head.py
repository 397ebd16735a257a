"""SSD's head against a slow second writing of its losses."""

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import nms

from mmdet_lite.models.dense_heads import SSDHead
from mmdet_lite.models.dense_heads.anchor_targets import AnchorTargets
from mmdet_lite.models.dense_heads.ssd_head import hard_negatives
from mmdet_lite.ops.box_deltas import decode_deltas, encode_deltas

SIZES = [(12, 16), (6, 8)]
BASE = [4, 6]
STDS = (0.1, 0.1, 0.2, 0.2)
ASSIGNER = {
    "type": "MaxIoUAssigner",
    "pos_iou_thr": 0.5,
    "neg_iou_thr": 0.5,
    "min_pos_iou": 0.0,
    "gt_max_assign_all": False,
}
TRAIN_CFG = {
    "assigner": ASSIGNER,
    "sampler": {"type": "PseudoSampler"},
    "smoothl1_beta": 0.7,
    "allowed_border": -1,
    "pos_weight": -1,
    "neg_pos_ratio": 3,
    "debug": False,
}
TEST_CFG = {
    "nms_pre": 100,
    "nms": {"type": "nms", "iou_threshold": 0.45},
    "min_bbox_size": 0,
    "score_thr": 0.25,
    "max_per_img": 200,
}


def make_head(**args):
    generator = {
        "type": "SSDAnchorGenerator",
        "strides": [8, 16],
        "ratios": [[2], [2, 3]],
        "min_sizes": [16, 30],
        "max_sizes": [30, 60],
        "scale_major": False,
    }
    coder = {"type": "DeltaXYWHBBoxCoder", "target_stds": STDS}
    given = {"train_cfg": TRAIN_CFG, "test_cfg": TEST_CFG, **args}
    return SSDHead(3, (4, 4), anchor_generator=generator, bbox_coder=coder, **given)


def slow_loss(head, features, images, targets):
    logits, deltas, sizes_hw = head(features)
    anchors = head.anchors.grid_anchors(sizes_hw, torch.device("cpu"))
    total_cls = total_box = divisor = 0
    usable = head.anchors.inside_image(sizes_hw, images.pad_shapes_hw, torch.device("cpu"))
    for i, (gts, labels) in enumerate(zip(targets.boxes, targets.labels, strict=True)):
        valid = torch.ones(1, len(gts), dtype=torch.bool)
        nothing = torch.zeros(1, 0, 4), torch.zeros(1, 0, dtype=torch.bool)
        assignment = head.matcher.assigner.assign(
            anchors, usable[i : i + 1], gts[None], valid, *nothing
        )
        gt = assignment.gt_idx[0]
        positive, negative = gt >= 0, gt == -1
        divisor += max(int(positive.sum()), 1)
        per_anchor = F.cross_entropy(logits[i], torch.full_like(gt, 3), reduction="none")
        hardest = sorted(per_anchor[negative], reverse=True)[: 3 * int(positive.sum())]
        total_cls = total_cls + sum(hardest) + F.cross_entropy(
            logits[i, positive], labels[gt[positive]], reduction="sum"
        )  # fmt: skip
        offsets = encode_deltas(anchors[positive], gts[gt[positive]], (0,) * 4, STDS)
        total_box = total_box + F.smooth_l1_loss(
            deltas[i, positive], offsets, beta=0.7, reduction="sum"
        )
    return {"loss_cls": total_cls / divisor, "loss_bbox": total_box / divisor}


def test_losses_are_those_of_the_slow_writing(batch, empty):
    features, images, targets = batch
    head = make_head()
    for some in (targets, empty(0)):
        losses, wanted = head.loss(features, images, some), slow_loss(head, features, images, some)
        for name in ("loss_cls", "loss_bbox"):
            assert torch.allclose(losses[name], wanted[name], rtol=1e-5) and losses[name] > 0


def test_a_batch_without_objects_costs_nothing_and_reaches_every_weight(batch, empty):
    head = make_head()
    losses = head.loss(*batch[:2], empty(0, 1))
    assert [float(loss.detach()) for loss in losses.values()] == [0, 0]
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())


def test_hard_negatives_by_hand():
    positive = torch.tensor([[True, False, False, False, False], [False] * 5])
    negative = torch.tensor([[False, True, True, False, True], [True] * 5])
    losses = torch.tensor([[9.0, 1.0, 3.0, 8.0, 2.0], [5.0, 4.0, 3.0, 2.0, 1.0]])
    nothing = torch.zeros(0, 4)
    targets = AnchorTargets(positive.long(), positive, negative, nothing, nothing, torch.ones(()))
    taken = hard_negatives(losses, targets, 2)
    assert taken.tolist() == [[False, False, True, False, True], [False] * 5]
    assert torch.equal(hard_negatives(losses, targets, 10)[0], negative[0])


def test_the_box_loss_may_compare_boxes(batch):
    head, decoded = make_head(), make_head(reg_decoded_bbox=True)
    decoded.load_state_dict(head.state_dict())
    losses = [h.loss(*batch)["loss_bbox"] for h in (head, decoded)]
    assert losses[1].isfinite() and not torch.isclose(*losses, rtol=0.1)


def test_detections_come_from_a_softmax_without_background(batch):
    everything = {**TEST_CFG, "nms_pre": -1, "max_per_img": -1}
    head, (features, images, _) = make_head(test_cfg=everything), batch
    found = head.predict(features, images)
    logits, deltas, sizes_hw = head(features)
    scores = logits.softmax(-1)[..., :3]
    anchors = head.anchors.grid_anchors(sizes_hw, torch.device("cpu"))
    assert len(found.scores) and found.scores.min() > 0.25
    for label in range(3):
        above = scores[0, :, label] > 0.25
        boxes = decode_deltas(anchors[above], deltas[0, above], (0,) * 4, STDS)
        boxes[:, 0::2] = boxes[:, 0::2].clamp(0, 128)
        boxes[:, 1::2] = boxes[:, 1::2].clamp(0, 96)
        large = (boxes[:, 2:] > boxes[:, :2]).all(1)
        boxes, own = boxes[large], scores[0, above, label][large]
        keep = nms(boxes, own, 0.45)
        rows = found.of_image(0)
        rows = rows[found.labels[rows] == label]
        assert torch.allclose(found.boxes[rows], boxes[keep], atol=1e-3)


def test_names_are_those_of_checkpoints():
    state = make_head().state_dict()
    assert list(state)[:2] == ["cls_convs.0.0.weight", "cls_convs.0.0.bias"]
    assert state["cls_convs.1.0.weight"].shape == (BASE[1] * 4, 4, 3, 3)
    assert state["reg_convs.0.0.weight"].shape == (BASE[0] * 4, 4, 3, 3)
    assert len(state) == 8


def test_stacked_and_depthwise_layers_are_honoured(batch):
    head = make_head(stacked_convs=1, feat_channels=6)
    assert head.state_dict()["cls_convs.0.0.conv.weight"].shape == (6, 4, 3, 3)
    lite = make_head(use_depthwise=True, norm_cfg={"type": "BN"}, act_cfg={"type": "ReLU6"})
    state = lite.state_dict()
    assert state["reg_convs.0.0.conv.weight"].shape == (4, 1, 3, 3)
    assert state["reg_convs.0.1.weight"].shape == (16, 4, 1, 1)
    for one in (head, lite):
        assert sum(one.loss(*batch).values()).isfinite()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"train_cfg": {**TRAIN_CFG, "neg_pos_rate": 3}}, r"neg_pos_rate.*neg_pos_ratio"),
        ({"test_cfg": {**TEST_CFG, "nms_post": 1}}, r"test_cfg\.nms_post"),
    ],
)
def test_unknown_keys_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        make_head(**args)


def test_levels_that_do_not_fit_the_anchors_are_refused():
    with pytest.raises(ValueError, match="in_channels has 2 entries, the anchors have 6 levels"):
        SSDHead(3, (4, 4))
