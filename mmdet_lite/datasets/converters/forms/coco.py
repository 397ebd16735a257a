"""COCO json: one file a set. Holds all that the other forms hold, and what they do not."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet_lite.datasets.converters.content import AnnotatedImages, Complain, Track
from mmdet_lite.datasets.converters.forms.json_files import jsons_in_form
from mmdet_lite.datasets.converters.forms.splits import split_of
from mmdet_lite.datasets.converters.picture_files import find_image_root
from mmdet_lite.ops.annotation_forms import ALL
from mmdet_lite.ops.coco_form import coco_content
from mmdet_lite.ops.json_text import parse_json
from mmdet_lite.ops.whole_files import write_json

LOOKS_LIKE = "a json file with images, annotations and categories, or a folder of such"
IMAGE_ROOT = "image_root"  # in info: where convert-data left the pictures


def evidence(path: Path) -> str | None:
    """Return which file says that it is COCO; None if none does."""
    found = jsons_in_form(path, "coco")
    return None if not found else _shown(found[0], path)


def read(
    path: Path, image_root: Path | None, track: Track, complain: Complain
) -> list[AnnotatedImages]:
    """Read a COCO file, or those of a folder, as they are: nothing in them is checked.

    Of a folder's files for the same split ``instances_*`` counts, or ``_annotations.coco.json``;
    the others are named in the notes.

    Raises:
        ValueError: a file is no COCO file, or several are for the same split.
    """
    files = jsons_in_form(path, "coco") if path.is_dir() else [path]
    chosen, notes = _one_a_split(files, path)
    sets = []
    for split, file in track(list(chosen.items()), "annotation files"):
        content = _load(file)
        root = image_root or _image_root(content, file, split)
        sets.append(AnnotatedImages(content, root, file, "coco", split, tuple(notes)))
        notes = []  # once is enough
    return sets


def write(content: dict[str, Any], out_file: Path, image_root: str) -> None:
    """Write one set; ``image_root`` (relative to ``out_file``) is kept in ``info`` for readers."""
    write_json(out_file, {**content, "info": {**_info(content), IMAGE_ROOT: image_root}})


def _load(file: Path) -> dict[str, Any]:
    content = coco_content(parse_json(file.read_bytes(), str(file)), str(file))
    for key in ("images", "categories", "annotations"):
        if not isinstance(content.setdefault(key, []), list):
            kind = type(content[key]).__name__
            raise ValueError(f"{file}: expected a list under {key!r}, got a {kind}")
    return content


def _one_a_split(files: Sequence[Path], where: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the file of each split, and notes about others for the same split."""
    by_split: dict[str, list[Path]] = {}
    for file in files:
        split = split_of(file.stem) or split_of(file.parent.name) or ALL
        by_split.setdefault(split, []).append(file)
    chosen, notes = {}, []
    for split, rivals in by_split.items():
        named = [f for f in rivals if f.stem.startswith(("instances_", "_annotations.coco"))]
        preferred = named if len(named) == 1 else rivals
        if len(preferred) > 1:
            shown = ", ".join(_shown(file, where) for file in preferred)
            raise ValueError(
                f"{where} has {len(preferred)} COCO files for the split {split!r}: {shown}. Give "
                "the one that is meant; several are joined with --merge"
            )
        chosen[split] = preferred[0]
        others = ", ".join(_shown(file, where) for file in rivals if file != preferred[0])
        if others:
            notes.append(f"{_shown(preferred[0], where)} is read for {split!r}, not {others}")
    if not chosen:
        raise ValueError(f"{where} has no COCO file: expected {LOOKS_LIKE}")
    return chosen, notes


def _image_root(content: dict[str, Any], file: Path, split: str) -> Path:
    """Where the pictures lie; the file's folder if they are nowhere."""
    names = [
        str(i["file_name"]) for i in content["images"] if isinstance(i, dict) and "file_name" in i
    ]
    folder = file.parent
    said = _info(content).get(IMAGE_ROOT)
    near = [folder / said] if isinstance(said, str) else []
    near += [folder, folder.parent]
    by_name = re.search(r"(train|val|test)\w*$", file.stem)  # instances_train2017: train2017/
    for word in dict.fromkeys([by_name[0] if by_name else split, split]):
        if root := find_image_root(names, near, word):
            return Path(os.path.normpath(root))
    return folder


def _info(content: dict[str, Any]) -> dict[str, Any]:
    info = content.get("info")
    return info if isinstance(info, dict) else {}


def _shown(file: Path, where: Path) -> str:
    return file.name if file == where else file.relative_to(where).as_posix()
