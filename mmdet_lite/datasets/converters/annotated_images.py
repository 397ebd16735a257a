"""Annotated images in any known form, read into one record a set."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmdet_lite.datasets.converters.content import (
    AnnotatedImages,
    Complain,
    Track,
    raise_all,
    without_progress,
)
from mmdet_lite.datasets.converters.forms import coco, csv_table, labelme, via, voc, yolo
from mmdet_lite.datasets.converters.forms.json_files import files_below, what_is_in
from mmdet_lite.ops.annotation_forms import READ_FORMS
from mmdet_lite.ops.checks import did_you_mean

__all__ = ["FORMS", "AnnotatedImages", "guess_form", "read_annotated"]

FORMS: Mapping[str, Any] = dict(  # modules with LOOKS_LIKE, evidence and read
    zip(READ_FORMS, (coco, voc, yolo, labelme, via, csv_table), strict=True)
)


FEW = 3  # files of a folder in no known form, of which is said what they hold


def read_annotated(
    path: str | Path,
    form: str | None = None,
    image_root: str | Path | None = None,
    track: Track = without_progress,
    complain: Complain = raise_all,
) -> list[AnnotatedImages]:
    """Read annotated images in any known form, one record a set (train, val and so on).

    Args:
        path: a file or folder.
        form: coco, voc, yolo, labelme, via or csv; guessed by default.
        image_root: the folder of the images, for forms that do not say it; by default it is looked
            for around ``path``.
        track: called with what is gone through and a word for it; a progress bar can be hung here.
        complain: called with what is wrong with single files, and where; if it raises nothing, the
            other files are read without them.

    Raises:
        FileNotFoundError: ``path`` is not there.
        ValueError: the form cannot be told, is none of those known, or the files break it; the
            message says what was looked for and names the files.
    """
    where = Path(path)
    if form is not None and form not in FORMS:
        raise ValueError(f"there is no form of annotations {form!r}; {did_you_mean(form, FORMS)}")
    if not where.exists():
        raise FileNotFoundError(f"{where} does not exist; expected a file or folder of annotations")
    root = None if image_root is None else Path(image_root)
    if root is not None and not root.is_dir():
        raise FileNotFoundError(f"the folder of images {root} does not exist")
    form = form or guess_form(where)
    sets: list[AnnotatedImages] = FORMS[form].read(where, root, track, complain)
    if not sets:
        raise ValueError(f"{where} has no set of {form}: expected {FORMS[form].LOOKS_LIKE}")
    return sets


def guess_form(path: str | Path) -> str:
    """Return the name of the form that a file or folder is in.

    Raises:
        ValueError: it looks like none or like several; says what was found.
    """
    where = Path(path)
    found = {name: there for name, form in FORMS.items() if (there := form.evidence(where))}
    if len(found) == 1:
        return next(iter(found))
    if found:
        shown = "; ".join(f"{name} ({there})" for name, there in found.items())
        raise ValueError(
            f"{where} holds annotations in {len(found)} forms: {shown}. Say which one is meant "
            "(--from FORM), or give the file or folder of one"
        )
    looked_for = "\n".join(f"  {name:<8} {form.LOOKS_LIKE}" for name, form in FORMS.items())
    raise ValueError(
        f"{where} is in no form of annotations that is known. There {_what_is_there(where)}."
        f"{_nearly(where)}"
        f"Looked for:\n{looked_for}\nSay the form (--from FORM) to see what is missing"
    )


def _nearly(path: Path) -> str:
    """What is in the files that might have been meant; empty where there is none or many."""
    files = [path] if path.is_file() else files_below(path, "", 2)
    looks = {".csv": csv_table.what_is_missing, ".json": what_is_in}
    meant = [file for file in files if file.suffix.lower() in looks]
    shown = [f"\n  {looks[file.suffix.lower()](file)}." for file in meant[:FEW]]
    return "".join(shown) + "\n" if shown else " "


def _what_is_there(path: Path) -> str:
    """Files by their endings, for a person."""
    if path.is_file():
        return f"is one file, {path.stat().st_size} bytes"
    endings = Counter(p.suffix or "(no ending)" for p in path.rglob("*") if p.is_file())
    counts = ", ".join(f"{count} x {ending}" for ending, count in endings.most_common(6))
    return f"are {counts}" if counts else "is no file"
