"""The sampler that leaves nothing out."""

import torch

from mmdet_lite.models.task_modules import IGNORED, NEGATIVE, Assignment, PseudoSampler


def test_all_that_is_not_ignored_is_taken_positives_first():
    gt_idx = torch.tensor([[NEGATIVE, 1, IGNORED, 0], [NEGATIVE, NEGATIVE, IGNORED, NEGATIVE]])
    before = gt_idx.clone()
    sample = PseudoSampler().sample(Assignment(gt_idx))
    assert sample.idx.tolist() == [[1, 3, 0, 2], [0, 1, 2, 3]]
    assert sample.positive.tolist() == [[True, True, False, False], [False] * 4]
    assert sample.valid.tolist() == [[True, True, True, False], [True, True, False, True]]
    assert sample.gt_idx[sample.positive].tolist() == [1, 0]
    assert torch.equal(gt_idx, before)


def test_no_boxes_give_no_sample():
    sample = PseudoSampler().sample(Assignment(torch.zeros(2, 0, dtype=torch.long)))
    assert sample.idx.shape == sample.valid.shape == (2, 0)
