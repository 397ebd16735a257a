"""Batches composed of joined data sets in given proportions."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmdet_lite.datasets.samplers.class_aware import endless
from mmdet_lite.datasets.samplers.joined_parts import checked_ratio, sizes_of_parts
from mmdet_lite.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class MultiSourceSampler(Sampler[int]):
    """Compose every batch of the parts of a ConcatDataset in a given proportion, without end.

    For an iteration-based loop. A batch holds the images of the first part, then those of the
    second and so on: ``int(batch_size * ratio / sum of ratios)`` of each, and of the first what is
    left. The images of a part come in a random order, each once before any comes again; the
    processes take turns in it.

    Args:
        dataset: a ConcatDataset.
        batch_size: that of the dataloader, which must not have a ``batch_sampler`` of its own.
        source_ratio: a number above 0 for each part.
        shuffle: False takes the images of a part in their order.
        seed: the same in all processes; None draws one.

    Raises:
        TypeError: ``dataset`` is not a ConcatDataset.
        ValueError: ``batch_size`` is not a positive integer, there are not as many ratios as parts,
            one is not above 0, or a part would never come.

    Source: arguments and counts are MMDetection 3's.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        source_ratio: Sequence[float],
        shuffle: bool = True,
        seed: int | None = None,
    ) -> None:
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"MultiSourceSampler: batch_size={batch_size!r}, expected 1 or more")
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.batch_size = batch_size
        self.sizes = sizes_of_parts(dataset, "MultiSourceSampler")
        self.source_ratio = checked_ratio(source_ratio, self.sizes, "source_ratio")
        counts = [int(batch_size * ratio / sum(self.source_ratio)) for ratio in self.source_ratio]
        self.num_per_source = [batch_size - sum(counts[1:]), *counts[1:]]
        if 0 in self.num_per_source:
            raise ValueError(
                f"MultiSourceSampler: a batch of {batch_size} in the proportion {source_ratio} "
                f"would hold {self.num_per_source} images of the data sets, so one would never "
                "come; take a larger batch_size, or MultiDataSampler, which draws each image alone"
            )
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed

    def __iter__(self) -> Iterator[int]:
        streams = [self._stream(part) for part in range(len(self.sizes))]
        while True:
            for stream, count in zip(streams, self.num_per_source, strict=True):
                yield from itertools.islice(stream, count)

    def __len__(self) -> int:
        return len(self.dataset)

    def _stream(self, part: int) -> Iterator[int]:
        """This process's share of a part's images, without end."""
        start = sum(self.sizes[:part])
        images = range(start, start + self.sizes[part])
        generator = torch.Generator().manual_seed(self.seed + part)
        endless_images = endless(images, generator) if self.shuffle else itertools.cycle(images)
        return itertools.islice(endless_images, self.rank, None, self.world_size)
