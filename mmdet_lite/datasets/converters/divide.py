"""Dividing images into splits such that every class is in each."""

import random
from collections import Counter
from collections.abc import Collection, Sequence


def stratified_split(
    classes: Sequence[Collection[str]], shares: Sequence[float], seed: int = 0
) -> list[int]:
    """Assign images to splits, each class in proportion to the shares.

    Classes are dealt out from the rarest on, image by image to the split that lacks most of it;
    images without objects come last. A class in at least as many images as there are splits comes
    into each, wherever images can be moved without taking another class away.

    Args:
        classes: of each image, the classes in it; empty where it has no object.
        shares: of each split, above 0, adding up to 1.
        seed: images in another order; the same seed gives the same splits.

    Returns:
        The number of each image's split.

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
        split = max(range(len(shares)), key=lambda s: (need[s], lacking[s]))
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
    """Move an image into each split that lacks a class, where no other class suffers."""
    counts = Counter((n, split_of[image]) for n, images in images_of.items() for image in images)
    for name, images in images_of.items():
        for split in range(num_splits):
            if counts[name, split] or len(images) < num_splits:
                continue
            for image in images:
                here = split_of[image]
                if all(counts[n, here] > 1 for n in set(classes[image])):
                    split_of[image] = split
                    for n in set(classes[image]):
                        counts[n, here] -= 1
                        counts[n, split] += 1
                    break
