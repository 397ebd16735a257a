"""Stages: whole places without balloons, and where balloons may be in them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mmdet_lite.datasets.balloon_scenes.canvas import Canvas, Vector
from mmdet_lite.datasets.balloon_scenes.indoors import (
    paint_bokeh,
    paint_bright_window,
    paint_bunting,
    paint_cabinet,
    paint_clock,
    paint_floor,
    paint_lamp,
    paint_picture,
    paint_sofa,
    paint_table,
    paint_wall,
)
from mmdet_lite.datasets.balloon_scenes.objects import (
    paint_ball,
    paint_branch,
    paint_cake,
    paint_cup,
    paint_fence,
    paint_flowers,
    paint_oranges,
    paint_plate,
    paint_post,
    paint_present,
    paint_sign,
    paint_street_lamp,
)
from mmdet_lite.datasets.balloon_scenes.outdoors import (
    paint_hills,
    paint_meadow,
    paint_sky,
    paint_street,
    paint_sun,
    paint_tree,
)
from mmdet_lite.datasets.balloon_scenes.people import paint_onlooker, paint_person

Generator = np.random.Generator
Point = tuple[float, float]


@dataclass(frozen=True)
class Stage:
    """A painted place; all lengths in units.

    ``ties`` are points (x, y) where bunches are held and the radius that fits there; ``air`` (x0,
    y0, x1, y1) is where single balloons float, of radii between ``radii``; ``floor`` (top, bottom)
    is where they lie, or None. ``front`` holds what stands nearer than the balloons.
    """

    light: Vector
    ties: list[tuple[Point, float]]
    air: tuple[float, float, float, float]
    radii: tuple[float, float]
    floor: tuple[float, float] | None
    wall: bool
    front: Canvas


def sample_light(rng: Generator) -> Vector:
    """Draw the unit vector towards the light: from above, one side, and from before the scene."""
    x, y, z = rng.uniform(-0.75, 0.75), rng.uniform(-0.8, -0.4), rng.uniform(0.5, 0.8)
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length)


def _spots(rng: Generator, canvas: Canvas, count: int) -> list[float]:
    """Draw x positions that keep their distance, in random order."""
    cells = (np.arange(count) + rng.uniform(0.2, 0.8, count)) / count * canvas.width
    return [float(x) for x in rng.permutation(cells)]


def _paint_people(
    canvas: Canvas, rng: Generator, ground: float, light: Vector, count: int
) -> list[tuple[Point, float]]:
    """Draw people whose feet are below ``ground``, those far away first; returns their ties."""
    eye_level = min(ground - 20, 320) - 60
    feet = sorted(rng.uniform(ground, 478, count))
    ties = []
    for x, foot in zip(_spots(rng, canvas, count), feet, strict=True):
        height = (foot - eye_level) * 1.15 * rng.uniform(0.65, 1.1)
        hand = paint_person(canvas, rng, x, foot, min(height, foot - 110), light)
        ties.append((hand, max(14.5, height * rng.uniform(0.085, 0.14))))
    return ties


def _paint_guests(
    canvas: Canvas, rng: Generator, top: float, light: Vector, count: int
) -> list[tuple[Point, float]]:
    """Draw people who stand behind a table that will hide their legs; returns their ties."""
    ties = []
    for x in _spots(rng, canvas, count):
        height = rng.uniform(250, 350)
        foot = top + height * rng.uniform(0.35, 0.5)
        ties.append((paint_person(canvas, rng, x, foot, height, light), rng.uniform(24, 38)))
    return ties


def _weight(
    canvas: Canvas, rng: Generator, x: float, y: float, light: Vector
) -> tuple[Point, float]:
    """Put a present on the ground or table that a bunch is tied to; returns the tie."""
    paint_present(canvas, rng, x, y, light)
    return (x, y - 18), float(rng.uniform(20, 38))


def park(canvas: Canvas, rng: Generator) -> Stage:
    """Paint a meadow under the sky with trees and people."""
    light, horizon = sample_light(rng), float(rng.uniform(250, 340))
    haze = paint_sky(canvas, rng, light, horizon + 20)
    if rng.random() < 0.2:
        paint_sun(canvas, rng, light)
    paint_hills(canvas, rng, horizon, haze)
    paint_meadow(canvas, rng, horizon)
    for x in _spots(rng, canvas, int(rng.integers(0, 4))):
        foot = horizon + rng.uniform(8, 45)
        paint_tree(canvas, rng, x, foot, (foot - horizon) * 3 + rng.uniform(70, 170), light)
    canvas.soften(float(rng.uniform(0.3, 1.1)))
    if rng.random() < 0.35:
        paint_sign(canvas, rng, rng.uniform(0.1, 0.9) * canvas.width, horizon + rng.uniform(40, 90))
    if rng.random() < 0.5:
        paint_ball(
            canvas, rng, rng.uniform(0.1, 0.9) * canvas.width, rng.uniform(horizon + 60, 465), light
        )
    ties = _paint_people(canvas, rng, horizon + 18, light, int(rng.integers(1, 4)))
    front = canvas.new_layer()
    _stand_in_front(front, rng, light, ("branch", "fence", "onlooker", "person", "", "", ""))
    air = (0.0, 10.0, canvas.width, horizon)
    return Stage(light, ties, air, (16, 64), (horizon + 60, 470), False, front)


def street(canvas: Canvas, rng: Generator) -> Stage:
    """Paint house fronts, pavement, lamps, signs and people."""
    light, ground = sample_light(rng), float(rng.uniform(330, 400))
    paint_sky(canvas, rng, light, 200)
    paint_street(canvas, rng, ground)
    canvas.soften(float(rng.uniform(0.4, 1.3)))
    for x in _spots(rng, canvas, int(rng.integers(1, 3))):
        paint = paint_sign if rng.random() < 0.5 else paint_street_lamp
        paint(canvas, rng, x, ground + rng.uniform(15, 40))
    ties = _paint_people(canvas, rng, ground + 12, light, int(rng.integers(1, 4)))
    ties.append(_weight(canvas, rng, rng.uniform(0.1, 0.9) * canvas.width, ground + 28, light))
    front = canvas.new_layer()
    _stand_in_front(front, rng, light, ("post", "onlooker", "branch", "person", "", "", ""))
    air = (0.0, 20.0, canvas.width, ground - 60)
    return Stage(light, ties, air, (16, 54), None, False, front)


def sky(canvas: Canvas, rng: Generator) -> Stage:
    """Paint the open sky as seen when looking up, with a branch or a lamp at the border."""
    light = sample_light(rng)
    haze = paint_sky(canvas, rng, light, 560)
    if rng.random() < 0.35:
        paint_sun(canvas, rng, light)
    if rng.random() < 0.5:
        paint_hills(canvas, rng, rng.uniform(430, 475), haze)
    if rng.random() < 0.4:
        x = rng.uniform(0.05, 0.95) * canvas.width
        paint_tree(canvas, rng, x, 560, rng.uniform(200, 330), light)
    canvas.soften(0.5)
    front = canvas.new_layer()
    _stand_in_front(front, rng, light, ("branch", "branch", ""))
    ties = [((rng.uniform(0.2, 0.8) * canvas.width, rng.uniform(330, 500)), rng.uniform(16, 44))]
    return Stage(light, ties, (0, 0, canvas.width, 430), (16, 84), None, False, front)


def room(canvas: Canvas, rng: Generator) -> Stage:
    """Paint a living room: wall, floor, window, pictures, clock, lamp, sofa, shelf, people."""
    light, ground = sample_light(rng), float(rng.uniform(345, 405))
    paint_wall(canvas, rng, light, ground)
    paint_floor(canvas, rng, ground)
    spots = _spots(rng, canvas, 4)
    if rng.random() < 0.65:
        paint_bright_window(canvas, rng, spots[0], rng.uniform(55, 100))
    for x in spots[1:]:
        hang = rng.random()
        if hang < 0.5:
            paint_picture(canvas, rng, x, rng.uniform(90, 170))
        elif hang < 0.7:
            paint_clock(canvas, rng, x, rng.uniform(70, 130))
    if rng.random() < 0.55:
        paint_cabinet(canvas, rng, spots[1], ground + 8)
    if rng.random() < 0.6:
        paint_sofa(canvas, rng, spots[2], ground + rng.uniform(20, 35), light)
    if rng.random() < 0.35:
        paint_lamp(canvas, rng, spots[3])
    if rng.random() < 0.3:
        paint_bunting(canvas, rng)
    canvas.soften(float(rng.uniform(0.3, 1.3)))
    if rng.random() < 0.4:
        paint_ball(
            canvas, rng, rng.uniform(0.1, 0.9) * canvas.width, rng.uniform(ground + 35, 470), light
        )
    ties = [_weight(canvas, rng, spots[3], ground + rng.uniform(20, 60), light)]
    if rng.random() < 0.6:
        ties += _paint_people(canvas, rng, ground + 12, light, int(rng.integers(1, 3)))
    front = canvas.new_layer()
    _stand_in_front(front, rng, light, ("post", "onlooker", "person", "", "", ""))
    air = (0.0, 10.0, canvas.width, ground - 60)
    return Stage(light, ties, air, (17, 62), (ground + 20, 470), True, front)


def party(canvas: Canvas, rng: Generator) -> Stage:
    """Paint a laid party table before a wall: cake, cups, plates, fruit, flowers."""
    light, top = sample_light(rng), float(rng.uniform(320, 375))
    paint_wall(canvas, rng, light, top + 10)
    spots = _spots(rng, canvas, 3)
    if rng.random() < 0.4:
        paint_bright_window(canvas, rng, spots[0], rng.uniform(30, 70))
    if rng.random() < 0.4:
        paint_picture(canvas, rng, spots[1], rng.uniform(90, 150))
    if rng.random() < 0.3:
        paint_lamp(canvas, rng, spots[2])
    if rng.random() < 0.6:
        paint_bunting(canvas, rng)
    canvas.soften(float(rng.uniform(0.8, 2.2)))
    ties = []
    if rng.random() < 0.5:
        ties = _paint_guests(canvas, rng, top, light, int(rng.integers(1, 3)))
    paint_table(canvas, rng, top)
    ties += [_weight(canvas, rng, x, top + 16, light) for x in _spots(rng, canvas, 2)]
    _lay_table(canvas, rng, top, light)
    front = canvas.new_layer()
    _stand_in_front(front, rng, light, ("onlooker", "post", "", "", ""))
    air = (0.0, 20.0, canvas.width, top - 50)
    return Stage(light, ties, air, (18, 70), None, True, front)


def _lay_table(canvas: Canvas, rng: Generator, top: float, light: Vector) -> None:
    """Put four to six things on the table, those at the back first."""
    things = ["cake", "plate", "cup", "oranges", "flowers", "cup", "plate"]
    chosen = [str(name) for name in rng.permutation(things)[: int(rng.integers(4, 7))]]
    rows = sorted(rng.uniform(top + 22, 462, len(chosen)))
    for name, x, y in zip(chosen, _spots(rng, canvas, len(chosen)), rows, strict=True):
        if name == "plate":
            paint_plate(canvas, rng, x, y)
        else:
            paint = {
                "cake": paint_cake,
                "cup": paint_cup,
                "oranges": paint_oranges,
                "flowers": paint_flowers,
            }[name]
            paint(canvas, rng, x, y, light)


def closeup(canvas: Canvas, rng: Generator) -> Stage:
    """Paint a background far out of focus for large balloons."""
    light = sample_light(rng)
    if rng.random() < 0.6:
        paint_bokeh(canvas, rng)
    else:
        haze = paint_sky(canvas, rng, light, 380)
        paint_hills(canvas, rng, 350, haze)
        paint_meadow(canvas, rng, 350)
        for x in _spots(rng, canvas, 2):
            paint_tree(canvas, rng, x, 370, rng.uniform(150, 260), light)
        canvas.soften(float(rng.uniform(4, 8)))
    front = canvas.new_layer()
    _stand_in_front(front, rng, light, ("branch", "onlooker", "", ""))
    ties = [((rng.uniform(0.3, 0.7) * canvas.width, rng.uniform(430, 560)), rng.uniform(45, 75))]
    return Stage(light, ties, (30, 60, canvas.width - 30, 400), (45, 122), None, False, front)


def _stand_in_front(front: Canvas, rng: Generator, light: Vector, kinds: tuple[str, ...]) -> None:
    """Paint one of the kinds of near things ('' is none) onto the front layer."""
    kind = kinds[rng.integers(len(kinds))]
    x = float(rng.uniform(0.08, 0.92)) * front.width
    if kind == "branch":
        paint_branch(front, rng, light)
    elif kind == "fence":
        paint_fence(front, rng, 484, light)
    elif kind == "onlooker":
        paint_onlooker(front, rng, x, rng.uniform(330, 390), light)
    elif kind == "person":
        height = rng.uniform(330, 430)
        paint_person(front, rng, x, 470 + height * rng.uniform(0.02, 0.3), height, light)
    elif kind == "post":
        paint_post(front, rng, x, light)


STAGES: dict[str, tuple[Callable[[Canvas, Generator], Stage], float]] = {
    "park": (park, 0.25),
    "street": (street, 0.16),
    "sky": (sky, 0.13),
    "room": (room, 0.2),
    "party": (party, 0.16),
    "closeup": (closeup, 0.1),
}
