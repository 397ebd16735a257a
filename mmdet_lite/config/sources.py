"""Which files a config is made of, where in them a word stands, and which name was meant."""

import ast
import re
from pathlib import Path

from mmdet_lite.ops.checks import nearest_name

SUFFIXES = (".py", ".json", ".yaml", ".yml")


def config_files(path: Path) -> list[Path]:
    """The file and all its ``_base_`` files, the file itself first, each once.

    Files in mmengine's newer form (``with read_base()``) and bases of other packages
    (``pkg::file``) are left to mmengine: their own bases are not followed.

    Raises:
        FileNotFoundError: a file is missing; names the chain that led to it and near names.
        SyntaxError: a file is not Python; names file and line.
    """
    files: list[Path] = []
    _collect(path.absolute(), [], files)
    return files


def find_word(files: list[Path], word: str) -> str | None:
    """``file:line`` where a keyword, dict key or string equal to ``word`` stands, or None.

    Files are searched in the order given, so the child before its bases.
    """
    for file in files:
        if file.suffix != ".py":
            continue
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.keyword) and node.arg == word:
                return f"{file}:{node.value.lineno}"
            if isinstance(node, ast.Constant) and node.value == word:
                return f"{file}:{node.lineno}"
            if isinstance(node, ast.Name) and node.id == word:
                return f"{file}:{node.lineno}"
    return None


def find_config(path: Path) -> tuple[Path, str | None]:
    """The config file meant by ``path``, and a note where it goes by another name.

    MMDetection 2.x wrote ``mask_rcnn_r50_caffe_fpn_mstrain-poly_1x_coco.py`` for what is now
    ``mask-rcnn_r50-caffe_fpn_ms-poly-1x_coco.py``: a name that differs from exactly one config
    only in that way is taken to mean it, and the note says so.

    Raises:
        FileNotFoundError: no such file; names the nearest config files.
        ValueError: a file of another kind.
    """
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise ValueError(
                f"{path} is no config file: its name must end with .py (or yaml, json)"
            )
        return path, None
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder; give one of its config files")
    candidates = _candidates(path)
    meant = {c.resolve() for c in candidates if _folded(c.stem) == _folded(path.stem)}
    if len(meant) == 1:
        found = next(c for c in candidates if c.resolve() in meant)
        return found, f"config {path} -> {found}"
    raise FileNotFoundError(f"config file {path} does not exist{_near(path, candidates)}")


def _collect(path: Path, chain: list[Path], files: list[Path]) -> None:
    if path in chain:
        raise ValueError(f"_base_ of {chain[-1]} leads back to {path}: a config inherits itself")
    if path in files:
        return
    if not path.is_file():
        via = " <- ".join(str(p) for p in reversed(chain))
        near = _near(path, _candidates(path))
        raise FileNotFoundError(f"_base_ file {path} does not exist (named in {via}){near}")
    files.append(path)
    for base in base_files(path):
        _collect(base, [*chain, path], files)


def base_files(path: Path) -> list[Path]:
    """The ``_base_`` files of a file, those of other packages (``pkg::file``) left out."""
    return [(path.parent / base).resolve() for base in _bases(path) if "::" not in base]


def _bases(path: Path) -> list[str]:
    if path.suffix != ".py":
        return []  # json and yaml: mmengine's own message is clear
    for node in parse(path).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "_base_" for target in node.targets
        ):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:  # an expression: only mmengine can tell its value
                return []
            return [value] if isinstance(value, str) else list(value)
    return []


def parse(path: Path) -> ast.Module:
    """The syntax tree of a config file; SyntaxError with file and line."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise SyntaxError(f"{path}:{error.lineno}: {error.msg}: {line}") from None


def _candidates(path: Path) -> list[Path]:
    """Config files one may have meant: beside the path, and in the nearest ``configs`` folders."""
    folders = [path.parent, *path.absolute().parents, Path.cwd() / "configs"]
    roots = [folders[0], *(f for f in folders if f.name == "configs")]
    seen: dict[Path, Path] = {}
    for i, root in enumerate(roots):
        if root.is_dir():
            for file in sorted(root.glob("*.py") if i == 0 else root.rglob("*.py")):
                seen.setdefault(file.resolve(), file)
    return list(seen.values())


def _near(path: Path, candidates: list[Path]) -> str:
    names = {c.name: c for c in candidates}
    nearest = nearest_name(path.name, names)
    if nearest is not None:
        return f"; did you mean {names[nearest]}?"
    here = sorted(c.name for c in candidates if c.parent.resolve() == path.parent.resolve())
    return f"; the folder has {', '.join(here[:10])}" if here else "; nor is any config beside it"


def _folded(stem: str) -> str:
    return re.sub(r"[-_]", "", stem.lower().replace("mstrain", "ms"))
