"""Values of a config by dotted key, and how two configs differ."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

ABSENT = "(not set)"


def leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of a config, in its order; a number is an index into a list.

    Dicts, and lists that hold dicts, are gone into; other lists and empty dicts are one value.

    >>> list(leaves({"a": [{"b": 1}, {"b": (2, 3)}], "c": {}}))
    [('a.0.b', 1), ('a.1.b', (2, 3)), ('c', {})]
    """
    parts = _parts(node)
    if not parts:
        yield key, node
        return
    for name, value in parts.items():
        yield from leaves(value, f"{key}.{name}" if key else name)


def differences(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted keys where two configs differ, with both values; ``ABSENT`` where one has none.

    Tuples and lists count as equal. Elements of lists of dicts are matched by their ``type``, so
    that a transform more does not make all those behind it differ; the index is then that in
    ``new``, and in ``old`` for an element that only ``old`` has.

    >>> list(differences({"a": 1, "b": [{"type": "X"}]}, {"b": [{"type": "Y"}, {"type": "X"}]}))
    [('a', 1, '(not set)'), ('b.0', '(not set)', {'type': 'Y'})]
    """
    if _is_list_of_dicts(old) and _is_list_of_dicts(new):
        yield from _list_differences(old, new, key)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            below = f"{key}.{name}" if key else str(name)
            yield from differences(old.get(name, ABSENT), new.get(name, ABSENT), below)
    elif as_lists(old) != as_lists(new):
        yield key, old, new


def as_lists(value: Any) -> Any:
    """Return a value with its tuples as lists, as a dumped config may have them."""
    return [as_lists(item) for item in value] if isinstance(value, (list, tuple)) else value


def _list_differences(
    old: Sequence[Any], new: Sequence[Any], key: str
) -> Iterator[tuple[str, Any, Any]]:
    kinds_old, kinds_new = ([_kind(item) for item in items] for items in (old, new))
    matcher = SequenceMatcher(None, kinds_old, kinds_new, autojunk=False)
    for what, i1, i2, j1, j2 in matcher.get_opcodes():
        if what == "equal" or i2 - i1 == j2 - j1:
            for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
                yield from differences(old[i], new[j], f"{key}.{j}")
            continue
        for i in range(i1, i2):
            yield f"{key}.{i}", old[i], ABSENT
        for j in range(j1, j2):
            yield f"{key}.{j}", ABSENT, new[j]


def _kind(item: Any) -> str:
    return str(item.get("type", "")) if isinstance(item, Mapping) else repr(item)


def _parts(node: Any) -> dict[str, Any] | None:
    if isinstance(node, Mapping):
        return {str(name): value for name, value in node.items()}
    if _holds_dicts(node):
        return {str(i): item for i, item in enumerate(node)}
    return None


def _is_list_of_dicts(node: Any) -> bool:
    return isinstance(node, (list, tuple)) and any(isinstance(item, Mapping) for item in node)


def _holds_dicts(node: Any) -> bool:
    """Whether a list holds dicts, itself or in lists inside it."""
    return isinstance(node, (list, tuple)) and any(
        isinstance(item, Mapping) or _holds_dicts(item) for item in node
    )
