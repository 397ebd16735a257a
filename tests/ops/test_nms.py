"""Suppression in groups against torchvision's plain nms, image by image and group by group."""

import pytest
import torch
from torchvision.ops import nms

from mmdet_lite.ops.nms import best_detections, check_nms_cfg, nms_by_group, rank_within_image
from mmdet_lite.ops.soft_nms import soft_nms_scores

CFG = {"type": "nms", "iou_threshold": 0.5}


def kept(*args):
    return nms_by_group(*args)[0]


def crowd(count=300, images=3, groups=4):
    xy = torch.rand(count, 2) * 60 - 10
    boxes = torch.cat([xy, xy + 5 + torch.rand(count, 2) * 30], dim=1)
    return (
        boxes,
        torch.rand(count),
        torch.randint(groups, (count,)),
        torch.randint(images, (count,)),
    )


def one_by_one(boxes, scores, groups, images, threshold):
    rows_kept = []
    for image in images.unique():
        for group in groups.unique():
            rows = torch.nonzero((images == image) & (groups == group)).flatten()
            rows_kept.append(rows[nms(boxes[rows], scores[rows], threshold)])
    every = torch.cat(rows_kept)
    return every[scores[every].argsort(descending=True)]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_survivors_are_those_of_each_image_and_group_alone(threshold):
    case = crowd()
    copies = [t.clone() for t in case]
    keep = kept(*case, 3, {"type": "nms", "iou_threshold": threshold})
    assert torch.equal(keep, one_by_one(*case, threshold))
    assert 0 < len(keep) < len(case[0])
    _, scores = nms_by_group(*case, 3, {"type": "nms", "iou_threshold": threshold})
    assert torch.equal(scores, case[1][keep])
    assert all(torch.equal(a, b) for a, b in zip(case, copies, strict=True))


@pytest.mark.parametrize("images", [1, 8, 16])
def test_many_classes_and_images_of_full_size_cost_no_precision(images):
    xy = (torch.rand(150, 2) * torch.tensor([1200.0, 700.0])).repeat_interleave(6, 0)
    sides = 12 + (torch.rand(150, 2) * 40).repeat_interleave(6, 0)
    corner = xy + torch.randn(900, 2) * 3
    boxes = torch.cat([corner, corner + sides], dim=1)
    classes = torch.randint(80, (150,)).repeat_interleave(6, 0)
    image = torch.randint(images, (150,)).repeat_interleave(6, 0)
    case = (boxes, torch.rand(900), classes, image)
    keep = kept(*case, images, CFG)
    assert torch.equal(keep, one_by_one(*case, 0.5))
    assert 150 < len(keep) < 900


def test_number_of_the_class_decides_nothing():
    pair = torch.tensor([[3900.0, 2000, 3908, 2008], [3902.7, 2000, 3910.7, 2008]])  # IoU 0.4953
    for label in (0, 79, 364, 1202):
        groups = torch.full((2,), label)
        keep = kept(
            pair, torch.tensor([0.9, 0.8]), groups, torch.zeros(2, dtype=torch.long), 1, CFG
        )
        assert keep.tolist() == [0, 1]


def test_class_agnostic_suppresses_across_groups():
    boxes, scores, groups, images = crowd()
    keep = kept(boxes, scores, groups, images, 3, {**CFG, "class_agnostic": True})
    assert torch.equal(keep, one_by_one(boxes, scores, torch.zeros_like(groups), images, 0.5))


def test_older_spelling_of_the_threshold_is_honoured():
    case = crowd()
    older = kept(*case, 3, {"type": "nms", "iou_thr": 0.3})
    assert torch.equal(older, kept(*case, 3, {"type": "nms", "iou_threshold": 0.3}))
    assert len(older) < len(kept(*case, 3, CFG))


def test_max_num_keeps_the_best_of_each_image():
    boxes, scores, groups, images = crowd()
    every = kept(boxes, scores, groups, images, 3, CFG)
    few = kept(boxes, scores, groups, images, 3, {**CFG, "max_num": 5})
    for image in range(3):
        assert torch.equal(few[images[few] == image], every[images[every] == image][:5])


def test_an_image_without_boxes_disturbs_nobody():
    boxes, scores, groups, images = crowd(images=1)
    keep = kept(boxes, scores, groups, images + 1, 3, CFG)
    assert torch.equal(keep, kept(boxes, scores, groups, images, 1, CFG))


def test_no_boxes_give_no_survivors():
    none = torch.zeros(0, dtype=torch.long)
    for cfg in (CFG, {"type": "soft_nms"}):
        keep, scores = nms_by_group(torch.zeros(0, 4), torch.zeros(0), none, none, 2, cfg)
        assert keep.shape == scores.shape == (0,)


@pytest.mark.parametrize("agnostic", [False, True])
def test_soft_suppression_keeps_boxes_with_the_scores_that_are_left(agnostic):
    boxes, scores, groups, images = crowd()
    cfg = {
        "type": "soft_nms", "iou_threshold": 0.3, "min_score": 0.05, "class_agnostic": agnostic,
    }  # fmt: skip
    keep, left = nms_by_group(boxes, scores, groups, images, 3, cfg)
    parts = images if agnostic else images * 4 + groups
    wanted = soft_nms_scores(boxes, scores, parts, "linear", 0.3, min_score=0.05)
    assert torch.equal(left, wanted[keep]) and (left.diff() <= 0).all()
    assert set(keep.tolist()) == set(torch.nonzero(wanted).flatten().tolist())
    assert (left < scores[keep]).any() and 0 < len(keep) < len(boxes)


def test_soft_suppression_has_the_defaults_of_mmcv():
    case = crowd()
    plain = nms_by_group(*case, 3, {"type": "soft_nms"})
    spelled = {
        "type": "soft_nms", "method": "linear", "iou_threshold": 0.3, "sigma": 0.5,
        "min_score": 1e-3,
    }  # fmt: skip
    assert all(
        torch.equal(a, b) for a, b in zip(plain, nms_by_group(*case, 3, spelled), strict=True)
    )
    few, _ = nms_by_group(*case, 3, {**spelled, "max_num": 4})
    assert torch.bincount(case[3][few]).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("cfg", "said"),
    [
        ({"type": "soft", "iou_threshold": 0.5}, r"rcnn\.nms\.type: expected 'nms' or 'soft_nms'"),
        ({"type": "soft_nms", "method": "gausian"}, r"rcnn\.nms\.method.*'gaussian'"),
        ({"type": "soft_nms", "sigma": 0}, "sigma must be positive"),
        ({"type": "nms", "iou_threshold": 0.5, "sigma": 0.5}, r"rcnn\.nms\.sigma: no such key"),
        ({"type": "nms"}, r"rcnn\.nms: iou_threshold is missing"),
        ({"iou_treshold": 0.5}, r"rcnn\.nms\.iou_treshold.*iou_threshold"),
    ],
)
def test_a_config_that_is_not_honoured_is_refused(cfg, said):
    with pytest.raises(ValueError, match=said):
        check_nms_cfg(cfg, "rcnn.nms")


def left_of(case, **cfg):
    boxes, scores, labels, images = case
    return best_detections(images, boxes, scores, labels, 3, {"nms": CFG, "max_per_img": 7, **cfg})


def test_best_detections_are_the_first_survivors_of_each_image():
    case = crowd()
    copies = [t.clone() for t in case]
    keep = kept(*case, 3, CFG)
    found = left_of(case)
    assert (found[2].diff() <= 0).all()
    for image in range(3):
        rows = keep[case[3][keep] == image][:7]
        assert len(rows) == 7
        for part, whole in zip(found, (case[3], *case[:3]), strict=True):
            assert torch.equal(part[found[0] == image], whole[rows])
    every = left_of(case, max_per_img=-1)
    for part, whole in zip(every, (case[3], *case[:3]), strict=True):
        assert torch.equal(part, whole[keep])
    assert all(torch.equal(a, b) for a, b in zip(case, copies, strict=True))


def test_small_boxes_are_left_out_before_they_suppress():
    boxes = torch.tensor([[0.0, 0, 8, 40], [0, 0, 9, 40], [50, 50, 58.5, 90]])
    case = boxes, torch.tensor([0.9, 0.8, 0.7]), torch.zeros(3).long(), torch.zeros(3).long()
    assert left_of(case)[2].tolist() == pytest.approx([0.9, 0.7])
    assert left_of(case, min_bbox_size=-1)[2].tolist() == pytest.approx([0.9, 0.7])
    assert left_of(case, min_bbox_size=8)[2].tolist() == pytest.approx([0.8, 0.7])  # must exceed
    assert [t.shape for t in left_of(case, min_bbox_size=40)] == [(0,), (0, 4), (0,), (0,)]


def test_ranks_count_earlier_entries_of_the_same_image():
    images = torch.randint(4, (50,))
    wanted = [int((images[:i] == images[i]).sum()) for i in range(50)]
    assert rank_within_image(images, 4).tolist() == wanted
    assert rank_within_image(images[:0], 4).shape == (0,)
