"""Reading COCO annotation files, with the checks that need no image."""

import json
import os
from collections import defaultdict
from typing import Any

from mmengine import fileio

from mmdet_lite.datasets.class_names import check_unique

CocoContent = dict[str, Any]


def load_coco_file(ann_file: str, backend_args: dict[str, Any] | None = None) -> CocoContent:
    """Read a COCO json and check what all of it relies on.

    Args:
        ann_file: path or URL of the json.
        backend_args: of mmengine's file backend.

    Returns:
        The content, with ``annotations`` = [] where the file has none (test sets).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no json or no COCO file; category names, category ids, image ids or
            annotation ids occur twice.
    """
    try:
        content = json.loads(fileio.get(ann_file, backend_args=backend_args))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"annotation file {ann_file!r} does not exist; check data_root and ann_file of the "
            "data set (a relative ann_file is looked for below data_root, here "
            f"{os.path.abspath(ann_file)})"
        ) from error
    except ValueError as error:
        raise ValueError(f"annotation file {ann_file!r} is not valid json: {error}") from error
    if not isinstance(content, dict) or not {"images", "categories"} <= content.keys():
        found = sorted(content)[:8] if isinstance(content, dict) else type(content).__name__
        raise ValueError(
            f"{ann_file!r} is no COCO annotation file: expected the keys images, annotations and "
            f"categories, got {found}. Convert other formats first (VIA: "
            "tools/dataset_converters/balloon2coco.py)"
        )
    content.setdefault("annotations", [])
    check_unique([c["name"] for c in content["categories"]], f"category names of {ann_file}")
    check_unique([c["id"] for c in content["categories"]], f"category ids of {ann_file}")
    check_unique([image["id"] for image in content["images"]], f"image ids of {ann_file}")
    ann_ids = [ann["id"] for ann in content["annotations"] if "id" in ann]
    check_unique(ann_ids, f"annotation ids of {ann_file}")
    return content


def read_class_names(ann_file: str, backend_args: dict[str, Any] | None = None) -> tuple[str, ...]:
    """Return the category names of a COCO file, in the file's order.

    Raises:
        FileNotFoundError, ValueError: as ``load_coco_file``.
    """
    return tuple(c["name"] for c in load_coco_file(ann_file, backend_args)["categories"])


def annotations_by_image(content: CocoContent, ann_file: str) -> dict[Any, list[dict[str, Any]]]:
    """Group annotations by image id, in the file's order.

    Raises:
        ValueError: an annotation names an image or a category that the file does not list, or
            has no box of four numbers.
    """
    image_ids = {image["id"] for image in content["images"]}
    category_ids = {category["id"] for category in content["categories"]}
    grouped: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for ann in content["annotations"]:
        where = f"annotation {ann.get('id')} in {ann_file}"
        if ann.get("image_id") not in image_ids:
            raise ValueError(f"{where}: image_id {ann.get('image_id')!r} is not among its images")
        if ann.get("category_id") not in category_ids:
            raise ValueError(
                f"{where}: category_id {ann.get('category_id')!r} is not among its categories "
                f"{sorted(category_ids, key=str)[:20]}"
            )
        if len(ann.get("bbox") or ()) != 4:
            raise ValueError(
                f"{where}: expected bbox = [x, y, width, height], got {ann.get('bbox')!r}"
            )
        grouped[ann["image_id"]].append(ann)
    return grouped
