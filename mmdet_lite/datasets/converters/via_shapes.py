"""Outlines of the shapes that the VGG Image Annotator (VIA) draws."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mmdet_lite.datasets.coco_file import shortened
from mmdet_lite.ops.checks import is_number
from mmdet_lite.ops.outlines import signed_area

Points = list[tuple[float, float]]
CORNERS_OF_ROUND = 32


def via_outline(shape: Mapping[str, Any]) -> Points:
    """Return the outline of a VIA ``shape_attributes`` as points (x, y) in VIA's own pixels.

    Circles and ellipses become polygons of 32 corners; an ellipse's ``theta`` is in radians, as in
    VIA 2. Nothing is cut at the image border.

    Raises:
        ValueError: For a kind of shape without area, a missing or non-numeric entry, x and y of
            different length, fewer than three points, or points that enclose no area.
    """
    kind = shape.get("name")
    if not isinstance(kind, str) or kind not in OUTLINES:
        raise ValueError(f"shape {kind!r} has no area to learn; known are {', '.join(OUTLINES)}")
    try:
        points = OUTLINES[kind](shape)
    except KeyError as error:
        raise ValueError(f"{kind} without {error.args[0]!r}; it has {sorted(shape)}") from None
    except (TypeError, OverflowError):
        raise ValueError(f"{kind} with something that is no number: {shortened(shape)}") from None
    if not all(math.isfinite(value) for point in points for value in point):
        raise ValueError(f"{kind} with a coordinate that is not finite: {shortened(shape)}")
    if len(points) < 3:
        raise ValueError(f"{kind} of {len(points)} points; an outline needs at least 3")
    if signed_area(np.array(points, float)) == 0:
        raise ValueError(f"{kind} whose points enclose no area: {points}")
    return points


def _polygon(shape: Mapping[str, Any]) -> Points:
    xs, ys = shape["all_points_x"], shape["all_points_y"]
    if len(xs) != len(ys):
        raise ValueError(f"polygon with {len(xs)} x but {len(ys)} y")
    return [(_number(x), _number(y)) for x, y in zip(xs, ys, strict=True)]


def _rect(shape: Mapping[str, Any]) -> Points:
    x, y, width, height = (_number(shape[key]) for key in ("x", "y", "width", "height"))
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _circle(shape: Mapping[str, Any]) -> Points:
    return _ellipse({**shape, "rx": shape["r"], "ry": shape["r"]})


def _ellipse(shape: Mapping[str, Any]) -> Points:
    x, y, rx, ry = (_number(shape[key]) for key in ("cx", "cy", "rx", "ry"))
    return ellipse_outline(x, y, rx, ry, _number(shape.get("theta", 0)))


def ellipse_outline(x: float, y: float, rx: float, ry: float, theta: float = 0) -> Points:
    """Return 32 points on an ellipse around (x, y), turned by ``theta`` radians."""
    cos, sin = math.cos(theta), math.sin(theta)
    points = []
    for corner in range(CORNERS_OF_ROUND):
        turn = 2 * math.pi * corner / CORNERS_OF_ROUND
        along, across = rx * math.cos(turn), ry * math.sin(turn)
        points.append((x + along * cos - across * sin, y + along * sin + across * cos))
    return points


def _number(value: Any) -> float:
    """Return a json number as it is; text and booleans raise TypeError."""
    if not is_number(value):
        raise TypeError(f"{value!r} is no number")
    float(value)  # OverflowError where none is large enough
    return value


OUTLINES: dict[Any, Callable[[Mapping[str, Any]], Points]] = {
    "polygon": _polygon,
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
}
