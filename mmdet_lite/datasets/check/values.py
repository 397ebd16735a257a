"""Other keys of annotations, ``area``, ``iscrowd`` and ``ignore``: missing, or no such value."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet
from mmdet_lite.datasets.check.codes import finding
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.datasets.coco_annotation import unreadable

KEYS = ("area", "iscrowd", "ignore")


def check_values(data: AnnotatedSet) -> Iterator[Finding]:
    """Annotations without ``area`` or ``iscrowd``, areas and flags that are none."""
    for key, instead in (("area", "the box's area"), ("iscrowd", "0")):
        missing = [i for i, ann in enumerate(data.annotations) if ann.get(key) is None]
        if missing:
            yield finding(
                f"{key}-missing",
                f"{len(missing)} of {len(data.annotations)} annotations of {data.ann_file} have no "
                f"{key!r}, {instead} is taken (--fix writes it into the file)",
                data.name,
                ann_id=data.annotations[missing[0]].get("id"),
                count=len(missing),
            )
    problems = [(i, unreadable(ann, KEYS)) for i, ann in enumerate(data.annotations)]
    texts = {i: f"{text}; correct it in the file" for i, text in problems if text is not None}
    yield from data.findings_at("value-unreadable", list(texts), texts.__getitem__)
    areas = [area_code(ann) for ann in data.annotations]
    for code in ("area-wrong", "area-not-finite"):
        yield from data.findings_at(
            code,
            [i for i, one in enumerate(areas) if one == code and data.has_box[i]],
            lambda i: (
                f"area = {data.annotations[i]['area']!r}, though its box is "
                f"{data.xywh[i, 2]:g}x{data.xywh[i, 3]:g}; correct it (--fix does)"
            ),
        )


def area_code(ann: Mapping[str, Any]) -> str | None:
    """The code of what is wrong with ``area``, None if nothing is."""
    area = ann.get("area")
    if area is None:
        return "area-missing"
    if not isinstance(area, int | float):
        return "value-unreadable"
    if area <= 0:
        return "area-wrong"
    return None if area <= sys.float_info.max else "area-not-finite"
