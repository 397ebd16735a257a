"""Colours of classes and of single instances, RGB 0..255."""

import colorsys
from collections import Counter
from collections.abc import Sequence

Color = tuple[int, int, int]

GOLDEN_RATIO = 0.618034
SAME_CLASS_HUE_SPREAD = 0.10
ONE_CLASS_HUE_SPREAD = 0.45
LIGHTNESS_STEPS = (0.0, 0.09, -0.09)


def generated_palette(num_classes: int) -> list[Color]:
    """Return distinct colours for classes that have none; neighbours differ most.

    >>> generated_palette(2)
    [(242, 128, 48), (48, 135, 242)]
    """
    return [
        _from_hsv((0.068 + k * GOLDEN_RATIO * 0.8485) % 1.0, 0.8, 0.95) for k in range(num_classes)
    ]


def instance_colors(
    labels: Sequence[int], palette: Sequence[Color] | None, num_classes: int | None = None
) -> list[Color]:
    """Return a colour an instance: its class's, varied so that neighbours of one class separate.

    The variation is in hue and lightness, stays near the class's colour, and is wide only where
    the data set has a single class, whose colour then need not be told from others.

    Args:
        labels: of the instances, may be empty; those beyond the palette get generated colours.
        palette: a colour a class.
        num_classes: of the data set; None is the length of the palette.
    """
    palette = list(palette or [])
    classes = num_classes or len(palette)
    top = max([len(palette), *(label + 1 for label in labels)])
    palette += generated_palette(top)[len(palette) :]
    spread = ONE_CLASS_HUE_SPREAD if classes == 1 else SAME_CLASS_HUE_SPREAD
    seen: Counter[int] = Counter()
    colors = []
    for label in labels:
        colors.append(_varied(palette[label], seen[label], spread))
        seen[label] += 1
    return colors


def contrasting(color: Color) -> Color:
    """Return near black or white, whichever is read better on ``color`` (by its luminance).

    >>> contrasting((255, 255, 0)), contrasting((0, 0, 142))
    ((20, 20, 20), (255, 255, 255))
    """
    linear = [(c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (20, 20, 20) if luminance > 0.3 else (255, 255, 255)


def _varied(color: Color, nth: int, hue_spread: float) -> Color:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(c / 255 for c in color))
    if nth:
        hue += ((nth * GOLDEN_RATIO) % 1.0 - 0.5) * hue_spread
        lightness += LIGHTNESS_STEPS[nth % len(LIGHTNESS_STEPS)]
    lightness = min(max(lightness, 0.34), 0.76)  # black or white outlines vanish in photographs
    red, green, blue = colorsys.hls_to_rgb(hue % 1.0, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _from_hsv(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)
