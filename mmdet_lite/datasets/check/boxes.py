"""Boxes: numbers that are no box, boxes off the picture, in another form, or there twice.

A annotations of the set. Boxes are COCO's x, y, width, height in pixels of the picture.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, Floats, Ints, is_box
from mmdet_lite.datasets.check.codes import finding
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.datasets.coco_file import shortened
from mmdet_lite.ops.box_faults import NOT_FINITE, TOO_LARGE, TOO_SMALL, box_fault

EDGE_TOLERANCE = 1.0  # pixels that a box may reach beyond its picture without a word
SAME_IOU = 0.99
FEWEST = 5  # boxes from which a file's form can be told
_OVERSHOOT = 0.15  # share of boxes beyond the picture from which another form is considered
_FITS = 0.98  # share of boxes that must make sense in the other form
_SHOWN = 8


def check_boxes(data: AnnotatedSet) -> Iterator[Finding]:
    """All rules about boxes. Where they are in another form than COCO's, only that is said."""
    yield from _no_numbers(data)
    other_form = list(check_box_form(data))
    if other_form:
        yield from other_form
        return
    yield from _unusable(data)
    yield from _over_edge(data)
    yield from _there_twice(data)


def check_box_form(data: AnnotatedSet) -> Iterator[Finding]:
    """Whether all boxes look written in another form than x, y, width, height in pixels."""
    boxes, frames = data.xywh, data.frame_wh
    usable = data.has_place & np.isfinite(frames).all(axis=1) & ~data.crowd
    form = box_form(boxes[usable], frames[usable])
    if form is None:
        return
    overshoot = usable & (data.xyxy[:, 2:] > frames + EDGE_TOLERANCE).any(axis=1)
    examples = np.flatnonzero(overshoot if overshoot.any() else usable)
    i = int(examples[0])
    width, height = (f"{side:g}" for side in frames[i])
    same = data.image_index[examples] == data.image_index[i]
    means = {
        "boxes-look-xyxy": "x1, y1, x2, y2: subtract, bbox = [x1, y1, x2 - x1, y2 - y1] "
        "(--fix does)",
        "boxes-look-centred": "the centre and the size: bbox = [cx - w / 2, cy - h / 2, w, h] "
        "(--fix does)",
        "boxes-look-normalised": "parts of the picture: multiply by its width and height "
        "(--fix does)",
    }[form]
    yield finding(
        form,
        f"the boxes of {data.ann_file} do not fit its pictures: {int(overshoot.sum())} of "
        f"{int(usable.sum())} reach beyond them. Expected bbox = [x, y, width, height] in pixels, "
        f"they look like {means}. Such as {data.place(i)} ({width}x{height}): "
        f"{data.annotations[i]['bbox']}",
        data.name,
        image=data.image_paths[data.image_index[i]],
        ann_id=data.annotations[i].get("id"),
        boxes=data.boxes_to_draw(examples[same][:_SHOWN].tolist()),
        count=int(usable.sum()),
    )


def box_form(boxes: Floats, frames: Floats) -> str | None:
    """The code of the form that boxes (A, 4) look written in, None for x, y, width, height.

    Args:
        boxes: finite numbers.
        frames: (A, 2) width and height of the picture of each.
    """
    if len(boxes) < FEWEST:
        return None
    first, second = boxes[:, :2], boxes[:, 2:]
    if (np.abs(boxes) <= 1.001).all() and (frames > 8).all() and (boxes % 1 != 0).any():
        return "boxes-look-normalised"
    beyond = (first + second > frames + EDGE_TOLERANCE).any(axis=1).mean()
    if beyond < _OVERSHOOT:
        return None
    corners = (second > first).all(axis=1) & (second <= frames + EDGE_TOLERANCE).all(axis=1)
    if corners.mean() >= _FITS:
        return "boxes-look-xyxy"
    low, high = first - second / 2, first + second / 2
    centred = (low >= -EDGE_TOLERANCE).all(axis=1) & (high <= frames + EDGE_TOLERANCE).all(axis=1)
    return "boxes-look-centred" if centred.mean() >= _FITS else None


def box_code(box: Sequence[float], frame_wh: Sequence[float]) -> str | None:
    """The code of why a data set leaves out a box x, y, width, height, None if it does not."""
    x, y, w, h = box
    fault = box_fault(x, y, w, h, frame_wh[1], frame_wh[0])
    if fault in (NOT_FINITE, TOO_LARGE):
        return "box-huge" if all(map(math.isfinite, box)) else "box-not-finite"
    if fault == TOO_SMALL:
        return "box-negative" if min(w, h) < 0 else "box-empty" if min(w, h) == 0 else "box-tiny"
    return None if fault is None else "box-outside"


def paired_iou(first: Floats, second: Floats) -> Floats:
    """(N,) IoU of the n-th box with the n-th, both (N, 4) xyxy; 0 where one has no area."""
    low = np.maximum(first[:, :2], second[:, :2])
    high = np.minimum(first[:, 2:], second[:, 2:])
    shared = np.prod((high - low).clip(min=0), axis=1)
    areas = [
        np.prod((boxes[:, 2:] - boxes[:, :2]).clip(min=0), axis=1) for boxes in (first, second)
    ]
    union = areas[0] + areas[1] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _no_numbers(data: AnnotatedSet) -> Iterator[Finding]:
    doubtful = np.flatnonzero(~np.isfinite(data.xywh).all(axis=1))
    yield from data.findings_at(
        "box-missing",
        [i for i in doubtful if not is_box(data.annotations[i].get("bbox"))],
        lambda i: (
            "expected bbox = [x, y, width, height] in numbers, got "
            f"{shortened(data.annotations[i].get('bbox'))}; draw the box (--fix takes the "
            "outline's)"
        ),
    )


def _unusable(data: AnnotatedSet) -> Iterator[Finding]:
    """Boxes that the data set leaves out."""
    places = defaultdict(list)
    for i in np.flatnonzero(data.box_faults.astype(bool)):
        if is_box(data.annotations[i].get("bbox")):
            places[box_code(data.xywh[i].tolist(), data.frame_wh[i].tolist())].append(i)
    end = "(--fix takes the outline's box, or removes the annotation)"
    for code, what in {
        "box-not-finite": f"has a number that is none; draw the box again {end}",
        "box-huge": f"is larger than any picture; draw the box again {end}",
        "box-negative": f"has a width or height below 0; are the corners swapped? {end}",
        "box-empty": f"has a width or height of 0, so its object is background {end}",
        "box-tiny": f"has a side below one pixel, so its object is background {end}",
        "box-outside": (
            "lies wholly outside of the picture ({frame}), so its object is lost; was the picture "
            "cut or replaced? (--fix removes the annotation)"
        ),
    }.items():
        yield from data.findings_at(code, places[code], partial(_has_text, data, what))


def _over_edge(data: AnnotatedSet) -> Iterator[Finding]:
    with np.errstate(invalid="ignore", over="ignore"):
        beyond = np.maximum(-data.xyxy[:, :2], data.xyxy[:, 2:] - data.frame_wh).max(axis=1)
        over = data.has_box & ~data.box_faults.astype(bool) & (beyond > EDGE_TOLERANCE)
    yield from data.findings_at(
        "box-over-edge",
        np.flatnonzero(over),
        lambda i: (
            f"bbox = {_text(data, i)} reaches {beyond[i]:.1f} pixels beyond the picture "
            f"({_frame(data, i)}); training cuts it at the edge (--fix does so in the file)"
        ),
    )


def _there_twice(data: AnnotatedSet) -> Iterator[Finding]:
    pairs = same_boxes(data)
    other = {int(b): int(a) for a, b in pairs}
    yield from data.findings_at(
        "box-twice",
        np.array(sorted(other), np.int64),
        lambda i: (
            f"bbox = {_text(data, i)} is the box of annotation "
            f"{data.annotations[other[i]].get('id')} again, of the same class; one object counts "
            "twice (--fix removes the second)"
        ),
    )


def same_boxes(data: AnnotatedSet) -> Ints:
    """(P, 2) pairs of annotations on one picture, of one category, with an IoU above 0.99.

    Boxes are sorted by picture, category and left edge, then each is compared with the next, the
    one after and so on, as long as the left edges are near enough.
    """
    rows = np.flatnonzero(data.has_box & ~data.crowd & (data.image_index >= 0))
    keys = (data.xyxy[rows, 0], data.category_index[rows], data.image_index[rows])
    rows = rows[np.lexsort(keys)]
    image, category = data.image_index[rows], data.category_index[rows]
    boxes = data.xyxy[rows]
    reach = boxes[:, 0] + 0.02 * (boxes[:, 2] - boxes[:, 0])
    active = np.arange(len(rows) - 1)
    pairs, step = [], 1
    while len(active):
        after = active + step
        same = (image[active] == image[after]) & (category[active] == category[after])
        active = active[same & (boxes[after, 0] <= reach[active])]
        after = active + step
        close = paired_iou(boxes[active], boxes[after]) > SAME_IOU
        pairs.append(np.sort(np.stack([rows[active[close]], rows[after[close]]], axis=1), axis=1))
        step += 1
        active = active[active + step < len(rows)]
    return np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)


def _has_text(data: AnnotatedSet, what: str, index: int) -> str:
    return f"bbox = {_text(data, index)} {what.format(frame=_frame(data, index))}"


def _frame(data: AnnotatedSet, index: int) -> str:
    width, height = data.frame_wh[index]
    return f"{width:g}x{height:g}"


def _text(data: AnnotatedSet, index: int) -> str:
    return "[" + ", ".join(f"{number:.6g}" for number in data.xywh[index]) + "]"
