"""Joints: how many numbers, where they lie, how visible they are."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet
from mmdet_lite.datasets.check.boxes import EDGE_TOLERANCE
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.datasets.coco_annotation import check_keypoints, is_number
from mmdet_lite.datasets.coco_file import shortened


def check_joints(data: AnnotatedSet) -> Iterator[Finding]:
    """Rules about ``keypoints`` = [x1, y1, v1, x2, ...]; sets without any have nothing to say."""
    rows = [i for i, ann in enumerate(data.annotations) if ann.get("keypoints")]
    joints = data.num_joints
    fitting = [i for i in rows if _fits(data.annotations[i]["keypoints"], joints)]
    number = "three numbers a joint" if joints is None else f"{3 * joints} numbers, three a joint"
    yield from data.findings_at(
        "keypoints-length",
        sorted({*rows} - {*fitting}),
        lambda i: (
            f"expected keypoints = [x1, y1, v1, ...] with {number}, got "
            f"{shortened(data.annotations[i]['keypoints'])}"
        ),
    )
    unreadable = {i: text for i in fitting if (text := _problem(data, i)) is not None}
    yield from data.findings_at("value-unreadable", list(unreadable), unreadable.__getitem__)
    yield from _odd_places(data, [i for i in fitting if i not in unreadable])


def _odd_places(data: AnnotatedSet, rows: list[int]) -> Iterator[Finding]:
    """Labelled joints off the picture, and visibilities that are none."""
    numbers = [number for i in rows for number in data.annotations[i]["keypoints"]]
    points = np.array(numbers, np.float64).reshape(-1, 3)
    counts = [len(data.annotations[i]["keypoints"]) // 3 for i in rows]
    owners = np.repeat(np.array(rows, np.int64), counts)
    with np.errstate(invalid="ignore"):
        beyond = np.maximum(-points[:, :2], points[:, :2] - data.frame_wh[owners]).max(axis=1)
    far = (beyond > EDGE_TOLERANCE) & (points[:, 2] > 0)
    odd = ~np.isin(points[:, 2], (0, 1, 2))
    yield from data.findings_at(
        "keypoints-outside",
        np.unique(owners[far]),
        lambda i: (
            "labelled joints lie beyond the picture "
            f"({data.frame_wh[i, 0]:g}x{data.frame_wh[i, 1]:g}): {data.annotations[i]['keypoints']}"
        ),
    )
    yield from data.findings_at(
        "keypoints-visibility",
        np.unique(owners[odd]),
        lambda i: (
            "every third number of keypoints is 0 (not labelled), 1 (hidden) or 2 (visible), got "
            f"{sorted(set(data.annotations[i]['keypoints'][2::3]))}"
        ),
    )


def _fits(points: Any, joints: int | None) -> bool:
    """Whether it is a list of as many numbers as the joints have, of three a joint if unknown."""
    if not isinstance(points, list) or not all(map(is_number, points)):
        return False
    return len(points) % 3 == 0 if joints is None else len(points) == 3 * joints


def _problem(data: AnnotatedSet, index: int) -> str | None:
    """Why the data set refuses the keypoints of an annotation."""
    try:
        check_keypoints(data.annotations[index]["keypoints"], data.num_joints)
    except ValueError as error:
        return str(error)
    return None
