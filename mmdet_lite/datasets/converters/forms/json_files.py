"""Which form a json file is in, told without reading a large one whole."""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmdet_lite.ops.json_text import parse_json

SMALL = 4_000_000  # bytes; larger files are told by what stands at their ends
PEEK = 100_000
MANY = 20  # json files in one folder, of which the first few stand for all


def json_form(path: Path) -> str | None:
    """Return coco, labelme or via; 'captions' for a COCO file of texts; None for something else."""
    stat = path.stat()
    return _json_form(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _json_form(path: Path, changed: int, size: int) -> str | None:
    if size > SMALL:
        return _form_of_text(_ends(path, size))
    try:
        content = parse_json(path.read_bytes(), str(path))
    except ValueError:
        return _form_of_text(_ends(path, size))  # broken, and the reader of that form will say so
    return _form_of_content(content)


def what_is_in(path: Path) -> str:
    """What a json file of no known form holds, for a person."""
    if path.stat().st_size > SMALL:
        return f"{path} is a json of {path.stat().st_size} bytes"
    try:
        content = parse_json(path.read_bytes(), str(path))
    except ValueError as error:
        return str(error)
    if isinstance(content, dict):
        return f"{path} holds an object with the keys {list(content)[:8]}"
    if not isinstance(content, list):
        return f"{path} holds neither object nor list: {type(content).__name__}"
    first = content[0] if content else None
    keys = f", the first with the keys {list(first)[:8]}" if isinstance(first, dict) else ""
    detections = isinstance(first, dict) and {"image_id", "score"} <= first.keys()
    hint = ": these are detections, no annotations" if detections else ""
    return f"{path} holds a list of {len(content)} entries{keys}{hint}"


def _form_of_content(content: Any) -> str | None:
    if not isinstance(content, dict):
        return None
    keys = content.keys()
    if "images" in keys and ("annotations" in keys or "categories" in keys):
        return "coco" if "categories" in keys else "captions"
    if "shapes" in keys and ("imagePath" in keys or "imageData" in keys):
        return "labelme"
    if "_via_img_metadata" in keys:
        return "via"
    first = next(iter(content.values()), None)
    return "via" if isinstance(first, dict) and {"filename", "regions"} <= first.keys() else None


def _form_of_text(text: str) -> str | None:
    def has(*keys: str) -> bool:
        return all(re.search(rf'"{key}"\s*:', text) for key in keys)

    if has("shapes", "imagePath"):
        return "labelme"
    if has("_via_img_metadata") or has("filename", "regions"):
        return "via"
    if has("categories") or has("image_id", "category_id") or has("images", "bbox"):
        return "coco"
    return "captions" if has("images", "annotations") else None


def _ends(path: Path, size: int) -> str:
    """Start and end of a file; of UTF-16 and UTF-32 the ASCII in it."""
    with path.open("rb") as file:
        head = file.read(PEEK)
        file.seek(max(size - PEEK, 0))
        return (head + b"\n" + file.read()).decode("utf-8", "replace").replace("\0", "")


def files_below(folder: Path, ending: str, depth: int = 8) -> list[Path]:
    """Return the files of an ending (lower case) in a folder and below, sorted; hidden ones not."""
    found = []
    for parent, folders, files in os.walk(folder):
        at = len(Path(parent).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if not f.startswith(".")) if at < depth else []
        names = [f for f in files if f.lower().endswith(ending) and not f.startswith(".")]
        found += [Path(parent, name) for name in names]
    return sorted(found)


def jsons_in_form(path: Path, form: str) -> list[Path]:
    """Return the json files of a form: ``path`` itself, or those below the folder ``path``.

    In a folder of more than twenty json files the first three that are in any form stand for all.
    """
    if path.is_file():
        is_json = path.suffix.lower() == ".json"
        return [path] if is_json and json_form(path) == form else []
    return list(_below(path, form))


def _below(folder: Path, form: str) -> Iterator[Path]:
    by_folder: dict[Path, list[Path]] = {}
    for path in files_below(folder, ".json"):
        by_folder.setdefault(path.parent, []).append(path)
    for paths in by_folder.values():
        if len(paths) <= MANY:
            yield from (path for path in paths if json_form(path) == form)
        elif _form_of_many(paths) == form:
            yield from paths


def _form_of_many(paths: list[Path]) -> str | None:
    """The form of the first three files that are in any, if they agree."""
    forms: list[str] = []
    for path in paths:
        form = json_form(path)
        forms += [form] if form else []
        if len(forms) == 3:
            break
    return forms[0] if len(set(forms)) == 1 else None
