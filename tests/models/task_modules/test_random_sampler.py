"""Counts, bounds and randomness of the drawn samples."""

import pytest
import torch

from mmdet_lite.models.task_modules import (
    IGNORED,
    NEGATIVE,
    Assignment,
    OHEMSampler,
    RandomSampler,
)


def assignment(*counts):
    """Images with (positives, negatives, ignored) boxes in random order."""
    width = max(map(sum, counts))
    rows = []
    for pos, neg, ignored in counts:
        row = torch.cat(
            [
                torch.arange(pos),
                torch.full((neg,), NEGATIVE),
                torch.full((ignored + width - pos - neg - ignored,), IGNORED),
            ]
        )
        rows.append(row[torch.randperm(width)])
    return Assignment(torch.stack(rows))


def counts(sample):
    positive = (sample.positive & sample.valid).sum(1)
    return list(zip(positive.tolist(), (sample.valid.sum(1) - positive).tolist(), strict=True))


@pytest.mark.parametrize(
    ("num", "fraction", "ub", "have", "wanted"),
    [
        (20, 0.5, -1, (50, 50, 5), (10, 10)),  # both plentiful
        (20, 0.25, -1, (3, 50, 5), (3, 17)),  # few positives: negatives fill up
        (20, 0.25, -1, (50, 4, 5), (5, 4)),  # few negatives: positives keep their share
        (20, 0.5, 3, (2, 50, 5), (2, 6)),  # three negatives a positive
        (20, 0.5, 3, (0, 50, 5), (0, 3)),  # one positive counted at least
        (20, 0.5, 0, (4, 50, 5), (4, 0)),
        (20, 1.0, -1, (50, 50, 0), (20, 0)),
        (500, 0.5, -1, (10, 20, 5), (10, 20)),  # more than there is
        (10**7, 0.25, -1, (40, 60, 5), (40, 60)),  # everything
        (20, 0.5, -1, (0, 0, 9), (0, 0)),
        (0, 0.5, -1, (5, 5, 1), (0, 0)),
    ],
)
def test_counts(num, fraction, ub, have, wanted):
    sampler = RandomSampler(num=num, pos_fraction=fraction, neg_pos_ub=ub)
    sample = sampler.sample(assignment(have, (1, 3, 60)))
    assert counts(sample)[0] == wanted


def test_each_sample_is_what_it_says_and_drawn_once():
    given = assignment((30, 60, 10), (3, 10, 4), (0, 20, 0), (4, 0, 0))
    before = given.gt_idx.clone()
    sample = RandomSampler(num=24, pos_fraction=0.5).sample(given)
    for i in range(4):
        idx = sample.idx[i][sample.valid[i]]
        assert len(idx.unique()) == len(idx)
        assert torch.equal(given.positive[i][idx], sample.positive[i][sample.valid[i]])
        assert not (given.gt_idx[i][idx] == IGNORED).any()
        own = sample.positive[i]
        assert torch.equal(sample.gt_idx[i][own], given.gt_idx[i][sample.idx[i][own]])
    assert not (sample.positive & ~sample.valid).any()
    assert torch.equal(given.gt_idx, before)


def test_every_box_has_the_same_chance():
    given = assignment((10, 40, 0))
    hits = torch.zeros(50)
    for _ in range(400):
        sample = RandomSampler(num=10, pos_fraction=0.5).sample(given)
        hits[sample.idx[0][sample.valid[0]]] += 1
    positive = given.positive[0]
    assert ((hits[positive] / 400 - 0.5).abs() < 0.12).all()
    assert ((hits[~positive] / 400 - 5 / 40).abs() < 0.08).all()


def test_no_boxes_give_no_samples():
    empty = Assignment(torch.zeros(2, 0, dtype=torch.long))
    assert RandomSampler(num=8, pos_fraction=0.5).sample(empty).idx.shape == (2, 0)


@pytest.mark.parametrize("sampler", [RandomSampler, OHEMSampler])
def test_a_negative_number_is_refused(sampler):
    with pytest.raises(ValueError, match=rf"{sampler.__name__}: num must not be negative, got -1"):
        sampler(num=-1, pos_fraction=0.5)


@pytest.mark.parametrize("fraction", [0, 1.5, -1])
def test_a_share_outside_zero_to_one_is_refused(fraction):
    with pytest.raises(ValueError, match=r"pos_fraction must be in \(0, 1\]"):
        RandomSampler(num=8, pos_fraction=fraction)
