"""How far a command is, on the screen of those who watch."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from mmdet_lite.cli.front_door import say

MANY = 200  # things in a row from which a bar is shown


def track(items: Sequence[Any], what: str) -> Iterable[Any]:
    """Go through many things with a bar on the screen."""
    if len(items) < MANY or not sys.stderr.isatty():
        return items
    from mmengine.utils import track_iter_progress

    say(f"{what}:")
    return iter(track_iter_progress(items, file=sys.stderr))
