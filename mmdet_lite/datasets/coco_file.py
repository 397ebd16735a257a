"""Reading COCO annotation files, with the checks that need no image."""

import json
import math
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from mmengine import fileio

from mmdet_lite.datasets.class_names import check_unique
from mmdet_lite.ops.coco_form import coco_content
from mmdet_lite.ops.json_text import Json, parse_json

CocoContent = Json
TABLES = ("images", "annotations", "categories")


def load_coco_file(
    ann_file: str,
    backend_args: dict[str, Any] | None = None,
    keep: Callable[[dict[str, Any]], Any] | None = None,
) -> CocoContent:
    """Read a COCO json and check what all of it relies on.

    Args:
        ann_file: path or URL of the json.
        backend_args: of mmengine's file backend.
        keep: gets every object of the file and returns what is kept of it, see ``parse_json``.

    Returns:
        The content, with ``annotations`` = [] where the file has none (test sets). Images have a
        name, and a height and width of at least one whole pixel.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no json or no COCO file; images, categories or annotations are no lists
            of objects, or lack what they need; category names, category ids, image ids or
            annotation ids occur twice.
    """
    content = parse_json(_read(ann_file, backend_args), f"annotation file {ann_file}", keep)
    return checked_content(content, ann_file)


def checked_content(content: Any, ann_file: str) -> CocoContent:
    """Check what was parsed, as ``load_coco_file`` does, and return it.

    In place ``annotations`` become [] where there are none, and sizes like 480.0 whole.

    Raises:
        ValueError: as ``load_coco_file``.
    """
    content = coco_content(content, ann_file)
    content.setdefault("annotations", [])
    for table in TABLES:
        _check_table(content[table], table, ann_file)
    _check_categories(content["categories"], ann_file)
    _check_ids(content["images"], "images", ann_file)
    for image in content["images"]:
        _check_image(image, ann_file)
    _check_ids([ann for ann in content["annotations"] if "id" in ann], "annotations", ann_file)
    return content


def _read(ann_file: str, backend_args: dict[str, Any] | None) -> bytes:
    try:
        raw: bytes = fileio.get(ann_file, backend_args=backend_args)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"annotation file {ann_file!r} does not exist; check data_root and ann_file of the "
            "data set (a relative ann_file is looked for below data_root, here "
            f"{os.path.abspath(ann_file)})"
        ) from error
    except IsADirectoryError as error:
        raise ValueError(
            f"ann_file {ann_file!r} is a folder; give the json in it (here "
            f"{os.path.abspath(ann_file)})"
        ) from error
    return raw


def _check_table(rows: Any, table: str, ann_file: str) -> None:
    """Raise ValueError unless ``rows`` is a list of dicts."""
    if not isinstance(rows, list):
        raise ValueError(
            f"{ann_file}: expected {table} = [{{...}}, ...], got {type(rows).__name__} "
            f"{shortened(rows)}"
        )
    for number, row in enumerate(rows):
        if type(row) is not dict:
            raise ValueError(
                f"{ann_file}: expected every one of its {table} as {{...}}, got at position "
                f"{number} {type(row).__name__} {shortened(row)}"
            )


def _check_ids(rows: Sequence[dict[str, Any]], table: str, ann_file: str) -> None:
    """Raise ValueError unless each row has an id of its own, a number or a text."""
    noun = {"categories": "category"}.get(table, table[:-1])
    ids = [row.get("id") for row in rows]
    if not set(map(type, ids)) <= {int, str} and not all(map(_is_id, ids)):
        wrong = next(n for n, id_ in enumerate(ids) if not _is_id(id_))
        raise ValueError(
            f"{ann_file}: expected an id, a number or a text, for every one of its {table}; got "
            f"{shortened(ids[wrong])} at position {wrong}: {shortened(rows[wrong])}"
        )
    if len(set(ids)) != len(ids):
        check_unique(ids, f"{noun} ids of {ann_file}")


def _is_id(value: Any) -> bool:
    return type(value) in (int, str) or (type(value) is float and math.isfinite(value))


def _check_categories(categories: Sequence[dict[str, Any]], ann_file: str) -> None:
    names = [category.get("name") for category in categories]
    for category, name in zip(categories, names, strict=True):
        if not isinstance(name, str):
            raise ValueError(
                f"{ann_file}: expected every category as {{id, name}} with a text as name, got "
                f"{shortened(category)}"
            )
    check_unique(names, f"category names of {ann_file}")
    _check_ids(categories, "categories", ann_file)


def _check_image(image: dict[str, Any], ann_file: str) -> None:
    """Raise ValueError unless an image has name and size; sizes like 480.0 become whole."""
    for key in ("file_name", "height", "width"):
        if key not in image:
            raise ValueError(f"image {image['id']} in {ann_file} has no {key!r}")
    if not isinstance(image["file_name"], str):
        raise ValueError(
            f"image {image['id']} in {ann_file}: expected a text as file_name, got "
            f"{shortened(image['file_name'])}"
        )
    for key in ("height", "width"):
        side = image[key]
        if type(side) is float and side.is_integer():
            side = image[key] = int(side)
        if type(side) is not int or side < 1:
            raise ValueError(
                f"image {image['id']} in {ann_file}: expected {key} in whole pixels, got "
                f"{shortened(side)}"
            )


def read_class_names(ann_file: str, backend_args: dict[str, Any] | None = None) -> tuple[str, ...]:
    """Return the category names of a COCO file, in the file's order.

    Of a large file only the categories are parsed.

    Raises:
        FileNotFoundError, ValueError: as ``load_coco_file``.
    """
    categories = _categories_alone(_read(ann_file, backend_args))
    if categories is None:
        categories = load_coco_file(ann_file, backend_args)["categories"]
    _check_table(categories, "categories", ann_file)
    _check_categories(categories, ann_file)
    return tuple(category["name"] for category in categories)


def _categories_alone(raw: bytes) -> list[Any] | None:
    """Find the one list of categories in the text of a json; None where that is not certain."""
    key = b'"categories"'
    start = raw.find(key)
    if start < 0 or raw.find(key, start + 1) >= 0:
        return None
    start += len(key)
    for size in (1 << 16, 1 << 22, len(raw)):
        text = raw[start : start + size].decode("utf-8", "replace").lstrip()
        try:
            found, _ = json.JSONDecoder().raw_decode(text.removeprefix(":").lstrip())
        except (ValueError, RecursionError):
            continue  # cut off, or broken: then the whole file is read, and says where
        return found if isinstance(found, list) else None
    return None


def annotations_by_image(content: CocoContent, ann_file: str) -> dict[Any, list[dict[str, Any]]]:
    """Group annotations by image id, in the file's order; images without any have [].

    Raises:
        ValueError: as ``check_references``.
    """
    check_references(content, ann_file)
    grouped: dict[Any, list[dict[str, Any]]] = {image["id"]: [] for image in content["images"]}
    for ann in content["annotations"]:
        grouped[ann["image_id"]].append(ann)
    return grouped


def check_references(content: CocoContent, ann_file: str) -> None:
    """Refuse annotations that belong nowhere.

    Raises:
        ValueError: an annotation names an image or a category that the file does not list, or
            has no box of four numbers.
    """
    image_ids = {image["id"] for image in content["images"]}
    category_ids = {category["id"] for category in content["categories"]}
    for ann in content["annotations"]:
        try:
            known = ann["image_id"] in image_ids and ann["category_id"] in category_ids
            fits = known and len(ann["bbox"]) == 4
        except (KeyError, TypeError):
            fits = False
        if not fits:
            raise ValueError(_misfit(ann, image_ids, category_ids, ann_file))


def _misfit(
    ann: Mapping[str, Any], image_ids: Collection[Any], category_ids: Collection[Any], ann_file: str
) -> str:
    """Say why an annotation belongs nowhere."""
    where = f"annotation {ann.get('id')} in {ann_file}"
    for key, ids, table in (
        ("image_id", image_ids, "images"),
        ("category_id", category_ids, "categories"),
    ):
        id_ = ann.get(key)
        if _is_id(id_) and id_ in ids:
            continue
        alike = [other for other in ids if str(other) == str(id_)]
        hint = f" {sorted(ids, key=str)[:20]}" if table == "categories" else ""
        if alike:
            hint = f"; {alike[0]!r} is, as {type(alike[0]).__name__}: write both alike"
        return f"{where}: {key} {shortened(id_)} is not among its {table}{hint}"
    return f"{where}: expected bbox = [x, y, width, height], got {shortened(ann.get('bbox'))}"


def shortened(value: Any) -> str:
    """A value of a file as a message can show it.

    >>> shortened("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits
        text = f"a {type(value).__name__} that is too large to show"
    return text if len(text) <= 60 else f"{text[:60]}..."
