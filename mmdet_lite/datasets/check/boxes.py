"""Boxes: numbers that are no box, boxes off the picture, in another form, or there twice.

A annotations of the set. Boxes are COCO's x, y, width, height in pixels of the picture.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, Floats, Ints, is_box
from mmdet_lite.datasets.check.codes import found
from mmdet_lite.datasets.check.records import Finding

EDGE_TOLERANCE = 1.0  # pixels that a box may reach beyond its picture without a word
SAME_IOU = 0.99
FEWEST = 5  # boxes from which a file's form can be told
_OVERSHOOT = 0.15  # share of boxes beyond the picture from which another form is considered
_FITS = 0.98  # share of boxes that must make sense in the other form
_SHOWN = 8

Mask = NDArray[np.bool_]


def check_boxes(data: AnnotatedSet) -> Iterator[Finding]:
    """All rules about boxes. Where they are in another form than COCO's, only that is said."""
    yield from _no_numbers(data)
    other_form = list(check_box_form(data))
    if other_form:
        yield from other_form
        return
    yield from _no_size(data)
    yield from _off_the_picture(data)
    yield from _there_twice(data)


def check_box_form(data: AnnotatedSet) -> Iterator[Finding]:
    """Whether all boxes look written in another form than x, y, width, height in pixels."""
    boxes, frames = data.xywh, data.frame_wh
    usable = np.isfinite(boxes).all(axis=1) & np.isfinite(frames).all(axis=1) & ~data.crowd
    form = box_form(boxes[usable], frames[usable])
    if form is None:
        return
    overshoot = usable & (data.xyxy[:, 2:] > frames + EDGE_TOLERANCE).any(axis=1)
    examples = np.flatnonzero(overshoot if overshoot.any() else usable)
    i = int(examples[0])
    width, height = (f"{side:g}" for side in frames[i])
    same = data.image_index[examples] == data.image_index[i]
    means = {
        "boxes-look-xyxy": "x1, y1, x2, y2: subtract, bbox = [x1, y1, x2 - x1, y2 - y1]",
        "boxes-look-centred": "the centre and the size: bbox = [cx - w / 2, cy - h / 2, w, h]",
        "boxes-look-normalised": "parts of the picture: multiply by its width and height",
    }[form]
    yield found(
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
    numbers = np.array([is_box(data.annotations[i].get("bbox")) for i in doubtful], bool)
    yield from data.found_at(
        "box-missing",
        doubtful[~numbers],
        lambda i: (
            "expected bbox = [x, y, width, height] in numbers, got "
            f"{str(data.annotations[i].get('bbox'))[:60]}; draw the box (--fix takes the outline's)"
        ),
    )
    yield from data.found_at(
        "box-not-finite",
        doubtful[numbers],
        lambda i: (
            f"bbox = {data.annotations[i]['bbox']} has a number that is none; draw the box again "
            "(--fix takes the outline's, or removes the annotation)"
        ),
    )


def _no_size(data: AnnotatedSet) -> Iterator[Finding]:
    size = data.xywh[:, 2:]
    finite = np.isfinite(data.xywh).all(axis=1)
    negative = finite & (np.nan_to_num(size) < 0).any(axis=1)
    empty = finite & ~negative & (np.nan_to_num(size) == 0).any(axis=1)
    tiny = data.has_box & (np.nan_to_num(size) < 1).any(axis=1)
    end = "(--fix takes the outline's box, or removes the annotation)"
    for code, where, what in (
        ("box-negative", negative, f"a width or height below 0; are the corners swapped? {end}"),
        ("box-empty", empty, f"a width or height of 0, so its object is background {end}"),
        ("box-tiny", tiny, f"a side below one pixel, so its object is background {end}"),
    ):
        yield from data.found_at(code, np.flatnonzero(where), partial(_has_text, data, what))


def _off_the_picture(data: AnnotatedSet) -> Iterator[Finding]:
    frames = data.frame_wh
    usable = data.has_box & np.isfinite(frames).all(axis=1)
    x1y1, x2y2 = data.xyxy[:, :2], data.xyxy[:, 2:]
    with np.errstate(invalid="ignore"):
        outside = usable & ((np.minimum(x2y2, frames) <= np.maximum(x1y1, 0)).any(axis=1))
        beyond = np.maximum(-x1y1, x2y2 - frames).max(axis=1)
        over = usable & ~outside & (beyond > EDGE_TOLERANCE)

    def frame(i: int) -> str:
        return f"{frames[i, 0]:g}x{frames[i, 1]:g}"

    yield from data.found_at(
        "box-outside",
        np.flatnonzero(outside),
        lambda i: (
            f"bbox = {_text(data, i)} lies wholly outside of the picture ({frame(i)}), so its "
            "object is lost; was the picture cut or replaced? (--fix removes the annotation)"
        ),
    )
    yield from data.found_at(
        "box-over-edge",
        np.flatnonzero(over),
        lambda i: (
            f"bbox = {_text(data, i)} reaches {beyond[i]:.1f} pixels beyond the picture "
            f"({frame(i)}); training cuts it at the edge (--fix does so in the file)"
        ),
    )


def _there_twice(data: AnnotatedSet) -> Iterator[Finding]:
    pairs = same_boxes(data)
    other = {int(b): int(a) for a, b in pairs}
    yield from data.found_at(
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
    return f"bbox = {_text(data, index)} has {what}"


def _text(data: AnnotatedSet, index: int) -> str:
    return "[" + ", ".join(f"{number:.6g}" for number in data.xywh[index]) + "]"
