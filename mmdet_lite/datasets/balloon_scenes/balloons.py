"""Balloons: their shape as a bent disc, their light, and how they hang together in bunches."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mmdet_lite.datasets.balloon_scenes.canvas import (
    SUPERSAMPLING,
    Array,
    Canvas,
    Colour,
    Vector,
    curve,
    ellipse,
    hsv,
    scaled,
)

Generator = np.random.Generator


@dataclass(frozen=True)
class Balloon:
    """One balloon; lengths in units, ``angle`` in radians, 0 hangs straight down from its top.

    ``radius`` is half the width; ``tail`` is how much longer the lower half is than the upper,
    ``taper`` how narrow it gets there, ``bend`` how far it leans. ``string_end`` None: no string.
    """

    x: float
    y: float
    radius: float
    angle: float
    tail: float
    taper: float
    bend: float
    colour: Colour
    opacity: float
    gloss: float
    pattern: str
    string_end: tuple[float, float] | None
    string_colour: Colour
    casts_shadow: bool

    def knot(self) -> tuple[float, float]:
        """Return the point where the string is tied."""
        down = self.radius * (1 + self.tail + 0.1)
        lean = self.bend * self.radius * (1 + self.tail) ** 2
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return self.x + lean * cos - down * sin, self.y + lean * sin + down * cos


@dataclass(frozen=True)
class BalloonPixels:
    """The canvas window of a balloon: top left (x0, y0) and its body ``mask`` (h, w) 0 or 255.

    ``full_area`` counts the body's canvas pixels, those outside the picture included.
    """

    x0: int
    y0: int
    mask: Array
    full_area: float


# hue, saturation, value
COLOURS = (
    (0.99, 0.88, 0.88),
    (0.015, 0.92, 0.9),
    (0.055, 0.9, 0.97),
    (0.13, 0.85, 0.98),
    (0.25, 0.75, 0.8),
    (0.36, 0.75, 0.68),
    (0.47, 0.7, 0.75),
    (0.54, 0.6, 0.92),
    (0.59, 0.85, 0.85),
    (0.65, 0.8, 0.62),
    (0.76, 0.6, 0.75),
    (0.85, 0.6, 0.82),
    (0.92, 0.55, 0.95),
    (0.95, 0.75, 0.9),
    (0.12, 0.06, 0.97),
    (0.6, 0.06, 0.8),
)


def sample_colours(rng: Generator, count: int) -> list[Colour]:
    """Draw ``count`` balloon colours, neighbours in the list differing; jittered in every part."""
    start = rng.permutation(len(COLOURS))
    colours = []
    for i in range(count):
        hue, saturation, value = COLOURS[start[i % len(COLOURS)]]
        jitter = rng.normal(0, 1, 3)
        colours.append(
            hsv(hue + 0.012 * jitter[0], saturation + 0.05 * jitter[1], value + 0.04 * jitter[2])
        )
    return colours


def _disc_coordinates(balloon: Balloon, xs: Array, ys: Array) -> tuple[Array, Array]:
    """Map points in units to the unit disc: inside the balloon is nx^2 + ny^2 <= 1."""
    cos, sin = math.cos(balloon.angle), math.sin(balloon.angle)
    dx, dy = (xs - balloon.x) / balloon.radius, (ys - balloon.y) / balloon.radius
    across, down = dx * cos + dy * sin, dy * cos - dx * sin
    ny = np.where(down > 0, down / (1 + balloon.tail), down)
    across = across - balloon.bend * down**2
    narrowing = 1 - balloon.taper * np.clip(0.5 + 0.5 * ny, 0, 1) ** 3
    return across / narrowing, ny


def _knot_outline(balloon: Balloon) -> Array:
    """Return the small flared triangle below the body, in units."""
    x, y = balloon.knot()
    size = max(1.6, 0.1 * balloon.radius)
    local = np.array([(-0.25, -1.6), (0.25, -1.6), (0.75, 0.5), (0.2, 0.3), (-0.75, 0.5)]) * size
    cos, sin = math.cos(balloon.angle), math.sin(balloon.angle)
    return local @ np.array([(cos, sin), (-sin, cos)]) + (x, y)


def rasterise(balloon: Balloon, canvas: Canvas) -> BalloonPixels | None:
    """Return the canvas pixels of body and knot, or None where it lies outside the picture."""
    reach = balloon.radius * (1.25 + balloon.tail + 2 * abs(balloon.bend))
    low = np.floor((np.array([balloon.x, balloon.y]) - reach) * canvas.unit).astype(int)
    high = np.ceil((np.array([balloon.x, balloon.y]) + reach) * canvas.unit).astype(int)
    xs = (np.arange(low[0], high[0], dtype=np.float32) + 0.5)[None] / canvas.unit
    ys = (np.arange(low[1], high[1], dtype=np.float32) + 0.5)[:, None] / canvas.unit
    nx, ny = _disc_coordinates(balloon, xs, ys)
    mask = ((nx**2 + ny**2) <= 1).astype(np.uint8) * np.uint8(255)
    knot = np.round(_knot_outline(balloon) * canvas.unit).astype(np.int32) - low
    cv2.fillPoly(mask, [knot.astype(np.int32)], 255)
    full_area = float(np.count_nonzero(mask))
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = canvas.image.shape[:2]
    x0, y0 = max(low[0] + cols[0], 0), max(low[1] + rows[0], 0)
    x1, y1 = min(low[0] + cols[-1] + 1, width), min(low[1] + rows[-1] + 1, height)
    if x1 <= x0 or y1 <= y0:
        return None
    mask = mask[y0 - low[1] : y1 - low[1], x0 - low[0] : x1 - low[0]]
    return BalloonPixels(int(x0), int(y0), np.ascontiguousarray(mask), full_area)


def _pattern(kind: str, nx: Array, ny: Array, nz: Array) -> Array:
    """Return the share (h, w) of white print on the rubber."""
    longitude, latitude = np.arctan2(nx, nz + 0.05), np.arcsin(np.clip(ny, -1, 1))
    if kind == "dots":
        row = np.round(latitude / 0.5)
        du = (longitude / 0.55 + 0.5 * (row % 2) + 0.5) % 1 - 0.5
        return ((du * 0.55) ** 2 + (latitude - row * 0.5) ** 2 < 0.016).astype(np.float32)
    if kind == "stripes":
        return (np.sin(latitude * 11) > 0.55).astype(np.float32)
    star = np.hypot(longitude, latitude + 0.1)
    turn = np.arctan2(latitude + 0.1, longitude)
    return (star < 0.32 + 0.13 * np.cos(5 * turn + np.pi / 2)).astype(np.float32)


def _lit_rubber(balloon: Balloon, xs: Array, ys: Array, light: Vector) -> tuple[Array, Array]:
    """Return colours (h, w, 3) and opacity (h, w) of the body under the light."""
    nx, ny = _disc_coordinates(balloon, xs, ys)
    flat2 = nx**2 + ny**2
    shrink = np.where(flat2 > 1, 1 / np.sqrt(np.maximum(flat2, 1)), 1)
    nx, ny = nx * shrink, ny * shrink
    nz = np.sqrt(np.maximum(1 - nx**2 - ny**2, 0))
    cos, sin = math.cos(balloon.angle), math.sin(balloon.angle)
    side, up = light[0] * cos + light[1] * sin, light[1] * cos - light[0] * sin
    facing = nx * side + ny * up + nz * light[2]
    body = np.array(balloon.colour, np.float32)
    if balloon.pattern != "plain":
        body = body + _pattern(balloon.pattern, nx, ny, nz)[..., None] * (240 - body) * 0.9
    # light that went through the rubber glows on the far side; the thick rim swallows light
    glow = 0.3 * np.clip(-facing + 0.25, 0, 1) * (1.4 - balloon.opacity)
    rim = 1 - 0.42 * (1 - nz) ** 3
    lit = (0.42 + 0.62 * np.clip(facing, 0, 1) + glow) * rim
    colours = body * lit[..., None].astype(np.float32)
    half = np.array([side, up, light[2] + 1.0])
    half /= np.linalg.norm(half)
    toward = np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0, 1)
    shine = balloon.gloss * (0.95 * np.clip(toward**120 * 1.8, 0, 1) + 0.24 * toward**14)
    bounce = np.clip(nx * -half[0] * 0.8 + ny * 0.75 + nz * 0.35, 0, 1)
    shine = shine + 0.16 * balloon.gloss * bounce**22
    colours += (255 - colours) * np.clip(shine, 0, 1)[..., None]
    opacity = balloon.opacity + (1 - balloon.opacity) * np.clip((1 - nz) ** 2 + shine, 0, 1)
    return colours, opacity


def paint_balloon(balloon: Balloon, pixels: BalloonPixels, canvas: Canvas, light: Vector) -> None:
    """Paint string, shadow, knot and body, in this order, onto the canvas."""
    if balloon.casts_shadow:
        away = 0.3 * balloon.radius
        outline = ellipse(
            balloon.x - light[0] * away * 1.6,
            balloon.y - light[1] * away * 1.6 + away * 0.5,
            balloon.radius * 0.95,
            balloon.radius * 1.1,
        )
        canvas.shade(outline, 0.3, balloon.radius * 0.45)
    _paint_string(balloon, canvas)
    height, width = pixels.mask.shape
    coarse_w, coarse_h = (width + 1) // 2, (height + 1) // 2
    xs = (pixels.x0 + 2 * np.arange(coarse_w, dtype=np.float32) + 1)[None] / canvas.unit
    ys = (pixels.y0 + 2 * np.arange(coarse_h, dtype=np.float32) + 1)[:, None] / canvas.unit
    colours, opacity = _lit_rubber(balloon, xs, ys, light)
    colours = cv2.resize(np.clip(colours, 0, 255).astype(np.float32), (width, height))
    weight = cv2.resize(opacity.astype(np.float32), (width, height))[..., None]
    area = (slice(pixels.y0, pixels.y0 + height), slice(pixels.x0, pixels.x0 + width))
    below = canvas.image[area].astype(np.float32)
    over = (below + (colours - below) * weight + 0.5).astype(np.uint8)
    x, y = balloon.knot()
    size = max(1.6, 0.1 * balloon.radius)
    crease = ellipse(x, y - 0.2 * size, 0.45 * size, 0.14 * size, balloon.angle) * canvas.unit
    local = np.round(crease - (pixels.x0, pixels.y0)).astype(np.int32)
    cv2.fillPoly(over, [local], scaled(balloon.colour, 0.45))
    canvas.blend(pixels.mask, pixels.x0, pixels.y0, over)


def _paint_string(balloon: Balloon, canvas: Canvas) -> None:
    """Hang a slack line from the knot to its end."""
    if balloon.string_end is None:
        return
    start, end = balloon.knot(), balloon.string_end
    slack = 0.35 * balloon.radius * (1 if balloon.bend >= 0 else -1)
    middle = ((start[0] + end[0]) / 2 + slack, (start[1] + end[1]) / 2 + abs(slack))
    width = max(1.0 / SUPERSAMPLING, min(1.4, 0.03 * balloon.radius))
    canvas.stroke(curve(start, middle, end), width, balloon.string_colour)


def sample_balloon(
    rng: Generator,
    x: float,
    y: float,
    radius: float,
    colour: Colour,
    angle: float = 0.0,
    string_end: tuple[float, float] | None = None,
    casts_shadow: bool = False,
) -> Balloon:
    """Draw the free traits of a balloon of known place, size and colour."""
    bright = bool(rng.random() < 0.6)
    plain = rng.random() < 0.88
    return Balloon(
        x=x,
        y=y,
        radius=radius,
        angle=angle + float(rng.normal(0, 0.06)),
        tail=float(rng.uniform(0.22, 0.48)),
        taper=float(rng.uniform(0.12, 0.3)),
        bend=float(rng.normal(0, 0.035)),
        colour=colour,
        opacity=float(rng.uniform(0.8, 0.99)),
        gloss=float(rng.uniform(0.65, 1.0)),
        pattern="plain" if plain else str(rng.choice(["dots", "stripes", "star"])),
        string_end=string_end,
        string_colour=(235, 238, 240) if bright else (60, 60, 66),
        casts_shadow=casts_shadow,
    )


def sample_bunch(
    rng: Generator, tie: tuple[float, float], radius: float, count: int, casts_shadow: bool
) -> list[Balloon]:
    """Draw ``count`` balloons held together at ``tie``, those at the back first."""
    length = radius * rng.uniform(2.6, 4.6)
    lean = rng.normal(0, 0.12)
    spread = radius * 1.02 * math.sqrt(count)
    turn = rng.uniform(0, 2 * math.pi)
    balloons = []
    for i, colour in enumerate(sample_colours(rng, count)):
        out = spread * math.sqrt((i + 0.5) / count) if count > 1 else 0.0
        angle = turn + i * 2.39996  # the golden angle spreads points evenly over a disc
        x = tie[0] + length * lean + out * math.cos(angle) + rng.normal(0, 0.1) * radius
        y = tie[1] - length - out * 0.85 * (math.sin(angle) + 0.4) + rng.normal(0, 0.1) * radius
        axis = math.atan2(x - tie[0], tie[1] - y)
        size = radius * rng.uniform(0.85, 1.12)
        balloons.append(sample_balloon(rng, x, y, size, colour, 0.6 * axis, tie, casts_shadow))
    order = rng.permutation(count)
    return [balloons[i] for i in order]
