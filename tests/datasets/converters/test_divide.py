"""Stratified splits."""

from collections import Counter

import numpy as np
import pytest

from mmdet_lite.datasets.converters.divide import stratified_split


def random_classes(seed, count=200):
    rng = np.random.default_rng(seed)
    odds = {"common": 0.8, "usual": 0.3, "rare": 0.02}
    return [{name for name, odd in odds.items() if rng.random() < odd} for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shares", [(0.8, 0.2), (0.7, 0.2, 0.1), (0.5, 0.5)])
def test_splits_have_their_share_of_images_and_of_every_class(seed, shares):
    classes = random_classes(seed)
    split = stratified_split(classes, shares, seed)
    sizes = Counter(split)
    for number, share in enumerate(shares):
        assert sizes[number] == pytest.approx(share * len(classes), abs=1)
        for name in ("common", "usual", "rare"):
            total = sum(name in held for held in classes)
            here = sum(name in held and s == number for held, s in zip(classes, split, strict=True))
            assert here == pytest.approx(share * total, abs=3)
            assert here >= 1 or total < len(shares)


@pytest.mark.parametrize("seed", range(10))
def test_many_rare_classes_do_not_upset_the_sizes(seed):
    rng = np.random.default_rng(seed)
    classes = [{f"{name}" for name in rng.choice(35, 4, replace=False)} for _ in range(14)]
    assert Counter(stratified_split(classes, (0.7, 0.3), seed)) == {0: 10, 1: 4}


def test_the_seed_decides():
    classes = random_classes(0)
    assert stratified_split(classes, (0.8, 0.2), 1) == stratified_split(classes, (0.8, 0.2), 1)
    assert stratified_split(classes, (0.8, 0.2), 1) != stratified_split(classes, (0.8, 0.2), 2)


def test_two_images_of_a_class_part():
    classes = [{"a"}] * 20 + [{"a", "b"}] * 2
    split = stratified_split(classes, (0.9, 0.1))
    assert {split[20], split[21]} == {0, 1}


def test_a_class_that_ties_would_leave_out_is_brought_in():
    for seed in range(30):
        classes = [{"b", "c"}, {"b"}, {"d", "c"}, {"d"}]
        split = stratified_split(classes, (0.5, 0.5), seed)
        for name in "bcd":
            assert {s for held, s in zip(classes, split, strict=True) if name in held} == {0, 1}


def test_images_without_objects_are_divided_too():
    split = stratified_split([set()] * 10, (0.8, 0.2))
    assert Counter(split) == {0: 8, 1: 2}


def test_no_image_gives_no_split():
    assert stratified_split([], (0.8, 0.2)) == []
