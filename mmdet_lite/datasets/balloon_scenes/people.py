"""People, whole and from behind."""

import math

import numpy as np

from mmdet_lite.datasets.balloon_scenes.canvas import (
    Canvas,
    Colour,
    Vector,
    curve,
    ellipse,
    hsv,
    rectangle,
    rounded,
    scaled,
    speckled,
    spherical,
)

Generator = np.random.Generator
SKINS = (hsv(0.06, 0.25, 0.95), hsv(0.06, 0.38, 0.85), hsv(0.065, 0.5, 0.65), hsv(0.06, 0.55, 0.42))
HAIRS = (hsv(0.07, 0.6, 0.2), hsv(0.08, 0.55, 0.4), hsv(0.11, 0.5, 0.75), hsv(0.0, 0.0, 0.12))


def _limb(
    canvas: Canvas, joints: list[tuple[float, float]], width: float, colour: Colour, light: Vector
) -> None:
    """Draw a limb through its joints with a lit and a dark side."""
    canvas.stroke(joints, width, scaled(colour, 0.72))
    shift = np.array([light[0], light[1]]) * width * 0.13
    canvas.stroke(np.array(joints) + shift, width * 0.62, colour)


def paint_person(
    canvas: Canvas, rng: Generator, x: float, foot: float, height: float, light: Vector
) -> tuple[float, float]:
    """Draw a standing person of a height, feet at (x, foot); returns the hand that can hold."""
    skin, hair = SKINS[rng.integers(len(SKINS))], HAIRS[rng.integers(len(HAIRS))]
    shirt = hsv(rng.random(), rng.uniform(0.2, 0.8), rng.uniform(0.4, 0.9))
    head = height * rng.uniform(0.072, 0.1)
    neck, hip = foot - height + head * 2.1, foot - height * 0.47
    half = height * 0.105
    if rng.random() < 0.45:  # long hair falls behind the shoulders
        canvas.fill(ellipse(x, neck - head * 0.6, head * 1.02, head * 1.4), scaled(hair, 0.8))
    canvas.shade(ellipse(x - light[0] * half * 2, foot, height * 0.2, height * 0.03), 0.5, 9)
    _paint_legs(canvas, rng, (x, hip, foot, height), (shirt, skin), light)
    for side in (-1, 1):
        canvas.fill(
            ellipse(x + side * half * 0.75, foot - 2, half * 0.5, half * 0.24), (40, 42, 50)
        )
    torso = [
        (x - half * 0.5, neck),
        (x + half * 0.5, neck),
        (x + half * 1.05, neck + half * 0.45),
        (x + half * 0.85, hip + half * 0.3),
        (x - half * 0.85, hip + half * 0.3),
        (x - half * 1.05, neck + half * 0.45),
    ]
    canvas.fill(torso, rounded(shirt, x - half * 1.05, x + half * 1.05, light))
    hand = _paint_arms(canvas, rng, (x, neck, half), (shirt, skin), light)
    canvas.fill(
        rectangle(x - head * 0.35, neck - head * 0.6, x + head * 0.35, neck + head * 0.2),
        scaled(skin, 0.75),
    )
    _paint_head(canvas, rng, x, neck - head * 1.15, head, (skin, hair), light)
    return hand


def _paint_legs(
    canvas: Canvas,
    rng: Generator,
    frame: tuple[float, float, float, float],
    colours: tuple[Colour, Colour],
    light: Vector,
) -> None:
    """Draw trousers, or a dress and bare legs, between hip and foot of a body of a height."""
    x, hip, foot, height = frame
    shirt, skin = colours
    half = height * 0.105
    trousers = hsv(rng.uniform(0.55, 0.68), rng.uniform(0.1, 0.6), rng.uniform(0.18, 0.5))
    if rng.random() < 0.35:
        dress = [
            (x - half * 0.8, hip - half),
            (x + half * 0.8, hip - half),
            (x + half * 1.7, foot - height * 0.22),
            (x - half * 1.7, foot - height * 0.22),
        ]
        for side in (-1, 1):
            _limb(
                canvas,
                [(x + side * half * 0.5, hip), (x + side * half * 0.5, foot - 3)],
                half * 0.55,
                skin,
                light,
            )
        canvas.fill(dress, rounded(shirt, x - half * 1.7, x + half * 1.7, light))
    else:
        for side in (-1, 1):
            knee = (x + side * half * 0.62 + rng.normal(0, 0.1) * half, (hip + foot) / 2)
            _limb(
                canvas,
                [(x + side * half * 0.45, hip), knee, (x + side * half * 0.7, foot - 4)],
                half * 0.82,
                trousers,
                light,
            )


def _paint_arms(
    canvas: Canvas,
    rng: Generator,
    frame: tuple[float, float, float],
    colours: tuple[Colour, Colour],
    light: Vector,
) -> tuple[float, float]:
    """Draw a hanging arm and a bent or raised one; returns the hand of the second."""
    x, neck, half = frame
    shirt, skin = colours
    side = 1 if rng.random() < 0.5 else -1
    reach = half * 3.4
    rest = [
        (x - side * half * 0.95, neck + half * 0.5),
        (x - side * half * 1.3, neck + reach * 0.6),
        (x - side * half * 1.2, neck + reach),
    ]
    lift = rng.uniform(-0.5, 0.9)
    elbow = (x + side * half * 1.75, neck + half * 1.7)
    hand = (x + side * half * 2.3, elbow[1] - half * 1.5 * lift - half * 0.4)
    for joints in (rest, [(x + side * half * 0.95, neck + half * 0.5), elbow, hand]):
        _limb(canvas, joints[1:], half * 0.42, skin, light)
        _limb(canvas, joints[:2], half * 0.55, scaled(shirt, 0.95), light)
        canvas.fill(ellipse(*joints[-1], half * 0.3), scaled(skin, 0.95))
    return hand


def _paint_head(
    canvas: Canvas,
    rng: Generator,
    x: float,
    y: float,
    radius: float,
    colours: tuple[Colour, Colour],
    light: Vector,
) -> None:
    """Draw a head from the front, or from behind, with hair and, where large enough, a face."""
    skin, hair = colours
    behind = rng.random() < 0.25
    cap = spherical(hair, x, y, radius * 1.3, light)
    canvas.fill(
        ellipse(x, y, radius * 0.84, radius * 1.08), spherical(skin, x, y, radius * 1.25, light)
    )
    if behind:
        canvas.fill(ellipse(x, y - radius * 0.08, radius * 0.92, radius * 1.08), cap)
        return
    top = [
        (x + radius * math.cos(a) * 0.95, y - radius * 0.1 + radius * math.sin(a) * 1.08)
        for a in np.linspace(math.pi, 2 * math.pi, 14)
    ]
    fringe = [
        (x + radius * 0.7, y - radius * 0.35),
        (x, y - radius * rng.uniform(0.4, 0.6)),
        (x - radius * 0.75, y - radius * 0.3),
    ]
    canvas.fill(top + fringe, cap)
    for side in (-1, 1):
        canvas.fill(
            ellipse(x + side * radius * 0.32, y + radius * 0.02, radius * 0.09), (35, 35, 40)
        )
    canvas.stroke(
        curve(
            (x - radius * 0.3, y + radius * 0.5),
            (x, y + radius * 0.72),
            (x + radius * 0.3, y + radius * 0.5),
        ),
        radius * 0.09,
        scaled(skin, 0.5),
    )
    canvas.stroke(
        [(x, y + radius * 0.1), (x + radius * 0.06, y + radius * 0.3)],
        radius * 0.08,
        scaled(skin, 0.75),
    )


def paint_onlooker(canvas: Canvas, rng: Generator, x: float, top: float, light: Vector) -> None:
    """Draw the head and shoulders of somebody close, from behind, cut by the lower border."""
    radius = rng.uniform(34, 52)
    y = top + radius
    shirt = hsv(rng.random(), rng.uniform(0.1, 0.7), rng.uniform(0.2, 0.6))
    hair = HAIRS[rng.integers(len(HAIRS))]
    skin = SKINS[rng.integers(len(SKINS))]
    shoulders = [
        (x + radius * 2.3 * math.cos(a), y + radius * 2.5 + radius * 1.5 * math.sin(a))
        for a in np.linspace(math.pi, 2 * math.pi, 20)
    ]
    low = [(x + radius * 2.3, 490.0), (x - radius * 2.3, 490.0)]
    canvas.fill(shoulders + low, rounded(shirt, x - radius * 2.4, x + radius * 2.4, light))
    canvas.fill(
        rectangle(x - radius * 0.45, y + radius * 0.6, x + radius * 0.45, y + radius * 1.4),
        scaled(skin, 0.7),
    )
    strands = speckled(rng, spherical(hair, x, y, radius * 1.35, light), 9, 0.3)
    canvas.fill(ellipse(x, y, radius * 0.86, radius * 1.1), strands)
