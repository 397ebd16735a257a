"""Reading JSON of any size."""

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Json = dict[str, Any]


def parse_json(raw: bytes, source: str, keep: Callable[[Json], Any] | None = None) -> Any:
    """Return what a JSON text holds, with Python's ``NaN`` and ``Infinity`` as they are.

    Args:
        raw: UTF-8, UTF-16 or UTF-32, with or without byte order mark.
        source: the file, for the message.
        keep: gets every object of the file, the inner ones first, and returns what is kept of it;
            what it leaves out is never in memory for the whole file.

    Raises:
        ValueError: it is no JSON; says the file and the place.

    >>> parse_json(b'[{"a": 1}, {"a": 2.5}]', "some.json", lambda each: each["a"])
    [1, 2.5]
    """
    if not raw[:64].strip():
        raise ValueError(f"{source!r} is not valid json: it is empty")
    try:
        text = raw.decode(json.detect_encoding(raw), "surrogatepass")
        del raw  # where the caller keeps it not either, the bytes are gone before the parsing
        with without_collecting():
            return json.loads(text, object_hook=keep)
    except ValueError as error:  # UnicodeDecodeError is one too
        raise ValueError(f"{source!r} is not valid json: {error}") from error
    except RecursionError as error:
        raise ValueError(
            f"{source!r} is not valid json: its lists or objects are nested too deeply"
        ) from error


@contextmanager
def without_collecting() -> Iterator[None]:
    """Pause the garbage collector while millions of objects are made that all stay.

    It would walk through all of them again and again, and find nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
