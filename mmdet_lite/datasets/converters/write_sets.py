"""Annotated pictures written in a form: whole, or not at all."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmdet_lite.datasets.converters.content import AnnotatedImages, Track
from mmdet_lite.datasets.converters.forms import coco, labelme, voc, yolo
from mmdet_lite.datasets.converters.picture_files import (
    Picture,
    PictureStore,
    below_common,
    distinct_names,
)
from mmdet_lite.datasets.converters.picture_sets import PictureSets
from mmdet_lite.ops.json_text import Json

RECORD = "conversion.json"  # what was done, and which entries of the folder are ours
ANNOTATIONS = "annotations"  # folder of the COCO files


def write_sets(
    sets: PictureSets, out: Path, form: str, how: str, record: Json, track: Track
) -> list[AnnotatedImages]:
    """Write pictures and annotations in a form; ``out`` is whole or unchanged.

    Args:
        sets: what is to be written.
        out: the folder; made if absent. What an earlier conversion wrote there is replaced.
        form: one of ``ops.annotation_forms.WRITTEN_FORMS``.
        how: 'copy', 'link' or 'none', see ``PictureStore``.
        record: kept in ``conversion.json``, with the notes.
        track: shows how far it is.

    Returns:
        The sets as written, ``notes`` with what was left out, changed or lost.

    Raises:
        ValueError: the form needs pictures in its own folders, or some are in LabelMe files only,
            and ``how`` is 'none'; there is no picture.
        FileNotFoundError: a picture is missing.
    """
    splits = {split: pictures for split, pictures in sets.splits.items() if pictures}
    _check_pictures(splits, form, how)
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        written, store = _named_sets(replace(sets, splits=splits), out, form, how, track)
        if form == "coco":
            lost = _write_coco(written, partial, out, store)
        elif form == "labelme":
            lost = labelme.write(written, partial, store, out)
        else:
            lost = {"voc": voc, "yolo": yolo}[form].write(written, partial, store)
        notes = [*sets.notes, *lost]
        entries = sorted(path.name for path in partial.iterdir())
        record = {**record, "notes": notes, "entries": [*entries, RECORD]}
        (partial / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        _put_in_place(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return [replace(one, notes=tuple(notes)) for one in written]


def check_out(out: Path, inputs: Sequence[Path], overwrite: bool) -> None:
    """Refuse a folder in which something would be lost.

    Raises:
        OSError: it is a file, or not empty and ``overwrite`` was not given, or it holds what no
            conversion wrote.
        ValueError: an input lies in it.
    """
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"OUT {out} is a file; expected a new folder")
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not overwrite:
        raise FileExistsError(
            f"OUT {out} is not empty; choose another folder, or give --overwrite to replace what "
            "convert-data wrote there before"
        )
    if not (out / RECORD).is_file():
        raise FileExistsError(
            f"OUT {out} was not written by convert-data (it has no {RECORD}), so nothing in it is "
            "overwritten; choose another folder"
        )
    for path in inputs:
        if out.resolve() in (path.resolve(), *path.resolve().parents):
            raise ValueError(f"the input {path} lies in OUT {out}, which would be overwritten")


def _check_pictures(splits: Mapping[str, Sequence[Picture]], form: str, how: str) -> None:
    if not splits:
        raise ValueError("no picture is left to be written")
    if how == "none" and form in ("voc", "yolo"):
        raise ValueError(
            f"the form {form} has its pictures in folders of its own: give --copy-images or "
            "--link-images"
        )
    inside = sum(picture.embedded is not None for part in splits.values() for picture in part)
    if how == "none" and inside:
        raise ValueError(
            f"{inside} pictures are in LabelMe files only: give --copy-images to have them written"
        )


def _named_sets(
    sets: PictureSets, out: Path, form: str, how: str, track: Track
) -> tuple[list[AnnotatedImages], PictureStore]:
    """The sets with the names that pictures get, and the pictures by these."""
    in_place = _roots_in_place(sets.splits) if form == "coco" and how == "none" else {}
    named: dict[tuple[str, str], Picture] = {}
    written = []
    taken: list[str] = []
    for split, pictures in sets.splits.items():
        if in_place:
            root, names = below_common([p.path for p in pictures], [in_place[split]])
        else:
            root = out / split if form == "coco" else out
            wanted = [picture.image["file_name"] for picture in pictures]
            before = taken if form == "voc" else []  # all of its pictures lie in one folder
            names = distinct_names([*before, *wanted], form != "coco")[len(before) :]
            taken += names
        named.update({(split, name): p for name, p in zip(names, pictures, strict=True)})
        content = {**sets.more, **_content(pictures, names, sets.categories)}
        written.append(AnnotatedImages(content, root, out, form, split))
    return written, PictureStore(named, how, track)


def _roots_in_place(splits: Mapping[str, Sequence[Picture]]) -> dict[str, Path]:
    """The folder of each split's pictures: so that they keep their names, else one for all."""
    roots = {}
    for split, pictures in splits.items():
        named = [(os.path.abspath(p.path), f"{os.sep}{p.image['file_name']}") for p in pictures]
        roots[split] = Path(named[0][0].removesuffix(named[0][1]) or os.sep)
        if any(f"{roots[split]}{name}" != path for path, name in named):
            everywhere = [picture.path for part in splits.values() for picture in part]
            return dict.fromkeys(splits, below_common(everywhere, [])[0])
    return roots


def _content(
    pictures: Sequence[Picture], names: Sequence[str], categories: Mapping[str, Json]
) -> Json:
    """COCO content; ids stay where they are unique, else they count from 1."""
    image_ids = _ids([picture.image.get("id") for picture in pictures])
    ann_ids = iter(_ids([obj.get("id") for picture in pictures for obj in picture.objects]))
    images, annotations = [], []
    for picture, name, image_id in zip(pictures, names, image_ids, strict=True):
        images.append({**picture.image, "id": image_id, "file_name": name})
        for obj in picture.objects:
            _, _, w, h = obj["bbox"]
            rest = {k: v for k, v in obj.items() if k not in ("id", "name")}
            ids = {"image_id": image_id, "category_id": categories[obj["name"]]["id"]}
            annotations.append({"id": next(ann_ids), **ids, "area": w * h, "iscrowd": 0, **rest})
    return {"images": images, "annotations": annotations, "categories": list(categories.values())}


def _ids(ids: Sequence[Any]) -> Sequence[Any]:
    fine = None not in ids and len(set(ids)) == len(ids)
    return ids if fine else range(1, len(ids) + 1)


def _write_coco(
    sets: Sequence[AnnotatedImages], out: Path, final: Path, store: PictureStore
) -> list[str]:
    """Write annotations/SPLIT.json and, unless they stay where they are, SPLIT/ with pictures."""
    for one in sets:
        for image in store.track(one.content["images"], f"writing {one.split}"):
            store.bring(one.split, image["file_name"], out / one.split / image["file_name"])
        root = Path(os.path.relpath(one.image_root, final / ANNOTATIONS)).as_posix()
        coco.write(one.content, out / ANNOTATIONS / f"{one.split}.json", root)
    return []


def _put_in_place(partial: Path, out: Path) -> None:
    """Move a finished folder to ``out``; entries of an earlier conversion make room."""
    if not out.exists():
        os.rename(partial, out)
        return
    record = out / RECORD
    old = json.loads(record.read_text(encoding="utf-8"))["entries"] if record.is_file() else []
    for name in old:
        path = out / Path(name).name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in partial.iterdir():
        os.rename(path, out / path.name)
