"""The polygons of many annotations as flat arrays, and what their geometry says.

P polygons, N points of all of them.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.ops.rle import FAR_OUTSIDE, MIN_POLYGON_NUMBERS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Polygons:
    """Polygons with at least three points, all finite and none ``FAR_OUTSIDE``.

    ``owners`` (P,) are what each belongs to, ascending. ``starts`` (P,) and ``lengths`` (P,) place
    each in ``points`` (N, 2).
    """

    owners: Ints
    starts: Ints
    lengths: Ints
    points: Floats

    @cached_property
    def bounds(self) -> Floats:
        """(P, 4) the box around each, xyxy."""
        if not len(self.owners):
            return np.zeros((0, 4))
        low = np.minimum.reduceat(self.points, self.starts)
        return np.hstack([low, np.maximum.reduceat(self.points, self.starts)])

    @cached_property
    def areas(self) -> Floats:
        """(P,) area that each encloses, by its corners."""
        if not len(self.owners):
            return np.zeros(0)
        after = np.arange(1, len(self.points) + 1)
        after[self.starts + self.lengths - 1] = self.starts
        x, y = self.points.T
        doubled = np.add.reduceat(x * y[after] - x[after] * y, self.starts)
        return np.abs(doubled) / 2

    @cached_property
    def closed(self) -> Mask:
        """(P,) whether the first point is written again at the end."""
        last = self.points[self.starts + self.lengths - 1]
        return (self.points[self.starts] == last).all(axis=1)

    @cached_property
    def crossing(self) -> Mask:
        """(P,) whether two sides of a polygon cross. Sides that touch do not."""
        result = np.zeros(len(self.owners), bool)
        for length in np.unique(self.lengths):
            which = np.flatnonzero(self.lengths == length)
            places = self.starts[which, None] + np.arange(length)
            result[which] = _crossing(self.points[places])
        return result


def read_polygons(
    owners: Sequence[int], polygons: Sequence[Any]
) -> tuple[Polygons, dict[str, Ints]]:
    """Usable polygons, and the owners of those that are not, by the code of what is wrong.

    Args:
        owners: of each polygon, ascending.
        polygons: what an annotation's segmentation lists; should be lists of numbers.
    """
    wrong: dict[str, Ints] = {}
    owner = np.array(owners, np.int64)

    def set_aside(code: str, bad: Mask) -> None:
        nonlocal owner, polygons
        if bad.any():
            wrong[code] = np.sort(np.concatenate([wrong.get(code, owner[:0]), owner[bad]]))
            polygons = [p for p, is_bad in zip(polygons, bad, strict=True) if not is_bad]
            owner = owner[~bad]

    set_aside("polygon-malformed", np.array([not isinstance(p, list) for p in polygons], bool))
    numbers = _flat(polygons)
    if numbers is None:
        set_aside("polygon-malformed", np.array([_flat([p]) is None for p in polygons], bool))
        numbers = _flat(polygons)
    assert numbers is not None
    lengths = np.array([len(p) for p in polygons], np.int64)
    short, odd = lengths < MIN_POLYGON_NUMBERS, lengths % 2 == 1
    finite = np.ones(len(lengths), bool)
    if not np.isfinite(numbers).all():
        infinite = np.concatenate([[0], np.cumsum(~np.isfinite(numbers))])
        ends = np.cumsum(lengths)
        finite = infinite[ends] == infinite[ends - lengths]
    for code, bad in (
        ("polygon-short", short),
        ("polygon-odd", odd & ~short),
        ("polygon-not-finite", ~finite & ~odd & ~short),
    ):
        if bad.any():
            wrong[code] = owner[bad]
    good = ~short & ~odd & finite
    points = numbers[np.repeat(good, lengths)].reshape(-1, 2)
    counts = lengths[good] // 2
    owner = owner[good]
    far = _far(points, counts)
    if far.any():
        wrong["polygon-far"] = owner[far]
        points, owner, counts = points[~np.repeat(far, counts)], owner[~far], counts[~far]
    return Polygons(owner, np.cumsum(counts) - counts, counts, points), wrong


def _far(points: Floats, counts: Ints) -> Mask:
    """(P,) whether ``is_valid_polygon`` finds a polygon of ``counts`` points too far away."""
    if not len(counts):
        return np.zeros(0, bool)
    with np.errstate(over="ignore"):
        squares = np.add.reduceat((points**2).sum(axis=1), np.cumsum(counts) - counts)
    far: Mask = np.sqrt(squares) >= FAR_OUTSIDE
    return far


def _flat(polygons: Sequence[Sequence[Any]]) -> Floats | None:
    """All numbers in a row; None if something is no number."""
    try:
        return np.frombuffer(array("d", chain.from_iterable(polygons)), np.float64)
    except (TypeError, OverflowError):
        return None


def _crossing(points: Floats) -> Mask:
    """(P,) whether sides cross, of polygons (P, n, 2) with equally many points.

    Each side is compared with the one ``step`` after it, for all polygons at once; the cross
    products are taken only where the boxes around two sides meet.
    """
    num, n, _ = points.shape
    ends = np.roll(points, -1, axis=1)
    low, high = np.minimum(points, ends), np.maximum(points, ends)
    low = np.concatenate([low, low], axis=1).transpose(2, 0, 1).copy()
    high = np.concatenate([high, high], axis=1).transpose(2, 0, 1).copy()
    result = np.zeros(num, bool)
    for step in range(2, n // 2 + 1):
        meet = low[0, :, step : step + n] <= high[0, :, :n]
        meet &= low[0, :, :n] <= high[0, :, step : step + n]
        meet &= low[1, :, step : step + n] <= high[1, :, :n]
        meet &= low[1, :, :n] <= high[1, :, step : step + n]
        polygon, side = np.nonzero(meet)
        if not len(polygon):
            continue
        other = (side + step) % n
        a, b = points[polygon, side], ends[polygon, side]
        c, d = points[polygon, other], ends[polygon, other]
        cross = (_turn(a, b, c) * _turn(a, b, d) < 0) & (_turn(c, d, a) * _turn(c, d, b) < 0)
        result[polygon[cross]] = True
    return result


def _turn(a: Floats, b: Floats, c: Floats) -> Floats:
    """Sign of the turn from a to b to c, 0 where they are on a line."""
    ab, ac = b - a, c - a
    product = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    product[np.abs(product) < 1e-6] = 0  # roundings of two decimals
    sign: Floats = np.sign(product)
    return sign
