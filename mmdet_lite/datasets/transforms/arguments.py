"""Checks of arguments that several transforms have."""

from collections.abc import Sequence
from typing import Any


def check_img_scale(name: str, img_scale: Any) -> None:
    """Raise ValueError unless ``img_scale`` is two positive integers, width and height."""
    good = isinstance(img_scale, Sequence) and len(img_scale) == 2
    good = good and all(isinstance(side, int) and side > 0 for side in img_scale)
    if not good:
        raise ValueError(
            f"{name}: img_scale must be two positive integers (width, height); got {img_scale}"
        )


def check_probability(name: str, argument: str, value: float) -> None:
    """Raise ValueError unless a probability is in 0..1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: {argument} must be in 0..1; got {value}")


def check_border_values(name: str, mask_border_value: int, seg_ignore_label: int) -> None:
    """Raise ValueError for values that only make sense with other kinds of annotations."""
    if mask_border_value != 0:
        raise ValueError(
            f"{name}: mask_border_value can only be 0: no object is there; got {mask_border_value}"
        )
    if seg_ignore_label != 255:
        raise ValueError(
            f"{name}: seg_ignore_label can only be 255, as there are no maps of classes; "
            f"got {seg_ignore_label}"
        )
