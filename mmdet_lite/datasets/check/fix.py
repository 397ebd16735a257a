"""Mending a COCO file: what can be told from the file itself is corrected, the rest stays."""

from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from mmdet_lite.datasets.check.annotated_set import (
    NEEDED_KEYS,
    AnnotatedSet,
    Files,
    annotated_set,
    box_column,
    files_of,
    is_box,
)
from mmdet_lite.datasets.check.boxes import (
    EDGE_TOLERANCE,
    box_code,
    check_box_form,
    same_boxes,
)
from mmdet_lite.datasets.check.ids import mixed_ids, text_without
from mmdet_lite.datasets.check.image_facts import ImageFacts
from mmdet_lite.datasets.check.images import loaded_wh
from mmdet_lite.datasets.check.outlines import Survey, corner_boxes, rle_problem
from mmdet_lite.datasets.check.polygons import read_polygons
from mmdet_lite.datasets.check.values import area_code
from mmdet_lite.ops.image_file import SIDEWAYS
from mmdet_lite.ops.json_text import Json
from mmdet_lite.ops.rle import segmentation_to_rle

Counts = Counter[tuple[str, str]]
Frames = dict[Any, tuple[float, float]]  # width and height by image id, where both are sure
MOST_REMOVED = 0.05  # of the annotations; where more would go, something else is wrong
SIZES_TAKEN = "sizes taken from the picture"
IMAGE_LOST = "annotations of unknown images removed"
CATEGORY_LOST = "annotations of unknown categories removed"
NO_BOX = "annotations removed that have neither box nor outline"
ENTRY_LOST = "annotations removed that lack what each needs"
LOSSES = (IMAGE_LOST, CATEGORY_LOST, NO_BOX, ENTRY_LOST)
FEW = 3  # annotations that may go from any set


def fix_content(
    data: AnnotatedSet, facts: Mapping[str, ImageFacts] | None = None
) -> tuple[Json, Counts]:
    """A mended copy of a set's COCO content, and what was done, counted by (code, what).

    Copies of entries are removed, annotations of nothing too; boxes are taken from outlines where
    they are no boxes, and cut at the edge of the picture; ``area`` and ``iscrowd`` are completed;
    polygons that enclose nothing are removed where others are left; boxes in another form are
    rewritten, if all are or their outline tells it. Sizes of pictures are taken from the pictures,
    ids that are text here and numbers there are made alike. What would be guessing is left as it
    is: an outline that is lost, names of classes, and the boxes of images whose picture or size is
    not sure (two pictures with one id, another size than the file says).

    Args:
        data: not changed.
        facts: of the pictures, by path; None or without a path trusts the file's size.

    Raises:
        ValueError: its file could not be read.
    """
    if data.broken and data.broken[0].code != "entry-broken":
        raise ValueError(f"--fix: {data.broken[0].message}")
    done: Counts = Counter()
    # entries are copied, what is in them is replaced and never changed
    kept = {kind: [dict(entry) for entry in getattr(data, kind)] for kind in NEEDED_KEYS}
    unsure = _take_sizes(kept, data, facts or {}, done)
    _count_broken(data, done)
    _unify_ids(kept, "images", "image_id", done)
    _unify_ids(kept, "categories", "category_id", done)
    _merge_categories(kept, done)
    _merge_images(kept, done)
    _remove_dangling(kept, done)
    frames = _sure_frames(kept, unsure)
    sure = {**kept, "annotations": [a for a in kept["annotations"] if a["image_id"] in frames]}
    others = [ann for ann in kept["annotations"] if ann["image_id"] not in frames]
    _rewrite_boxes(sure, frames, done)
    sure["annotations"] = [
        ann for ann in sure["annotations"] if _mended(ann, frames[ann["image_id"]], done)
    ]
    _remove_second_boxes(sure, done)
    left = {id(ann) for ann in sure["annotations"] + others}
    kept["annotations"] = [ann for ann in kept["annotations"] if id(ann) in left]
    _renumber(kept, done)
    return {**data.extra, **kept}, +done


def refusal_to_fix(content: Json, done: Counts) -> str | None:
    """Why a mended copy must not be kept: too many annotations are lost; None if few are.

    Copies of others do not count.

    Args:
        content: from ``fix_content``.
        done: likewise.
    """
    lost = Counter({code: n for (code, what), n in done.items() if what in LOSSES})
    removed = lost.total()
    before = len(content["annotations"]) + removed
    if removed <= max(FEW, MOST_REMOVED * before) and (content["annotations"] or not removed):
        return None
    codes = ", ".join(f"{n} x {code}" for code, n in lost.most_common())
    return (
        f"{removed} of {before} annotations would be removed ({codes}), too many for slips. Find "
        "out what they have in common, correct that, and check again"
    )


def fixed_text(done: Counts) -> str:
    """What was done, a line each."""
    lines = [f"  {count:>7} x {what}  ({code})" for (code, what), count in sorted(done.items())]
    return "\n".join(lines) or "  nothing: the file has no mistake of the kinds that can be mended"


def _take_sizes(
    content: Json, data: AnnotatedSet, facts: Mapping[str, ImageFacts], done: Counts
) -> set[int]:
    """Write the sizes of pictures that can be told; the ``id()`` of images that are not sure.

    Swapped sides are the file's slip where the picture is stored upright and the boxes fit it.
    """
    boxes = defaultdict(list)
    for ann in content["annotations"]:
        boxes[str(ann["image_id"])].append(ann.get("bbox"))
    sizeless = [{**image, "width": 0, "height": 0} for image in data.sizeless]
    unsure = set()
    for image in [*content["images"], *sizeless]:
        said = (image["width"], image["height"])
        one = facts.get(data.files_in_root(image)[0])
        if one is None or one.problem:
            continue
        wh = loaded_wh(one, data.uses.turns_upright)
        if said == wh:
            continue
        fits = _beyond(boxes[str(image["id"])], wh) <= _beyond(boxes[str(image["id"])], wh[::-1])
        swapped = said == wh[::-1] and one.orientation < SIDEWAYS
        if not fits or not (swapped or said == (0, 0)):
            unsure.add(id(image))
        if said == (0, 0) or (fits and swapped):
            image |= {"width": wh[0], "height": wh[1]}
            done["image-size-swapped" if swapped else "entry-broken", SIZES_TAKEN] += 1
    content["images"] += [image for image in sizeless if image["width"]]
    return unsure


def _beyond(boxes: Sequence[Any], wh: tuple[int, int]) -> int:
    """How many boxes reach beyond a picture."""
    column = box_column(boxes)
    with np.errstate(invalid="ignore", over="ignore"):
        return int((column[:, :2] + column[:, 2:] > np.add(wh, EDGE_TOLERANCE)).any(axis=1).sum())


def _count_broken(data: AnnotatedSet, done: Counts) -> None:
    """Entries that lack what each needs; images whose size was found are none of them."""
    found = done["entry-broken", SIZES_TAKEN]
    for kind, entries in data.broken_entries.items():
        number = len(entries) - (found if kind == "images" else 0)
        done["entry-broken", f"{kind} removed that lack what each needs"] += number


def _unify_ids(content: Json, kind: str, key: str, done: Counts) -> None:
    """Numbers for ids that are a number here and the same number as text there."""
    ids = {entry["id"] for entry in content[kind]}
    mixed = mixed_ids(content[kind], content["annotations"], key)
    new = {text: int(text) if text.isdecimal() else id_ for text, id_ in mixed.items()}
    for entry in content[kind]:
        entry["id"] = new.get(str(entry["id"]), entry["id"])
    for ann in content["annotations"]:
        if str(ann[key]) in new:
            done[f"{key.replace('_', '-')}-unknown", "ids written alike"] += ann[key] not in ids
            ann[key] = new[str(ann[key])]


def _sure_frames(content: Json, unsure: Container[int]) -> Frames:
    """Sizes of images that have an id of their own, and that of their picture."""
    images = Counter(image["id"] for image in content["images"])
    return {
        image["id"]: (image["width"], image["height"])
        for image in content["images"]
        if images[image["id"]] == 1 and id(image) not in unsure
    }


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
    first: dict[Files, Json] = {}
    files_of_id: dict[Any, set[Files]] = {}
    for image in content["images"]:
        files_of_id.setdefault(image["id"], set()).add(files_of(image))
    unclear = {id_ for id_, files in files_of_id.items() if len(files) > 1}
    kept, new_id = [], {}
    for image in content["images"]:
        files = files_of(image)
        if image["id"] in unclear or files not in first:
            if image["id"] not in unclear:
                first[files] = image
            kept.append(image)
            continue
        code = "image-id-twice" if first[files]["id"] == image["id"] else "file-name-twice"
        done[code, "images merged with that of the same file"] += 1
        new_id[image["id"]] = first[files]["id"]
    merged = set(new_id.values())
    seen: set[str] = set()
    annotations = []
    for ann in content["annotations"]:
        ann["image_id"] = new_id.get(ann["image_id"], ann["image_id"])
        if ann["image_id"] in merged:
            text = text_without(ann, "id")
            if text in seen:
                done["file-name-twice", "annotations removed that a copied image had too"] += 1
                continue
            seen.add(text)
        annotations.append(ann)
    content["images"], content["annotations"] = kept, annotations


def _remove_dangling(content: Json, done: Counts) -> None:
    """Where two images have one id, annotations without image are likely those of one of them."""
    images = {image["id"] for image in content["images"]}
    one_id_each = len(images) == len(content["images"])
    categories = {category["id"] for category in content["categories"]}

    def leads_somewhere(ann: Json) -> bool:
        if ann["image_id"] not in images and one_id_each:
            done["image-id-unknown", IMAGE_LOST] += 1
            return False
        if ann["category_id"] not in categories:
            done["category-id-unknown", CATEGORY_LOST] += 1
            return False
        return True

    content["annotations"] = [ann for ann in content["annotations"] if leads_somewhere(ann)]


def _rewrite_boxes(content: Json, frames: Frames, done: Counts) -> None:
    """Boxes of another form as x, y, width, height in pixels; all, or those in corners."""
    data = annotated_set("", "", "", content)
    form = next((finding.code for finding in check_box_form(data)), None)
    annotations = content["annotations"]
    if form is None:
        form = "box-looks-xyxy"
        bounds = Survey(data, with_geometry=False).bounds
        annotations = [annotations[i] for i in corner_boxes(data, bounds)]
    for ann in annotations:
        if not is_box(ann.get("bbox")):
            continue
        a, b, c, d = ann["bbox"]
        w, h = frames[ann["image_id"]]
        box = {
            "boxes-look-xyxy": (a, b, c - a, d - b),
            "box-looks-xyxy": (a, b, c - a, d - b),
            "boxes-look-centred": (a - c / 2, b - d / 2, c, d),
            "boxes-look-normalised": (a * w, b * h, c * w, d * h),
        }[form]
        ann["bbox"] = [round(number, 6) for number in box]
        done[form, "boxes rewritten as x, y, width, height in pixels"] += 1


def _mended(ann: Json, wh: tuple[float, float], done: Counts) -> bool:
    """Mend one annotation in place; False where no box can be had for it."""
    _drop_polygons(ann, done)
    code = _fault(ann.get("bbox"), wh)
    if code is not None:
        box = _outline_box(ann, wh)
        if box is None:
            done[code, NO_BOX] += 1
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
    if ann.get("iscrowd") is None:
        ann["iscrowd"] = 0
        done["iscrowd-missing", "iscrowd = 0 written"] += 1
    code = area_code(ann)
    if code is not None:
        done[code, "areas computed from outline or box"] += 1
        ann["area"] = _outline_area(ann, wh) or round(ann["bbox"][2] * ann["bbox"][3], 6)


def _fault(box: Any, wh: tuple[float, float]) -> str | None:
    """The code of why a bbox cannot be kept, None if it can."""
    if not is_box(box):
        return "box-missing"
    code = box_code(box, wh)
    if code is not None:
        return code
    x, y, w, h = box
    cut_w, cut_h = min(x + w, wh[0]) - max(x, 0), min(y + h, wh[1]) - max(y, 0)
    return "box-tiny" if min(cut_w, cut_h) < 1 else None  # the picture's edge leaves a sliver


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
    elif isinstance(segmentation, dict) and rle_problem(segmentation, wh) is None:
        box = coco_mask.toBbox(segmentation_to_rle(segmentation, int(wh[1]), int(wh[0]))).tolist()
    else:
        return None
    return [round(float(number), 6) for number in box] if min(box[2:]) >= 1 else None


def _outline_area(ann: Json, wh: tuple[float, float]) -> float:
    """Pixels of the outline, 0 where there is none."""
    segmentation = ann.get("segmentation")
    if isinstance(segmentation, list):
        segmentation = [polygon for polygon in segmentation if not _polygon_fault(polygon)]
    elif not isinstance(segmentation, dict) or rle_problem(segmentation, wh):
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
