"""Every class equally often."""

from collections import Counter

import pytest
from mmengine.dataset import RepeatDataset
from mmengine.registry import DATA_SAMPLERS as ENGINE_DATA_SAMPLERS

from mmdet_lite.datasets import ClassAwareSampler, CocoDataset
from mmdet_lite.datasets.samplers import class_aware


class Labels:
    """A data set of which only the labels are asked."""

    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def get_cat_ids(self, idx):
        return self.labels[idx]


# class 0 in 90 images, class 1 in 9, class 5 in one; ten images show nothing
SKEWED = Labels([[0]] * 90 + [[1, 1]] * 9 + [[5]] + [[]] * 10)


def classes_drawn(indices, dataset=SKEWED):
    return Counter(label for i in indices for label in set(dataset.labels[i]))


def on_rank(monkeypatch, rank, world_size):
    monkeypatch.setattr(class_aware, "get_dist_info", lambda: (rank, world_size))


def test_classes_are_drawn_equally_often():
    drawn = classes_drawn(ClassAwareSampler(SKEWED, seed=0))
    assert sum(drawn.values()) == 110
    assert sorted(drawn.values()) == [36, 37, 37]


def test_images_of_a_class_come_equally_often():
    drawn = Counter(i for i in ClassAwareSampler(SKEWED, seed=0) if 90 <= i < 99)
    assert sorted(drawn.values()) == [4] * 8 + [5] or sorted(drawn.values()) == [4] * 9
    frequent = [i for i in ClassAwareSampler(SKEWED, seed=0) if i < 90]
    assert len(set(frequent)) == len(frequent)


def test_each_round_has_every_class_in_another_order():
    indices = list(ClassAwareSampler(SKEWED, seed=0))
    rounds = [tuple(SKEWED.labels[i][0] for i in indices[s : s + 3]) for s in range(0, 108, 3)]
    assert all(set(one) == {0, 1, 5} for one in rounds)
    assert len(set(rounds)) == 6


def test_several_images_of_a_class_can_follow_each_other():
    indices = list(ClassAwareSampler(SKEWED, seed=0, num_sample_class=4))
    labels = [SKEWED.labels[i][0] for i in indices]
    assert all(len(set(labels[s : s + 4])) == 1 for s in range(0, 108, 4))
    assert len(indices) == 110


def test_images_without_objects_are_not_drawn():
    assert max(ClassAwareSampler(SKEWED, seed=0)) < 100


def test_seed_and_epoch_alone_decide_the_order():
    first, second = ClassAwareSampler(SKEWED, seed=3), ClassAwareSampler(SKEWED, seed=3)
    order = list(first)
    next(iter(first))
    assert list(first) == list(second) == order
    second.set_epoch(1)
    assert list(second) != order
    assert list(ClassAwareSampler(SKEWED, seed=4)) != order


def test_processes_share_one_order(monkeypatch):
    whole = list(ClassAwareSampler(SKEWED, seed=0))
    shares = []
    for rank in range(4):
        on_rank(monkeypatch, rank, 4)
        sampler = ClassAwareSampler(SKEWED, seed=0)
        shares.append(list(sampler))
        assert len(shares[-1]) == len(sampler) == 28
    together = [index for step in zip(*shares, strict=True) for index in step]
    assert together[:110] == whole


def test_entries_tell_the_labels_where_the_data_set_does_not(coco_args):
    dataset = CocoDataset(**coco_args)
    plain, repeated = ClassAwareSampler(dataset, 0), ClassAwareSampler(RepeatDataset(dataset, 2), 0)
    assert plain.images_of_class == {1: [0], 0: [0, 2]}
    assert repeated.images_of_class == {1: [0, 3], 0: [0, 2, 3, 5]}


def test_built_as_the_runner_does():
    built = ENGINE_DATA_SAMPLERS.build(
        {"type": "ClassAwareSampler", "num_sample_class": 2},
        default_args={"dataset": SKEWED, "seed": 1},
    )
    assert isinstance(built, ClassAwareSampler) and built.seed == 1


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="num_sample_class=0"):
        ClassAwareSampler(SKEWED, num_sample_class=0)
    with pytest.raises(ValueError, match="no image of the data set has an object"):
        ClassAwareSampler(Labels([[], []]))
