"""Images drawn from joined data sets in given proportions."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmdet_lite.datasets.samplers.joined_parts import checked_ratio, sizes_of_parts
from mmdet_lite.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class MultiDataSampler(Sampler[int]):
    """Draw images of a ConcatDataset so that its parts come in a given proportion.

    Each image is drawn by itself: a part with the probability of its ratio, then any image of it,
    with replacement. An epoch has as many images as the whole data set. Seed and epoch alone decide
    what is drawn, and the processes take turns in it.

    Args:
        dataset: a ConcatDataset.
        dataset_ratio: a number above 0 for each of its parts.
        seed: the same in all processes; None draws one.
        round_up: give all processes the same number of images; otherwise the last ones of an
            epoch are one short where it does not come out even.

    Raises:
        TypeError: ``dataset`` is not a ConcatDataset.
        ValueError: there are not as many ratios as parts, or one is not above 0.

    Source: arguments and probabilities are MMDetection 3's.
    """

    def __init__(
        self,
        dataset: Any,
        dataset_ratio: Sequence[float],
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.sizes = sizes_of_parts(dataset, "MultiDataSampler")
        self.dataset_ratio = checked_ratio(dataset_ratio, self.sizes, "dataset_ratio")
        self.seed = sync_random_seed() if seed is None else seed
        self.round_up = round_up
        self.epoch = 0

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        total = len(self.dataset)
        if self.round_up:
            total = len(self) * self.world_size
        ratio = torch.tensor(self.dataset_ratio, dtype=torch.float64)
        parts = torch.multinomial(ratio, total, replacement=True, generator=generator)
        sizes = torch.tensor(self.sizes)
        places = torch.randint(2**62, (total,), generator=generator) % sizes[parts]
        indices = (sizes.cumsum(0) - sizes)[parts] + places
        yield from indices[self.rank :: self.world_size].tolist()

    def __len__(self) -> int:
        before = 0 if self.round_up else self.rank
        return math.ceil((len(self.dataset) - before) / self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Draw others; the Runner says before each epoch which it is."""
        self.epoch = epoch
