"""The parts of a ConcatDataset, and the ratios in which they are mixed."""

import itertools
from collections.abc import Sequence
from typing import Any


def sizes_of_parts(dataset: Any, sampler: str) -> list[int]:
    """Number of images in each part of a joined data set.

    Args:
        dataset: a ConcatDataset.
        sampler: who asks, for the message.

    Raises:
        TypeError: it is no ConcatDataset.
    """
    if hasattr(dataset, "full_init"):
        dataset.full_init()
    ends = getattr(dataset, "cumulative_sizes", None)
    if ends is None:
        raise TypeError(
            f"{sampler} needs a ConcatDataset, whose parts it mixes; got {type(dataset).__name__}"
        )
    return [end - start for start, end in itertools.pairwise([0, *ends])]


def checked_ratio(ratio: Sequence[float], sizes: Sequence[int], name: str) -> list[float]:
    """Ratios of the parts as floats; ValueError unless there is one above 0 for each part."""
    if len(ratio) != len(sizes):
        raise ValueError(
            f"{name} has {len(ratio)} numbers {list(ratio)}, but the ConcatDataset joins "
            f"{len(sizes)} data sets; give one number for each"
        )
    if not all(number > 0 for number in ratio):
        raise ValueError(f"{name} = {list(ratio)}: every number must be above 0")
    return [float(number) for number in ratio]
