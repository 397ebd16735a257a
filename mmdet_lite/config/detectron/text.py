"""Config files as text: only what differs from their base, in the form people write them."""

from collections.abc import Iterable, Mapping
from typing import Any

WIDTH = 100
MISSING = object()


class Whole(dict[str, Any]):
    """A dict that takes the place of the base's one; its keys are not merged."""


class Name(str):
    """A variable of the config file, written without quotes."""


def nested(rows: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Dotted keys and values as dicts in dicts; later rows win.

    >>> nested([("a.b", 1), ("a.c", 2), ("d", 3)])
    {'a': {'b': 1, 'c': 2}, 'd': 3}
    """
    tree: dict[str, Any] = {}
    for dotted, value in rows:
        *parents, last = dotted.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return tree


def difference(base: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The part of ``wanted`` that ``base`` does not say already; neither is changed.

    A dict is merged with the base's one of the same key, as ``_base_`` does it; a ``Whole`` gets
    ``_delete_`` where the base has something of that name.
    """
    changes: dict[str, Any] = {}
    for key, value in wanted.items():
        there = base.get(key, MISSING) if isinstance(base, Mapping) else MISSING
        if isinstance(value, Whole):
            if there is MISSING or there is None:
                changes[key] = dict(value)
            elif not _same(there, dict(value)):
                changes[key] = {"_delete_": True, **value}
        elif isinstance(value, Mapping) and isinstance(there, Mapping):
            if part := difference(there, value):
                changes[key] = part
        elif not _same(there, value):
            changes[key] = dict(value) if isinstance(value, Mapping) else value
    return changes


def assignment(name: str, value: Any) -> str:
    """``name = value`` as lines of a config file.

    >>> print(assignment("model", {"backbone": {"depth": 101, "init_cfg": None}}))
    model = dict(backbone=dict(depth=101, init_cfg=None))
    """
    return f"{name} = {_code(value, 0, len(name) + 3)}"


def _same(there: Any, value: Any) -> bool:
    if isinstance(there, list | tuple) and isinstance(value, list | tuple):
        return list(there) == list(value)
    return there is not MISSING and type(there) is type(value) and there == value


def _code(value: Any, indent: int, used: int) -> str:
    """Python for ``value``; ``used`` columns of its first line are taken, its next is indented."""
    one_line = _one_line(value)
    if used + len(one_line) + 1 <= WIDTH:
        return one_line
    inner = indent + 4
    pad = " " * inner
    if isinstance(value, Mapping):
        items = [(f"{key}=", item) for key, item in value.items()]
        begin, end = "dict(", ")"
    elif isinstance(value, list | tuple):
        items = [("", item) for item in value]
        begin, end = ("[", "]") if isinstance(value, list) else ("(", ")")
    else:
        return one_line
    lines = [f"{pad}{key}{_code(item, inner, inner + len(key))}," for key, item in items]
    return "\n".join([begin, *lines, " " * indent + end])


def _one_line(value: Any) -> str:
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, Mapping):
        return f"dict({', '.join(f'{key}={_one_line(item)}' for key, item in value.items())})"
    if isinstance(value, list):
        return f"[{', '.join(_one_line(item) for item in value)}]"
    if isinstance(value, tuple):
        inside = ", ".join(_one_line(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, float):
        return _fraction(value)
    return repr(value)


def _fraction(value: float) -> str:
    """The number; a third and a ninth, which Detectron is fond of, as fractions."""
    for below in (3, 9):
        if value == 1 / below:
            return f"1 / {below}"
    return repr(value)
