"""Batches of images of one orientation."""

from collections.abc import Iterator
from typing import Any

from torch.utils.data import BatchSampler, Sampler

from mmdet_lite.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class AspectRatioBatchSampler(BatchSampler):
    """Put upright images (width < height) and others into batches of their own.

    So less of a batch is padding. What is left over at the end of an epoch is mixed. No random
    numbers are drawn: the order is the sampler's.

    Args:
        sampler: gives indices of its ``dataset``, whose entries hold ``width`` and ``height``.
        batch_size: images of a batch.
        drop_last: leave out the last batch if it is not full.

    Raises:
        TypeError: ``sampler`` is no sampler.
        ValueError: ``batch_size`` is not a positive integer.
    """

    def __init__(self, sampler: Sampler[int], batch_size: int, drop_last: bool = False) -> None:
        if not isinstance(sampler, Sampler):
            raise TypeError(f"sampler must be a torch Sampler; got {type(sampler).__name__}")
        super().__init__(sampler, batch_size, drop_last)
        self._dataset: Any = sampler.dataset  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[list[int]]:
        buckets: dict[bool, list[int]] = {True: [], False: []}
        for idx in self.sampler:
            info = self._dataset.get_data_info(idx)
            bucket = buckets[info["width"] < info["height"]]
            bucket.append(idx)
            if len(bucket) == self.batch_size:
                yield bucket[:]
                bucket.clear()
        left = buckets[True] + buckets[False]
        for start in range(0, len(left), self.batch_size):
            batch = left[start : start + self.batch_size]
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch
