"""Why annotated boxes cannot be used: said once for data sets, their check and its mending."""

import math

import numpy as np
from numpy.typing import NDArray

NOT_FINITE = "box is not finite"
TOO_LARGE = "box is larger than any image"
TOO_SMALL = "smaller than a pixel"
OUTSIDE = "outside of the image"
BOX_FAULTS = (NOT_FINITE, TOO_LARGE, TOO_SMALL, OUTSIDE)

MOST_PIXELS = 2.0**24  # where float32, in which boxes are kept, no longer tells pixels apart


def box_fault(x: float, y: float, w: float, h: float, height: float, width: float) -> str | None:
    """Return why a box cannot be used in an image of ``height`` and ``width``, None if it can.

    One that is as large as a pixel and lies in its image always can.

    Raises:
        OverflowError: a whole number is larger than any float.
    """
    if w >= 1 and h >= 1 and x >= 0 and y >= 0 and x + w <= width and y + h <= height:
        return None
    ends = x + y + w + h  # the sum of the two far ends, both of which are positive in an image
    if not math.isfinite(ends):
        return NOT_FINITE
    if ends > MOST_PIXELS:
        return TOO_LARGE
    if w < 1 or h < 1:
        return TOO_SMALL
    if min(x + w, width) <= max(x, 0) or min(y + h, height) <= max(y, 0):
        return OUTSIDE
    return None


def box_faults(xywh: NDArray[np.float64], frame_wh: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return ``box_fault`` of many boxes, (N,) of text or None.

    Args:
        xywh: (N, 4) boxes as x, y, width, height, pixels.
        frame_wh: (N, 2) width and height of the image of each.

    >>> box_faults(np.array([[0, 0, 9, 9], [0, 0, 9, 0.5]]), np.array([[20, 20], [20, 20]]))
    array([None, 'smaller than a pixel'], dtype=object)
    """
    faults = np.full(len(xywh), None, object)
    with np.errstate(invalid="ignore", over="ignore"):
        inside = (xywh[:, :2] >= 0) & (xywh[:, :2] + xywh[:, 2:] <= frame_wh) & (xywh[:, 2:] >= 1)
    for i in np.flatnonzero(~inside.all(axis=1)):
        (x, y, w, h), (width, height) = xywh[i].tolist(), frame_wh[i].tolist()
        faults[i] = box_fault(x, y, w, h, height, width)
    return faults
