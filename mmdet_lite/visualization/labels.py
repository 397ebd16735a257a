"""Text of pictures: filled tiles that stay inside the picture and off each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mmdet_lite.visualization.colors import Color, contrasting

Picture = NDArray[np.uint8]
XYXY = tuple[int, int, int, int]

MIN_FONT_SIZE = 10
TILE_OPACITY = 0.94


@dataclass(frozen=True)
class Label:
    """A text that belongs to ``box`` (xyxy pixels); ``font_size`` in pixels."""

    text: str
    box: tuple[float, float, float, float]
    color: Color
    font_size: int


@lru_cache(maxsize=64)
def load_font(size: int, bold: bool = False) -> Any:
    """Return DejaVu Sans, which matplotlib brings along (Latin, Greek, Cyrillic), at a pixel size.

    Without its file Pillow's built-in font is taken.
    """
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    if not path.is_file():
        return ImageFont.load_default(size)
    return ImageFont.truetype(str(path), size)


def scaled_font_size(height: int, width: int) -> int:
    """Return a size in pixels that is read well at the size at which such a picture is viewed."""
    return max(MIN_FONT_SIZE, round((height * width) ** 0.5 / 38))


def text_tile(
    text: str, font_size: int, background: Color, color: Color | None = None, bold: bool = False
) -> Picture:
    """Return the text on its background, (h, w, 3), as small as the font allows.

    Args:
        text: one line; may be empty.
        font_size: in pixels.
        background: fills the tile.
        color: of the text; None is the one read best on the background.
        bold: the bold face.
    """
    font = load_font(font_size, bold)
    ascent, descent = font.getmetrics()
    pad = max(1, font_size // 6)
    size = (round(font.getlength(text)) + 2 * pad + pad, ascent + descent + pad)
    tile = Image.new("RGB", size, background)
    position = (pad + pad // 2, (size[1] - ascent - descent) // 2)
    ImageDraw.Draw(tile).text(position, text, fill=color or contrasting(background), font=font)
    return np.array(tile)


def draw_labels(
    image: Picture, labels: Sequence[Label], text_color: Color | None = None
) -> Picture:
    """Return the picture with the labels at their boxes, the first ones at their favourite place.

    Args:
        image: (H, W, 3) RGB; unchanged.
        labels: most important first; none returns a copy.
        text_color: None chooses black or white for each.
    """
    drawn = image.copy()
    taken: list[XYXY] = []
    for label in labels:
        tile = text_tile(label.text, label.font_size, label.color, text_color)
        tile = tile[: image.shape[0], : image.shape[1]]
        place = place_tile(label.box, tile.shape[:2], image.shape[:2], taken)
        taken.append(place)
        x1, y1, x2, y2 = place
        below = drawn[y1:y2, x1:x2]
        drawn[y1:y2, x1:x2] = (tile * TILE_OPACITY + below * (1 - TILE_OPACITY)).astype(np.uint8)
        if label.font_size > MIN_FONT_SIZE:
            continue
        drawn[y1:y2, x1:x2] = tile  # tiny letters need all their contrast
    return drawn


def place_tile(
    box: tuple[float, float, float, float],
    tile_hw: tuple[int, int],
    image_hw: tuple[int, int],
    taken: Sequence[XYXY],
) -> XYXY:
    """Return where a tile goes: inside the picture, at the box, and least on top of other tiles.

    Favourites in order: above the box, inside at its top, below it, inside at its bottom, each
    left then right.
    """
    (height, width), (image_height, image_width) = tile_hw, image_hw
    x1, y1, x2, y2 = (round(side) for side in box)
    best: tuple[int, XYXY] | None = None
    for top in (y1 - height, y1, y2, y2 - height):
        for left in (x1, x2 - width):
            x = min(max(left, 0), image_width - width)
            y = min(max(top, 0), image_height - height)
            place = (x, y, x + width, y + height)
            hidden = sum(_overlap(place, other) for other in taken)
            hidden += abs(top - y) * width // 2  # pushed back into the picture: only if no better
            if best is None or hidden < best[0]:
                best = (hidden, place)
    assert best is not None
    return best[1]


def _overlap(a: XYXY, b: XYXY) -> int:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)
