"""A picture as evidence: the boxes in question drawn, cut out where they are small."""

import base64
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdet_lite.ops.boxes import Box
from mmdet_lite.ops.image_file import read_rgb
from mmdet_lite.visualization.labels import Picture

Window = tuple[int, int, int, int]

RED, RIM = (229, 30, 40), (255, 255, 255)
SMALL_SHARE = 0.08  # of the longer side: boxes below are shown in a cut-out
CUT_OUT_FACTOR, SMALLEST_CUT_OUT = 5, 96
MOST_BEYOND = 0.5  # of the image's sides: how far boxes outside are followed
LEAST_SIDE = 12  # pixels at which a box is drawn at least, so that it is seen
JPEG_QUALITY = 82


def draw_evidence(image: Picture, boxes: Sequence[Box], width: int, height: int) -> Picture:
    """Draw boxes on a picture that fits into ``width`` x ``height``.

    Boxes that are small in the picture are shown in a cut-out around them; those that leave the
    picture are followed beyond its edge, up to half of its size, over stripes. Far boxes are drawn
    at the end of what is shown.

    Args:
        image: (H, W, 3) RGB; unchanged.
        boxes: xyxy in pixels of the picture, finite, may lie anywhere; none shows the picture.
        width: of the result at most.
        height: of the result at most.
    """
    window = shown_window(image.shape[0], image.shape[1], boxes)
    view = _cut(image, window)
    scale = min(width / view.shape[1], height / view.shape[0])
    size = max(1, round(view.shape[1] * scale)), max(1, round(view.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    drawn = np.ascontiguousarray(cv2.resize(view, size, interpolation=how))
    for box in boxes:
        corners = (np.array(box, float).reshape(2, 2) - window[:2]) * scale
        _draw_box(drawn, np.sort(corners, axis=0).ravel())
    return drawn


def shown_window(height: int, width: int, boxes: Sequence[Box]) -> Window:
    """Return x1 y1 x2 y2, whole pixels, of what is shown of a picture; may reach beyond it.

    >>> shown_window(480, 640, [])
    (0, 0, 640, 480)
    >>> shown_window(480, 640, [(600, 100, 700, 200)])
    (0, 0, 706, 480)
    >>> shown_window(480, 640, [(300, 200, 310, 204)])
    (257, 154, 353, 250)
    """
    if not len(boxes):
        return 0, 0, width, height
    sides = np.sort(np.array(boxes, float).reshape(-1, 2, 2), axis=1)
    limit = np.array([width, height], float)
    low = sides[:, 0].min(axis=0).clip(-MOST_BEYOND * limit, (1 + MOST_BEYOND) * limit)
    high = sides[:, 1].max(axis=0).clip(-MOST_BEYOND * limit, (1 + MOST_BEYOND) * limit)
    inside = bool((low >= 0).all() and (high <= limit).all())
    side = float((high - low).max())
    if inside and side < SMALL_SHARE * limit.max():
        half = min(max(CUT_OUT_FACTOR * side, SMALLEST_CUT_OUT), *limit) / 2
        start = ((low + high) / 2 - half).clip(0, limit - 2 * half)
        x1, y1 = start.round().astype(int)
        return int(x1), int(y1), int(x1 + 2 * half), int(y1 + 2 * half)
    margin = 0.0 if inside else 0.01 * limit.max()
    low = np.where(low < 0, low - margin, 0).round().astype(int)
    high = np.where(high > limit, high + margin, limit).round().astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def evidence_uri(path: str, boxes: Sequence[Box], width: int, height: int) -> str:
    """Return the drawn picture of a file as ``data:image/jpeg`` for the src of an image.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: it cannot be read.
    """
    drawn = draw_evidence(read_rgb(path), boxes, width, height)
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    content = cv2.imencode(".jpg", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR), quality)[1]
    return "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode()


def _cut(image: Picture, window: Window) -> Picture:
    """Return the window of a picture, stripes where it reaches beyond."""
    x1, y1, x2, y2 = window
    height, width = image.shape[:2]
    rows, columns = np.ogrid[y1:y2, x1:x2]
    period = max(4, round(max(height, width) / 40))
    stripes = (rows + columns) % period < period // 2
    view = np.where(stripes[..., None], np.uint8(205), np.uint8(230)).repeat(3, axis=2)
    top, left = max(y1, 0), max(x1, 0)
    bottom, right = min(y2, height), min(x2, width)
    if top < bottom and left < right:
        view[top - y1 : bottom - y1, left - x1 : right - x1] = image[top:bottom, left:right]
    return view


def _draw_box(image: Picture, box: NDArray[np.float64]) -> None:
    """Draw one box in the pixels of the picture, at least ``LEAST_SIDE`` wide and high."""
    height, width = image.shape[:2]
    for low, high, limit in ((0, 2, width), (1, 3, height)):
        lack = LEAST_SIDE - (box[high] - box[low])
        if lack > 0:
            box[low] -= lack / 2
            box[high] += lack / 2
        last = max(limit - 3, 2)  # what lies further out is drawn at the edge of the view
        box[low] = min(max(box[low], 2), max(last - LEAST_SIDE, 2))
        box[high] = max(min(box[high], last), min(2 + LEAST_SIDE, last))
    start, end = (int(box[0]), int(box[1])), (int(box[2]), int(box[3]))
    cv2.rectangle(image, start, end, RIM, 4, cv2.LINE_AA)
    cv2.rectangle(image, start, end, RED, 2, cv2.LINE_AA)
