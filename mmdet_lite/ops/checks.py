"""Checks at the door: which keys a dict may hold, and what a wrong one was meant to be."""

from collections.abc import Collection, Mapping
from difflib import SequenceMatcher, get_close_matches
from typing import Any, TypeGuard

_LISTED = 10


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value, as json or a config gives it, is a number; truth values are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def nearest_name(name: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """The known name most like ``name``, or None when nothing is alike.

    Args:
        name: what was written.
        known: the names that would have been right; may be empty.
        cutoff: how alike two names must be, 0 (anything) to 1 (equal), as difflib measures it.

    >>> nearest_name("num_clases", ["num_classes", "in_channels"])
    'num_classes'
    """
    by_folded = {key.lower(): key for key in known}
    matches = get_close_matches(name.lower(), by_folded, n=1, cutoff=cutoff)
    return by_folded[matches[0]] if matches else None


def likeness(a: str, b: str) -> float:
    """How alike two names are, 0 to 1, as difflib measures it."""
    return SequenceMatcher(None, a, b).ratio()


def did_you_mean(name: str, known: Collection[str], cutoff: float = 0.6) -> str:
    """End of an error message: the nearest name, or the known names where none is near.

    Of many known names the ten nearest are listed. ``cutoff`` is that of ``nearest_name``.

    >>> did_you_mean("debg", ["debug"])
    "did you mean 'debug'?"
    >>> did_you_mean("zzz", ["b", "a"])
    'known are: a, b'
    """
    nearest = nearest_name(name, known, cutoff)
    if nearest is not None:
        return f"did you mean '{nearest}'?"
    if not known:
        return "nothing is known here"
    if len(known) <= _LISTED:
        return f"known are: {', '.join(sorted(known))}"
    by_likeness = sorted(known, key=lambda other: (-likeness(name, other), other))
    return f"known are, nearest first: {', '.join(by_likeness[:_LISTED])}, ..."


def need_num_classes(num_classes: int | None, head: str, key: str) -> int:
    """Return ``num_classes``, which neither config nor data may have left open.

    Raises:
        ValueError: it is None; ``head`` is named, and ``key``, where the head stands below model.
    """
    if num_classes is None:
        raise ValueError(
            f"{head}: num_classes is missing and no data set was there to take it from; set"
            f" model.{key}.num_classes"
        )
    return num_classes


def check_keys(cfg: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Refuse a key that nobody reads.

    Args:
        cfg: the dict as the config gives it; empty is fine.
        known: all keys that are read.
        where: dotted config key of ``cfg``, such as ``model.train_cfg.rpn``.

    Raises:
        ValueError: for the first unknown key, with its dotted name and the nearest right one.
    """
    for key in cfg:
        if key not in known:
            raise ValueError(f"{where}.{key}: no such key; {did_you_mean(str(key), known)}")
