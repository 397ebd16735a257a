"""Things that stand indoors: walls, floors, windows, curtains, furniture, laid tables."""

import math

import numpy as np

from mmdet_lite.datasets.balloon_scenes.canvas import (
    Array,
    Canvas,
    Colour,
    Paint,
    Texture,
    Vector,
    blended,
    ellipse,
    gradient,
    hsv,
    mixed,
    noise,
    rectangle,
    rounded,
    scaled,
    speckled,
)

Generator = np.random.Generator


def wallpaper(rng: Generator, colour: Colour) -> Texture:
    """Return one of four wall patterns: plaster, stripes, rhombs, or little flowers."""
    kind, step = rng.integers(4), rng.uniform(22, 46)
    other = mixed(colour, hsv(rng.random(), 0.5, 0.7), 0.3) if kind else scaled(colour, 0.95)

    def texture(xs: Array, ys: Array) -> Array:
        if kind == 1:
            share = (np.sin(xs * 2 * np.pi / step) > 0.1) + 0 * ys
        elif kind == 2:
            share = (np.abs(xs / step % 2 - 1) + np.abs(ys / step % 2 - 1) > 1.0) * 0.6
        elif kind == 3:
            row = np.floor(ys / step)
            across = (xs / step + 0.5 * (row % 2)) % 1 - 0.5
            down = ys / step - row - 0.5
            bloom = 0.17 + 0.07 * np.cos(5 * np.arctan2(down, across))
            share = (np.hypot(across, down) < bloom).astype(np.float32)
        else:
            share = noise(rng, (ys.size, xs.size), 40, 3)
        return blended(colour, other, np.asarray(share, np.float32))

    return texture


def paint_wall(canvas: Canvas, rng: Generator, light: Vector, low: float) -> Colour:
    """Paint a papered wall, brighter towards the light, down to ``low``; returns its colour."""
    colour = hsv(rng.random(), 0.03 + 0.35 * rng.random() ** 2, rng.uniform(0.6, 0.95))
    pattern = wallpaper(rng, colour)
    source_x, source_y = canvas.width * (0.5 + 0.5 * light[0]), rng.uniform(0, 220)

    def texture(xs: Array, ys: Array) -> Array:
        far = np.hypot((xs - source_x) / canvas.width, (ys - source_y) / 480)
        return pattern(xs, ys) * (1.12 - 0.5 * far)[..., None]

    canvas.fill(rectangle(0, 0, canvas.width, low), texture)
    return colour


def paint_floor(canvas: Canvas, rng: Generator, top: float) -> None:
    """Paint boards in perspective from ``top`` down, and the skirting above them."""
    wood = hsv(rng.uniform(0.05, 0.1), rng.uniform(0.25, 0.6), rng.uniform(0.4, 0.72))
    tones = rng.uniform(0.82, 1.12, 128).astype(np.float32)
    vanish_x, vanish_y = canvas.width * rng.uniform(0.3, 0.7), top - rng.uniform(120, 220)

    def texture(xs: Array, ys: Array) -> Array:
        along = (xs - vanish_x) / (ys - vanish_y) * 9 + 60
        board = np.floor(along)
        tone = tones[board.astype(int) % 128] * (0.93 + 0.14 * noise(rng, along.shape, 50, 2))
        tone = np.where(along - board < 0.04, 0.55, tone) * (0.82 + 0.3 * (ys - top) / 150)
        return np.array(wood, np.float32) * tone[..., None]

    canvas.fill(rectangle(0, top, canvas.width, 480), texture)
    board = (228, 232, 235) if rng.random() < 0.6 else scaled(wood, 0.7)
    canvas.fill(
        rectangle(0, top - 13, canvas.width, top),
        gradient(board, scaled(board, 0.8), top - 13, top),
    )
    canvas.shade(rectangle(0, top, canvas.width, top + 6), 0.4, 8)
    if rng.random() < 0.5:
        x, half = rng.uniform(0.3, 0.7) * canvas.width, rng.uniform(130, 220)
        colour = hsv(rng.random(), rng.uniform(0.2, 0.7), rng.uniform(0.35, 0.8))
        canvas.fill(ellipse(x, top + 55, half, 34), scaled(colour, 0.6))
        canvas.fill(ellipse(x, top + 54, half * 0.93, 30), speckled(rng, colour, 60, 0.2))


def paint_bright_window(canvas: Canvas, rng: Generator, x: float, top: float) -> None:
    """Paint a window seen from inside: daylight, trees out of focus, bars, sill and curtains."""
    half, high = rng.uniform(55, 85), rng.uniform(150, 200)
    canvas.shade(rectangle(x - half, top, x + half, top + high), 0.55, 90, light=True)
    outside = gradient(hsv(0.57, 0.25, 0.95), hsv(0.3, 0.35, 0.7), top, top + high)
    canvas.fill(rectangle(x - half - 7, top - 7, x + half + 7, top + high + 7), (205, 210, 214))
    canvas.fill(rectangle(x - half, top, x + half, top + high), speckled(rng, outside, 5, 0.2, 2))
    for bar in (
        rectangle(x - 3, top, x + 3, top + high),
        rectangle(x - half, top + high * 0.35, x + half, top + high * 0.35 + 5),
    ):
        canvas.fill(bar, (225, 229, 232))
    canvas.fill(
        rectangle(x - half - 14, top + high + 5, x + half + 14, top + high + 15), (215, 220, 224)
    )
    colour = hsv(rng.random(), rng.uniform(0.1, 0.75), rng.uniform(0.5, 0.9))
    folds, hem = rng.uniform(7, 11), rng.uniform(top + high + 20, 430)
    for side in (-1, 1):
        inner, outer = x + side * half * 0.72, x + side * (half + 34)
        points = [(inner, top - 16), (outer, top - 16), (outer + 6 * side, hem), (inner, hem)]
        canvas.shade(points, 0.25, 14)
        canvas.fill(points, drapery(colour, folds, side))
    canvas.stroke([(x - half - 45, top - 17), (x + half + 45, top - 17)], 4, (60, 80, 100))


def drapery(colour: Colour, step: float, phase: float) -> Texture:
    """Return cloth in vertical folds."""

    def texture(xs: Array, ys: Array) -> Array:
        fold = np.sin(xs * 2 * np.pi / step + phase + 0.6 * np.sin(ys / 60))
        return np.array(colour, np.float32) * (0.82 + 0.22 * fold)[..., None]

    return texture


def paint_picture(canvas: Canvas, rng: Generator, x: float, y: float) -> None:
    """Hang a framed picture with a small landscape or abstract forms at (x, y)."""
    half_w, half_h = rng.uniform(26, 52), rng.uniform(24, 46)
    canvas.shade(rectangle(x - half_w, y - half_h + 5, x + half_w + 4, y + half_h + 8), 0.4, 10)
    frame = hsv(rng.uniform(0.05, 0.12), rng.uniform(0.1, 0.6), rng.uniform(0.2, 0.85))
    canvas.fill(rectangle(x - half_w, y - half_h, x + half_w, y + half_h), frame)
    canvas.fill(
        rectangle(x - half_w + 4, y - half_h + 4, x + half_w - 4, y + half_h - 4), (232, 236, 238)
    )
    inner = (x - half_w + 9, y - half_h + 9, x + half_w - 9, y + half_h - 9)
    top, low = hsv(rng.random(), 0.4, 0.85), hsv(rng.random(), 0.45, 0.6)
    canvas.fill(rectangle(*inner), gradient(top, low, inner[1], inner[3]))
    for _ in range(int(rng.integers(1, 4))):
        px, py = rng.uniform(inner[0] + 8, inner[2] - 8), rng.uniform(inner[1] + 8, inner[3] - 8)
        tone = hsv(rng.random(), 0.6, rng.uniform(0.3, 0.9))
        if rng.random() < 0.5:
            canvas.fill(ellipse(px, py, rng.uniform(3, 8)), tone)
        else:
            canvas.fill([(px - 8, inner[3]), (px, py), (px + 8, inner[3])], tone)


def paint_clock(canvas: Canvas, rng: Generator, x: float, y: float) -> None:
    """Hang a wall clock: a round thing with a face."""
    radius = rng.uniform(18, 32)
    canvas.shade(ellipse(x + 3, y + 5, radius), 0.4, 8)
    canvas.fill(ellipse(x, y, radius), hsv(rng.random(), rng.uniform(0, 0.7), 0.4))
    canvas.fill(
        ellipse(x, y, radius * 0.87),
        gradient((235, 240, 242), (205, 212, 215), y - radius, y + radius),
    )
    for hour in range(12):
        turn = hour * math.pi / 6
        ray = np.array([math.sin(turn), -math.cos(turn)])
        canvas.stroke(np.array([x, y]) + np.outer([0.7, 0.8], ray) * radius, 1.2, (40, 40, 40))
    for length, width in ((0.45, 2.0), (0.66, 1.2)):
        turn = rng.uniform(0, 2 * math.pi)
        tip = (x + math.sin(turn) * length * radius, y - math.cos(turn) * length * radius)
        canvas.stroke([(x, y), tip], width, (30, 30, 30))


def paint_lamp(canvas: Canvas, rng: Generator, x: float) -> None:
    """Hang a lamp from the ceiling, a globe or a shade, with its pool of light."""
    y = rng.uniform(50, 110)
    canvas.stroke([(x, -2), (x, y)], 1.6, (50, 55, 60))
    warm = hsv(0.11, rng.uniform(0.08, 0.3), 1.0)
    canvas.shade(ellipse(x, y + 10, 60, 45), 0.5, 70, light=True)
    if rng.random() < 0.5:
        radius = rng.uniform(16, 27)
        canvas.fill(rectangle(x - 6, y - radius - 3, x + 6, y - radius + 4), (70, 75, 80))
        canvas.fill(ellipse(x, y, radius), gradient((250, 253, 255), warm, y - radius, y + radius))
    else:
        shade = hsv(rng.random(), rng.uniform(0.2, 0.8), rng.uniform(0.5, 0.9))
        canvas.fill(
            [(x - 14, y - 24), (x + 14, y - 24), (x + 36, y + 14), (x - 36, y + 14)],
            gradient(shade, mixed(shade, warm, 0.6), y - 24, y + 14),
        )
        canvas.fill(ellipse(x, y + 14, 36, 5), (225, 248, 255))


def paint_sofa(canvas: Canvas, rng: Generator, x: float, foot: float, light: Vector) -> None:
    """Put a sofa with cushions on the floor."""
    half, colour = rng.uniform(95, 140), hsv(rng.random(), rng.uniform(0.1, 0.6), 0.55)
    canvas.shade(ellipse(x, foot, half * 1.1, 14), 0.5, 14)
    back = speckled(
        rng, gradient(scaled(colour, 1.15), scaled(colour, 0.85), foot - 95, foot), 80, 0.06
    )
    canvas.fill(rectangle(x - half, foot - 92, x + half, foot - 8), back)
    for i in range(2):
        left = x - half + 12 + i * (half - 12)
        canvas.fill(
            rectangle(left, foot - 86, left + half - 16, foot - 45),
            speckled(rng, scaled(colour, 1.08), 60, 0.06),
        )
        canvas.shade(rectangle(left, foot - 48, left + half - 16, foot - 42), 0.4, 5)
    canvas.fill(rectangle(x - half, foot - 42, x + half, foot - 20), scaled(colour, 1.05))
    canvas.fill(rectangle(x - half, foot - 20, x + half, foot - 4), scaled(colour, 0.72))
    for side in (-1, 1):
        arm = x + side * half
        canvas.fill(ellipse(arm, foot - 58, 17, 13), scaled(colour, 1.1))
        canvas.fill(
            rectangle(arm - 16, foot - 58, arm + 16, foot - 2),
            rounded(colour, arm - 18, arm + 18, light),
        )
    for _ in range(int(rng.integers(1, 3))):
        px, tone = x + rng.uniform(-0.6, 0.6) * half, hsv(rng.random(), 0.6, 0.8)
        cushion = [
            (px - 20, foot - 74),
            (px + 18, foot - 78),
            (px + 22, foot - 42),
            (px - 18, foot - 40),
        ]
        canvas.shade(np.add(cushion, (3, 4)), 0.3, 6)
        canvas.fill(cushion, gradient(scaled(tone, 1.1), scaled(tone, 0.7), foot - 78, foot - 40))


def paint_cabinet(canvas: Canvas, rng: Generator, x: float, foot: float) -> None:
    """Put a cabinet or a full shelf against the wall."""
    half, high = rng.uniform(45, 75), rng.uniform(120, 230)
    wood = hsv(rng.uniform(0.05, 0.11), rng.uniform(0.1, 0.6), rng.uniform(0.35, 0.85))
    canvas.shade(rectangle(x - half, foot - high, x + half + 10, foot), 0.35, 18)
    canvas.fill(rectangle(x - half, foot - high, x + half, foot), speckled(rng, wood, 30, 0.08))
    shelves = max(2, int(high // 48))
    for i in range(shelves):
        top = foot - high + 7 + i * (high - 10) / shelves
        low = top + (high - 10) / shelves - 7
        canvas.fill(rectangle(x - half + 6, top, x + half - 6, low), scaled(wood, 0.45))
        left = x - half + 8
        while left < x + half - 14:
            width, tall = rng.uniform(4, 10), (low - top) * rng.uniform(0.6, 0.92)
            book = hsv(rng.random(), rng.uniform(0.2, 0.7), rng.uniform(0.3, 0.8))
            canvas.fill(rectangle(left, low - tall, left + width, low), book)
            left += width + (0.6 if rng.random() < 0.85 else 14)


def paint_bunting(canvas: Canvas, rng: Generator) -> None:
    """Hang a line of coloured flags across the top."""
    left, right, sag = rng.uniform(5, 40), rng.uniform(5, 60), rng.uniform(25, 60)
    xs = np.linspace(-10, canvas.width + 10, 120)
    t = xs / canvas.width
    ys = left + (right - left) * t + sag * 4 * t * (1 - t)
    canvas.stroke(np.stack([xs, ys], axis=1), 1.2, (225, 228, 230))
    start, count = rng.random(), int(rng.integers(10, 17))
    for i in range(count):
        k = int((i + 0.5) / count * 120)
        x, y = xs[k], ys[k]
        tone = hsv(start + i * 0.381966, 0.65, 0.9)
        canvas.fill(
            [(x - 13, y), (x + 13, y), (x, y + 30)], gradient(scaled(tone, 0.8), tone, y, y + 14)
        )


def paint_table(canvas: Canvas, rng: Generator, top: float) -> None:
    """Paint a table with a cloth that fills the picture from ``top`` down."""
    colour = hsv(rng.random(), 0.03 + 0.5 * rng.random() ** 2, rng.uniform(0.6, 0.95))
    other = mixed(colour, hsv(rng.random(), 0.6, 0.7), 0.3)
    checked, vanish = rng.random() < 0.5, top - rng.uniform(60, 140)

    def cloth(xs: Array, ys: Array) -> Array:
        depth = 100 / (ys - vanish)
        along, away = (xs - canvas.width / 2) * depth / 14, depth * 26
        stripes = (np.sin(along * np.pi) > 0).astype(np.float32) + (np.sin(away * np.pi) > 0)
        share = stripes * 0.5 if checked else 0.4 * noise(rng, along.shape, 6, 3)
        return blended(colour, other, share) * (0.9 + 0.2 * (ys - top)[..., None] / (480 - top))

    paint: Paint = cloth
    canvas.shade(rectangle(0, top - 12, canvas.width, top), 0.3, 16)
    canvas.fill(rectangle(0, top, canvas.width, 480), paint)
    canvas.fill(rectangle(0, top, canvas.width, top + 3), scaled(colour, 1.1))


def paint_bokeh(canvas: Canvas, rng: Generator) -> None:
    """Paint a room or a garden far out of focus, with discs of light in it."""
    hue = float(rng.choice([0.06, 0.09, 0.13, 0.3, 0.58, 0.62]))
    first = hsv(hue, rng.uniform(0.15, 0.45), rng.uniform(0.45, 0.85))
    second = hsv(hue + rng.normal(0, 0.06), rng.uniform(0.3, 0.6), rng.uniform(0.12, 0.4))
    canvas.fill(
        rectangle(0, 0, canvas.width, 480),
        lambda xs, ys: blended(
            first, second, np.clip(noise(rng, (ys.size, xs.size), 3, 2) * 1.6 - 0.3, 0, 1)
        ),
    )
    warm = rng.random()
    for _ in range(int(rng.integers(10, 30))):
        x, y, radius = rng.uniform(0, canvas.width), rng.uniform(0, 400), rng.uniform(6, 24)
        tone = hsv(warm + rng.normal(0, 0.07), rng.uniform(0.1, 0.6), 1.0)
        canvas.fill(ellipse(x, y, radius), tone, float(rng.uniform(0.15, 0.5)))
        canvas.fill(ellipse(x, y, radius * 0.88), mixed(tone, first, 0.3), 0.2)
    canvas.soften(1.6)
