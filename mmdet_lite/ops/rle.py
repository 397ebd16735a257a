"""COCO run lengths from and to crops, so that a mask costs its object and never its image.

An RLE is COCO's dict ``{'size': [height, width], 'counts': bytes}``: the lengths of alternating
background and foreground runs of the frame, read column by column, background first.
Letters: H W of the frame, h w of a crop.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

RLE = dict[str, Any]
Polygon = Sequence[float] | NDArray[Any]
Segmentation = Sequence[Polygon] | RLE

MIN_POLYGON_NUMBERS = 6
_MOST_GROUPS = 10  # of 5 bits, in a number of 63
FAR_OUTSIDE = 2.0**22  # pixels; drawing the edge to such a point takes longer than any picture


def encode_crop(crop: NDArray[Any], x0: int, y0: int, frame_hw: tuple[int, int]) -> RLE:
    """Encode a mask that is zero outside of one crop, without making its frame.

    Args:
        crop: (h, w), bool or 0/1; h = 0 or w = 0 encodes an empty mask.
        x0: column of the frame at which the crop begins.
        y0: row of the frame at which the crop begins.
        frame_hw: height and width of the frame, which must contain the crop.

    Returns:
        The RLE of the whole frame, byte for byte that of ``pycocotools.mask.encode``.

    Raises:
        ValueError: the crop leaves the frame.

    >>> encode_crop(np.ones((2, 2), bool), 1, 1, (4, 4))
    {'size': [4, 4], 'counts': b'52203'}
    """
    height, width = frame_hw
    h, w = crop.shape
    if x0 < 0 or y0 < 0 or x0 + w > width or y0 + h > height:
        raise ValueError(
            f"a crop of {h} x {w} at (x0={x0}, y0={y0}) leaves its frame of {height} x {width}"
        )
    # A zero row below keeps apart the runs of neighbouring columns. Where the crop is as high as
    # its frame they do touch, as in the frame itself.
    rows = h if h == height else h + 1
    padded = np.zeros((w, rows), np.uint8)
    padded[:, :h] = crop.T  # column by column, as COCO counts
    flat = np.concatenate(([0], padded.ravel(), [0])).astype(bool)
    edges = np.flatnonzero(flat[1:] != flat[:-1])  # start, stop, start, stop ...
    edges[1::2] -= 1  # the last pixel of a run stays inside the crop, its end may not
    columns, inner = np.divmod(edges, rows) if rows else (edges, edges)
    edges = (columns + x0) * height + inner + y0
    edges[1::2] += 1
    area = height * width
    counts = np.diff(edges, prepend=0, append=area)
    if len(edges) and edges[-1] == area:
        counts = counts[:-1]
    return _compress(counts, height, width)


def decode_crop(rle: RLE) -> tuple[NDArray[np.uint8], int, int]:
    """Decode an RLE, compressed or not, into the tight crop of its object.

    Returns:
        ``(crop, x0, y0)``: crop (h, w) uint8 in 0/1 and its position; (0, 0) at 0, 0 if empty.

    Raises:
        ValueError: the runs do not fill the frame exactly, or cannot be read.
    """
    height, width = (int(side) for side in rle["size"])
    runs = run_lengths(rle)
    ends = np.cumsum(runs)
    if len(runs) and runs.min() < 0:
        raise ValueError(f"an RLE counts pixels; one of its counts is {runs.min()}")
    if (ends[-1] if len(ends) else 0) != height * width:
        total = ends[-1] if len(ends) else 0
        raise ValueError(
            f"an RLE of size {height} x {width} must count {height * width} pixels, it counts "
            f"{total}; its size or its counts are wrong"
        )
    starts, stops = ends[0:-1:2], ends[1::2]
    starts, lasts = starts[stops > starts], stops[stops > starts] - 1
    if not len(starts):
        return np.zeros((0, 0), np.uint8), 0, 0
    start_cols, start_rows = np.divmod(starts, height)
    last_cols, last_rows = np.divmod(lasts, height)
    x0, x1 = int(start_cols[0]), int(last_cols[-1]) + 1
    if (start_cols != last_cols).any():  # such a run touches bottom and top of the frame
        y0, y1 = 0, height
    else:
        y0, y1 = int(start_rows.min()), int(last_rows.max()) + 1
    h, w = y1 - y0, x1 - x0
    edges = np.empty(2 * len(starts), np.int64)
    edges[0::2] = (start_cols - x0) * h + start_rows - y0
    edges[1::2] = (last_cols - x0) * h + last_rows - y0 + 1
    counts = np.diff(edges, prepend=0, append=h * w)
    values = np.arange(len(counts), dtype=np.uint8) & 1
    return np.ascontiguousarray(np.repeat(values, counts).reshape(w, h).T), x0, y0


def run_lengths(rle: RLE) -> NDArray[np.int64]:
    """Return the lengths of the runs of an RLE, (R,), background first.

    The compressed form writes each number in groups of 5 bits, lowest first, as characters from
    ``'0'``; bit 5 says that more follow. From the fourth number on it is the difference to the
    number two before.
    Source: rleToString and rleFrString of pycocotools.

    Raises:
        ValueError: a text is not in the compressed form.

    >>> run_lengths({'size': [4, 4], 'counts': b'52203'})
    array([5, 2, 2, 2, 5])
    """
    counts = rle["counts"]
    if not isinstance(counts, str | bytes):
        return np.asarray(counts, np.int64)
    raw = counts.encode() if isinstance(counts, str) else counts
    codes = np.frombuffer(raw, np.uint8).astype(np.int64) - ord("0")
    if not len(codes):
        return np.zeros(0, np.int64)
    lasts = np.flatnonzero((codes & 0x20) == 0)
    if (codes & ~0x3F).any() or codes[-1] & 0x20:
        raise ValueError(f"the counts of an RLE are no text as COCO writes it: {raw[:40]!r}")
    firsts = np.concatenate(([0], lasts[:-1] + 1))
    group = np.arange(len(codes)) - np.repeat(firsts, lasts - firsts + 1)
    if group.max() > _MOST_GROUPS:
        raise ValueError(f"the counts of an RLE hold a number that is too large: {raw[:40]!r}")
    numbers = np.add.reduceat((codes & 0x1F) << (5 * group), firsts)
    negative = (codes[lasts] & 0x10) != 0
    numbers -= negative * (np.int64(1) << (5 * (lasts - firsts + 1)))
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def segmentation_to_rle(segmentation: Segmentation, height: int, width: int) -> RLE:
    """Convert what an annotation holds into a compressed RLE of its image.

    Args:
        segmentation: a list of polygons (x1, y1, x2, y2, ...) whose union is the object, or an
            RLE, compressed or with a list of counts. An empty list is an empty mask.
        height: of the image, pixels.
        width: of the image, pixels.

    Raises:
        ValueError: a polygon has fewer than 3 points, an odd number of numbers or one that is not
            finite; an RLE has another size than the image.
    """
    if isinstance(segmentation, dict):
        if [int(side) for side in segmentation["size"]] != [height, width]:
            raise ValueError(
                f"the RLE has size {list(segmentation['size'])} (height, width), its image "
                f"{[height, width]}"
            )
        if isinstance(segmentation["counts"], str | bytes):
            return segmentation
        return _compress(run_lengths(segmentation), height, width)
    polygons = [np.asarray(polygon, np.float64).ravel() for polygon in segmentation]
    for polygon in polygons:
        if not is_valid_polygon(polygon):
            raise ValueError(
                "a polygon needs at least 3 points, as finite numbers x1, y1, x2, y2, ...; got "
                f"{polygon[:8].tolist()}{' ...' if len(polygon) > 8 else ''} ({len(polygon)})"
            )
    if not polygons:
        return _compress(np.array([height * width]), height, width)
    return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))


def is_valid_polygon(polygon: Polygon) -> bool:
    """Whether it has at least three points, whole ones, all finite and none ``FAR_OUTSIDE``."""
    whole = len(polygon) >= MIN_POLYGON_NUMBERS and len(polygon) % 2 == 0
    return whole and math.hypot(*polygon) < FAR_OUTSIDE  # is not less either where one is NaN


def _compress(counts: NDArray[np.int64], height: int, width: int) -> RLE:
    """Write run lengths as COCO's string."""
    uncompressed = {"size": [height, width], "counts": counts.tolist()}
    return coco_mask.frPyObjects(uncompressed, height, width)
