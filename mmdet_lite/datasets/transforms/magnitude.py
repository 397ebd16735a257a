"""How strong a transform of AutoAugment and RandAugment is: its range, its level, its magnitude.

A level from 0 to 10 lies on a line from the smallest magnitude to the largest one.
"""

import numpy as np

from mmdet_lite.datasets.transforms.arguments import check_probability

MAX_LEVEL = 10


def magnitude_range(
    name: str,
    usual: tuple[float, float],
    prob: float,
    level: int | None,
    low: float | None,
    high: float | None,
) -> tuple[float, float]:
    """Check the arguments that all these transforms have, and return the range of magnitudes.

    Args:
        name: of the transform.
        usual: its own range, an end of which counts where ``low`` or ``high`` is None.
        prob: how often it acts.
        level: 0 to 10, or None.
        low: ``min_mag``.
        high: ``max_mag``.

    Raises:
        TypeError: ``level`` is no integer.
        ValueError: a number out of its range.
    """
    check_probability(name, "prob", prob)
    if level is not None and not isinstance(level, int):
        raise TypeError(f"{name}: level must be an integer or None; got {level!r}")
    if level is not None and not 0 <= level <= MAX_LEVEL:
        raise ValueError(f"{name}: level must be in 0..{MAX_LEVEL}; got {level}")
    low = usual[0] if low is None else low
    high = usual[1] if high is None else high
    if low > high:
        raise ValueError(f"{name}: min_mag must not exceed max_mag; got {low} and {high}")
    return low, high


def draw_magnitude(prob: float, level: int | None, low: float, high: float) -> float | None:
    """Return the magnitude of a level, or one drawn between the two; None: do not act.

    >>> draw_magnitude(1.0, 5, 0, 30)
    15.0
    """
    if np.random.rand() >= prob:
        return None
    part = np.random.rand() if level is None else level / MAX_LEVEL
    return float(low + part * (high - low))
