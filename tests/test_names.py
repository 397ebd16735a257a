"""What files may be called, and what the project's text may not mention."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DRAWERS = {"misc", "util", "utils", "common", "helper", "helpers"}
# put together here, so that this file does not hold them itself
FOREIGN_PLACES = [f"/{name}/" for name in ("wo" + "rk", "tmp/d" + "ev")]


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


def test_no_file_of_the_package_is_a_drawer_for_everything():
    files = (ROOT / "mmdet_lite").rglob("*.py")
    wrong = [p for p in files if DRAWERS & {part.removesuffix(".py") for part in p.parts[-3:]}]
    assert wrong == []


def test_no_text_names_a_folder_of_one_persons_machine():
    mentions = []
    for path in tracked_files():
        if not path.is_file() or path.stat().st_size > 2_000_000:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and other binary files
        mentions += [
            f"{path.relative_to(ROOT)}:{number}: {place}"
            for number, line in enumerate(text.splitlines(), 1)
            for place in FOREIGN_PLACES
            if place in line
        ]
    assert mentions == []


def test_no_file_is_longer_than_a_reader_holds():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "mmdet_lite").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def lines_without_docstring(function):
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - (docstring.end_lineno - docstring.lineno + 1)


def test_no_function_is_longer_than_a_reader_holds():
    long = {
        f"{path.relative_to(ROOT)}: {node.name}": lines
        for path in (ROOT / "mmdet_lite").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name != "__init__"  # MMDetection's lists of arguments are long
        and (lines := lines_without_docstring(node)) > 50
    }
    assert long == {}
