"""What picture files are like: size, orientation, kind, content. Read once, kept between runs."""

import gzip
import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdet_lite.datasets.converters.content import Track, without_progress
from mmdet_lite.ops.image_file import (
    PILLOW_ERRORS,
    BadImageError,
    Pixels,
    as_rgb,
    decode_image,
    exif_orientation,
)
from mmdet_lite.ops.whole_files import write_atomically

THUMBNAIL = 16  # pixels a side
VERSION = 3  # of what is kept; files of another one are read anew
_AT_A_TIME = 8  # pictures that a worker fetches at once


@dataclass(frozen=True)
class ImageFacts:
    """One picture file.

    Args:
        size: bytes of the file.
        mtime: when it was last changed, in nanoseconds.
        width: pixels, once upright; 0 where it cannot be read.
        height: likewise.
        orientation: see ``image_file.exif_orientation``.
        mode: as Pillow names it: L, RGB, RGBA, P, CMYK, I;16 ...; '' where Pillow does not know it.
        frames: 1, or more in an animation.
        digest: of the file's bytes, as hex.
        look: 64 bits, as hex: which of two neighbours in the picture is brighter (dHash).
        thumbnail: 16 x 16 grey values, as hex.
        problem: why it cannot be read, '' if it can.
        brightest: of a picture with 16 bits its largest value, as a part of the range; else 1.
    """

    size: int
    mtime: int
    width: int = 0
    height: int = 0
    orientation: int = 1
    mode: str = ""
    frames: int = 1
    digest: str = ""
    look: str = ""
    thumbnail: str = ""
    problem: str = ""
    brightest: float = 1.0


def read_facts(path: str) -> ImageFacts:
    """Read and decode one picture as training does.

    Raises:
        FileNotFoundError: it is not there.
    """
    stat = os.stat(path)
    known: dict[str, Any] = {"size": stat.st_size, "mtime": stat.st_mtime_ns}
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:  # a folder, or no right to read it
        return ImageFacts(**known, problem=error.strerror or str(error))
    known["digest"] = hashlib.blake2b(content, digest_size=16).hexdigest()
    try:
        pixels = _pixels(content)
    except BadImageError as error:
        return ImageFacts(**known, problem=str(error))
    grey = cv2.cvtColor(as_rgb(pixels), cv2.COLOR_RGB2GRAY)
    header = _header(content)
    return ImageFacts(
        **known,
        **header,
        brightest=_brightest(content) if header.get("mode", "").startswith("I") else 1.0,
        width=pixels.shape[1],
        height=pixels.shape[0],
        look=_look(grey),
        thumbnail=_reduced(grey, THUMBNAIL, THUMBNAIL).tobytes().hex(),
    )


def read_all_facts(
    paths: Sequence[str],
    known: Mapping[str, ImageFacts],
    workers: int = 0,
    track: Track = without_progress,
) -> dict[str, ImageFacts]:
    """Facts of all pictures that are there, by path.

    Args:
        paths: of files; those that do not exist are left out.
        known: facts of earlier runs; taken where size and time of the file are still the same.
        workers: processes that read; 0 reads in this one.
        track: called with what is gone through and a word for it; a progress bar can be hung here.
    """
    facts: dict[str, ImageFacts] = {}
    unread = []
    for path in dict.fromkeys(paths):
        state = _state(path)
        if state is not None and path in known and state == (known[path].size, known[path].mtime):
            facts[path] = known[path]
        elif state is not None:
            unread.append(path)
    read = _read_many(unread, workers)
    for path, one in zip(track(unread, "reading pictures"), read, strict=True):
        if one is not None:
            facts[path] = one
    return facts


def load_cache(file: str | Path) -> dict[str, ImageFacts]:
    """Facts that ``save_cache`` wrote; none where the file is absent, damaged or of another kind.

    Nothing is lost with a cache that cannot be read: the pictures are read again.
    """
    try:
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            kept = json.load(stream)
        if kept["version"] != VERSION:
            return {}
        return {path: ImageFacts(*values) for path, values in kept["pictures"].items()}
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError):
        return {}


def save_cache(file: str | Path, facts: Mapping[str, ImageFacts]) -> None:
    """Write facts in one step, into a folder that is made if absent."""
    kept = {"version": VERSION, "pictures": {path: astuple(one) for path, one in facts.items()}}
    packed = gzip.compress(json.dumps(kept).encode(), compresslevel=1)
    write_atomically(file, lambda stream: stream.write(packed))


def _read_many(paths: Sequence[str], workers: int) -> Iterable[ImageFacts | None]:
    if workers < 1 or len(paths) < 2 * _AT_A_TIME:
        yield from map(_facts_or_none, paths)
        return
    with ProcessPoolExecutor(workers, initializer=cv2.setNumThreads, initargs=(0,)) as pool:
        yield from pool.map(_facts_or_none, paths, chunksize=_AT_A_TIME)


def _facts_or_none(path: str) -> ImageFacts | None:
    """None where the file vanished since it was looked for."""
    try:
        return read_facts(path)
    except FileNotFoundError:
        return None


def _state(path: str) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _pixels(content: bytes) -> Pixels:
    """As training loads it; floating point, which needs color_type='unchanged', too."""
    try:
        return decode_image(content)
    except BadImageError:
        pixels = decode_image(content, "unchanged")
        if np.issubdtype(pixels.dtype, np.floating):
            return pixels
        raise


def _header(content: bytes) -> dict[str, Any]:
    """Orientation, mode and frames; nothing where only OpenCV knows the format."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            return {
                "orientation": exif_orientation(content),
                "mode": image.mode,
                "frames": int(getattr(image, "n_frames", 1)),
            }
    except PILLOW_ERRORS:
        return {}


def _brightest(content: bytes) -> float:
    """The largest value of a picture, as a part of its range."""
    pixels = decode_image(content, "unchanged")
    if not np.issubdtype(pixels.dtype, np.integer):
        return 1.0
    return float(pixels.max()) / np.iinfo(pixels.dtype).max


def _look(grey: NDArray[np.uint8]) -> str:
    """The difference hash: 8 x 8 bits, each whether brightness falls from left to right."""
    small = _reduced(grey, 8, 9).astype(np.int16)
    return np.packbits(small[:, :-1] > small[:, 1:]).tobytes().hex()


def _reduced(grey: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    return cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA)
