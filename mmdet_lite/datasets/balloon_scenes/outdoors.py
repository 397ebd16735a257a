"""Things that stand outdoors: skies, hills, meadows, trees, houses, streets."""

import math

import cv2
import numpy as np

from mmdet_lite.datasets.balloon_scenes.canvas import (
    Array,
    Canvas,
    Colour,
    Texture,
    Vector,
    blended,
    ellipse,
    gradient,
    hsv,
    mixed,
    noise,
    receding,
    rectangle,
    rounded,
    scaled,
    speckled,
)

Generator = np.random.Generator

SKIES = (
    (hsv(0.58, 0.62, 0.82), hsv(0.55, 0.16, 0.97)),  # a clear day
    (hsv(0.60, 0.75, 0.66), hsv(0.56, 0.30, 0.92)),  # deep blue
    (hsv(0.58, 0.20, 0.80), hsv(0.10, 0.08, 0.93)),  # haze
    (hsv(0.62, 0.42, 0.60), hsv(0.07, 0.48, 0.98)),  # evening
    (hsv(0.60, 0.08, 0.72), hsv(0.60, 0.03, 0.90)),  # overcast
)


def paint_sky(canvas: Canvas, rng: Generator, light: Vector, low: float = 480.0) -> Colour:
    """Paint a sky with clouds down to ``low``; returns the haze colour at the horizon."""
    top, haze = SKIES[rng.integers(len(SKIES))]
    cover = rng.uniform(0.42, 0.66)
    base = gradient(top, haze, 0, low)

    def texture(xs: Array, ys: Array) -> Array:
        shape = (ys.size, xs.size)
        field = noise(rng, shape, int(rng.integers(2, 5)), 6)
        field = field + 0.05 * (1 - ys / low)
        density = np.clip((field - cover) * 5.5, 0, 1)
        density = density * density * (3 - 2 * density)
        shift = max(2, shape[0] // 40)
        move = np.array([[1, 0, -3 * light[0]], [0, 1, shift]])
        below = cv2.warpAffine(field, move, shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        lit = field - below
        relief = np.clip(0.78 + 3.2 * cv2.GaussianBlur(lit, (0, 0), 2), 0.35, 1.0)
        cloud = blended(mixed(haze, (150, 140, 135), 0.6), (255, 253, 250), relief)
        glow = np.exp(-(((xs - 320 - 420 * light[0]) / 260) ** 2 + ((ys - 40) / 180) ** 2))
        air = base(xs, ys) + 26 * glow[..., None]
        return air + (cloud - air) * (0.92 * density)[..., None]

    canvas.fill(rectangle(0, 0, canvas.width, low), texture)
    return haze


def paint_sun(canvas: Canvas, rng: Generator, light: Vector) -> None:
    """Paint a low sun with its halo: round and bright, and no balloon."""
    x, y = canvas.width * (0.5 + 0.45 * light[0]), rng.uniform(35, 120)
    radius = rng.uniform(12, 24)
    canvas.shade(ellipse(x, y, radius * 3), 0.75, radius * 5, light=True)
    canvas.fill(ellipse(x, y, radius), (225, 248, 255))


def _ridge(rng: Generator, width: float, level: float, height: float, cells: int) -> Array:
    """Return a skyline polygon from the left to the right border, closed far below."""
    line = noise(rng, (8, 160), cells, 5)[4]
    xs = np.linspace(-5, width + 5, 160)
    top = np.stack([xs, level - height * line], axis=1)
    return np.concatenate([top, [(width + 5, level + 260), (-5, level + 260)]])


def paint_hills(canvas: Canvas, rng: Generator, horizon: float, haze: Colour) -> None:
    """Paint two or three ridges, paler with distance, and a line of trees or roofs before them."""
    green = hsv(rng.uniform(0.22, 0.42), rng.uniform(0.25, 0.5), rng.uniform(0.3, 0.5))
    for distance in (0.7, 0.4):
        ridge = _ridge(rng, canvas.width, horizon + 4, rng.uniform(50, 120) * distance, 3)
        canvas.fill(ridge, speckled(rng, mixed(green, haze, distance), 30, 0.12))
    if rng.random() < 0.6:
        wood = speckled(rng, mixed(scaled(green, 0.7), haze, 0.18), 60, 0.4)
        canvas.fill(_ridge(rng, canvas.width, horizon + 5, rng.uniform(20, 55), 14), wood)
    else:
        _paint_roofs(canvas, rng, horizon, haze)


def _paint_roofs(canvas: Canvas, rng: Generator, horizon: float, haze: Colour) -> None:
    """Paint a far village: walls with roofs and dark windows."""
    x = -20.0
    while x < canvas.width:
        width, height = rng.uniform(28, 60), rng.uniform(18, 34)
        if rng.random() < 0.7:
            wall = mixed(hsv(rng.uniform(0, 0.14), rng.uniform(0.05, 0.3), 0.85), haze, 0.35)
            roof = mixed(hsv(rng.uniform(0, 0.06), 0.5, rng.uniform(0.35, 0.6)), haze, 0.3)
            canvas.fill(rectangle(x, horizon - height, x + width, horizon + 6), wall)
            peak = horizon - height - rng.uniform(10, 18)
            canvas.fill(
                [
                    (x - 3, horizon - height),
                    (x + width / 2, peak),
                    (x + width + 3, horizon - height),
                ],
                roof,
            )
            for i in range(int(width // 13)):
                left = x + 5 + 13 * i
                canvas.fill(
                    rectangle(left, horizon - height + 7, left + 5, horizon - height + 14),
                    scaled(wall, 0.5),
                )
        x += width + rng.uniform(0, 30)


def paint_meadow(canvas: Canvas, rng: Generator, horizon: float) -> None:
    """Paint grass in perspective, with a path at times and blades and flowers in front."""
    hue, value = rng.uniform(0.19, 0.33), rng.uniform(0.5, 0.72)
    pair = hsv(hue + 0.03, 0.68, value * 0.72), hsv(hue - 0.03, 0.58, value * 1.15)
    canvas.fill(rectangle(0, horizon, canvas.width, 480), receding(rng, pair, horizon - 8, 70))
    if rng.random() < 0.45:
        x, end = rng.uniform(0.2, 0.8, 2) * canvas.width
        path = [(x - 4, horizon), (x + 4, horizon), (end + 110, 485), (end - 110, 485)]
        sand = hsv(0.1, 0.22, 0.74), hsv(0.1, 0.3, 0.6)
        canvas.fill(path, receding(rng, sand, horizon - 8, 60))
    canvas.shade(rectangle(0, horizon - 2, canvas.width, horizon + 10), 0.25, 14)
    near = 480 - horizon
    for _ in range(650):
        depth = rng.random() ** 0.6
        x, y = rng.uniform(0, canvas.width), horizon + 12 + near * depth
        length = (2 + 11 * depth) * rng.uniform(0.5, 1.2)
        colour = hsv(hue + rng.normal(0, 0.025), 0.65, value * rng.uniform(0.55, 1.35))
        canvas.stroke([(x, y), (x + rng.normal(0, 0.35) * length, y - length)], 0.8, colour)
    petals = hsv(rng.random(), rng.uniform(0.1, 0.9), 0.97)
    for _ in range(int(rng.integers(0, 40))):
        depth = rng.random() ** 0.7
        x, y = rng.uniform(0, canvas.width), horizon + 15 + near * depth
        size = 0.8 + 2.6 * depth
        canvas.dab(x, y, size, size * 0.7, 0, petals)
        canvas.dab(x, y, size * 0.4, size * 0.3, 0, (70, 200, 240))


def paint_leaves(
    canvas: Canvas, rng: Generator, x: float, y: float, radius: float, colour: Colour, light: Vector
) -> None:
    """Paint one clump of foliage, dark below and away from the light."""
    count = int(min(170, 35 + 2.2 * radius))
    size = max(1.6, min(0.16 * radius, 7))
    turn, out = rng.uniform(0, 2 * math.pi, count), np.sqrt(rng.random(count))
    px, py = out * np.cos(turn), out * np.sin(turn) * 0.85
    lit = px * light[0] + py * light[1] + rng.normal(0, 0.28, count)
    for i in np.argsort(lit):
        tone = scaled(colour, float(np.clip(0.75 + 0.42 * lit[i], 0.35, 1.45)))
        canvas.dab(
            x + px[i] * radius,
            y + py[i] * radius,
            size * rng.uniform(0.8, 1.9),
            size,
            float(rng.uniform(0, 180)),
            tone,
        )


def paint_tree(
    canvas: Canvas, rng: Generator, x: float, foot: float, height: float, light: Vector
) -> None:
    """Paint a leafy tree standing at (x, foot)."""
    colour = hsv(rng.uniform(0.17, 0.38), rng.uniform(0.4, 0.75), rng.uniform(0.32, 0.55))
    bark = hsv(0.07, rng.uniform(0.2, 0.5), rng.uniform(0.25, 0.42))
    half = height * 0.04
    canvas.shade(ellipse(x - light[0] * height * 0.2, foot, height * 0.32, height * 0.05), 0.4, 16)
    trunk = [
        (x - half, foot),
        (x - half * 0.6, foot - height * 0.6),
        (x + half * 0.6, foot - height * 0.6),
        (x + half * 1.2, foot),
    ]
    canvas.fill(trunk, rounded(bark, x - half, x + half, light))
    for side in (-1, 1):
        tip = (x + side * height * 0.2, foot - height * 0.72)
        canvas.stroke([(x, foot - height * 0.45), tip], half * 0.7, scaled(bark, 0.85))
    crown = height * 0.26
    for i in range(6):
        px, py = rng.normal(0, 0.62) * crown, rng.normal(0, 0.5) * crown
        tone = scaled(colour, 0.8 + 0.05 * i)
        paint_leaves(canvas, rng, x + px, foot - height * 0.74 + py, crown * 0.72, tone, light)


def bricks(rng: Generator, colour: Colour, wide: float, high: float) -> Texture:
    """Return a brick wall, each brick of its own tone."""
    tones = rng.uniform(0.8, 1.15, (64, 64)).astype(np.float32)
    mortar = np.array(mixed(colour, (190, 195, 200), 0.6), np.float32)

    def texture(xs: Array, ys: Array) -> Array:
        row = np.floor(ys / high)
        along = xs / wide + 0.5 * (row % 2)
        col = np.floor(along)
        tone = tones[row.astype(int) % 64, col.astype(int) % 64]
        joint = ((along - col) * wide < 1.1) | ((ys / high - row) * high < 1.1)
        face = np.array(colour, np.float32) * tone[..., None]
        return np.where(joint[..., None], mortar, face)

    return texture


def paint_window(
    canvas: Canvas, rng: Generator, box: tuple[float, float, float, float], frame: Colour
) -> None:
    """Paint a window in (x0, y0, x1, y1): sill, frame, glass with the sky in it, glazing bars."""
    x0, y0, x1, y1 = box
    edge = max(1.2, (x1 - x0) * 0.07)
    canvas.shade(rectangle(x0 + 2, y0 + 3, x1 + 4, y1 + 4), 0.35, 5)
    canvas.fill(rectangle(x0 - edge, y0 - edge, x1 + edge, y1 + edge), frame)
    dark = hsv(0.58, rng.uniform(0.1, 0.4), rng.uniform(0.2, 0.4))
    sky = hsv(0.57, 0.25, rng.uniform(0.6, 0.9))
    canvas.fill(rectangle(x0, y0, x1, y1), gradient(sky, dark, y0 - 8, y1))
    slant = (x1 - x0) * 0.35
    canvas.fill(
        [(x0 + slant, y0), (x0 + 1.8 * slant, y0), (x0 + 0.6 * slant, y1), (x0, y1)],
        scaled(sky, 1.15),
        0.25,
    )
    middle = (x0 + x1) / 2
    canvas.fill(rectangle(middle - edge / 3, y0, middle + edge / 3, y1), frame)
    canvas.fill(rectangle(x0, y0 * 0.6 + y1 * 0.4 - 1, x1, y0 * 0.6 + y1 * 0.4 + 1), frame)
    canvas.fill(rectangle(x0 - 2 * edge, y1, x1 + 2 * edge, y1 + 1.6 * edge), scaled(frame, 0.85))


def paint_house(canvas: Canvas, rng: Generator, x0: float, x1: float, ground: float) -> None:
    """Paint the front of a house between two x, as high as the picture or with its roof."""
    hue = rng.uniform(0.0, 0.16) if rng.random() < 0.75 else rng.random()
    colour = hsv(hue, rng.uniform(0.08, 0.45), rng.uniform(0.6, 0.92))
    eaves = rng.uniform(-120, 140)
    wall = (
        bricks(rng, scaled(colour, 0.8), rng.uniform(15, 22), rng.uniform(6, 8))
        if rng.random() < 0.4
        else speckled(rng, colour, 24, 0.07, 5)
    )
    if eaves > 0:
        roof = hsv(rng.uniform(0, 0.05), 0.5, rng.uniform(0.35, 0.55))
        peak = [(x0 - 10, eaves), (x0 + 25, eaves - 80), (x1 - 25, eaves - 80), (x1 + 10, eaves)]
        canvas.fill(peak, bricks(rng, roof, 10, 7))
    canvas.fill(rectangle(x0, eaves, x1, ground), wall)
    canvas.shade(rectangle(x0, eaves, x1, eaves + 10), 0.45, 8)
    canvas.fill(rectangle(x0, ground - 24, x1, ground), scaled(colour, 0.55))
    frame = (238, 240, 240) if rng.random() < 0.7 else hsv(rng.random(), 0.4, 0.35)
    columns = max(1, int((x1 - x0) // rng.uniform(70, 105)))
    pitch, storey = (x1 - x0) / columns, rng.uniform(105, 130)
    door = int(rng.integers(columns))
    for column in range(columns):
        middle = x0 + pitch * (column + 0.5)
        for level in range(5):
            top = ground - 45 - storey * level - 60
            if top < eaves + 8:
                break
            if level == 0 and column == door:
                _paint_door(canvas, rng, middle, ground)
            else:
                paint_window(canvas, rng, (middle - 19, top, middle + 19, top + 58), frame)


def _paint_door(canvas: Canvas, rng: Generator, x: float, ground: float) -> None:
    """Paint a house door with its step."""
    colour = hsv(rng.random(), rng.uniform(0.3, 0.8), rng.uniform(0.25, 0.6))
    canvas.fill(rectangle(x - 27, ground - 118, x + 27, ground), (220, 224, 226))
    canvas.fill(rectangle(x - 22, ground - 113, x + 22, ground), speckled(rng, colour, 8, 0.1))
    for top in (ground - 104, ground - 54):
        canvas.fill(rectangle(x - 16, top, x + 16, top + 42), scaled(colour, 0.78))
    canvas.fill(ellipse(x + 17, ground - 58, 2.2), (120, 200, 225))
    canvas.fill(rectangle(x - 33, ground - 5, x + 33, ground + 5), (165, 168, 170))


def paint_street(canvas: Canvas, rng: Generator, ground: float) -> None:
    """Paint a row of houses, the pavement before it and the road."""
    x = -float(rng.uniform(0, 120))
    while x < canvas.width:
        width = float(rng.uniform(170, 330))
        paint_house(canvas, rng, x, x + width, ground)
        x += width
    grey = rng.uniform(0.45, 0.7)
    slabs = hsv(0.09, 0.06, grey), hsv(0.09, 0.1, grey * 0.82)
    canvas.fill(rectangle(0, ground, canvas.width, 480), receding(rng, slabs, ground - 60, 60))
    canvas.shade(rectangle(0, ground - 2, canvas.width, ground + 14), 0.35, 14)
    kerb = ground + rng.uniform(45, 75)
    tar = hsv(0.6, 0.05, 0.3), hsv(0.6, 0.04, 0.38)
    canvas.fill(rectangle(0, kerb, canvas.width, 480), receding(rng, tar, ground - 60, 60))
    canvas.fill(rectangle(0, kerb - 3, canvas.width, kerb + 3), hsv(0.1, 0.04, 0.72))
    canvas.fill(rectangle(0, kerb + 3, canvas.width, kerb + 7), (45, 45, 45))
