"""Every class equally often."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmdet_lite.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class ClassAwareSampler(Sampler[int]):
    """Draw a class, then an image that shows it, so that rare classes come as often as others.

    Classes take turns in a random order, anew in each round; so do the images of a class. An epoch
    has as many images as the data set; images of rare classes come several times in it, those
    without objects and some of frequent classes never. Classes without an image are left out. The
    order depends on seed and epoch only, and the processes take turns in it.

    Args:
        dataset: with ``get_cat_ids(index)``, or entries with ``instances``.
        seed: the same in all processes; None draws one.
        num_sample_class: how many images of a class follow each other.

    Raises:
        ValueError: ``num_sample_class`` is below 1, or no image has an object.

    Source: Shen et al. 2016, Relay Backpropagation, section 4.2; arguments are MMDetection 3's.
    """

    def __init__(self, dataset: Any, seed: int | None = None, num_sample_class: int = 1) -> None:
        if not isinstance(num_sample_class, int) or num_sample_class < 1:
            raise ValueError(
                f"ClassAwareSampler: num_sample_class={num_sample_class!r}, expected 1 or more"
            )
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.seed = sync_random_seed() if seed is None else seed
        self.num_sample_class = num_sample_class
        self.epoch = 0
        self.images_of_class = images_of_class(dataset)
        if not self.images_of_class:
            raise ValueError("ClassAwareSampler: no image of the data set has an object")
        self.num_samples = math.ceil(len(dataset) / self.world_size)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        classes = endless(sorted(self.images_of_class), generator)
        images = {c: endless(found, generator) for c, found in self.images_of_class.items()}
        indices: list[int] = []
        while len(indices) < self.num_samples * self.world_size:
            of_class = images[next(classes)]
            indices += [next(of_class) for _ in range(self.num_sample_class)]
        yield from indices[: self.num_samples * self.world_size][self.rank :: self.world_size]

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Draw another order; the Runner says before each epoch which it is."""
        self.epoch = epoch


def images_of_class(dataset: Any) -> dict[int, list[int]]:
    """Return the indices of the images of every class that occurs, by its label."""
    found: dict[int, list[int]] = {}
    for index in range(len(dataset)):
        if hasattr(dataset, "get_cat_ids"):
            labels = dataset.get_cat_ids(index)
        else:
            labels = [one["bbox_label"] for one in dataset.get_data_info(index)["instances"]]
        for label in sorted(set(labels)):
            found.setdefault(label, []).append(index)
    return found


def endless(values: Sequence[int], generator: torch.Generator) -> Iterator[int]:
    """Yield the values in a random order, each once a round, without end."""
    while True:
        yield from (values[i] for i in torch.randperm(len(values), generator=generator).tolist())
