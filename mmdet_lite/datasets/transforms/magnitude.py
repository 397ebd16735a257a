"""How strong a transform of AutoAugment and RandAugment is: levels, magnitudes, policies' words.

A level from 0 to 10 lies on a line from the smallest magnitude to the largest one.
"""

import numpy as np

MAX_LEVEL = 10


def check_magnitude(name: str, prob: float, level: int | None, low: float, high: float) -> None:
    """Raise ValueError or TypeError unless the arguments that all these transforms have fit."""
    if not 0 <= prob <= 1:
        raise ValueError(f"{name}: prob must be in 0..1; got {prob}")
    if level is not None and not isinstance(level, int):
        raise TypeError(f"{name}: level must be an integer or None; got {level!r}")
    if level is not None and not 0 <= level <= MAX_LEVEL:
        raise ValueError(f"{name}: level must be in 0..{MAX_LEVEL}; got {level}")
    if low > high:
        raise ValueError(f"{name}: min_mag must not exceed max_mag; got {low} and {high}")


def draw_magnitude(level: int | None, low: float, high: float) -> float:
    """Return the magnitude of a level, or one drawn between the two without a level.

    >>> draw_magnitude(5, 0, 30)
    15.0
    """
    part = np.random.rand() if level is None else level / MAX_LEVEL
    return float(low + part * (high - low))
