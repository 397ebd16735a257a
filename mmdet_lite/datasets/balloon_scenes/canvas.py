"""A supersampled canvas and the shapes, colours and textures that scenes are painted with.

Lengths are in *units*: the picture is 480 units high whatever its size in pixels, x to the right,
y down. Colours are BGR in 0..255. A texture is a function of a row of x and a column of y, in
units, that returns colours (h, w, 3).
"""

import colorsys
import math
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Colour = tuple[float, float, float]
Texture = Callable[[Array, Array], Array]
Paint = Colour | Texture
Points = Sequence[tuple[float, float]] | Array
Vector = tuple[float, float, float]

UNITS_HIGH = 480.0
SUPERSAMPLING = 2


class Canvas:
    """A picture under work, ``SUPERSAMPLING`` times as large as the result in each direction.

    ``image`` is (H, W, 3) uint8; ``unit`` is canvas pixels a unit. A layer made by
    :meth:`new_layer` has ``cover`` (H, W) uint8, 255 where something was painted.
    """

    def __init__(self, width: int, height: int, with_cover: bool = False) -> None:
        self.size_wh = (width, height)
        shape = (height * SUPERSAMPLING, width * SUPERSAMPLING)
        self.image: Array = np.zeros((*shape, 3), np.uint8)
        self.cover: Array | None = np.zeros(shape, np.uint8) if with_cover else None
        self.unit = shape[0] / UNITS_HIGH
        self.width = shape[1] / self.unit

    def new_layer(self) -> "Canvas":
        """Return an empty transparent canvas of the same size."""
        return Canvas(*self.size_wh, with_cover=True)

    def fill(self, points: Points, paint: Paint, alpha: float = 1.0) -> None:
        """Fill a polygon (N, 2), in units, with a colour or a texture; parts outside are cut."""
        pixels = np.round(np.asarray(points, np.float64) * self.unit).astype(np.int32)
        x0, y0 = np.maximum(pixels.min(axis=0), 0)
        x1, y1 = np.minimum(pixels.max(axis=0) + 1, self.image.shape[1::-1])
        if x1 <= x0 or y1 <= y0:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [pixels - (x0, y0)], 255)
        self.blend(mask, int(x0), int(y0), self._patch(paint, x0, y0, x1, y1), alpha)

    def blend(self, mask: Array, x0: int, y0: int, patch: Array, alpha: float = 1.0) -> None:
        """Lay colours (h, w, 3) uint8 over the canvas at pixel (x0, y0), mask (h, w) 0..255."""
        area = (slice(y0, y0 + mask.shape[0]), slice(x0, x0 + mask.shape[1]))
        if alpha >= 1.0:
            cv2.copyTo(patch, mask, self.image[area])
        else:
            weight = mask[..., None].astype(np.float32) * np.float32(alpha / 255)
            below = self.image[area].astype(np.float32)
            self.image[area] = (below + (patch - below) * weight + 0.5).astype(np.uint8)
        if self.cover is not None:
            self.cover[area] |= mask

    def _patch(self, paint: Paint, x0: int, y0: int, x1: int, y1: int) -> Array:
        """Colours (h, w, 3) uint8 of a pixel window; textures are computed at half the density."""
        height, width = int(y1 - y0), int(x1 - x0)
        if not callable(paint):
            return np.full((height, width, 3), np.clip(paint, 0, 255), np.uint8)
        coarse_w, coarse_h = (width + 1) // 2, (height + 1) // 2
        xs = (x0 + 2 * np.arange(coarse_w, dtype=np.float32) + 1)[None] / self.unit
        ys = (y0 + 2 * np.arange(coarse_h, dtype=np.float32) + 1)[:, None] / self.unit
        colours = np.clip(np.broadcast_to(paint(xs, ys), (coarse_h, coarse_w, 3)), 0, 255)
        return cv2.resize(colours.astype(np.uint8), (width, height))

    def stroke(self, points: Points, width: float, colour: Colour) -> None:
        """Draw an open line of round ends, ``width`` units wide."""
        pixels = [np.round(np.asarray(points, np.float64) * self.unit * 16).astype(np.int32)]
        thickness = max(1, round(width * self.unit))
        cv2.polylines(self.image, pixels, False, colour, thickness, cv2.LINE_AA, 4)
        if self.cover is not None:
            cv2.polylines(self.cover, pixels, False, 255, thickness, cv2.LINE_8, 4)

    def dab(self, x: float, y: float, rx: float, ry: float, angle: float, colour: Colour) -> None:
        """Draw one filled ellipse, ``angle`` in degrees: the cheap brush stroke of leaves."""
        centre = (round(x * self.unit * 16), round(y * self.unit * 16))
        axes = (max(1, round(rx * self.unit * 16)), max(1, round(ry * self.unit * 16)))
        cv2.ellipse(self.image, centre, axes, angle, 0, 360, colour, -1, cv2.LINE_8, 4)
        if self.cover is not None:
            cv2.ellipse(self.cover, centre, axes, angle, 0, 360, 255, -1, cv2.LINE_8, 4)

    def shade(self, points: Points, strength: float, softness: float, light: bool = False) -> None:
        """Darken (or lighten) softly inside a polygon: shadows and pools of light."""
        pixels = np.round(np.asarray(points, np.float64) * self.unit / 4).astype(np.int32)
        margin = math.ceil(softness * self.unit / 2) + 1
        height, width = (side // 4 for side in self.image.shape[:2])
        x0, y0 = np.maximum(pixels.min(axis=0) - margin, 0)
        x1, y1 = np.minimum(pixels.max(axis=0) + margin, (width, height))
        if x1 <= x0 or y1 <= y0:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.float32)
        cv2.fillPoly(mask, [pixels - (x0, y0)], strength)
        mask = cv2.GaussianBlur(mask, (0, 0), max(0.3, softness * self.unit / 6))
        mask = cv2.resize(mask, None, fx=4, fy=4)[..., None]
        area = (slice(y0 * 4, y1 * 4), slice(x0 * 4, x1 * 4))
        below = self.image[area].astype(np.float32)
        changed = below + (255 - below) * mask if light else below * (1 - mask)
        self.image[area] = (changed + 0.5).astype(np.uint8)

    def soften(self, sigma: float) -> None:
        """Put all that is painted so far out of focus, ``sigma`` in units."""
        if sigma <= 0:
            return
        small = cv2.resize(self.image, self.size_wh, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), sigma * self.unit / SUPERSAMPLING)
        self.image = cv2.resize(small, self.image.shape[1::-1])


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Array:
    """Return the 4 corners."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def ellipse(x: float, y: float, rx: float, ry: float | None = None, angle: float = 0.0) -> Array:
    """Return 48 points of an ellipse (a circle without ``ry``), ``angle`` in radians."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    px, py = rx * np.cos(turn), (rx if ry is None else ry) * np.sin(turn)
    cos, sin = math.cos(angle), math.sin(angle)
    return np.stack([x + px * cos - py * sin, y + px * sin + py * cos], axis=1)


def curve(start: tuple[float, float], bend: tuple[float, float], end: tuple[float, float]) -> Array:
    """Return 24 points of a quadratic Bezier curve."""
    t = np.linspace(0, 1, 24)[:, None]
    parts = (1 - t) ** 2 * np.array(start), 2 * t * (1 - t) * np.array(bend), t**2 * np.array(end)
    return parts[0] + parts[1] + parts[2]


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Return the BGR colour of hue, saturation and value, each in 0..1 (hue wraps)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0), 1), min(value, 1))
    return (255 * blue, 255 * green, 255 * red)


def scaled(colour: Colour, factor: float) -> Colour:
    """Return the colour, brighter or darker."""
    return (
        min(255.0, colour[0] * factor),
        min(255.0, colour[1] * factor),
        min(255.0, colour[2] * factor),
    )


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Return ``first`` moved towards ``second`` by a share in 0..1."""
    b, g, r = (a + (c - a) * share for a, c in zip(first, second, strict=True))
    return (b, g, r)


def blended(first: Colour, second: Colour, share: Array) -> Array:
    """Return colours (h, w, 3) between two colours, ``share`` (h, w) in 0..1."""
    low, high = np.array(first, np.float32), np.array(second, np.float32)
    return low + share[..., None] * (high - low)


def gradient(top: Colour, bottom: Colour, y0: float, y1: float) -> Texture:
    """Return a vertical gradient from ``y0`` to ``y1``."""
    return lambda xs, ys: blended(top, bottom, np.clip((ys - y0) / (y1 - y0), 0, 1) + 0 * xs)


def rounded(colour: Colour, x0: float, x1: float, light: Vector) -> Texture:
    """Return the shading of an upright cylinder between two x: limbs, trunks, cups, posts."""

    def texture(xs: Array, ys: Array) -> Array:
        across = np.clip(2 * (xs - x0) / (x1 - x0) - 1, -1, 1)
        lit = 0.62 + 0.45 * np.clip(across * light[0] + np.sqrt(1 - across**2) * light[2], 0, 1)
        return np.array(colour, np.float32) * (lit + 0 * ys)[..., None]

    return texture


def spherical(colour: Paint, x: float, y: float, radius: float, light: Vector) -> Texture:
    """Return the matt shading of a ball; ``colour`` may itself be a texture."""

    def texture(xs: Array, ys: Array) -> Array:
        nx, ny = (xs - x) / radius, (ys - y) / radius
        nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))
        lit = 0.38 + 0.68 * np.clip(nx * light[0] + ny * light[1] + nz * light[2], 0, 1)
        base = colour(xs, ys) if callable(colour) else np.array(colour, np.float32)
        return base * lit[..., None]

    return texture


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: int, octaves: int = 4) -> Array:
    """Return fractal noise (h, w) float32 of mean about 0.5; ``cells`` across at the coarsest."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        across = cells * 2**octave
        down = max(2, round(across * height / width))
        grid = rng.random((down + 2, across + 2), dtype=np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
    return total / np.float32(2 - 0.5 ** (octaves - 1))


def speckled(
    rng: np.random.Generator, paint: Paint, cells: int, strength: float, octaves: int = 4
) -> Texture:
    """Return the paint with uneven brightness, ``strength`` about 0.05 (plaster) to 0.6 (soil)."""

    def texture(xs: Array, ys: Array) -> Array:
        base = paint(xs, ys) if callable(paint) else np.array(paint, np.float32)
        field = noise(rng, (ys.size, xs.size), cells, octaves)
        return base * (1 + strength * (2 * field - 1))[..., None]

    return texture


def receding(
    rng: np.random.Generator, pair: tuple[Colour, Colour], horizon: float, scale: float
) -> Texture:
    """Return a flat ground seen in perspective, mottled between two colours: grass, tar, sand."""
    tile = noise(rng, (256, 256), 24, 3)
    tile = np.clip((tile - 0.5) * 2.2 + 0.5, 0, 1)

    def texture(xs: Array, ys: Array) -> Array:
        depth = scale / np.maximum(ys - horizon, 1.0)
        map_x = ((xs - 320) * depth * 1.3 + 512).astype(np.float32)
        map_y = (depth * 360 + 0 * xs).astype(np.float32)
        field = cv2.remap(tile, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        nearness = np.clip((ys - horizon) / 60, 0, 1)
        return blended(*pair, 0.5 + (field - 0.5) * nearness)

    return texture
