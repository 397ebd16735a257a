"""FCOS's head against a slow second writing of its targets, losses and detections."""

import math

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import batched_nms, sigmoid_focal_loss

from mmdet_lite.models.dense_heads import FCOSHead
from mmdet_lite.structures import BatchTargets

SIZES, STRIDES = [(12, 16), (6, 8)], (8, 16)
RANGES = ((-1, 22), (22, 1e8))
TEST_CFG = {
    "nms_pre": 1000,
    "min_bbox_size": 0,
    "score_thr": 0.3,
    "nms": {"type": "nms", "iou_threshold": 0.5},
    "max_per_img": 20,
}


def make_head(**args):
    given = {
        "num_classes": 3,
        "norm_cfg": {"type": "GN", "num_groups": 2},
        "test_cfg": TEST_CFG,
        "loss_bbox": {"type": "IoULoss", "mode": "linear"},
        **args,
    }
    head = FCOSHead(
        in_channels=4, feat_channels=6, stacked_convs=1, strides=STRIDES, regress_ranges=RANGES,
        **given,
    )  # fmt: skip
    torch.nn.init.normal_(head.conv_cls.weight, std=0.3)
    torch.nn.init.normal_(head.conv_reg.weight, std=0.1)
    head.conv_reg.bias.data.fill_(1.0 if args.get("norm_on_bbox") else 2.5)
    return head


def slow_targets(targets, radius=None):
    """For each image a list of (label, box) or None, one a point."""
    images = []
    for gts, labels in zip(targets.boxes, targets.labels, strict=True):
        found = []
        for (h, w), stride, (low, high) in zip(SIZES, STRIDES, RANGES, strict=True):
            for y in range(h):
                for x in range(w):
                    px, py = (x + 0.5) * stride, (y + 0.5) * stride
                    fitting = []
                    for gt, label in zip(gts.tolist(), labels.tolist(), strict=True):
                        x1, y1, x2, y2 = gt
                        sides = (px - x1, py - y1, x2 - px, y2 - py)
                        inside = min(sides) > 0
                        if radius is not None:
                            reach = radius * stride
                            inside &= abs(px - (x1 + x2) / 2) < reach
                            inside &= abs(py - (y1 + y2) / 2) < reach
                        if inside and low <= max(sides) <= high:
                            fitting.append(((x2 - x1) * (y2 - y1), label, gt, sides))
                    found.append(min(fitting)[1:] if fitting else None)
        images.append(found)
    return images


def slow_loss(head, features, targets, radius=None):
    logits, distances, centres, _ = head(features)
    wanted = slow_targets(targets, radius)
    total_cls = total_box = total_centre = num = 0
    weights = []
    for i, points in enumerate(wanted):
        one_hot = torch.zeros_like(logits[i])
        for a, target in enumerate(points):
            if target is None:
                continue
            label, _, (left, top, right, bottom) = target
            one_hot[a, label] = 1
            num += 1
            central = math.sqrt(
                min(left, right) / max(left, right) * min(top, bottom) / max(top, bottom)
            )
            weights.append(central)
            le, to, ri, bo = distances[i, a]
            wide = torch.minimum(le, torch.tensor(left)) + torch.minimum(ri, torch.tensor(right))
            high = torch.minimum(to, torch.tensor(top)) + torch.minimum(bo, torch.tensor(bottom))
            area = (le + ri) * (to + bo) + (left + right) * (top + bottom) - wide * high
            total_box = total_box + central * (1 - wide * high / area)
            total_centre = total_centre + F.binary_cross_entropy_with_logits(
                centres[i, a, 0], torch.tensor(central)
            )
        total_cls = total_cls + sigmoid_focal_loss(logits[i], one_hot, alpha=0.25, gamma=2).sum()
    return {
        "loss_cls": total_cls / max(num, 1),
        "loss_bbox": torch.as_tensor(total_box / max(sum(weights), 1e-6)),
        "loss_centerness": torch.as_tensor(total_centre / max(num, 1)),
    }


@pytest.mark.parametrize(
    ("args", "radius"),
    [
        ({}, None),
        ({"center_sampling": True, "center_sample_radius": 1.2}, 1.2),
        ({"norm_on_bbox": True, "centerness_on_reg": True}, None),
    ],
)
def test_losses_are_those_of_the_slow_writing(batch, args, radius):
    features, images, targets = batch
    overlapping = BatchTargets(
        [torch.cat([targets.boxes[0], torch.tensor([[10.0, 8.0, 36.0, 30.0]])]), targets.boxes[1]],
        [torch.tensor([2, 0, 1]), targets.labels[1]],
        targets.ignored_boxes,
    )
    head = make_head(**args)
    losses = head.loss(features, images, overlapping)
    wanted = slow_loss(head, features, overlapping, radius)
    assert list(losses) == ["loss_cls", "loss_bbox", "loss_centerness"]
    for name in wanted:
        assert torch.allclose(losses[name], wanted[name].float(), rtol=1e-4), name
        assert losses[name] > 0


def test_images_without_objects_count_as_background_and_reach_every_weight(batch, empty):
    features, images, _ = batch
    for gone in ((1,), (0, 1)):
        head, targets = make_head(), empty(*gone)
        losses = head.loss(features, images, targets)
        assert torch.allclose(losses["loss_cls"], slow_loss(head, features, targets)["loss_cls"])
        sum(losses.values()).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())
    assert losses["loss_bbox"] == losses["loss_centerness"] == 0


def test_more_positives_than_half_precision_counts_are_counted(batch, monkeypatch):
    features, images, targets = batch
    head = make_head()
    outputs = head(features)
    half = tuple(x.half() if isinstance(x, torch.Tensor) else x for x in outputs)
    divisors = []
    module = "mmdet_lite.models.dense_heads.fcos_head"
    monkeypatch.setattr(f"{module}._mean_of_processes", lambda x: divisors.append(x) or x)
    head.losses_of(half, images, targets)
    assert torch.isfinite(divisors[0] + 70_000)  # half ends at 65,504


@pytest.mark.parametrize("most_pairs", [1, 500])
def test_a_large_batch_is_matched_image_by_image_with_the_same_losses(
    batch, empty, monkeypatch, most_pairs
):
    features, images, targets = batch
    head = make_head()
    for case in (targets, empty(1)):
        wanted = head.loss(features, images, case)
        with monkeypatch.context() as patched:
            patched.setattr("mmdet_lite.models.dense_heads.point_targets.MOST_PAIRS", most_pairs)
            got = head.loss(features, images, case)
        assert got == wanted


def test_detections_are_weighed_by_centerness(batch):
    head, (features, images, _) = make_head(), batch
    found = head.predict(features, images)
    logits, distances, centres, _ = head(features)
    points = torch.tensor(
        [[(x + 0.5) * s, (y + 0.5) * s]
         for (h, w), s in zip(SIZES, STRIDES, strict=True) for y in range(h) for x in range(w)]
    )  # fmt: skip
    for i, (height, width) in enumerate(images.sizes_hw):
        boxes = torch.cat([points - distances[i, :, :2], points + distances[i, :, 2:]], dim=1)
        boxes[:, 0::2] = boxes[:, 0::2].clamp(0, width)
        boxes[:, 1::2] = boxes[:, 1::2].clamp(0, height)
        scores = logits[i].sigmoid()
        row, label = torch.nonzero(scores > 0.3, as_tuple=True)
        score, box = scores[row, label] * centres[i, row, 0].sigmoid(), boxes[row]
        large = (box[:, 2:] > box[:, :2]).all(1)
        score, box, label = score[large], box[large], label[large]
        keep = batched_nms(box, score, label, 0.5)[:20]
        rows = found.of_image(i)
        assert len(rows) > 3
        assert torch.allclose(found.scores[rows], score[keep])
        assert torch.allclose(found.boxes[rows], box[keep], atol=1e-3)
        assert torch.equal(found.labels[rows], label[keep])


def test_before_a_roi_head_it_gives_proposals(batch):
    features, images, targets = batch
    cfg = {"nms_pre": 30, "max_per_img": 7, "nms": {"type": "nms", "iou_threshold": 0.7},
           "min_bbox_size": 0}  # fmt: skip
    rpn_train_cfg = {"assigner": {"type": "MaxIoUAssigner"}, "sampler": {"type": "RandomSampler"}}
    head = make_head(num_classes=1, train_cfg=rpn_train_cfg, test_cfg=cfg)
    losses, proposals = head.loss_and_predict(features, images, targets, cfg)
    assert list(losses) == ["rpn_loss_cls", "rpn_loss_bbox", "rpn_loss_centerness"]
    wanted = slow_loss(head, features, targets.without_classes())
    assert torch.allclose(losses["rpn_loss_cls"], wanted["loss_cls"], rtol=1e-4)
    assert proposals.boxes.shape == (2, 7, 4) and proposals.valid.all()
    assert torch.equal(head.propose(features, images).boxes, proposals.boxes)


def test_names_and_first_values_are_those_of_checkpoints():
    head = FCOSHead(num_classes=3, in_channels=32, feat_channels=32, stacked_convs=2)
    head.init_weights()
    state = head.state_dict()
    assert list(state)[:3] == [
        "cls_convs.0.conv.weight", "cls_convs.0.gn.weight", "cls_convs.0.gn.bias"
    ]  # fmt: skip
    assert list(state)[-11:-5] == [
        f"conv_{name}.{kind}"
        for name in ("cls", "reg", "centerness")
        for kind in ("weight", "bias")
    ]
    assert list(state)[-5:] == [f"scales.{i}.scale" for i in range(5)]
    assert torch.allclose(head.conv_cls.bias.sigmoid(), torch.full((3,), 0.01))
    assert "cls_convs.0.conv.bias" in make_head(conv_bias=True).state_dict()
    assert "cls_convs.0.conv.bias" in make_head(norm_cfg=None).state_dict()


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="dcn_on_last_conv=True is not available"):
        make_head(dcn_on_last_conv=True)
    with pytest.raises(ValueError, match="5 regress_ranges for 2 strides"):
        FCOSHead(3, strides=(8, 16))
    with pytest.raises(ValueError, match=r"test_cfg\.score"):
        make_head(test_cfg={**TEST_CFG, "score": 1})
