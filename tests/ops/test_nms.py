"""Suppression in groups against torchvision's plain nms, image by image and group by group."""

import pytest
import torch
from torchvision.ops import nms

from mmdet_lite.ops.nms import check_nms_cfg, nms_by_group, rank_within_image

CFG = {"type": "nms", "iou_threshold": 0.5}


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
    kept = []
    for image in images.unique():
        for group in groups.unique():
            rows = torch.nonzero((images == image) & (groups == group)).flatten()
            kept.append(rows[nms(boxes[rows], scores[rows], threshold)])
    kept = torch.cat(kept)
    return kept[scores[kept].argsort(descending=True)]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_survivors_are_those_of_each_image_and_group_alone(threshold):
    case = crowd()
    copies = [t.clone() for t in case]
    keep = nms_by_group(*case, 3, {"type": "nms", "iou_threshold": threshold})
    assert torch.equal(keep, one_by_one(*case, threshold))
    assert 0 < len(keep) < len(case[0])
    assert all(torch.equal(a, b) for a, b in zip(case, copies, strict=True))


def test_class_agnostic_suppresses_across_groups():
    boxes, scores, groups, images = crowd()
    keep = nms_by_group(boxes, scores, groups, images, 3, {**CFG, "class_agnostic": True})
    assert torch.equal(keep, one_by_one(boxes, scores, torch.zeros_like(groups), images, 0.5))


def test_older_spelling_of_the_threshold_is_honoured():
    case = crowd()
    older = nms_by_group(*case, 3, {"type": "nms", "iou_thr": 0.3})
    assert torch.equal(older, nms_by_group(*case, 3, {"type": "nms", "iou_threshold": 0.3}))
    assert len(older) < len(nms_by_group(*case, 3, CFG))


def test_max_num_keeps_the_best_of_each_image():
    boxes, scores, groups, images = crowd()
    every = nms_by_group(boxes, scores, groups, images, 3, CFG)
    few = nms_by_group(boxes, scores, groups, images, 3, {**CFG, "max_num": 5})
    for image in range(3):
        assert torch.equal(few[images[few] == image], every[images[every] == image][:5])


def test_an_image_without_boxes_disturbs_nobody():
    boxes, scores, groups, images = crowd(images=1)
    keep = nms_by_group(boxes, scores, groups, images + 1, 3, CFG)
    assert torch.equal(keep, nms_by_group(boxes, scores, groups, images, 1, CFG))


def test_no_boxes_give_no_survivors():
    none = torch.zeros(0, dtype=torch.long)
    assert nms_by_group(torch.zeros(0, 4), torch.zeros(0), none, none, 2, CFG).shape == (0,)


@pytest.mark.parametrize(
    ("cfg", "said"),
    [
        ({"type": "soft", "iou_threshold": 0.5}, r"rcnn\.nms\.type: expected 'nms', got 'soft'"),
        ({"type": "nms"}, r"rcnn\.nms: iou_threshold is missing"),
        ({"iou_treshold": 0.5}, r"rcnn\.nms\.iou_treshold.*iou_threshold"),
    ],
)
def test_a_config_that_is_not_honoured_is_refused(cfg, said):
    with pytest.raises(ValueError, match=said):
        check_nms_cfg(cfg, "rcnn.nms")


def test_ranks_count_earlier_entries_of_the_same_image():
    images = torch.randint(4, (50,))
    wanted = [int((images[:i] == images[i]).sum()) for i in range(50)]
    assert rank_within_image(images, 4).tolist() == wanted
    assert rank_within_image(images[:0], 4).shape == (0,)
