"""Skeletons drawn on pictures: left and right in their own colours, hidden joints hollow.

Letters: D instances, J joints. Pictures are RGB (H, W, 3) uint8.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdet_lite.ops import coco_person
from mmdet_lite.visualization.colors import Color
from mmdet_lite.visualization.labels import Picture

SIDE_COLORS: dict[str, Color] = {
    "left": (255, 140, 0),
    "right": (30, 170, 255),
    "middle": (250, 240, 110),
}
RIM_COLOR: Color = (16, 16, 16)
SUBPIXEL_BITS = 3
HIDDEN, VISIBLE = 1, 2
SCORE_THR = 0.05  # of the heatmap's softmax; Detectron2 draws joints above it as well


def draw_keypoints(
    image: Picture, keypoints: Any, metainfo: Mapping[str, Any] | None = None
) -> Picture:
    """Return the picture with the joints of each instance and the lines between them.

    A line is drawn where both of its joints are labelled. Sizes scale with picture and person.

    Args:
        image: (H, W, 3) RGB; unchanged, as are all arguments.
        keypoints: (D, J, 3) tensor or array of x, y in pixels and visibility: 0 is left out, 1
            hidden, 2 visible. D may be 0.
        metainfo: of the data set: ``keypoint_names`` say which joints are left and right,
            ``skeleton_links`` which are joined. Without names 17 joints are COCO's, others only
            dots.
    """
    joints = np.asarray(keypoints.detach().cpu() if hasattr(keypoints, "detach") else keypoints)
    drawn = image.copy()
    if not joints.size:
        return drawn
    names, links = _skeleton(metainfo or {}, joints.shape[1])
    sides = [_side(name) for name in names]
    for person in joints.astype(float):
        _draw_one(drawn, person, links, sides)
    return drawn


def visible_joints(keypoints: Any, scores: Any, score_thr: float = SCORE_THR) -> NDArray[Any]:
    """Predicted joints (D, J, 2) as (D, J, 3): visible where scores (D, J) reach the threshold."""
    points, scores = (
        np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
        for values in (keypoints, scores)
    )
    return np.concatenate([points, VISIBLE * (scores >= score_thr)[..., None]], axis=2)


def _skeleton(
    metainfo: Mapping[str, Any], num_joints: int
) -> tuple[Sequence[str], Sequence[tuple[int, int]]]:
    """Names and links of the joints."""
    names = metainfo.get("keypoint_names")
    if names is not None and len(names) == num_joints:
        return names, metainfo.get("skeleton_links", ())
    if names is None and num_joints == len(coco_person.KEYPOINT_NAMES):
        return coco_person.KEYPOINT_NAMES, coco_person.SKELETON_LINKS
    return [""] * num_joints, ()


def _side(name: str) -> str:
    lowered = name.lower()
    return "left" if "left" in lowered else "right" if "right" in lowered else "middle"


def _draw_one(
    image: Picture,
    joints: NDArray[np.float64],
    links: Sequence[tuple[int, int]],
    sides: Sequence[str],
) -> None:
    labelled = joints[:, 2] > 0
    if not labelled.any():
        return
    points = joints[labelled, :2]
    person = float((points.max(axis=0) - points.min(axis=0)).max())
    width = max(1.0, min((image.shape[0] * image.shape[1]) ** 0.5 / 220, person / 40))
    lines = [(a, b) for a, b in links if labelled[a] and labelled[b]]
    for rim in (True, False):  # all rims first, so that none crosses another line
        thickness = max(1, round(width)) + (2 if rim else 0)
        for first, second in lines:
            start, end = _subpixel(joints[first]), _subpixel(joints[second])
            color = RIM_COLOR if rim else SIDE_COLORS[_side_of_line(sides[first], sides[second])]
            cv2.line(image, start, end, color, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
    for joint, side in zip(joints, sides, strict=True):
        _draw_dot(image, joint, SIDE_COLORS[side], max(1.5, width * 1.4))


def _draw_dot(image: Picture, joint: NDArray[np.float64], color: Color, radius: float) -> None:
    """Draw a filled dot with a dark rim, or of a hidden joint a ring."""
    if joint[2] <= 0:
        return
    scale = 1 << SUBPIXEL_BITS
    centre = _subpixel(joint)
    cv2.circle(
        image, centre, round((radius + 1) * scale), RIM_COLOR, -1, cv2.LINE_AA, SUBPIXEL_BITS
    )
    cv2.circle(image, centre, round(radius * scale), color, -1, cv2.LINE_AA, SUBPIXEL_BITS)
    if joint[2] < VISIBLE:
        hole = round(radius * 0.6 * scale)
        cv2.circle(image, centre, hole, RIM_COLOR, -1, cv2.LINE_AA, SUBPIXEL_BITS)


def _side_of_line(first: str, second: str) -> str:
    """A line from the middle to a side is that side's; one across both is the middle's."""
    if first == second:
        return first
    both = {first, second} - {"middle"}
    return both.pop() if len(both) == 1 else "middle"


def _subpixel(joint: NDArray[np.float64]) -> tuple[int, int]:
    """Where OpenCV finds a continuous coordinate: its pixels are numbered at their centres."""
    scale = 1 << SUBPIXEL_BITS
    return round((joint[0] - 0.5) * scale), round((joint[1] - 0.5) * scale)
