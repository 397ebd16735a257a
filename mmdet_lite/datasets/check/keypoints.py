"""Keypoints and other keys: how many numbers, where they lie, what is missing."""

from collections.abc import Iterator

import numpy as np

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, is_number
from mmdet_lite.datasets.check.boxes import EDGE_TOLERANCE
from mmdet_lite.datasets.check.codes import found
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.datasets.coco_file import shortened


def check_keypoints(data: AnnotatedSet) -> Iterator[Finding]:
    """Rules about ``keypoints`` = [x1, y1, v1, x2, ...]; sets without any have nothing to say."""
    rows = [i for i, ann in enumerate(data.annotations) if ann.get("keypoints")]
    if not rows:
        return
    joints = len(data.keypoint_names)
    sample = data.annotations[rows[0]]["keypoints"]
    expected = 3 * joints or (len(sample) if isinstance(sample, list) else 0)
    fitting: list[int] = []
    wrong: list[int] = []
    for i in rows:
        points = data.annotations[i]["keypoints"]
        fits = isinstance(points, list) and len(points) == expected and expected % 3 == 0
        (fitting if fits and all(map(is_number, points)) else wrong).append(i)
    yield from data.found_at(
        "keypoints-length",
        np.array(wrong, np.int64),
        lambda i: (
            f"expected keypoints = [x1, y1, v1, ...] with {expected} numbers, three for each of "
            f"the joints of its category, got {shortened(data.annotations[i]['keypoints'])}"
        ),
    )
    if not fitting:
        return
    index = np.array(fitting, np.int64)
    points = np.array([data.annotations[i]["keypoints"] for i in fitting], np.float64)
    points = points.reshape(len(fitting), -1, 3)
    labelled = points[..., 2] > 0
    with np.errstate(invalid="ignore"):
        beyond = np.maximum(-points[..., :2], points[..., :2] - data.frame_wh[index][:, None])
        far = (beyond.max(axis=2) > EDGE_TOLERANCE) | ~np.isfinite(points[..., :2]).all(axis=2)
    odd = ~np.isin(points[..., 2], (0, 1, 2)).all(axis=1)
    yield from data.found_at(
        "keypoints-outside",
        index[(far & labelled).any(axis=1)],
        lambda i: (
            "labelled joints lie beyond the picture "
            f"({data.frame_wh[i, 0]:g}x{data.frame_wh[i, 1]:g}): {data.annotations[i]['keypoints']}"
        ),
    )
    yield from data.found_at(
        "keypoints-visibility",
        index[odd],
        lambda i: (
            "every third number of keypoints is 0 (not labelled), 1 (hidden) or 2 (visible), got "
            f"{sorted(set(data.annotations[i]['keypoints'][2::3]))}"
        ),
    )


def check_keys(data: AnnotatedSet) -> Iterator[Finding]:
    """Annotations without ``area`` or ``iscrowd``, and areas that contradict the box."""
    for key, instead in (("area", "the box's area"), ("iscrowd", "0")):
        missing = [i for i, ann in enumerate(data.annotations) if key not in ann]
        if missing:
            yield found(
                f"{key}-missing",
                f"{len(missing)} of {len(data.annotations)} annotations of {data.ann_file} have no "
                f"{key!r}, {instead} is taken (--fix writes it into the file)",
                data.name,
                ann_id=data.annotations[missing[0]].get("id"),
                count=len(missing),
            )
    areas = [ann.get("area", 1) for ann in data.annotations]
    wrong = np.array([not is_number(area) or not area > 0 for area in areas], bool)
    yield from data.found_at(
        "area-wrong",
        np.flatnonzero(wrong & data.has_box),
        lambda i: (
            f"area = {data.annotations[i]['area']!r}, though its box is "
            f"{data.xywh[i, 2]:g}x{data.xywh[i, 3]:g}; correct it (--fix does)"
        ),
    )
