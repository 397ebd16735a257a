"""Outlines of masks: polygons along the edges of pixels, and several joined into one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.ops.rle import RLE, Segmentation, decode_crop, segmentation_to_rle

Loop = NDArray[np.float64]
MOST_PAIRS = 4_000_000
PARTS = "objects of several parts or with holes have these joined into one outline"
TRACED = "masks become outlines along their pixels"


def one_outline(segmentation: Segmentation, height: int, width: int) -> tuple[list[float], str]:
    """Return a segmentation as one polygon x1 y1 x2 y2 ..., and what became of it.

    Several polygons are joined by bridges of no width. Where that would not paint the same pixels
    (polygons that overlap), and of an RLE, the edges of the mask's pixels are followed.

    Args:
        segmentation: polygons, or an RLE of ``height`` x ``width``.
        height: of the image, pixels.
        width: of the image, pixels.

    Returns:
        The polygon, [] for an empty mask; and '', ``PARTS`` or ``TRACED``.

    Raises:
        ValueError: as ``rle.segmentation_to_rle``.
    """
    if not isinstance(segmentation, dict) and len(segmentation) == 1:
        return [float(value) for value in segmentation[0]], ""
    rle = segmentation_to_rle(segmentation, height, width)
    if not isinstance(segmentation, dict):
        loops = [_clockwise(np.asarray(p, np.float64).reshape(-1, 2)) for p in segmentation]
        joined = join_loops(loops)
        if segmentation_to_rle([joined], height, width)["counts"] == rle["counts"]:
            return joined, PARTS
    loops = mask_loops(rle)
    return join_loops(loops), TRACED if isinstance(segmentation, dict) else PARTS


def signed_area(loop: Loop) -> float:
    """Return the area inside a polygon (P, 2); negative if it runs the other way, 0 of no points.

    Clockwise, as seen with y down, is positive.

    >>> signed_area(np.array([[0, 0], [4, 0], [4, 3]]))
    6.0
    """
    xs, ys = loop[:, 0], loop[:, 1]
    return float((xs * np.roll(ys, -1) - ys * np.roll(xs, -1)).sum() / 2)


def mask_loops(rle: RLE) -> list[Loop]:
    """Return the outlines of a mask along the edges of its pixels.

    Returns:
        Loops (P, 2) of corners x y, the last not the first again. Those around pixels run
        clockwise (as seen, y down), those around holes the other way. An empty mask gives [].

    >>> mask_loops({"size": [3, 3], "counts": [4, 1, 4]})[0].tolist()
    [[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]]
    """
    crop, x0, y0 = decode_crop(rle)
    if not crop.size:
        return []
    following = _edges(np.pad(crop.astype(bool), 1))
    loops = []
    while following:
        loop = np.array(_walk(following), np.float64)
        loops.append(loop + np.array([x0 - 1, y0 - 1]))
    return loops


def _edges(mask: NDArray[Any]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Where the edges go from each corner; pixels lie to the right of an edge. Padded mask."""
    down = mask[1:] & ~mask[:-1]  # a pixel below background: its upper edge, to the right
    up = ~mask[1:] & mask[:-1]
    right = mask[:, 1:] & ~mask[:, :-1]  # a pixel right of background: its left edge, upwards
    left = ~mask[:, 1:] & mask[:, :-1]
    following: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for flags, offset, start, step in (
        (down, (1, 0), (0, 0), (1, 0)),
        (up, (1, 0), (1, 0), (-1, 0)),
        (right, (0, 1), (0, 1), (0, -1)),
        (left, (0, 1), (0, 0), (0, 1)),
    ):
        rows, cols = np.nonzero(flags)
        xs, ys = cols + offset[1] + start[0], rows + offset[0] + start[1]
        for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
            following.setdefault((x, y), []).append((x + step[0], y + step[1]))
    return following


def _walk(following: dict[tuple[int, int], list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Follow edges from any corner until it is met again, taking them away; the corners turned."""
    start = next(iter(following))
    at, before = start, (0, 0)
    corners: list[tuple[int, int]] = []
    while True:
        ends = following[at]
        # where two pixels touch at a corner, turning right keeps them apart
        turns = [before[0] * (e[1] - at[1]) - before[1] * (e[0] - at[0]) for e in ends]
        end = ends.pop(turns.index(max(turns)))
        if not ends:
            del following[at]
        step = (end[0] - at[0], end[1] - at[1])
        if step != before:
            corners.append(at)
        at, before = end, step
        if at == start:
            break
    first = (corners[1][0] - corners[0][0], corners[1][1] - corners[0][1])
    if first[0] * before[1] == first[1] * before[0]:  # the start is no corner
        corners.pop(0)
    return corners


def join_loops(loops: Sequence[Loop]) -> list[float]:
    """Join loops (P, 2) into one polygon x1 y1 x2 y2 ... by bridges of no width; [] for none.

    Each next loop is entered and left at the corner nearest to what is joined already.
    """
    if not loops:
        return []
    joined = np.asarray(loops[0], np.float64)
    for loop in loops[1:]:
        every = 1 + len(joined) * len(loop) // MOST_PAIRS  # of very long ones not all are compared
        distances = ((joined[::every, None] - loop[None]) ** 2).sum(-1)
        here, there = np.unravel_index(int(distances.argmin()), distances.shape)
        here *= every
        detour = np.concatenate([np.roll(loop, -int(there), axis=0), loop[there : there + 1]])
        joined = np.concatenate([joined[: here + 1], detour, joined[here:]])
    return [float(value) for value in joined.ravel()]


def _clockwise(loop: Loop) -> Loop:
    """The loop such that its signed area is positive."""
    return loop if signed_area(loop) >= 0 else loop[::-1]
