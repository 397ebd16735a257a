"""Segmentations: polygons and run lengths that cannot be used, or do not fit box and picture."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, Floats, Ints
from mmdet_lite.datasets.check.boxes import EDGE_TOLERANCE, FEWEST, paired_iou
from mmdet_lite.datasets.check.codes import finding
from mmdet_lite.datasets.check.polygons import Polygons, read_polygons
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.datasets.coco_annotation import check_rle, unreadable
from mmdet_lite.datasets.coco_file import shortened
from mmdet_lite.ops.rle import RLE, run_lengths

CHUNK = 50_000  # annotations at a time, so that points of a large set do not fill the memory
DISAGREE_IOU = 0.5
DISAGREE_PIXELS = 3.0  # edges of small boxes may differ by roundings
SAME_PIXELS = 1.0  # by which a bbox in corners may differ from its outline's
MOST = 0.5  # share of boxes from which it is no slip, but the file
_CLOSED = 0.9  # share of closed polygons from which an open one stands out


class Survey:
    """What the outlines of a set are like, gathered chunk by chunk.

    ``places`` are annotations by code. ``bounds`` (A, 4) is the box around each outline, xyxy,
    NaN where there is none.
    """

    def __init__(self, data: AnnotatedSet, with_geometry: bool = True) -> None:
        self.data = data
        self.places: dict[str, list[Ints]] = defaultdict(list)
        self.bounds: Floats = np.full((len(data.annotations), 4), np.nan)
        self.closed: list[Ints] = []
        self.open: list[Ints] = []
        self.missing: list[int] = []
        for start in range(0, len(data.annotations), CHUNK):
            self._read(range(start, min(start + CHUNK, len(data.annotations))), with_geometry)

    def at(self, code: str) -> Ints:
        """Annotations with this code, each once."""
        return np.unique(np.concatenate([np.zeros(0, np.int64), *self.places[code]]))

    def _read(self, indices: range, with_geometry: bool) -> None:
        owners: list[int] = []
        polygons: list[Any] = []
        for i in indices:
            segmentation = self.data.annotations[i].get("segmentation")
            if not segmentation:
                self.missing.append(i)
            elif isinstance(segmentation, list):
                owners += [i] * len(segmentation)
                polygons += segmentation
            elif isinstance(segmentation, dict):
                self._read_rle(i, segmentation)
            else:
                self.places["polygon-malformed"].append(np.array([i]))
        usable, wrong = read_polygons(owners, polygons)
        for code, places in wrong.items():
            self.places[code].append(places)
        _widen(self.bounds, usable)
        if with_geometry:
            self._look_at(usable)

    def _look_at(self, polygons: Polygons) -> None:
        beyond = _beyond(polygons.bounds, self.data.frame_wh[polygons.owners])
        for code, where in (
            ("polygon-flat", polygons.areas < 1),
            ("polygon-crossing", polygons.crossing),
            ("polygon-outside", beyond > EDGE_TOLERANCE),
        ):
            self.places[code].append(polygons.owners[where])
        self.closed.append(polygons.owners[polygons.closed])
        self.open.append(polygons.owners[~polygons.closed])

    def _read_rle(self, index: int, rle: RLE) -> None:
        if not np.isfinite(self.data.frame_wh[index]).all():
            return  # of an unknown image
        problem = rle_problem(rle, self.data.frame_wh[index])
        if problem is not None:
            self.places[problem[0]].append(np.array([index]))
            return
        if not isinstance(rle["counts"], str):
            rle = coco_mask.frPyObjects(rle, *rle["size"])
        x, y, w, h = coco_mask.toBbox(rle)
        if w > 0 and h > 0:
            self.bounds[index] = (x, y, x + w, y + h)


def check_outlines(data: AnnotatedSet) -> Iterator[Finding]:
    """All rules about segmentations; sets without any have nothing to say."""
    survey = Survey(data)
    yield from _missing(data, survey)
    yield from _unusable(data, survey)
    yield from _shapes(data, survey)
    yield from check_agreement(data, survey.bounds)


def check_agreement(data: AnnotatedSet, bounds: Floats) -> Iterator[Finding]:
    """Boxes that are not around their outlines. Where most are not, one finding says so.

    Args:
        data: the set.
        bounds: (A, 4) box around each outline, xyxy; NaN where there is none.
    """
    usable = data.has_box & np.isfinite(bounds).all(axis=1) & ~data.crowd
    rows = np.flatnonzero(usable)
    far = np.abs(data.xyxy[rows] - bounds[rows]).max(axis=1) > DISAGREE_PIXELS
    apart = rows[far & (paired_iou(data.xyxy[rows], bounds[rows]) < DISAGREE_IOU)]
    if len(rows) >= FEWEST and len(apart) > MOST * len(rows):
        i = int(apart[0])
        yield finding(
            "boxes-masks-disagree",
            f"{len(apart)} of {len(rows)} boxes of {data.ann_file} are not around their outlines: "
            f"one of the two is in another form or of another size of picture. Such as "
            f"{data.place(i)}: bbox = {data.annotations[i]['bbox']} (x, y, width, height), its "
            f"outline spans {_text(bounds[i])} (x1, y1, x2, y2)",
            data.name,
            image=data.image_paths[data.image_index[i]] if data.image_index[i] >= 0 else None,
            ann_id=data.annotations[i].get("id"),
            boxes=data.boxes_to_draw([i]),
            count=len(apart),
        )
        return
    corners = corner_boxes(data, bounds)
    yield from data.findings_at(
        "box-looks-xyxy",
        corners,
        lambda i: (
            f"bbox = {data.annotations[i]['bbox']} are the corners x1, y1, x2, y2 of its outline; "
            "expected x, y, width, height: bbox = [x1, y1, x2 - x1, y2 - y1] (--fix does)"
        ),
    )
    yield from data.findings_at(
        "box-mask-disagree",
        np.setdiff1d(apart, corners),
        lambda i: (
            f"bbox = {data.annotations[i]['bbox']} (x, y, width, height), but its outline spans "
            f"{_text(bounds[i])} (x1, y1, x2, y2); draw one of them again"
        ),
    )


def corner_boxes(data: AnnotatedSet, bounds: Floats) -> Ints:
    """Annotations whose bbox holds the x1, y1, x2, y2 of their outlines, as no right box can.

    Args:
        data: the set.
        bounds: as ``check_agreement``.
    """
    with np.errstate(invalid="ignore"):
        equal = np.abs(data.xywh - bounds).max(axis=1) <= SAME_PIXELS
        wrong = np.abs(data.xyxy - bounds).max(axis=1) > DISAGREE_PIXELS
    return np.flatnonzero(equal & wrong & data.has_box & ~data.crowd)


def rle_problem(rle: RLE, frame_wh: Sequence[float]) -> tuple[str, str] | None:
    """Code and text of what is wrong with an RLE of a picture, None if nothing is.

    Args:
        rle: an object of a json.
        frame_wh: width and height of the picture.
    """
    width, height = (int(side) for side in frame_wh)
    problem = unreadable({"segmentation": rle}, ("segmentation",))
    if problem is not None:
        return "polygon-malformed", problem
    try:
        check_rle(rle, height, width)
    except ValueError as error:
        return "rle-size" if rle["size"] != [height, width] else "rle-counts", str(error)
    if isinstance(rle["counts"], str):
        try:
            runs = run_lengths(rle)
        except ValueError as error:
            return "rle-broken", str(error)
        if (runs < 0).any() or runs.sum() != height * width:
            text = f"its RLE counts {runs.sum()} pixels, its picture has {height * width}"
            return "rle-broken", text
    return None


def _missing(data: AnnotatedSet, survey: Survey) -> Iterator[Finding]:
    missing = np.array(survey.missing, np.int64)
    if data.uses.with_mask:
        yield from data.findings_at(
            "mask-missing",
            missing[data.used[missing]],
            lambda i: (
                "no segmentation, but the config trains masks (LoadAnnotations with_mask=True). "
                "Add outlines, or train a model without a mask head with with_mask=False"
            ),
        )
    elif 0 < len(missing) < len(data.annotations):
        yield finding(
            "mask-partly",
            f"{len(missing)} of {len(data.annotations)} annotations of {data.ann_file} have no "
            "segmentation; a model with masks cannot be trained on this file",
            data.name,
            count=len(missing),
        )


def _unusable(data: AnnotatedSet, survey: Survey) -> Iterator[Finding]:
    again = "draw the outline again (--fix removes the polygon where others are left)"
    texts = {
        "polygon-malformed": "expected segmentation = [[x1, y1, x2, y2, ...], ...] or an RLE, got",
        "polygon-short": f"a polygon needs 3 points, 6 numbers; {again}; got",
        "polygon-odd": f"a polygon has an odd number of numbers; {again}; got",
        "polygon-not-finite": f"a polygon has a number that is none; {again}; got",
        "polygon-far": f"a polygon has a point millions of pixels away; {again}; got",
    }
    for code, text in texts.items():
        yield from data.findings_at(code, survey.at(code), partial(_got_text, data, text))
    for code in ("rle-size", "rle-counts", "rle-broken"):
        yield from data.findings_at(code, survey.at(code), lambda i: _rle_text(data, i))


def _shapes(data: AnnotatedSet, survey: Survey) -> Iterator[Finding]:
    def beyond(i: int) -> float:
        return float(_beyond(survey.bounds[[i]], data.frame_wh[[i]])[0])

    yield from data.findings_at(
        "polygon-flat",
        survey.at("polygon-flat"),
        lambda i: "a polygon has no area, its points are on a line; draw the outline again",
    )
    yield from data.findings_at(
        "polygon-crossing",
        survey.at("polygon-crossing"),
        lambda i: "its outline crosses itself; harmless where the loop is small",
    )
    yield from data.findings_at(
        "polygon-outside",
        survey.at("polygon-outside"),
        lambda i: (
            f"its outline reaches {beyond(i):.1f} pixels beyond the picture "
            f"({data.frame_wh[i, 0]:g}x{data.frame_wh[i, 1]:g})"
        ),
    )
    closed, open_ = sum(map(len, survey.closed)), sum(map(len, survey.open))
    if open_ and closed >= FEWEST and closed >= _CLOSED * (closed + open_):
        yield from data.findings_at(
            "polygon-open",
            np.unique(np.concatenate(survey.open)),
            lambda i: (
                f"a polygon does not end where it begins, as {closed} others in the file do; was "
                "it cut off? Draw the outline again"
            ),
        )


def _got_text(data: AnnotatedSet, text: str, index: int) -> str:
    return f"{text} {shortened(data.annotations[index]['segmentation'])}"


def _rle_text(data: AnnotatedSet, index: int) -> str:
    problem = rle_problem(data.annotations[index]["segmentation"], data.frame_wh[index])
    assert problem is not None
    return f"{problem[1]}; draw the mask again, or correct height and width"


def _widen(bounds: Floats, polygons: Polygons) -> None:
    """Write the box around each owner's polygons into ``bounds``."""
    if len(polygons.owners):
        owners, first = np.unique(polygons.owners, return_index=True)
        bounds[owners, :2] = np.minimum.reduceat(polygons.bounds[:, :2], first)
        bounds[owners, 2:] = np.maximum.reduceat(polygons.bounds[:, 2:], first)


def _beyond(boxes: Floats, frames: Floats) -> Floats:
    """(N,) pixels by which boxes reach beyond their pictures; NaN where that is unknown."""
    largest: Floats = np.maximum(-boxes[:, :2], boxes[:, 2:] - frames).max(axis=1)
    return largest


def _text(box: Floats) -> str:
    return "[" + ", ".join(f"{number:.6g}" for number in box) + "]"
