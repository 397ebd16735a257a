"""Soft suppression against the plain loop of the paper, box by box."""

import math

import pytest
import torch
from torchvision.ops import box_iou, nms

from mmdet_lite.ops.soft_nms import soft_nms_scores


def crowd(count=120, groups=5):
    xy = torch.rand(count, 2) * 40
    boxes = torch.cat([xy, xy + 5 + torch.rand(count, 2) * 30], dim=1)
    return boxes, torch.rand(count), torch.randint(groups, (count,))


def by_the_book(boxes, scores, groups, method, iou_threshold, sigma, min_score):
    final = [0.0] * len(boxes)
    for group in groups.unique():
        left = {i: scores[i].item() for i in torch.nonzero(groups == group).flatten().tolist()}
        left = {i: s for i, s in left.items() if s >= min_score}
        while left:
            best = max(left, key=lambda i: left[i])
            final[best] = left.pop(best)
            for i in list(left):
                iou = box_iou(boxes[best : best + 1], boxes[i : i + 1]).item()
                if method == "gaussian":
                    left[i] *= math.exp(-(iou**2) / sigma)
                elif iou >= iou_threshold:
                    left[i] *= 1 - iou if method == "linear" else 0
                if left[i] < min_score:
                    del left[i]
    return torch.tensor(final)


@pytest.mark.parametrize("method", ["linear", "gaussian", "naive"])
@pytest.mark.parametrize(
    ("iou_threshold", "sigma", "min_score"), [(0.3, 0.5, 1e-3), (0.6, 0.1, 0.2)]
)
def test_scores_are_those_of_the_plain_loop(method, iou_threshold, sigma, min_score):
    case = crowd()
    copies = [t.clone() for t in case]
    got = soft_nms_scores(*case, method, iou_threshold, sigma, min_score)
    wanted = by_the_book(*case, method, iou_threshold, sigma, min_score)
    assert torch.allclose(got, wanted, atol=1e-5)
    assert (got < case[1]).any() and (got > 0).any()
    assert all(torch.equal(a, b) for a, b in zip(case, copies, strict=True))


def test_naive_is_plain_suppression():
    boxes, scores, _ = crowd()
    left = soft_nms_scores(boxes, scores, torch.zeros(120).long(), "naive", 0.5, min_score=0)
    assert set(torch.nonzero(left).flatten().tolist()) == set(nms(boxes, scores, 0.5).tolist())


def test_numbers_of_groups_mean_nothing():
    boxes, scores, groups = crowd()
    assert torch.equal(
        soft_nms_scores(boxes, scores, groups), soft_nms_scores(boxes, scores, groups * 1000 + 7)
    )


def test_no_boxes_have_no_scores():
    none = torch.zeros(0, dtype=torch.long)
    assert soft_nms_scores(torch.zeros(0, 4), torch.zeros(0), none).shape == (0,)
