"""Turning what a checkpoint holds into tensors and plain containers."""

import math
from collections import OrderedDict, deque
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

SCALARS: tuple[Any, ...] = (bool, int, float, complex, str, bytes)
BUFFER_KEYS = {"log_history", "count_history", "max_length"}


def plain(value: Any, where: str = "checkpoint") -> Any:
    """The same content as tensors, numbers, strings, lists, tuples, sets and dicts.

    Such content is read by ``torch.load`` in its default, safe mode. Tensors are kept as they are
    (not copied), numpy arrays become tensors, arrays of strings lists, a HistoryBuffer the dict
    that ``to_history_buffers`` understands, every mapping a dict (an OrderedDict stays one with
    its ``_metadata``, torch's version numbers of modules). The argument is not changed.

    Args:
        value: the content, of any depth.
        where: dotted name of ``value`` for the error's text.

    Raises:
        TypeError: if something else is met, with its dotted key.

    >>> plain({"a": np.float32(0.5), "b": (np.int64(2), None)})
    {'a': 0.5, 'b': (2, None)}
    """
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, HistoryBuffer):
        return _plain_buffer(value)
    if isinstance(value, np.ndarray | np.generic):
        return _plain_array(value, where)
    if isinstance(value, Mapping):
        return _plain_mapping(value, where)
    if isinstance(value, list | tuple | set | frozenset | deque):
        return _plain_sequence(value, where)
    if value is None or isinstance(value, torch.dtype | torch.device | bytearray):
        return value
    if isinstance(value, PurePath):
        return str(value)
    for kind in SCALARS:
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(
        f"{where} is a {type(value).__module__}.{type(value).__qualname__}: a checkpoint holds "
        "only tensors, numbers, strings and plain containers, so that torch.load(path) reads it; "
        "store its state instead of the object"
    )


def to_history_buffers(log_scalars: Mapping[str, Any]) -> dict[str, Any]:
    """The scalars of mmengine's message hub with their HistoryBuffers back in place."""
    return {
        name: HistoryBuffer(
            value["log_history"].cpu().numpy(),
            value["count_history"].cpu().numpy(),
            value["max_length"],
        )
        if isinstance(value, Mapping) and set(value) == BUFFER_KEYS
        else value
        for name, value in log_scalars.items()
    }


def _plain_buffer(buffer: HistoryBuffer) -> dict[str, Any]:
    log_history, count_history = buffer.data
    return {
        "log_history": torch.from_numpy(np.array(log_history, dtype=np.float64)),
        "count_history": torch.from_numpy(np.array(count_history, dtype=np.float64)),
        "max_length": buffer.max_length if math.isfinite(buffer.max_length) else 1_000_000,
    }


def _plain_array(array: Any, where: str) -> Any:
    if isinstance(array, np.generic):
        return plain(array.item(), where)
    if array.dtype.kind in "biufc":
        return torch.from_numpy(array.copy())
    return plain(array.tolist(), where)


def _plain_sequence(values: Any, where: str) -> Any:
    items = [plain(item, f"{where}[{index}]") for index, item in enumerate(values)]
    if isinstance(values, tuple):
        return tuple(items)
    return set(items) if isinstance(values, set | frozenset) else items


def _plain_mapping(mapping: Mapping[Any, Any], where: str) -> dict[Any, Any]:
    kind = OrderedDict if isinstance(mapping, OrderedDict) else dict
    copy = kind((plain(key, where), plain(mapping[key], f"{where}.{key}")) for key in mapping)
    metadata = getattr(mapping, "_metadata", None) if kind is OrderedDict else None
    if metadata is not None:
        copy._metadata = plain(metadata, f"{where}._metadata")  # type: ignore[attr-defined]
    return copy
