"""Mending a COCO file: what can be told from the file itself is corrected, the rest stays."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from mmdet_lite.datasets.check.annotated_set import (
    NEEDED_KEYS,
    AnnotatedSet,
    Json,
    annotated_set,
    is_box,
)
from mmdet_lite.datasets.check.boxes import check_box_form, same_boxes
from mmdet_lite.datasets.check.outlines import rle_problem
from mmdet_lite.datasets.check.polygons import read_polygons
from mmdet_lite.ops.rle import segmentation_to_rle

Counts = Counter[tuple[str, str]]


def fix_content(data: AnnotatedSet) -> tuple[Json, Counts]:
    """A mended copy of a set's COCO content, and what was done, counted by (code, what).

    Copies of entries are removed, annotations of nothing too; boxes are taken from outlines where
    they are no boxes, and cut at the edge of the picture; ``area`` and ``iscrowd`` are completed;
    polygons that enclose nothing are removed where others are left; boxes that are all in another
    form are rewritten. What would be guessing is left as it is: two pictures with one id, an
    outline that is lost, names of classes.

    Args:
        data: not changed.

    Raises:
        ValueError: its file could not be read.
    """
    if data.broken and data.broken[0].code != "entry-broken":
        raise ValueError(f"--fix: {data.broken[0].message}")
    done: Counts = Counter()
    done["entry-broken", "entries removed that lack what each needs"] += sum(
        finding.count for finding in data.broken
    )
    # entries are copied, what is in them is replaced and never changed
    kept = {kind: [dict(entry) for entry in getattr(data, kind)] for kind in NEEDED_KEYS}
    _merge_categories(kept, done)
    _merge_images(kept, done)
    _remove_dangling(kept, done)
    _rewrite_boxes(kept, data, done)
    _mend_annotations(kept, done)
    _remove_second_boxes(kept, done)
    _renumber(kept, done)
    return {**data.extra, **kept}, +done


def fixed_text(done: Counts) -> str:
    """What was done, a line each."""
    lines = [f"  {count:>7} x {what}  ({code})" for (code, what), count in sorted(done.items())]
    return "\n".join(lines) or "  nothing: the file has no mistake of the kinds that can be mended"


def _merge_categories(content: Json, done: Counts) -> None:
    """One category a name; equal copies vanish. Two names with one id are left."""
    id_of: dict[str, Any] = {}
    new_id: dict[Any, Any] = {}
    kept = []
    for category in content["categories"]:
        name, id_ = category["name"], category["id"]
        if name not in id_of:
            id_of[name] = id_
            kept.append(category)
        else:
            done["category-name-twice", "categories merged with that of the same name"] += 1
            new_id.setdefault(id_, id_of[name])
    taken = {category["id"] for category in kept}
    for ann in content["annotations"]:
        if ann["category_id"] not in taken and ann["category_id"] in new_id:
            ann["category_id"] = new_id[ann["category_id"]]
    content["categories"] = kept


def _merge_images(content: Json, done: Counts) -> None:
    """One entry a file; annotations of the others move to it, and equal ones count once."""
    first: dict[str, Json] = {}
    files_of_id: dict[Any, set[str]] = {}
    for image in content["images"]:
        files_of_id.setdefault(image["id"], set()).add(str(image["file_name"]))
    unclear = {id_ for id_, files in files_of_id.items() if len(files) > 1}
    kept, new_id = [], {}
    for image in content["images"]:
        name = str(image["file_name"])
        if image["id"] in unclear or name not in first:
            first.setdefault(name, image)
            kept.append(image)
            continue
        code = "image-id-twice" if first[name]["id"] == image["id"] else "file-name-twice"
        done[code, "images merged with that of the same file"] += 1
        new_id[image["id"]] = first[name]["id"]
    merged = set(new_id.values())
    seen: set[str] = set()
    annotations = []
    for ann in content["annotations"]:
        ann["image_id"] = new_id.get(ann["image_id"], ann["image_id"])
        if ann["image_id"] in merged:
            text = _without(ann, "id")
            if text in seen:
                done["file-name-twice", "annotations removed that a copied image had too"] += 1
                continue
            seen.add(text)
        annotations.append(ann)
    content["images"], content["annotations"] = kept, annotations


def _remove_dangling(content: Json, done: Counts) -> None:
    images = {image["id"] for image in content["images"]}
    categories = {category["id"] for category in content["categories"]}

    def leads_somewhere(ann: Json) -> bool:
        if ann["image_id"] not in images:
            done["image-id-unknown", "annotations of unknown images removed"] += 1
            return False
        if ann["category_id"] not in categories:
            done["category-id-unknown", "annotations of unknown categories removed"] += 1
            return False
        return True

    content["annotations"] = [ann for ann in content["annotations"] if leads_somewhere(ann)]


def _rewrite_boxes(content: Json, data: AnnotatedSet, done: Counts) -> None:
    """Boxes of another form as x, y, width, height in pixels, where all tell that form."""
    form = next((finding.code for finding in check_box_form(data)), None)
    if form is None:
        return
    sizes = {image["id"]: (image["width"], image["height"]) for image in content["images"]}
    for ann in content["annotations"]:
        if not is_box(ann.get("bbox")):
            continue
        a, b, c, d = ann["bbox"]
        w, h = sizes[ann["image_id"]]
        box = {
            "boxes-look-xyxy": (a, b, c - a, d - b),
            "boxes-look-centred": (a - c / 2, b - d / 2, c, d),
            "boxes-look-normalised": (a * w, b * h, c * w, d * h),
        }[form]
        ann["bbox"] = [round(number, 6) for number in box]
        done[form, "boxes rewritten as x, y, width, height in pixels"] += 1


def _mend_annotations(content: Json, done: Counts) -> None:
    sizes = {image["id"]: (image["width"], image["height"]) for image in content["images"]}
    content["annotations"] = [
        ann for ann in content["annotations"] if _mended(ann, sizes[ann["image_id"]], done)
    ]


def _mended(ann: Json, wh: tuple[float, float], done: Counts) -> bool:
    """Mend one annotation in place; False where no box can be had for it."""
    _drop_polygons(ann, done)
    code = _box_fault(ann.get("bbox"), wh)
    if code is not None:
        box = _outline_box(ann, wh)
        if box is None:
            done[code, "annotations removed that have neither box nor outline"] += 1
            return False
        done[code, "boxes taken from the outline"] += 1
        ann["bbox"] = box
    x, y, w, h = ann["bbox"]
    x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + w, wh[0]), min(y + h, wh[1])
    if (x1, y1, x2, y2) != (x, y, x + w, y + h):
        done["box-over-edge", "boxes cut at the edge of the picture"] += 1
        ann["bbox"] = [x1, y1, round(x2 - x1, 6), round(y2 - y1, 6)]
    _complete(ann, wh, done)
    return True


def _complete(ann: Json, wh: tuple[float, float], done: Counts) -> None:
    """Write ``iscrowd`` and ``area`` where they are missing or impossible."""
    if "iscrowd" not in ann:
        ann["iscrowd"] = 0
        done["iscrowd-missing", "iscrowd = 0 written"] += 1
    area = ann.get("area")
    if not (isinstance(area, (int, float)) and 0 < area < np.inf):
        code = "area-wrong" if "area" in ann else "area-missing"
        done[code, "areas computed from outline or box"] += 1
        ann["area"] = _outline_area(ann, wh) or round(ann["bbox"][2] * ann["bbox"][3], 6)


def _box_fault(box: Any, wh: tuple[float, float]) -> str | None:
    """The code of why a bbox cannot be kept, None if it can."""
    if not is_box(box):
        return "box-missing"
    x, y, w, h = box
    tests: list[tuple[str, Callable[[], bool]]] = [
        ("box-not-finite", lambda: not np.isfinite(box).all()),
        ("box-negative", lambda: w < 0 or h < 0),
        ("box-empty", lambda: w == 0 or h == 0),
        ("box-tiny", lambda: w < 1 or h < 1),
        ("box-outside", lambda: min(x + w, wh[0]) <= max(x, 0) or min(y + h, wh[1]) <= max(y, 0)),
        # a box that the edge of the picture would leave a sliver of
        (
            "box-tiny",
            lambda: min(x + w, wh[0]) - max(x, 0) < 1 or min(y + h, wh[1]) - max(y, 0) < 1,
        ),
    ]
    return next((code for code, fails in tests if fails()), None)


def _drop_polygons(ann: Json, done: Counts) -> None:
    """Remove polygons that enclose nothing, where one that does is left."""
    polygons = ann.get("segmentation")
    if not isinstance(polygons, list):
        return
    faults = [_polygon_fault(polygon) for polygon in polygons]
    if None in faults and any(faults):
        for code in filter(None, faults):
            done[code, "polygons removed that enclose nothing"] += 1
        ann["segmentation"] = [p for p, fault in zip(polygons, faults, strict=True) if not fault]


def _polygon_fault(polygon: Any) -> str | None:
    """The code of why a polygon encloses nothing, None if it does."""
    usable, wrong = read_polygons([0], [polygon])
    if wrong:
        return next(iter(wrong))
    return None if usable.areas[0] >= 1 else "polygon-flat"


def _outline_box(ann: Json, wh: tuple[float, float]) -> list[float] | None:
    """x, y, width, height around the outline, None where there is none of a pixel or more."""
    segmentation = ann.get("segmentation")
    if isinstance(segmentation, list):
        polygons, _ = read_polygons([0] * len(segmentation), segmentation)
        if not len(polygons.owners):
            return None
        x1, y1 = polygons.points.min(axis=0).clip(0)
        x2, y2 = np.minimum(polygons.points.max(axis=0), wh)
        box = [x1, y1, x2 - x1, y2 - y1]
    elif isinstance(segmentation, dict) and rle_problem(segmentation, np.array(wh)) is None:
        box = coco_mask.toBbox(segmentation_to_rle(segmentation, int(wh[1]), int(wh[0]))).tolist()
    else:
        return None
    return [round(float(number), 6) for number in box] if min(box[2:]) >= 1 else None


def _outline_area(ann: Json, wh: tuple[float, float]) -> float:
    """Pixels of the outline, 0 where there is none."""
    segmentation = ann.get("segmentation")
    if isinstance(segmentation, list):
        segmentation = [polygon for polygon in segmentation if not _polygon_fault(polygon)]
    elif not isinstance(segmentation, dict) or rle_problem(segmentation, np.array(wh)):
        return 0.0
    if not segmentation:
        return 0.0
    return float(coco_mask.area(segmentation_to_rle(segmentation, int(wh[1]), int(wh[0]))))


def _remove_second_boxes(content: Json, done: Counts) -> None:
    pairs = same_boxes(annotated_set("", "", "", content))
    second = set(pairs[:, 1].tolist())
    done["box-twice", "annotations removed that repeat another one"] += len(second)
    content["annotations"] = [a for i, a in enumerate(content["annotations"]) if i not in second]


def _renumber(content: Json, done: Counts) -> None:
    """New ids for annotations that have none, or one that is taken."""
    numbers = [ann["id"] for ann in content["annotations"] if _is_id(ann.get("id"))]
    free = max(numbers, default=0) + 1
    seen: set[Any] = set()
    for ann in content["annotations"]:
        if "id" in ann and ann["id"] is not None and ann["id"] not in seen:
            seen.add(ann["id"])
            continue
        done["ann-id-twice", "annotations given an id of their own"] += 1
        ann["id"], free = free, free + 1


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _without(ann: Json, key: str) -> str:
    return json.dumps({k: v for k, v in ann.items() if k != key}, sort_keys=True, default=str)
