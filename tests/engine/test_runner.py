"""What the screen of a run shows."""

import logging

import pytest

from mmdet_lite.engine.runner import is_for_the_screen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Config:\nmodel = dict()", False),
        ("Hooks will be executed in the following order:\nbefore_run:", False),
        ("\n" + "-" * 60 + "\nSystem environment:\n    sys.platform: linux", False),
        ("Config of the data is wrong", True),
        ("Epoch(train) [1][10/25]", True),
    ],
)
def test_long_listings_stay_off_the_screen(text: str, shown: bool) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, text, None, None)
    assert is_for_the_screen(record) is shown
