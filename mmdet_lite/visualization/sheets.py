"""Many small pictures on one sheet."""

from collections.abc import Sequence

import numpy as np

from mmdet_lite.visualization.drawing import titled
from mmdet_lite.visualization.labels import Picture

CELL_WIDTH, CELL_HEIGHT = 380, 285
MARGIN = 8
FONT_SIZE = 12
PAPER = (250, 250, 248)


def arrange(cells: Sequence[Picture], title: str, columns: int | None = None) -> Picture:
    """Return the cells in rows on paper below the title; see ``grid``."""
    return titled(grid(cells, columns), title, FONT_SIZE + 3)


def grid(cells: Sequence[Picture], columns: int | None = None) -> Picture:
    """Return the cells in rows on paper.

    Args:
        cells: at least one.
        columns: cells in a row; None makes the sheet about as wide as high, for cells that are
            pairs of pictures.
    """
    columns = columns or round((len(cells) / 2) ** 0.5 * 1.2)
    columns = max(1, min(len(cells), columns))
    width = max(cell.shape[1] for cell in cells)
    rows = []
    for start in range(0, len(cells), columns):
        row = list(cells[start : start + columns])
        height = max(cell.shape[0] for cell in row)
        sheet = np.full((height + MARGIN, columns * (width + MARGIN) + MARGIN, 3), PAPER, np.uint8)
        for n, cell in enumerate(row):
            left = MARGIN + n * (width + MARGIN) + (width - cell.shape[1]) // 2
            sheet[: cell.shape[0], left : left + cell.shape[1]] = cell
        rows.append(sheet)
    rows.insert(0, np.full((MARGIN, rows[0].shape[1], 3), PAPER, np.uint8))
    return np.concatenate(rows)


def on_paper(picture: Picture, width: int) -> Picture:
    """Return a picture in the middle of paper that is at least ``width`` wide."""
    left = max(width - picture.shape[1], 0) // 2
    right = max(width - picture.shape[1], 0) - left
    edges = [np.full((picture.shape[0], side, 3), PAPER, np.uint8) for side in (left, right)]
    return np.concatenate([edges[0], picture, edges[1]], axis=1)


def same_height(pictures: Sequence[Picture]) -> list[Picture]:
    """Return the pictures with paper below those that are lower than the highest."""
    height = max(picture.shape[0] for picture in pictures)
    padded = []
    for picture in pictures:
        below = np.full((height - picture.shape[0], picture.shape[1], 3), PAPER, np.uint8)
        padded.append(np.concatenate([picture, below]))
    return padded


def evenly(length: int, count: int) -> list[int]:
    """Return up to ``count`` indices, evenly from the first to the last of ``length``.

    >>> evenly(11, 3), evenly(2, 9), evenly(0, 3)
    ([0, 5, 10], [0, 1], [])
    """
    count = min(count, length)
    return [round(n * (length - 1) / max(count - 1, 1)) for n in range(count)]
