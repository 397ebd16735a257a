"""VGG Image Annotator (VIA) 1 and 2: one json (or CSV) for all pictures of a folder."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet_lite.datasets.converters.content import AnnotatedImages, Complain, Track
from mmdet_lite.datasets.converters.forms.json_files import jsons_in_form
from mmdet_lite.datasets.converters.forms.splits import split_of
from mmdet_lite.datasets.converters.picture_files import add_sizes, find_image_root
from mmdet_lite.datasets.converters.via import load_via, via_class_names, via_to_coco
from mmdet_lite.ops.annotation_forms import ALL
from mmdet_lite.ops.json_text import Json

LOOKS_LIKE = "via_region_data.json, or another json export or project of VIA 1 or 2"
EXPORT = "via_region_data.json"
CSV_COLUMNS = {"filename", "region_shape_attributes", "region_attributes"}


def evidence(path: Path) -> str | None:
    """Return which file says that it is VIA; None if none does."""
    found = jsons_in_form(path, "via")
    if found:
        return found[0].name if found[0] == path else found[0].relative_to(path).as_posix()
    return path.name if path.suffix.lower() == ".csv" and _is_csv(path) else None


def read(
    path: Path, image_root: Path | None, track: Track, complain: Complain
) -> list[AnnotatedImages]:
    """Read one VIA file, or one of each folder; folders train, val and test are splits.

    Geometry and classes are those of ``converters.via.via_to_coco``, ids count from 1. Sizes are
    read from the pictures. In a folder ``via_region_data.json`` counts; the others are named in
    the notes.

    Raises:
        ValueError: as ``load_via`` and ``via_to_coco``; several files in a folder and none of
            them has that name; pictures are missing or unreadable.
    """
    files = jsons_in_form(path, "via") if path.is_dir() else [path]
    chosen, notes = _one_a_split(files, path)
    loaded = {split: _load(file) for split, file in chosen.items()}
    names: set[str] = set()
    for split, via in loaded.items():
        names |= set(_named(chosen[split], via_class_names, via))
    sets, problems = [], list[str]()
    for split, via in loaded.items():
        file = chosen[split]
        files_named = [str(entry["filename"]) for entry in via.values()]
        near = [file.parent, file.parent.parent]
        root = image_root or find_image_root(files_named, near, split) or file.parent
        images: list[dict[str, Any]] = [{"file_name": name} for name in files_named]
        problems += add_sizes(images, root, track)
        if problems:
            continue
        sizes = {image["file_name"]: (image["height"], image["width"]) for image in images}
        coco = _named(file, via_to_coco, via, sizes, None, None, sorted(names))
        content = _from_one(coco)
        sets.append(AnnotatedImages(content, root, file, "via", split, tuple(notes)))
        notes = []  # once is enough
    complain(problems, str(path))
    return sets


def _from_one(coco: Json) -> Json:
    """Ids from 1: programs take an annotation or category 0 for none."""
    for image in coco["images"]:
        image["id"] += 1
    for annotation in coco["annotations"]:
        for key in ("id", "image_id", "category_id"):
            annotation[key] += 1
    for category in coco["categories"]:
        category["id"] += 1
    return coco


def _named(file: Path, work: Any, *args: Any) -> Any:
    try:
        return work(*args)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _load(file: Path) -> Json:
    return _load_csv(file) if file.suffix.lower() == ".csv" else load_via(file)


def _one_a_split(files: Sequence[Path], where: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the file of each split, and notes about files that are left out."""
    by_folder: dict[Path, list[Path]] = {}
    for file in files:
        by_folder.setdefault(file.parent, []).append(file)
    chosen: dict[str, Path] = {}
    notes = []
    for folder, rivals in by_folder.items():
        named = [file for file in rivals if file.name == EXPORT] or rivals
        if len(named) > 1:
            shown = ", ".join(file.name for file in named)
            raise ValueError(f"{folder} has {len(named)} VIA files: {shown}. Give one of them")
        split = split_of(folder.name) or split_of(named[0].stem) or ALL
        if split in chosen:
            raise ValueError(
                f"{where} has two VIA files for {split!r}: {chosen[split]} and {named[0]}. Give "
                "one, and the other with --merge"
            )
        chosen[split] = named[0]
        others = ", ".join(file.name for file in rivals if file != named[0])
        if others:
            notes.append(f"{named[0]} is read, not {others} beside it")
    if not chosen:
        raise ValueError(f"{where} has no VIA file: expected {LOOKS_LIKE}")
    return chosen, notes


def _is_csv(file: Path) -> bool:
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        return {word.strip('#" \n') for word in lines.readline().split(",")} >= CSV_COLUMNS


def _load_csv(file: Path) -> Json:
    """VIA's CSV export, a line a region, as its json."""
    entries: Json = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            row = {key.lstrip("#"): value for key, value in row.items() if key}
            entry = entries.setdefault(
                row["filename"], {"filename": row["filename"], "regions": []}
            )
            try:
                shape = json.loads(row["region_shape_attributes"])
                attributes = json.loads(row["region_attributes"])
            except (TypeError, ValueError) as error:
                raise ValueError(f"{file}, line {number}: broken region: {error}") from error
            if shape:
                region = {"shape_attributes": shape, "region_attributes": attributes}
                entry["regions"].append(region)
    return entries
