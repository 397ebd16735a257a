"""Into which keys of a config a variable of its files went."""

import ast
from collections.abc import Iterator
from pathlib import Path

from mmdet_lite.config.sources import parse


def keys_made_from(files: list[Path], variable: str) -> list[str]:
    """Dotted keys whose value the files write with ``variable``, in the order found.

    A key that only passes the value on (``val_dataloader`` in ``test_dataloader =
    val_dataloader``) is followed. Where the variable is part of an expression the key is that of
    the whole expression.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.py"
    >>> _ = file.write_text("n = 3; model = dict(head=[dict(num=n), n + 1]); other = model")
    >>> keys_made_from([file], "n")
    ['model.head.0.num', 'model.head.1', 'other.head.0.num', 'other.head.1']
    """
    uses = [use for file in files if file.suffix == ".py" for use in _uses(parse(file))]
    found: list[str] = []
    waiting = [(variable, "")]
    while waiting:
        name, below = waiting.pop(0)
        for key, used, is_whole in uses:
            made = key + below if is_whole else key
            if used == name and made not in found and key.split(".")[0] != name:
                found.append(made)
                root, _, rest = made.partition(".")
                waiting.append((root, f".{rest}" if rest else ""))
    return found


def _uses(tree: ast.Module) -> Iterator[tuple[str, str, bool]]:
    """(dotted key, variable, whether the variable alone is the value) of every assignment."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield from _walk(node.value, target.id)


def _walk(node: ast.expr, key: str) -> Iterator[tuple[str, str, bool]]:
    parts = parts_of(node)
    if parts is not None:
        for name, value in parts:
            yield from _walk(value, f"{key}.{name}")
        return
    alone = _variable(node)
    if alone is not None:
        yield key, alone, True
        return
    for inner in ast.walk(node):
        part = _variable(inner)
        if part is not None:
            yield key, part, False


def parts_of(node: ast.expr) -> list[tuple[str, ast.expr]] | None:
    """The entries of a ``dict(...)`` call, a dict, a list or a tuple."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        return [(word.arg, word.value) for word in node.keywords if word.arg is not None]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [(str(k.value), v) for k, v in pairs if isinstance(k, ast.Constant)]
    if isinstance(node, ast.List | ast.Tuple):
        return [(str(i), item) for i, item in enumerate(node.elts)]
    return None


def _variable(node: ast.AST) -> str | None:
    """The name of a variable, also of one of the base file: ``_base_.name``."""
    if isinstance(node, ast.Name) and node.id != "_base_":
        return node.id
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "_base_"
    ):
        return node.attr
    return None
