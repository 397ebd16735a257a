"""Joined data sets in given proportions."""

import itertools
from collections import Counter

import numpy as np
import pytest
from mmengine.registry import DATA_SAMPLERS as ENGINE_DATA_SAMPLERS
from torch.utils.data import ConcatDataset, DataLoader

from mmdet_lite.datasets import MultiDataSampler, MultiSourceSampler
from mmdet_lite.datasets.samplers import multi_data, multi_source

JOINED = ConcatDataset([range(100), range(20), range(3)])  # indices 0..99, 100..119, 120..122
ENDS = [100, 120, 123]


def part_of(index):
    return int(np.searchsorted(ENDS, index, side="right"))


def on_rank(monkeypatch, rank, world_size):
    for module in (multi_data, multi_source):
        monkeypatch.setattr(module, "get_dist_info", lambda: (rank, world_size))


def taken(sampler, number):
    return list(itertools.islice(sampler, number))


def test_parts_come_in_proportion_whatever_their_sizes():
    sampler = MultiDataSampler(JOINED, [1, 1, 2], seed=0)
    drawn = []
    for epoch in range(100):
        sampler.set_epoch(epoch)
        indices = list(sampler)
        assert len(indices) == len(sampler) == 123
        drawn += indices
    parts = Counter(map(part_of, drawn))
    # 12,300 draws: the standard deviation is 53 and 55
    assert parts[0] == pytest.approx(3075, abs=200)
    assert parts[1] == pytest.approx(3075, abs=200)
    assert parts[2] == pytest.approx(6150, abs=220)
    images = Counter(drawn)
    assert set(images) == set(range(123))
    for image in (120, 121, 122):  # each a third of its part, standard deviation 37
        assert images[image] == pytest.approx(2050, abs=160)


def test_seed_and_epoch_alone_decide_what_is_drawn():
    first, second = (MultiDataSampler(JOINED, [1, 1, 1], seed=3) for _ in range(2))
    order = list(first)
    next(iter(first))
    assert list(first) == list(second) == order
    second.set_epoch(1)
    assert list(second) != order


@pytest.mark.parametrize("round_up", [True, False])
def test_processes_share_one_order(monkeypatch, round_up):
    shares = []
    for rank in range(4):
        on_rank(monkeypatch, rank, 4)
        sampler = MultiDataSampler(JOINED, [1, 2, 3], seed=0, round_up=round_up)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1])
    assert [len(share) for share in shares] == [31, 31, 31, 31 if round_up else 30]
    on_rank(monkeypatch, 0, 1)
    alone = MultiDataSampler(JOINED, [1, 2, 3], seed=0, round_up=round_up)
    together = [i for step in itertools.zip_longest(*shares) for i in step if i is not None]
    if not round_up:
        assert together == list(alone)
    assert all(share == together[rank::4] for rank, share in enumerate(shares))


def test_every_batch_is_composed_by_the_ratio():
    sampler = MultiSourceSampler(JOINED, 8, [4, 3, 1], seed=0)
    assert sampler.num_per_source == [4, 3, 1]
    indices = taken(sampler, 800)
    for start in range(0, 800, 8):
        assert [part_of(i) for i in indices[start : start + 8]] == [0] * 4 + [1] * 3 + [2]


def test_what_does_not_divide_goes_to_the_first_part():
    assert MultiSourceSampler(JOINED, 5, [1, 1, 1]).num_per_source == [3, 1, 1]
    assert MultiSourceSampler(JOINED, 4, [0.5, 0.25, 0.25]).num_per_source == [2, 1, 1]


def test_images_of_a_part_come_once_before_any_comes_again():
    indices = taken(MultiSourceSampler(JOINED, 3, [1, 1, 1], seed=0), 300)
    assert sorted(indices[0::3]) == list(range(100))
    assert all(
        sorted(indices[1::3][s : s + 20]) == list(range(100, 120)) for s in range(0, 100, 20)
    )
    assert indices[1::3][:20] != indices[1::3][20:40]
    assert sorted(indices[2::3][:3]) == [120, 121, 122]


def test_without_shuffling_the_order_is_that_of_the_data():
    indices = taken(MultiSourceSampler(JOINED, 3, [1, 1, 1], shuffle=False), 15)
    assert indices == [0, 100, 120, 1, 101, 121, 2, 102, 122, 3, 103, 120, 4, 104, 121]


def test_a_resumed_run_gets_what_the_stopped_one_would_have():
    whole = taken(MultiSourceSampler(JOINED, 4, [2, 1, 1], seed=5), 400)
    resumed = MultiSourceSampler(JOINED, 4, [2, 1, 1], seed=5)
    taken(resumed, 7)  # an iterator that was given up does not count
    stream = iter(resumed)
    assert [next(stream) for _ in range(400)][200:] == whole[200:]


def test_processes_get_different_images_of_each_part(monkeypatch):
    shares = []
    for rank in range(2):
        on_rank(monkeypatch, rank, 2)
        shares.append(taken(MultiSourceSampler(JOINED, 3, [1, 1, 1], seed=0), 150))
    assert not set(shares[0][0::3]) & set(shares[1][0::3])
    assert sorted(shares[0][0::3] + shares[1][0::3]) == list(range(100))
    on_rank(monkeypatch, 0, 1)
    whole = taken(MultiSourceSampler(JOINED, 3, [1, 1, 1], seed=0), 300)
    assert whole[0::6] == shares[0][0::3] and whole[3::6] == shares[1][0::3]


def test_a_loader_makes_the_batches_that_the_sampler_composed():
    sampler = MultiSourceSampler(JOINED, 4, [2, 1, 1], seed=0)
    batches = iter(DataLoader(JOINED, batch_size=4, sampler=sampler))
    assert len(sampler) == 123
    assert next(batches)[3] < 3


@pytest.mark.parametrize(
    "config",
    [
        {"type": "MultiDataSampler", "dataset_ratio": [1, 1, 1]},
        {"type": "MultiSourceSampler", "batch_size": 3, "source_ratio": [1, 1, 1]},
    ],
)
def test_built_as_the_runner_does(config):
    built = ENGINE_DATA_SAMPLERS.build(config, default_args={"dataset": JOINED, "seed": 1})
    assert built.seed == 1


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match=r"MultiDataSampler needs a ConcatDataset.*got range"):
        MultiDataSampler(range(3), [1])
    with pytest.raises(TypeError, match=r"MultiSourceSampler needs a ConcatDataset.*got range"):
        MultiSourceSampler(range(3), 1, [1])
    with pytest.raises(ValueError, match=r"dataset_ratio has 2 numbers \[1, 1\].* joins 3"):
        MultiDataSampler(JOINED, [1, 1])
    with pytest.raises(ValueError, match="every number must be above 0"):
        MultiDataSampler(JOINED, [1, 0, 1])
    with pytest.raises(ValueError, match="batch_size=0"):
        MultiSourceSampler(JOINED, 0, [1, 1, 1])
    with pytest.raises(ValueError, match=r"hold \[2, 1, 0\].*one would never come"):
        MultiSourceSampler(JOINED, 3, [3, 2, 1])
