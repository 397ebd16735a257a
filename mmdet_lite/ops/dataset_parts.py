"""The way through data sets that are made of others: configs or built ones, whatever wraps them.

A wrapper holds what it is made of as ``dataset`` or ``datasets``: ConcatDataset, RepeatDataset,
ClassBalancedDataset, MultiImageMixDataset. So does the config of a dataloader.
"""

from collections.abc import Iterator, Mapping
from typing import Any


def parts_of(dataset: Any) -> list[tuple[str, Any]]:
    """What a data set is made of, each with its key; nothing where it reads files itself.

    >>> parts_of({"datasets": [{"type": "A"}, {"type": "B"}]})
    [('datasets.0', {'type': 'A'}), ('datasets.1', {'type': 'B'})]
    """
    found = []
    for name in ("dataset", "datasets"):
        held = dataset.get(name) if isinstance(dataset, Mapping) else getattr(dataset, name, None)
        if isinstance(held, list | tuple):
            found += [(f"{name}.{i}", one) for i, one in enumerate(held)]
        elif held is not None:
            found.append((name, held))
    return found


def walk_datasets(dataset: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """A data set and all that it is made of, wrappers first, each with its dotted key.

    Args:
        dataset: a config, a built data set, or None for nothing.
        where: dotted key of it.
    """
    if dataset is None:
        return
    yield where, dataset
    for name, part in parts_of(dataset):
        yield from walk_datasets(part, f"{where}.{name}" if where else name)


def innermost_datasets(dataset: Any) -> Iterator[Any]:
    """The data sets that read files, in order; ``dataset`` itself where nothing is inside it."""
    return (one for _, one in walk_datasets(dataset) if not parts_of(one))
