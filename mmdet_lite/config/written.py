"""Config files as they are written: which line gives each value, through bases and variables."""

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mmdet_lite.config.sources import base_files, parse
from mmdet_lite.config.variables import parts_of

UNKNOWN: Final = object()
DELETE_KEY, BASE_KEY = "_delete_", "_base_"


@dataclass
class Written:
    """A value as a file writes it.

    Args:
        file: the file.
        line: of the value.
        parts: of a dict by name, of a list by number as text.
        is_dict: whether a config that inherits from it changes it part by part.
        constant: the value, where it is a literal, else ``UNKNOWN``.
    """

    file: Path
    line: int
    parts: dict[str, "Written"] = field(default_factory=dict)
    is_dict: bool = False
    constant: Any = UNKNOWN


def read_written(path: Path) -> Written:
    """The variables of a config file, merged with those of its ``_base_`` files as mmengine does.

    Dicts, lists, variables, ``_base_.x`` and assignments to parts are followed. What is computed
    (loops, calls, sums) counts as written by its statement. Files other than ``.py`` have no parts.

    Raises:
        SyntaxError: a file is not Python; names file and line.
    """
    if path.suffix != ".py":
        return Written(path, 1, is_dict=True)
    base = Written(path, 1, is_dict=True)
    for file in base_files(path):
        base = _merge(base, read_written(file))
    reader = _Reader(path, base)
    for statement in parse(path).body:
        reader.read(statement)
    return _merge(base, reader.own)


def _merge(base: Written, own: Written) -> Written:
    if not (base.is_dict and own.is_dict) or DELETE_KEY in own.parts:
        return own
    parts = dict(base.parts)
    for name, value in own.parts.items():
        parts[name] = _merge(parts[name], value) if name in parts else value
    return Written(own.file, own.line, parts, is_dict=True)


class _Reader:
    """Goes through the statements of one file."""

    def __init__(self, path: Path, base: Written) -> None:
        self.path = path
        self.base = base
        self.own = Written(path, 1, is_dict=True)

    def read(self, statement: ast.stmt) -> None:
        """Take note of what a statement assigns."""
        if isinstance(statement, ast.Assign):
            value = self._value(statement.value)
            for target in statement.targets:
                self._assign(target, value)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self._assign(statement.target, self._value(statement.value))
        else:
            for target in _changed_by(statement):
                self._assign(target, Written(self.path, statement.lineno))

    def _assign(self, target: ast.expr, value: Written) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for inner in target.elts:
                self._assign(inner, Written(value.file, value.line))
            return
        steps = _steps(target)
        if steps is None or steps == [BASE_KEY]:
            return
        holder = self._at(steps[:-1]) if len(steps) > 1 else self.own
        if holder is not None:
            holder.parts[steps[-1]] = value
            holder.constant = UNKNOWN

    def _at(self, steps: list[str]) -> Written | None:
        """What stands at a variable and the way down from it."""
        node: Written | None = self.base if steps[0] == BASE_KEY else self.own.parts.get(steps[0])
        for step in steps[1:]:
            node = node.parts.get(step) if node is not None else None
        return node

    def _value(self, node: ast.expr) -> Written:
        while isinstance(node, ast.Set) and len(node.elts) == 1:
            node = node.elts[0]  # {{_base_.x}}
        steps = _steps(node)
        if steps is not None:
            return self._at(steps) or Written(self.path, node.lineno)
        made = Written(self.path, node.lineno)
        parts = parts_of(node)
        if parts is None:
            made.constant = _literal(node)
            return made
        made.is_dict = not isinstance(node, ast.List | ast.Tuple)
        if isinstance(node, ast.Call):
            for word in (word for word in node.keywords if word.arg is None):  # **common
                made.parts.update(self._value(word.value).parts)
        made.parts.update({name: self._value(value) for name, value in parts})
        made.constant = _literal(node)
        return made


def _changed_by(statement: ast.stmt) -> list[ast.expr]:
    """What a statement that is no plain assignment may give a value to."""
    targets: list[ast.expr] = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For):
            targets.append(node.target)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            targets.append(node.func.value)  # a.append(...), a.update(...)
    return targets


def _steps(node: ast.expr) -> list[str] | None:
    """``a.b[0]`` as ['a', 'b', '0']; None for anything else."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        before, last = _steps(node.value), node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        before, last = _steps(node.value), str(node.slice.value)
    else:
        return None
    return None if before is None else [*before, last]


def _literal(node: ast.expr) -> Any:
    """The value of a literal; ``UNKNOWN`` where mmengine puts something in for {{ }} or $."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        return UNKNOWN
    return UNKNOWN if "{{" in repr(value) else value
