"""A window with a picture, for those who ask for one and have a display."""

import os
import sys
from typing import Any


def show_picture(picture: Any, title: str, seconds: float) -> None:
    """Open a window with a picture (H, W, 3) RGB; 0 seconds wait for a key.

    Raises:
        ValueError: there is no display.
    """
    from mmdet_lite.visualization import DetLocalVisualizer

    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform == "linux" and not named:
        raise ValueError(
            "--show needs a display, and there is none; the pictures are written as files anyway"
        )
    DetLocalVisualizer().show(picture, win_name=title, wait_time=seconds)
