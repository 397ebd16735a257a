"""Dividing images into splits such that every class is in each."""

import random
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import islice


def stratified_split(
    classes: Sequence[Collection[str]], shares: Sequence[float], seed: int = 0
) -> list[int]:
    """Assign images to splits of the sizes asked for, each class in proportion to the shares.

    Classes are dealt out from the rarest on, image by image to the split that lacks most of it and
    is not full; images without objects come last. A class in at least as many images as there are
    splits comes into each, wherever two images can change places without taking another class away.

    Args:
        classes: of each image, the classes in it; empty where it has no object.
        shares: of each split, above 0, adding up to 1.
        seed: images in another order; the same seed gives the same splits.

    Returns:
        The number of each image's split; the sizes differ from the shares by less than an image,
        but none is empty.

    Source: Sechidis et al. 2011, "On the stratification of multi-label data".
    """
    order = list(range(len(classes)))
    random.Random(seed).shuffle(order)
    images_of: dict[str, list[int]] = {}
    for image in order:
        for name in sorted(set(classes[image])):
            images_of.setdefault(name, []).append(image)
    wanted = {name: _quotas(len(images), shares) for name, images in images_of.items()}
    lacking = _quotas(len(classes), shares)
    split_of: dict[int, int] = {}
    queue = sorted(images_of, key=lambda name: (len(images_of[name]), name))
    for image in [image for name in queue for image in images_of[name]] + order:
        if image in split_of:
            continue
        rarest = next((name for name in queue if name in classes[image]), None)
        need = wanted[rarest] if rarest is not None else lacking
        open_ones = [s for s in range(len(shares)) if lacking[s]]
        split = max(open_ones, key=lambda s: (need[s], lacking[s]))
        split_of[image] = split
        lacking[split] -= 1
        for name in set(classes[image]):
            wanted[name][split] -= 1
    _bring_missing(split_of, classes, images_of, len(shares))
    return [split_of[image] for image in range(len(classes))]


def _quotas(count: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to the shares; at least 1 each where ``count`` allows it."""
    least = int(count >= len(shares))
    exact = [count * share for share in shares]
    quotas = [max(int(number), least) for number in exact]
    while sum(quotas) < count:
        quotas[max(range(len(shares)), key=lambda s: exact[s] - quotas[s])] += 1
    while sum(quotas) > count:
        quotas[max(range(len(shares)), key=lambda s: quotas[s] - exact[s])] -= 1
    return quotas


def _bring_missing(
    split_of: dict[int, int],
    classes: Sequence[Collection[str]],
    images_of: dict[str, list[int]],
    num_splits: int,
) -> None:
    """Exchange two images where a split lacks a class, if no other class suffers."""
    held = [set(names) for names in classes]
    counts = Counter((n, split_of[image]) for n, images in images_of.items() for image in images)

    def spared(image: int, other: int) -> bool:
        return all(counts[n, split_of[image]] > 1 for n in held[image] - held[other])

    for name, images in images_of.items():
        for split in range(num_splits):
            if counts[name, split] or len(images) < num_splits:
                continue
            there = [image for image, s in split_of.items() if s == split]
            pairs = ((i, j) for i in images for j in there if spared(i, j) and spared(j, i))
            for image, other in islice(pairs, 1):
                here = split_of[image]
                for n in held[image]:
                    counts[n, here] -= 1
                    counts[n, split] += 1
                for n in held[other]:
                    counts[n, split] -= 1
                    counts[n, here] += 1
                split_of[image], split_of[other] = split, here
