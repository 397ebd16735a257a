"""Boxes, masks and names drawn on pictures; functions from pictures to new pictures.

Letters: H W of the picture, D instances. Pictures are RGB (H, W, 3) uint8, boxes xyxy in pixels.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdet_lite.ops.rle import decode_crop
from mmdet_lite.structures.masks import BitmapMasks, InstanceMasks
from mmdet_lite.visualization.colors import Color, instance_colors
from mmdet_lite.visualization.labels import (
    MIN_FONT_SIZE,
    Label,
    Picture,
    draw_labels,
    scaled_font_size,
    text_tile,
)

Masks = Sequence[dict[str, Any]] | InstanceMasks | NDArray[Any]

SUBPIXEL_BITS = 3
STRIP_COLOR: Color = (38, 42, 48)
OUTLINE_COLOR: Color = (16, 16, 16)


def draw_instances(
    image: Picture,
    boxes: Any,
    labels: Any,
    scores: Any = None,
    masks: Masks | None = None,
    class_names: Sequence[str] | None = None,
    palette: Sequence[Color] | None = None,
    *,
    colors: Sequence[Color] | None = None,
    mask_colors: Sequence[Color] | None = None,
    text_color: Color | None = None,
    line_width: float | None = None,
    font_size: int | None = None,
    alpha: float = 0.4,
) -> Picture:
    """Return the picture with masks, contours, boxes and "name 0.93" labels.

    Lines and letters scale with the picture; only the pixels of the objects are touched, so a
    large photograph costs no more than its objects.

    Args:
        image: (H, W, 3) RGB; unchanged, as are all arguments.
        boxes: (D, 4) tensor or array, D may be 0.
        labels: (D,) classes.
        scores: (D,); None names only the class.
        masks: D RLE dicts, BitmapMasks, PolygonMasks or a (D, H, W) array.
        class_names: a name a class; None writes "class 3".
        palette: a colour a class, varied from instance to instance; None generates one.
        colors: D colours, taken as they are instead of the palette's.
        mask_colors: D colours of the masks; None takes those of the boxes.
        text_color: of the names; None takes black or white, what the tile needs.
        line_width: of boxes in pixels; None scales with the picture.
        font_size: in pixels; None scales with the picture.
        alpha: opacity of the masks, 0..1.

    Raises:
        ValueError: if sizes disagree: labels, scores, masks with boxes, or masks with the picture.
    """
    _check_picture(image)
    boxes, labels = _array(boxes).reshape(-1, 4).astype(float), _array(labels).astype(int)
    scores = None if scores is None else _array(scores)
    rles = None if masks is None else _as_rles(masks, image.shape[0], image.shape[1])
    _check_lengths(len(boxes), labels=labels, scores=scores, masks=rles)
    height, width = image.shape[:2]
    num_classes = len(class_names) if class_names else None
    colors = colors or instance_colors(labels.tolist(), palette, num_classes)
    line = line_width or max(1.0, (height * width) ** 0.5 / 280)
    drawn = image.copy()
    large_first = np.argsort(-_areas(boxes), kind="stable")
    if rles is not None:
        for i in large_first:
            _draw_mask(drawn, rles[i], (mask_colors or colors)[i], alpha, line)
        line = max(1.0, line * 0.6)  # the contour shows the object, its box may be thinner
    for i in large_first:
        _draw_box(drawn, boxes[i], colors[i], line)
    tiles = [
        Label(
            _caption(int(labels[i]), None if scores is None else float(scores[i]), class_names),
            tuple(boxes[i].tolist()),
            colors[i],
            font_size or _fitting_size(boxes[i], height, width),
        )
        for i in (large_first if scores is None else np.argsort(-scores, kind="stable"))
    ]
    return draw_labels(drawn, tiles, text_color)


def side_by_side(
    pictures: Sequence[Picture], titles: Sequence[str], font_size: int | None = None
) -> Picture:
    """Return pictures of one height in a row, each below a strip with its title.

    ``font_size`` is in pixels; None scales with the pictures.

    Raises:
        ValueError: if there are none, or heights or numbers differ.
    """
    if not pictures or len(pictures) != len(titles):
        raise ValueError(f"got {len(pictures)} pictures for {len(titles)} titles")
    if len({picture.shape[0] for picture in pictures}) > 1:
        raise ValueError(f"heights differ: {[picture.shape[0] for picture in pictures]}")
    gap = max(2, pictures[0].shape[0] // 150)
    size = font_size or max(scaled_font_size(*picture.shape[:2]) for picture in pictures)
    parts: list[Picture] = []
    for picture, title in zip(pictures, titles, strict=True):
        if parts:
            parts.append(np.full((parts[0].shape[0], gap, 3), STRIP_COLOR, np.uint8))
        parts.append(titled(picture, title, size))
    return np.concatenate(parts, axis=1)


def titled(picture: Picture, title: str, font_size: int | None = None) -> Picture:
    """Return the picture below a dark strip that holds the title, cut to the picture's width."""
    height, width = picture.shape[:2]
    size = font_size or scaled_font_size(height, width)
    tile = text_tile(title, size, STRIP_COLOR)[:, :width]
    margin = max(1, size // 5)
    strip = np.full((tile.shape[0] + 2 * margin, width, 3), STRIP_COLOR, np.uint8)
    left = min(margin, width - tile.shape[1])
    strip[margin : margin + tile.shape[0], left : left + tile.shape[1]] = tile
    return np.concatenate([strip, picture])


def write_image(path: str | Path, image: Picture) -> None:
    """Write a picture in the format of the file's ending (png, jpg, pdf, ...); makes folders.

    Raises:
        ValueError: if no such format is known.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    known = Image.registered_extensions()
    if target.suffix.lower() not in known:
        raise ValueError(f"{target}: pictures are written as .png, .jpg or .pdf")
    if target.suffix.lower() in (".png", ".jpg", ".jpeg"):
        cv2.imwrite(str(target), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))  # faster than Pillow
    else:
        Image.fromarray(image).save(target)


def _draw_mask(
    image: Picture, rle: dict[str, Any], color: Color, alpha: float, line: float
) -> None:
    """Blend one mask into the picture and draw its contour, through its own box only."""
    crop, x0, y0 = decode_crop(rle)
    if not crop.size:
        return
    height, width = crop.shape
    region = image[y0 : y0 + height, x0 : x0 + width]
    levels = np.arange(256)[:, None] * (1 - alpha) + np.multiply(color, alpha)
    blended = cv2.LUT(region, levels.round().astype(np.uint8)[:, None])  # a table a channel
    np.copyto(region, blended, where=crop.astype(bool)[..., None])
    contours, _ = cv2.findContours(crop, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(x0, y0))
    thickness = max(1, round(line * 0.75))
    if line >= 2:  # a dark rim keeps the contour visible on a background of its own colour
        cv2.drawContours(image, contours, -1, OUTLINE_COLOR, thickness + 1, cv2.LINE_AA)
    cv2.drawContours(image, contours, -1, color, thickness, cv2.LINE_AA)


def _draw_box(image: Picture, box: NDArray[Any], color: Color, line: float) -> None:
    """Draw one box to a fraction of a pixel; the line stays inside the picture."""
    height, width = image.shape[:2]
    thickness = max(1, round(line))
    inset = thickness / 2
    x1, x2 = np.clip(box[0::2], inset, max(width - 1 - inset, inset))
    y1, y2 = np.clip(box[1::2], inset, max(height - 1 - inset, inset))
    scale = 1 << SUBPIXEL_BITS
    start, end = [(round(x * scale), round(y * scale)) for x, y in ((x1, y1), (x2, y2))]
    if thickness >= 2:
        cv2.rectangle(image, start, end, OUTLINE_COLOR, thickness + 1, cv2.LINE_AA, SUBPIXEL_BITS)
    cv2.rectangle(image, start, end, color, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def _caption(label: int, score: float | None, names: Sequence[str] | None) -> str:
    name = names[label] if names and 0 <= label < len(names) else f"class {label}"
    return name if score is None else f"{name} {score:.2f}"


def _fitting_size(box: NDArray[Any], height: int, width: int) -> int:
    """Smaller letters for small objects, down to two thirds, so that they are not buried."""
    share = (_areas(box[None])[0] / (height * width)) ** 0.5
    scale = float(np.clip(share / 0.12, 0.66, 1.0))
    return max(MIN_FONT_SIZE, round(scaled_font_size(height, width) * scale))


def _areas(boxes: NDArray[Any]) -> NDArray[Any]:
    return (boxes[:, 2] - boxes[:, 0]).clip(0) * (boxes[:, 3] - boxes[:, 1]).clip(0)


def _as_rles(masks: Masks, height: int, width: int) -> list[dict[str, Any]]:
    if isinstance(masks, np.ndarray):
        masks = BitmapMasks(masks, height, width)
    rles = list(masks) if isinstance(masks, list | tuple) else masks.to_rle()  # type: ignore
    for rle in rles:
        if tuple(rle["size"]) != (height, width):
            raise ValueError(
                f"a mask has the size {tuple(rle['size'])} (height, width), the picture "
                f"{(height, width)}"
            )
    return rles


def _array(values: Any) -> NDArray[Any]:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _check_lengths(num_boxes: int, **values_of: Any) -> None:
    for name, values in values_of.items():
        if values is not None and len(values) != num_boxes:
            raise ValueError(
                f"drawing needs as many {name} as boxes, got {len(values)} for {num_boxes}"
            )


def _check_picture(image: Picture) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"a picture to draw on is RGB, (H, W, 3) uint8; got {image.shape} {image.dtype}"
        )
