"""The box head against its loss and its choice of detections written out slowly."""

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import nms

from mmdet_lite.models.roi_heads import BBoxHead, Shared2FCBBoxHead, Shared4Conv1FCBBoxHead
from mmdet_lite.ops.box_deltas import decode_deltas, encode_deltas
from mmdet_lite.structures import ImageBatch

MEANS, STDS = (0.0,) * 4, (0.1, 0.1, 0.2, 0.2)
SMALL = {"num_classes": 3, "in_channels": 4, "fc_out_channels": 8, "roi_feat_size": 7}
CFG = {"score_thr": 0.2, "nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 12}


def random_boxes(count):
    xy = torch.rand(count, 2) * 60
    return torch.cat([xy, xy + 4 + torch.rand(count, 2) * 30], dim=1)


def image_batch():
    sizes = [(80, 90), (70, 60)]
    return ImageBatch(sizes, sizes, (96, 96), torch.tensor(sizes).float())


def test_two_shared_layers_have_their_keys_in_order():
    names = [k.removesuffix(".weight") for k in Shared2FCBBoxHead(**SMALL).state_dict()][::2]
    assert names == ["fc_cls", "fc_reg", "shared_fcs.0", "shared_fcs.1"]


def test_forward_of_two_shared_layers():
    head = Shared2FCBBoxHead(**SMALL)
    x = torch.randn(5, 4, 7, 7)
    hidden = F.relu(head.shared_fcs[1](F.relu(head.shared_fcs[0](x.flatten(1)))))
    cls_score, bbox_pred = head(x)
    assert torch.equal(cls_score, head.fc_cls(hidden)) and cls_score.shape == (5, 4)
    assert torch.equal(bbox_pred, head.fc_reg(hidden)) and bbox_pred.shape == (5, 12)


def test_four_convolutions_and_one_layer():
    head = Shared4Conv1FCBBoxHead(
        **SMALL, conv_out_channels=6, norm_cfg={"type": "GN", "num_groups": 2}
    )
    keys = head.state_dict()
    assert "shared_convs.3.gn.weight" in keys and keys["shared_fcs.0.weight"].shape == (8, 6 * 49)
    assert [out.shape for out in head(torch.randn(2, 4, 7, 7))] == [(2, 4), (2, 12)]


def test_branches_of_their_own():
    head = BBoxHead(
        **SMALL, conv_out_channels=6, num_shared_convs=1, num_cls_convs=1, num_cls_fcs=1,
        num_reg_convs=2, reg_class_agnostic=True,
    )  # fmt: skip
    assert head.cls_fcs[0].in_features == 6 * 49
    assert head.fc_reg.weight.shape == (4, 6 * 49)
    assert [out.shape for out in head(torch.randn(2, 4, 7, 7))] == [(2, 4), (2, 4)]


def test_averaging_instead_of_layers():
    head = BBoxHead(num_classes=3, in_channels=4, with_avg_pool=True)
    x = torch.randn(2, 4, 7, 7)
    assert torch.allclose(head(x)[0], head.fc_cls(x.mean(dim=(2, 3))), atol=1e-6)


def test_either_output_can_be_left_out():
    x = torch.randn(2, 4, 7, 7)
    assert Shared2FCBBoxHead(**SMALL, with_reg=False)(x)[1] is None
    assert Shared2FCBBoxHead(**SMALL, with_cls=False)(x)[0] is None


@pytest.mark.parametrize("class_agnostic", [False, True])
def test_losses_are_those_of_the_slow_writing(class_agnostic):
    head = Shared2FCBBoxHead(**SMALL, reg_class_agnostic=class_agnostic)
    cls_score, bbox_pred = torch.randn(9, 4), torch.randn(9, 4 if class_agnostic else 12)
    boxes, gt = random_boxes(9), random_boxes(9)
    labels = torch.tensor([0, 3, 2, 1, 3, 3, 0, 2, 3])
    losses = head.loss(cls_score, bbox_pred, boxes, labels, gt, pos_weight=2.0)
    total = total_cls = 0
    for i, k in enumerate(labels.tolist()):
        weight = 1.0 if k == 3 else 2.0
        total_cls += weight * F.cross_entropy(cls_score[i : i + 1], labels[i : i + 1])
        if k < 3:
            delta = bbox_pred[i] if class_agnostic else bbox_pred[i, 4 * k : 4 * k + 4]
            wanted = encode_deltas(boxes[i], gt[i], MEANS, STDS)
            total += F.smooth_l1_loss(delta, wanted, reduction="sum")
    assert torch.allclose(losses["loss_bbox"], total / 9)
    assert torch.allclose(losses["loss_cls"], total_cls / 9)
    assert torch.allclose(losses["acc"], (cls_score.argmax(1) == labels).float().mean() * 100)


def test_box_loss_may_compare_decoded_boxes():
    head = Shared2FCBBoxHead(**SMALL, reg_decoded_bbox=True, loss_bbox={"type": "L1Loss"})
    bbox_pred, boxes, gt = torch.randn(2, 12) * 0.1, random_boxes(2), random_boxes(2)
    labels = torch.tensor([1, 3])
    loss = head.loss(torch.zeros(2, 4), bbox_pred, boxes, labels, gt)["loss_bbox"]
    decoded = decode_deltas(boxes[0], bbox_pred[0, 4:8], MEANS, STDS)
    assert torch.allclose(loss, (decoded - gt[0]).abs().sum() / 2)


@pytest.mark.parametrize("class_agnostic", [False, True])
def test_refined_boxes_take_the_offsets_of_the_label_or_of_the_best_class(class_agnostic):
    head = Shared2FCBBoxHead(**SMALL, reg_class_agnostic=class_agnostic)
    boxes, image = random_boxes(6), torch.tensor([0, 0, 0, 1, 1, 1])
    rois = torch.cat([image[:, None], boxes], dim=1)
    logits, deltas = torch.randn(6, 4), torch.randn(6, 4 if class_agnostic else 12)
    labels = torch.tensor([0, 1, 2, 3, 3, 3])
    best = logits[:, :3].argmax(1).tolist()
    sizes = image_batch().sizes
    for given, classes in ((labels, [0, 1, 2, *best[3:]]), (None, best)):
        refined = head.refine(rois, logits, deltas, image_batch(), given)
        for i, k in enumerate(classes):
            own = deltas[i] if class_agnostic else deltas[i].view(3, 4)[k]
            wanted = decode_deltas(boxes[i], own, MEANS, STDS).clamp(min=0)
            wanted = torch.minimum(wanted, sizes[image[i]][[1, 0, 1, 0]])
            assert torch.allclose(refined[i], wanted, atol=1e-4)
    none = head.refine(rois[:0], logits[:0], deltas[:0], image_batch(), labels[:0])
    assert none.shape == (0, 4)


def test_class_losses_are_those_of_each_roi_alone():
    head = Shared2FCBBoxHead(**SMALL, loss_cls={"type": "CrossEntropyLoss", "loss_weight": 2.0})
    logits, labels = torch.randn(5, 4, requires_grad=True), torch.tensor([0, 3, 2, 1, 3])
    got = head.class_losses(logits, labels)
    wanted = 2 * F.cross_entropy(logits, labels, reduction="none")
    assert torch.allclose(got, wanted) and not got.requires_grad
    assert head.loss_cls.reduction == "mean"


@pytest.mark.parametrize("kind", ["IoULoss", "GIoULoss", "CIoULoss", "BoundedIoULoss"])
def test_losses_of_overlap_compare_decoded_boxes(kind):
    head = Shared2FCBBoxHead(
        **SMALL, reg_decoded_bbox=True, loss_bbox={"type": kind, "loss_weight": 10.0}
    )
    boxes, gt = random_boxes(6), random_boxes(6)
    gt[:3] = boxes[:3] + torch.rand(3, 4) * 4
    labels = torch.tensor([0, 1, 2, 3, 3, 3])
    cls_score, deltas = torch.randn(6, 4), (torch.randn(6, 12) / 10).requires_grad_()
    loss = head.loss(cls_score, deltas, boxes, labels, gt)["loss_bbox"]
    own = torch.stack([deltas[i].view(3, 4)[k] for i, k in enumerate([0, 1, 2])])
    decoded = decode_deltas(boxes[:3], own, MEANS, STDS)
    wanted = head.loss_bbox(decoded, gt[:3], avg_factor=6)  # background counts in the mean only
    assert torch.isclose(loss, wanted) and loss > 0
    loss.backward()
    assert deltas.grad.isfinite().all() and (deltas.grad[3:] == 0).all()
    none = head.loss(cls_score[:0], deltas[:0], boxes[:0], labels[:0], gt[:0])["loss_bbox"]
    assert none == 0


def test_background_boxes_without_area_make_no_nan():
    head = Shared2FCBBoxHead(**SMALL)
    boxes = torch.tensor([[5.0, 5.0, 5.0, 5.0], [5.0, 5.0, 9.0, 9.0]])
    bbox_pred = torch.randn(2, 12, requires_grad=True)
    loss = head.loss(torch.zeros(2, 4), bbox_pred, boxes, torch.tensor([3, 1]), boxes)["loss_bbox"]
    loss.backward()
    assert loss.isfinite() and bbox_pred.grad.isfinite().all()


def test_no_rois_give_zero_losses_and_a_gradient_for_every_weight():
    head = Shared2FCBBoxHead(**SMALL)
    none = torch.zeros(0, dtype=torch.long)
    losses = head.loss(*head(torch.zeros(0, 4, 7, 7)), torch.zeros(0, 4), none, torch.zeros(0, 4))
    assert all(value == 0 for value in losses.values())
    (losses["loss_cls"] + losses["loss_bbox"]).backward()
    assert all(p.grad is not None for p in head.parameters())


def slow_detections(cls_score, bbox_pred, rois, images, cfg):
    """For each image: every class's NMS, then the best of all."""
    scores = cls_score.softmax(1)
    for i, (height, width) in enumerate(images.sizes_hw):
        rows = torch.nonzero(rois[:, 0] == i).flatten()
        found = []
        for k in range(3):
            chosen = rows[scores[rows, k] > cfg["score_thr"]]
            boxes = decode_deltas(
                rois[chosen, 1:], bbox_pred[chosen, 4 * k : 4 * k + 4], MEANS, STDS
            )
            boxes[:, 0::2] = boxes[:, 0::2].clamp(0, width)
            boxes[:, 1::2] = boxes[:, 1::2].clamp(0, height)
            keep = nms(boxes, scores[chosen, k], cfg["nms"]["iou_threshold"])
            found += [(scores[chosen[j], k].item(), k, boxes[j]) for j in keep]
        yield sorted(found, key=lambda one: -one[0])[: cfg["max_per_img"]]


def test_detections_are_those_of_the_slow_writing():
    head = Shared2FCBBoxHead(**SMALL)
    rois = torch.cat([torch.randint(2, (80, 1)).float(), random_boxes(80)], dim=1)
    cls_score, bbox_pred, images = torch.randn(80, 4), torch.randn(80, 12), image_batch()
    copies = rois.clone(), cls_score.clone(), bbox_pred.clone()
    got = head.predict(cls_score, bbox_pred, rois, images, CFG)
    for i, wanted in enumerate(slow_detections(cls_score, bbox_pred, rois, images, CFG)):
        of_image = got.of_image(i)
        assert len(of_image) == len(wanted) == 12
        scores, labels, boxes = zip(*wanted, strict=True)
        assert torch.allclose(got.scores[of_image], torch.tensor(scores))
        assert got.labels[of_image].tolist() == list(labels)
        assert torch.allclose(got.boxes[of_image], torch.stack(boxes), atol=1e-4)
    assert all(torch.equal(a, b) for a, b in zip((rois, cls_score, bbox_pred), copies, strict=True))


def test_without_a_limit_all_survivors_stay():
    head = Shared2FCBBoxHead(**SMALL)
    rois = torch.cat([torch.zeros(80, 1), random_boxes(80)], dim=1)
    args = (torch.randn(80, 4), torch.randn(80, 12), rois, image_batch())
    every = head.predict(*args, {**CFG, "max_per_img": -1})
    few = head.predict(*args, CFG)
    assert len(every.scores) > 12 and torch.equal(every.scores[:12], few.scores)


def test_without_boxes_of_its_own_the_rois_are_the_answer():
    head = Shared2FCBBoxHead(**SMALL, with_reg=False)
    rois = torch.tensor([[0.0, 1.0, 2.0, 30.0, 40.0]])
    found = head.predict(torch.tensor([[9.0, 0, 0, 0]]), None, rois, image_batch(), CFG)
    assert found.boxes.tolist() == [[1, 2, 30, 40]] and found.labels.tolist() == [0]


def test_nothing_above_the_threshold_and_no_rois_give_no_detections():
    head = Shared2FCBBoxHead(**SMALL)
    for count, cfg in ((0, CFG), (5, {**CFG, "score_thr": 1.0})):
        rois = torch.zeros(count, 5)
        found = head.predict(
            torch.randn(count, 4), torch.randn(count, 12), rois, image_batch(), cfg
        )
        assert found.boxes.shape == (0, 4) and found.labels.shape == (0,)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"num_classes": None}, r"num_classes is missing.*model\.roi_head\.bbox_head\.num_classes"),
        ({"with_cls": False, "with_reg": False}, "both False"),
        (
            {"loss_cls": {"type": "CrossEntropyLoss", "use_sigmoid": True}},
            "use_sigmoid=True is not",
        ),
    ],
)
def test_wrong_arguments_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        Shared2FCBBoxHead(**{**SMALL, **args})
