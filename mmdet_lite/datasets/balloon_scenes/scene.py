"""One scene with balloons: a stage, balloons on it, the camera, and the outlines of what shows."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mmdet_lite.datasets.balloon_scenes.balloons import (
    Balloon,
    BalloonPixels,
    paint_balloon,
    rasterise,
    sample_balloon,
    sample_bunch,
    sample_colours,
)
from mmdet_lite.datasets.balloon_scenes.canvas import (
    SUPERSAMPLING,
    UNITS_HIGH,
    Array,
    Canvas,
)
from mmdet_lite.datasets.balloon_scenes.stages import STAGES, Stage

Generator = np.random.Generator

NUM_BALLOONS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12)
NUM_BALLOONS_SHARES = (0.12, 0.15, 0.19, 0.18, 0.13, 0.09, 0.05, 0.04, 0.03, 0.02)
MIN_SIDE = 22.0  # units: the shorter side of what shows of a balloon
MIN_VISIBLE = 0.42  # of the whole balloon, what is outside the picture included
MIN_WHOLENESS = 0.9  # of the visible pixels in one piece, and of the outline's inside visible


@dataclass(frozen=True)
class Scene:
    """A finished picture.

    ``image`` (H, W, 3) uint8 BGR; ``instance_map`` (H, W) int32, 0 for none, i + 1 for the visible
    pixels of ``polygons[i]`` (N, 2) int32 x, y: its outermost pixels in order. ``stage`` names the
    place, ``jpeg_quality`` is what the camera would store it with.
    """

    image: Array
    instance_map: Array
    polygons: list[Array]
    stage: str
    jpeg_quality: int


def draw_scene(seed: int, split: str, index: int, size_wh: tuple[int, int] = (640, 480)) -> Scene:
    """Draw scene ``index`` of a split; the same arguments always give the same picture.

    Every scene has one to twelve balloons, each outlined; what is too small or too hidden to be
    outlined is not drawn.

    Raises:
        ValueError: For a picture smaller than 160x120 or of a strange shape.
    """
    width, height = size_wh
    if min(width / 160, height / 120) < 1 or not 0.5 <= width / height <= 3:
        raise ValueError(
            f"balloon scenes need at least 160x120 pixels and 0.5 <= width / height <= 3, "
            f"got {width}x{height}"
        )
    rng = np.random.default_rng([seed, *split.encode(), index])
    names = list(STAGES)
    name = names[rng.choice(len(names), p=[STAGES[key][1] for key in names])]
    canvas = Canvas(width, height)
    stage = STAGES[name][0](canvas, rng)
    balloons: list[tuple[Balloon, BalloonPixels]] = []
    polygons: list[Array] = []
    while not balloons:
        balloons = _keep_visible(_plan(rng, stage), stage, canvas)
        instance_map = _instance_map([pixels for _, pixels in balloons], stage.front)
        polygons = [outline(instance_map == i + 1) for i in range(len(balloons))]
    for balloon, pixels in balloons:
        paint_balloon(balloon, pixels, canvas, stage.light)
    if stage.front.cover is not None:
        cv2.copyTo(stage.front.image, stage.front.cover, canvas.image)
    image = _photograph(rng, canvas)
    return Scene(image, instance_map, polygons, name, int(rng.integers(80, 96)))


def _plan(rng: Generator, stage: Stage) -> list[Balloon]:
    """Draw balloons, those at the back first: bunches at ties, single ones in the air or lying."""
    wanted = int(rng.choice(NUM_BALLOONS, p=NUM_BALLOONS_SHARES))
    ties = [stage.ties[i] for i in rng.permutation(len(stage.ties))]
    balloons: list[Balloon] = []
    while len(balloons) < wanted:
        left = wanted - len(balloons)
        if ties and rng.random() < 0.7:
            tie, radius = ties.pop()
            count = min(left, int(rng.integers(1, 8)))
            balloons += sample_bunch(rng, tie, radius, count, stage.wall)
        elif stage.floor is not None and rng.random() < 0.35:
            balloons.append(_lying(rng, stage, stage.floor))
        else:
            balloons.append(_floating(rng, stage))
    return balloons


def _floating(rng: Generator, stage: Stage) -> Balloon:
    """Draw a single balloon in the air, its string loose."""
    x0, y0, x1, y1 = stage.air
    x, y = float(rng.uniform(x0, x1)), float(rng.uniform(y0, y1))
    low, high = (math.log(radius) for radius in stage.radii)
    radius = math.exp(rng.uniform(low, high))
    end = (x + rng.normal(0, 0.5) * radius, y + radius * rng.uniform(2.6, 5))
    return sample_balloon(
        rng,
        x,
        y,
        radius,
        sample_colours(rng, 1)[0],
        rng.normal(0, 0.16),
        end if rng.random() < 0.85 else None,
        stage.wall,
    )


def _lying(rng: Generator, stage: Stage, floor: tuple[float, float]) -> Balloon:
    """Draw a balloon that lies on the ground on its side."""
    foot = float(rng.uniform(*floor))
    radius = rng.uniform(0.6, 1.2) * (12 + 0.16 * (foot - floor[0])) + 4
    x = rng.uniform(stage.air[0], stage.air[2])
    angle = float(rng.choice([-1, 1])) * rng.uniform(1.2, 2.0)
    colour = sample_colours(rng, 1)[0]
    return sample_balloon(rng, x, foot - radius, radius, colour, angle, None, stage.wall)


def _keep_visible(
    balloons: list[Balloon], stage: Stage, canvas: Canvas
) -> list[tuple[Balloon, BalloonPixels]]:
    """Leave out the balloons that would show as slivers, the worst first, until all show well."""
    kept = [(b, pixels) for b in balloons if (pixels := rasterise(b, canvas)) is not None]
    while kept:
        instance_map = _instance_map([pixels for _, pixels in kept], stage.front)
        shares = [
            _visible_share(instance_map == i + 1, pixels, canvas.unit / SUPERSAMPLING)
            for i, (_, pixels) in enumerate(kept)
        ]
        worst = int(np.argmin(shares))
        if shares[worst] >= MIN_VISIBLE:
            break
        del kept[worst]
    return kept


def _visible_share(visible: Array, pixels: BalloonPixels, unit: float) -> float:
    """Return how much of a balloon shows, 0 where the rest is too small or in pieces."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(visible.astype(np.uint8), connectivity=4)
    if count < 2:
        return 0.0
    _, _, width, height, area = stats[1:][np.argmax(stats[1:, cv2.CC_STAT_AREA])]
    inside = np.zeros(visible.shape, np.uint8)
    cv2.fillPoly(inside, [outline(visible)], 1)
    whole = min(area / stats[1:, cv2.CC_STAT_AREA].sum(), area / max(1, int(inside.sum())))
    if min(width, height) < MIN_SIDE * unit or whole < MIN_WHOLENESS:
        return 0.0
    return float(area) * SUPERSAMPLING**2 / pixels.full_area


def _instance_map(balloons: list[BalloonPixels], front: Canvas) -> Array:
    """Return which balloon shows at each picture pixel (H, W), 0 for none, i + 1 for the i-th.

    A pixel belongs to the balloon that covers at least half of its canvas pixels.
    """
    ids = np.zeros(front.image.shape[:2], np.int32)
    for i, pixels in enumerate(balloons):
        height, width = pixels.mask.shape
        window = ids[pixels.y0 : pixels.y0 + height, pixels.x0 : pixels.x0 + width]
        window[pixels.mask > 0] = i + 1
    if front.cover is not None:
        ids[front.cover > 0] = 0
    fine = np.stack(
        [
            ids[y::SUPERSAMPLING, x::SUPERSAMPLING]
            for y in range(SUPERSAMPLING)
            for x in range(SUPERSAMPLING)
        ]
    )
    fine.sort(axis=0)
    # of four sorted numbers, one that occurs twice stands in the second or the third place
    return np.where(
        (fine[2] == fine[3]) | (fine[2] == fine[1]), fine[2], fine[1] * (fine[0] == fine[1])
    )


def outline(visible: Array) -> Array:
    """Return the outer contour (N, 2) int32 of the largest piece of a mask (H, W), N <= 60."""
    contours, _ = cv2.findContours(
        visible.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    largest = max(contours, key=cv2.contourArea)
    for tolerance in (0.3, 0.5, 0.7, 1.0, 1.5, 2.2, 3.0):
        points = cv2.approxPolyDP(largest, tolerance, True)[:, 0]
        if len(points) <= 60:
            break
    return points.astype(np.int32)


def _photograph(rng: Generator, canvas: Canvas) -> Array:
    """Take the picture: sharpness, colour cast, exposure, contrast, vignette, grain."""
    width, height = canvas.size_wh
    image = cv2.resize(canvas.image, (width, height), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9) * height / UNITS_HIGH)
    ramp = np.arange(256, dtype=np.float32) / 255
    curves = []
    gamma, contrast = rng.uniform(0.82, 1.25), rng.uniform(0.9, 1.12)
    for cast in 1 + rng.normal(0, 0.045, 3):
        level = (ramp**gamma * cast - 0.5) * contrast + 0.5 + 0.02
        curves.append(np.clip(level * 255, 0, 255))
    tones = cv2.LUT(image, np.stack(curves, axis=1)[None].astype(np.uint8)).astype(np.float32)
    xs = (np.arange(width, dtype=np.float32)[None] / width - 0.5) * 2
    ys = (np.arange(height, dtype=np.float32)[:, None] / height - 0.5) * 2
    tones *= (1 - rng.uniform(0, 0.16) * (xs**2 + ys**2))[..., None].astype(np.float32)
    grain = rng.standard_normal((height, width, 3), dtype=np.float32)
    tones += grain * np.float32(rng.uniform(1, 5))
    tones += cv2.resize(grain[::2, ::2], (width, height)) * np.float32(rng.uniform(0, 3))
    return np.clip(tones + 0.5, 0, 255).astype(np.uint8)
