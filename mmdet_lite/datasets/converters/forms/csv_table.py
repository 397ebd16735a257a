"""CSV tables of boxes: a line a box, columns by name or in RetinaNet's order."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from mmdet_lite.datasets.converters.content import (
    AnnotatedImages,
    Complain,
    Track,
    coco_contents,
    corners_to_box,
)
from mmdet_lite.datasets.converters.forms.json_files import files_below
from mmdet_lite.datasets.converters.forms.splits import split_of
from mmdet_lite.datasets.converters.picture_files import add_sizes, find_image_root
from mmdet_lite.ops.annotation_forms import ALL
from mmdet_lite.ops.checks import did_you_mean
from mmdet_lite.ops.json_text import Json

LOOKS_LIKE = (
    "a .csv with filename, class, xmin, ymin, xmax, ymax (or x, y, w, h), or "
    "path,x1,y1,x2,y2,class lines"
)
COLUMNS = {  # what it is: how it is called, in lower case
    "file": ("filename", "file_name", "file", "image_path", "image", "img_path", "path", "img"),
    "class": ("class", "class_name", "label", "category", "category_name", "name"),
    "x1": ("xmin", "x1", "x_min", "left", "x", "bbox_x"),
    "y1": ("ymin", "y1", "y_min", "top", "y", "bbox_y"),
    "x2": ("xmax", "x2", "x_max", "right"),
    "y2": ("ymax", "y2", "y_max", "bottom"),
    "w": ("w", "bbox_width", "box_width", "bbox_w"),
    "h": ("h", "bbox_height", "box_height", "bbox_h"),
    "width": ("width", "image_width", "img_width"),
    "height": ("height", "image_height", "img_height"),
    "split": ("split", "subset"),
}
NEEDED = ("file", "class", "x1", "y1")
BARE = ("file", "x1", "y1", "x2", "y2", "class")  # without header: keras-retinanet's order
Row = dict[str, str]


def evidence(path: Path) -> str | None:
    """Return which file says that it is a table of boxes; None if none does."""
    for file in _tables(path):
        if _columns(file) is not None:
            return file.name if file == path else file.relative_to(path).as_posix()
    return None


def read(
    path: Path, image_root: Path | None, track: Track, complain: Complain
) -> list[AnnotatedImages]:
    """Read a table, or those of a folder; each is a split, named after the file or its folder.

    Numbers are corners in pixels, taken as they are, or the upper left one and the size (x, y, w,
    h). A line with a file name alone is a picture without objects. A column split (or subset)
    divides one table.

    Raises:
        ValueError: columns are missing, a line is broken, or pictures are missing or unreadable
            whose size the table does not say; names files and lines.
    """
    tables = [path] if path.is_file() else [t for t in _tables(path) if _columns(t) is not None]
    if not tables:
        raise ValueError(f"{path} has no table of boxes: expected {LOOKS_LIKE}")
    rows: dict[str, list[tuple[str, Row]]] = {}
    for table in tables:
        named = split_of(table.stem) or split_of(table.parent.name) or ALL
        for where, row in _rows(table):
            said = row.get("split", "")
            rows.setdefault(split_of(said) or said or named, []).append((where, row))
    sized = any("x2" not in row for of_split in rows.values() for _, row in of_split[:1])
    notes = [f"x and y of {path} are taken as the upper left corner of each box"] if sized else []
    problems: list[str] = []
    images, roots = {}, {}
    home = path.parent if path.is_file() else path
    for split, of_split in rows.items():
        images[split] = _images(of_split, problems)
        names = [image["file_name"] for image in images[split]]
        spots = list(dict.fromkeys([table.parent for table in tables] + [home, home.parent]))
        roots[split] = image_root or find_image_root(names, spots, split) or home
        problems += add_sizes(images[split], roots[split], track)
    complain(problems, str(path))
    contents = coco_contents(images)
    return [
        AnnotatedImages(contents[split], roots[split], path, "csv", split, tuple(notes))
        for split in contents
    ]


def _images(rows: Sequence[tuple[str, Row]], problems: list[str]) -> list[Json]:
    """Images of the lines, in the order in which they are first named."""
    images: dict[str, Json] = {}
    for where, row in rows:
        name = str(PurePosixPath(row["file"].replace("\\", "/")))
        image = images.setdefault(name, {"file_name": name, "objects": []})
        numbers = [row.get(side, "") for side in ("height", "width")]
        if all(number.isdigit() and int(number) for number in numbers):
            image["height"], image["width"] = (int(number) for number in numbers)
        sized = "x2" not in row
        corners = [row[key] for key in ("x1", "y1", *(("w", "h") if sized else ("x2", "y2")))]
        if not any(corners) and not row["class"]:
            continue
        try:
            x1, y1, x2, y2 = (_number(corner) for corner in corners)
        except ValueError:
            what = "x, y, width, height" if sized else "four corners"
            problems.append(f"{where}: expected {what} in numbers, got {corners}")
            continue
        if not row["class"]:
            problems.append(f"{where}: a box without class")
        box = [x1, y1, x2, y2] if sized else corners_to_box(x1, y1, x2, y2)
        image["objects"].append({"name": row["class"], "bbox": box})
    return list(images.values())


def _number(text: str) -> float:
    value = float(text)
    if not abs(value) < float("inf"):
        raise ValueError(text)
    return int(value) if value.is_integer() else value


def _tables(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() == ".csv" else []
    return files_below(path, ".csv", 2)


def _columns(table: Path) -> dict[str, int] | None:
    """Where each column is; None if this is no table of boxes. A bare one has ``bare``."""
    first = next(_lines(table), None)
    if first is None:
        return None
    words = [word.strip().lower() for word in first]
    found = _by_name(words)
    if not _lacking(found):
        return found
    if len(first) == len(BARE) and _is_bare(first):
        return {**{key: at for at, key in enumerate(BARE)}, "bare": 1}
    return None


def _by_name(words: Sequence[str]) -> dict[str, int]:
    found = {}
    for key, names in COLUMNS.items():
        there = [words.index(name) for name in names if name in words]
        if there:
            found[key] = there[0]
    if "x1" in found and not {"x2", "w"} & found.keys() and {"width", "height"} <= found.keys():
        found["w"], found["h"] = found.pop("width"), found.pop("height")  # of the box, then
    return found


def _lacking(found: Mapping[str, int]) -> list[str]:
    """The columns without which there is no box, by the first of their names."""
    size = () if {"w", "h"} <= found.keys() else ("x2", "y2")
    return [COLUMNS[key][0] for key in (*NEEDED, *size) if key not in found]


def what_is_missing(table: Path) -> str:
    """What keeps a file from being a table of boxes: its first line, what of it is known."""
    header = [word.strip() for word in next(_lines(table), [])]
    known = [header[at] for at in _by_name([word.lower() for word in header]).values()]
    missing = _lacking(_by_name([word.lower() for word in header]))
    hints = "; ".join(f"{name}: {did_you_mean(name, header)}" for name in missing[:1])
    return (
        f"{table} lacks the columns {missing}; its first line is {header[:12]} ({hints}), of "
        f"which {known or 'none'} are understood"
    )


def _is_bare(words: Sequence[str]) -> bool:
    try:
        [float(word) for word in words[1:5] if word]
    except ValueError:
        return False
    return bool(words[0])


def _rows(table: Path) -> Iterator[tuple[str, Row]]:
    """Each line as a dict, after the words that name it."""
    columns = _columns(table)
    if columns is None:
        raise ValueError(f"{what_is_missing(table)}. Expected {LOOKS_LIKE}")
    bare = columns.pop("bare", 0)
    for number, words in enumerate(_lines(table), 1):
        if number == 1 and not bare:
            continue
        where = f"{table}, line {number}"
        if len(words) <= max(columns.values()):
            raise ValueError(f"{where}: {len(words)} columns, expected {max(columns.values()) + 1}")
        yield where, {key: words[at].strip() for key, at in columns.items()}


def _lines(table: Path) -> Iterator[list[str]]:
    """Lines that are not empty, split at the separator of the first one."""
    with table.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        head = file.readline()
        separator = max(",;\t", key=head.count)
        file.seek(0)
        yield from (words for words in csv.reader(file, delimiter=separator) if any(words))
