"""Batches by orientation."""

import pytest
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.registry import DATA_SAMPLERS as ENGINE_DATA_SAMPLERS

from mmdet_lite.datasets import AspectRatioBatchSampler


class Sizes:
    """A data set of which only the sizes are asked."""

    def __init__(self, upright):
        self.upright = upright

    def __len__(self):
        return len(self.upright)

    def get_data_info(self, idx):
        return {"width": 3, "height": 4} if self.upright[idx] else {"width": 4, "height": 4}


def make(upright, batch_size, drop_last=False, shuffle=True):
    sampler = DefaultSampler(Sizes(upright), shuffle=shuffle, seed=0)
    return AspectRatioBatchSampler(sampler, batch_size, drop_last)


def test_full_batches_hold_one_orientation_and_all_images_come_once():
    upright = [i % 3 == 0 for i in range(50)]
    batches = list(make(upright, 4))
    assert sorted(i for batch in batches for i in batch) == list(range(50))
    mixed = [batch for batch in batches if len({upright[i] for i in batch}) > 1]
    assert len(mixed) <= 2
    assert mixed == [b for b in batches[-2:] if b in mixed]


@pytest.mark.parametrize("drop_last", [True, False])
@pytest.mark.parametrize("num", [1, 7, 8, 9, 16])
@pytest.mark.parametrize("every", [1, 2, 3])
def test_length_is_the_number_of_batches(num, every, drop_last):
    sampler = make([i % every == 0 for i in range(num)], 4, drop_last)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert all(len(batch) == 4 for batch in batches) or not drop_last


def test_same_epoch_gives_the_same_batches_also_after_an_interrupted_one():
    sampler = make([i % 2 == 0 for i in range(20)], 4)
    first = list(sampler)
    next(iter(sampler))
    assert list(sampler) == first
    sampler.sampler.set_epoch(1)
    assert list(sampler) != first


def test_infinite_sampler_goes_on():
    sampler = AspectRatioBatchSampler(InfiniteSampler(Sizes([True, False] * 4), seed=0), 2)
    batches = iter(sampler)
    assert all(len({i % 2 for i in next(batches)}) == 1 for _ in range(100))


def test_built_as_the_runner_does():
    sampler = DefaultSampler(Sizes([True] * 4))
    built = ENGINE_DATA_SAMPLERS.build(
        {"type": "AspectRatioBatchSampler"}, default_args={"sampler": sampler, "batch_size": 2}
    )
    assert isinstance(built, AspectRatioBatchSampler) and len(built) == 2


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match="torch Sampler; got list"):
        AspectRatioBatchSampler([1, 2], 2)
    with pytest.raises(ValueError, match="batch_size"):
        make([True], 0)
