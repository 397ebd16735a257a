"""Hard examples first: which boxes are taken, and where the sampler cannot work."""

import pytest
import torch

from mmdet_lite.models.task_modules import IGNORED, NEGATIVE, Assignment, OHEMSampler, RandomSampler

GT_IDX = torch.tensor([[0, 1, 0, NEGATIVE, NEGATIVE, NEGATIVE, IGNORED, 1]])
LOSSES = torch.tensor([[0.1, 0.9, 0.3, 0.2, 5.0, 0.7, 9.0, 0.5]])


def taken(sampler, losses=LOSSES):
    sample = sampler.sample(Assignment(GT_IDX), losses)
    rows = sample.valid[0]
    return sample.idx[0][rows].tolist(), sample.positive[0][rows].tolist()


def test_the_largest_losses_are_taken_positives_and_negatives_apart():
    assert taken(OHEMSampler(4, 0.5)) == ([1, 7, 4, 5], [True, True, False, False])


def test_too_few_positives_leave_room_for_negatives():
    idx, positive = taken(OHEMSampler(7, 1.0))
    assert sorted(idx) == [0, 1, 2, 3, 4, 5, 7] and sum(positive) == 4


def test_negatives_may_be_bounded_by_the_positives():
    assert taken(OHEMSampler(8, 0.25, neg_pos_ub=1))[0] == [1, 7, 4, 5]


def test_it_says_that_it_wants_losses_and_random_sampling_does_not():
    assert OHEMSampler.by_loss and not RandomSampler.by_loss


def test_without_losses_it_says_where_it_belongs():
    with pytest.raises(ValueError, match=r"train_cfg\.rpn\.sampler"):
        OHEMSampler(4, 0.5).sample(Assignment(GT_IDX))
    with pytest.raises(ValueError, match="loss_key can only be 'loss_cls', got 'loss_bbox'"):
        OHEMSampler(4, 0.5, loss_key="loss_bbox")
