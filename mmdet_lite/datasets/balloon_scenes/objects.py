"""Things in front of balloons, and round or bright things that are no balloons."""

import math

import numpy as np

from mmdet_lite.datasets.balloon_scenes.canvas import (
    Array,
    Canvas,
    Paint,
    Texture,
    Vector,
    blended,
    curve,
    ellipse,
    gradient,
    hsv,
    rectangle,
    rounded,
    scaled,
    speckled,
    spherical,
)
from mmdet_lite.datasets.balloon_scenes.outdoors import paint_leaves

Generator = np.random.Generator


def paint_branch(canvas: Canvas, rng: Generator, light: Vector) -> None:
    """Let a leafy branch hang into the picture from its upper corner."""
    right = rng.random() < 0.5
    x, step = (canvas.width + 8.0, -1.0) if right else (-8.0, 1.0)
    y = rng.uniform(0, 90)
    colour = hsv(rng.uniform(0.18, 0.36), rng.uniform(0.5, 0.8), rng.uniform(0.3, 0.5))
    points = [(x, y)]
    for _ in range(int(rng.integers(3, 6))):
        x, y = x + step * rng.uniform(28, 46), y + rng.normal(4, 10)
        points.append((x, y))
    canvas.stroke(points, 5.5, hsv(0.07, 0.4, 0.22))
    for px, py in points:
        for _ in range(2):
            paint_leaves(
                canvas,
                rng,
                px + rng.normal(0, 12),
                py + rng.normal(4, 12),
                rng.uniform(15, 25),
                colour,
                light,
            )


def paint_post(canvas: Canvas, rng: Generator, x: float, light: Vector) -> None:
    """Stand a close post or door frame across the whole height."""
    half = rng.uniform(7, 15)
    colour = hsv(rng.uniform(0.05, 0.12), rng.uniform(0.05, 0.5), rng.uniform(0.3, 0.85))
    canvas.fill(
        rectangle(x - half, -2, x + half, 482),
        speckled(rng, rounded(colour, x - half, x + half, light), 30, 0.08),
    )


def paint_fence(canvas: Canvas, rng: Generator, foot: float, light: Vector) -> None:
    """Stand a low fence of pales along the lower border."""
    colour = hsv(0.09, rng.uniform(0.0, 0.5), rng.uniform(0.5, 0.92))
    pitch, top = rng.uniform(26, 36), foot - rng.uniform(55, 80)
    for level in (0.3, 0.75):
        y = top + (foot - top) * level
        canvas.fill(rectangle(0, y - 4, canvas.width, y + 4), scaled(colour, 0.8))
    for x in np.arange(rng.uniform(0, pitch), canvas.width, pitch):
        pale = [(x - 7, foot), (x - 7, top), (x, top - 9), (x + 7, top), (x + 7, foot)]
        canvas.fill(pale, rounded(colour, x - 8, x + 8, light))


def _panels(rng: Generator, x: float, y: float, radius: float) -> Texture:
    """Return the coloured gores of a beach ball."""
    first, second = hsv(rng.random(), 0.8, 0.9), (240.0, 242.0, 245.0)
    px, py = x + rng.normal(0, 0.35) * radius, y + rng.normal(0, 0.35) * radius
    gores = int(rng.integers(3, 5))

    def texture(xs: Array, ys: Array) -> Array:
        turn = np.arctan2(ys - py, xs - px)
        cap = np.hypot(xs - px, ys - py) < 0.16 * radius
        return blended(first, second, ((np.sin(gores * turn) > 0) | cap).astype(np.float32))

    return texture


def paint_ball(canvas: Canvas, rng: Generator, x: float, foot: float, light: Vector) -> None:
    """Lay a beach ball or a football on the ground."""
    radius = rng.uniform(13, 27)
    y = foot - radius
    canvas.shade(ellipse(x - light[0] * radius * 0.7, foot - 2, radius, radius * 0.3), 0.55, 7)
    paint: Paint = _panels(rng, x, y, radius)
    football = rng.random() < 0.5
    if football:
        paint = (238, 240, 240)
    canvas.fill(ellipse(x, y, radius), spherical(paint, x, y, radius, light))
    if football:
        for i in range(6):
            turn, out = i * 2 * math.pi / 5 + 0.3, 0.0 if i == 5 else 0.72 * radius
            px, py = x + out * math.cos(turn), y + out * math.sin(turn)
            canvas.fill(ellipse(px, py, radius * 0.22), (38, 36, 36))


def paint_sign(canvas: Canvas, rng: Generator, x: float, foot: float) -> None:
    """Stand a round traffic sign on its pole."""
    radius, y = rng.uniform(16, 25), foot - rng.uniform(110, 170)
    canvas.fill(rectangle(x - 2.2, y, x + 2.2, foot), (150, 152, 155))
    red = rng.random() < 0.65
    canvas.fill(ellipse(x, y, radius), (40, 35, 200) if red else (165, 85, 30))
    kind = rng.integers(3)
    if kind == 0:
        canvas.fill(ellipse(x, y, radius * 0.74), (238, 240, 242))
        canvas.fill(
            rectangle(x - radius * 0.3, y - radius * 0.4, x - radius * 0.08, y + radius * 0.4),
            (30, 30, 30),
        )
        canvas.fill(ellipse(x + radius * 0.22, y, radius * 0.2, radius * 0.4), (30, 30, 30))
    elif kind == 1:
        canvas.fill(
            rectangle(x - radius * 0.65, y - radius * 0.16, x + radius * 0.65, y + radius * 0.16),
            (240, 240, 242),
        )
    else:
        canvas.stroke(
            [(x, y + radius * 0.6), (x, y - radius * 0.5)], radius * 0.18, (240, 240, 240)
        )
        for side in (-1, 1):
            canvas.stroke(
                [(x, y - radius * 0.55), (x + side * radius * 0.4, y - radius * 0.1)],
                radius * 0.18,
                (240, 240, 240),
            )


def paint_street_lamp(canvas: Canvas, rng: Generator, x: float, foot: float) -> None:
    """Stand a street lamp with a white globe."""
    y, radius = foot - rng.uniform(190, 270), rng.uniform(12, 18)
    canvas.fill(rectangle(x - 3, y, x + 3, foot), (52, 56, 50))
    canvas.fill(rectangle(x - 8, y + radius - 4, x + 8, y + radius + 5), (45, 48, 44))
    canvas.fill(
        ellipse(x, y, radius), gradient((252, 253, 253), (196, 212, 222), y - radius, y + radius)
    )


def paint_oranges(canvas: Canvas, rng: Generator, x: float, y: float, light: Vector) -> None:
    """Set a bowl of oranges or apples on the table."""
    hue, radius = float(rng.choice([0.08, 0.0, 0.28])), rng.uniform(11, 16)
    bowl = hsv(rng.random(), rng.uniform(0.0, 0.4), 0.85)
    canvas.shade(ellipse(x, y + 18, radius * 3.2, 10), 0.45, 10)
    for dx, dy in ((-1.6, -0.4), (0.0, -0.6), (1.6, -0.4), (-0.8, -1.7), (0.8, -1.7)):
        px, py = x + dx * radius, y + dy * radius
        tone = hsv(hue + rng.normal(0, 0.01), 0.88, 0.93)
        skin = speckled(rng, spherical(tone, px, py, radius, light), 14, 0.1)
        canvas.fill(ellipse(px, py, radius), skin)
        canvas.fill(ellipse(px, py - radius * 0.55, radius * 0.12), scaled(tone, 0.45))
    rim = [
        (x + 3.1 * radius * math.cos(a), y + 1.7 * radius * math.sin(a))
        for a in np.linspace(0, math.pi, 24)
    ]
    canvas.fill(rim, rounded(bowl, x - 3.1 * radius, x + 3.1 * radius, light))


def paint_plate(canvas: Canvas, rng: Generator, x: float, y: float) -> None:
    """Lay a plate with a slice of cake, seen at a slant."""
    radius = rng.uniform(30, 46)
    canvas.shade(ellipse(x + 3, y + 5, radius, radius * 0.36), 0.4, 6)
    rim = hsv(rng.random(), rng.uniform(0.0, 0.5), 0.92)
    canvas.fill(ellipse(x, y, radius, radius * 0.36), rim)
    canvas.fill(
        ellipse(x, y, radius * 0.72, radius * 0.24),
        gradient(scaled(rim, 0.85), scaled(rim, 1.1), y - 10, y + 10),
    )
    cake = hsv(0.09, 0.5, 0.8)
    canvas.fill([(x - 16, y - 2), (x + 15, y + 3), (x + 15, y - 11), (x - 16, y - 17)], cake)
    canvas.fill([(x - 16, y - 17), (x + 15, y - 11), (x + 4, y - 21)], hsv(rng.random(), 0.3, 0.98))


def paint_cup(canvas: Canvas, rng: Generator, x: float, y: float, light: Vector) -> None:
    """Stand a paper cup on the table, at times with a scoop of ice cream in it."""
    colour = hsv(rng.random(), rng.uniform(0.2, 0.85), rng.uniform(0.6, 0.95))
    canvas.shade(ellipse(x - light[0] * 12, y, 18, 6), 0.5, 7)
    scoop = hsv(float(rng.choice([0.95, 0.1, 0.06, 0.4])), 0.35, 0.95)
    if rng.random() < 0.5:
        canvas.fill(
            ellipse(x, y - 46, 14, 13),
            speckled(rng, spherical(scoop, x, y - 46, 15, light), 9, 0.15),
        )
    body = [(x - 15, y - 42), (x + 15, y - 42), (x + 11, y), (x - 11, y)]
    canvas.fill(body, rounded(colour, x - 15, x + 15, light))
    canvas.fill(rectangle(x - 14, y - 30, x + 14, y - 24), (240, 240, 242), 0.8)


def paint_cake(canvas: Canvas, rng: Generator, x: float, y: float, light: Vector) -> None:
    """Set a birthday cake with burning candles on the table."""
    half, high = rng.uniform(55, 80), rng.uniform(40, 56)
    icing, dough = hsv(rng.random(), 0.25, 0.97), hsv(rng.random(), 0.4, 0.8)
    canvas.shade(ellipse(x, y + 4, half * 1.2, 15), 0.45, 10)
    canvas.fill(ellipse(x, y, half * 1.15, 14), (226, 228, 230))
    side = [(x - half, y - high), (x + half, y - high), (x + half, y), (x - half, y)]
    canvas.fill(ellipse(x, y, half, 11), rounded(dough, x - half, x + half, light))
    canvas.fill(side, rounded(dough, x - half, x + half, light))
    canvas.fill(ellipse(x, y - high, half, 11), icing)
    for i in range(9):
        px = x - half + (i + 0.5) * half * 2 / 9
        canvas.dab(px, y - high + 8, half / 9, rng.uniform(7, 13), 0, icing)
    for i in range(int(rng.integers(3, 8))):
        px = x + (i - 3) * half * 0.24
        canvas.fill(rectangle(px - 2, y - high - 24, px + 2, y - high), hsv(0.3 * i, 0.6, 0.9))
        canvas.fill(ellipse(px, y - high - 30, 2.4, 5), (120, 225, 255))


def paint_flowers(canvas: Canvas, rng: Generator, x: float, y: float, light: Vector) -> None:
    """Stand a vase of round flowers."""
    glass = hsv(rng.random(), rng.uniform(0.1, 0.6), 0.75)
    canvas.shade(ellipse(x, y, 22, 7), 0.45, 8)
    petal = hsv(rng.random(), rng.uniform(0.5, 0.9), 0.95)
    for _ in range(int(rng.integers(5, 9))):
        px, py = x + rng.normal(0, 22), y - rng.uniform(62, 105)
        canvas.stroke(curve((x, y - 40), (x, py + 20), (px, py)), 1.6, hsv(0.3, 0.6, 0.4))
        for k in range(8):
            turn = k * math.pi / 4
            canvas.dab(
                px + 6 * math.cos(turn),
                py + 6 * math.sin(turn),
                4.4,
                3.2,
                math.degrees(turn),
                scaled(petal, 0.85 + 0.03 * k),
            )
        canvas.dab(px, py, 3.4, 3.4, 0, (60, 190, 235))
    canvas.fill(
        [
            (x - 9, y - 46),
            (x + 9, y - 46),
            (x + 15, y - 8),
            (x + 9, y),
            (x - 9, y),
            (x - 15, y - 8),
        ],
        rounded(glass, x - 15, x + 15, light),
    )


def paint_present(canvas: Canvas, rng: Generator, x: float, y: float, light: Vector) -> None:
    """Put a wrapped box at (x, y) that holds a bunch of balloons down."""
    half, high = rng.uniform(9, 15), rng.uniform(15, 22)
    paper = hsv(rng.random(), rng.uniform(0.3, 0.8), rng.uniform(0.5, 0.9))
    ribbon = hsv(rng.random(), rng.uniform(0.0, 0.8), 0.92)
    canvas.shade(ellipse(x - light[0] * half, y, half * 1.5, 5), 0.5, 7)
    canvas.fill(
        rectangle(x - half, y - high, x + half, y),
        rounded(paper, x - 2 * half, x + 2 * half, light),
    )
    canvas.fill(
        rectangle(x - half - 1.5, y - high, x + half + 1.5, y - high * 0.75), scaled(paper, 0.85)
    )
    canvas.fill(rectangle(x - 2, y - high, x + 2, y), ribbon)
    for side in (-1, 1):
        canvas.fill(
            ellipse(x + side * 4.5, y - high - 3, 4.5, 2.6, side * 0.5), scaled(ribbon, 0.9)
        )
