"""What a data set does about images that cannot be read: the list of them, and its limit."""

import errno
import fcntl
import logging
import math
from pathlib import Path
from typing import IO, Any

from mmengine.logging import MessageHub, print_log

from mmdet_lite.ops.image_file import BadImageError, MissingImageError

LIST_NAME = "bad_images.txt"
POLICIES = ("error", "skip")
WAY_OUT = (
    "mend or remove it; or give the data set on_bad_image='skip', which goes on without such "
    "images, lists them and stops where they become many"
)
SHOWN = 5
NO_LOCKS_HERE = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


class BadImages:
    """The unreadable images of a data set under ``on_bad_image='skip'``, over a whole run.

    All workers and ranks write into one file, ``bad_images.txt`` of the run's work directory: an
    image a line as path, reason and data set, parted by tabs. Whoever adds a line holds a lock and
    counts the lines of its data set, so the count is right however many processes there are. The
    work directory is what DetRunner tells mmengine's MessageHub. Without one, as where a data set
    is used alone, each process counts for itself and nothing is written.

    Args:
        source: name of the data set in the list, its annotation file.
        max_fraction: of the data set's images that may be bad; rounded up to whole images.
    """

    def __init__(self, source: str, max_fraction: float) -> None:
        self.source = source
        self.max_fraction = max_fraction
        self.folder = _work_dir()
        self._seen: dict[str, None] = {}  # in the order of finding

    def add(self, error: BadImageError | MissingImageError, num_images: int, outcome: str) -> None:
        """Count an image; ``outcome`` says in the log what becomes of it.

        Raises:
            ValueError: more than the fraction of the ``num_images`` are bad.
        """
        line = "\t".join(" ".join(part.split()) for part in (error.path, error.why, self.source))
        if line in self._seen:
            return
        self._seen[line] = None
        folder = _work_dir() or self.folder  # a worker that was not forked knows of no run
        listed, new = list(self._seen), True
        if folder is not None:
            listed, new = _added(folder / LIST_NAME, line)
        own = [one for one in listed if one.endswith(f"\t{self.source}")]
        allowed = math.ceil(self.max_fraction * num_images)
        if len(own) > allowed:
            raise ValueError(self._too_many(own, num_images, allowed, folder))
        if new:
            print_log(
                f"image {error.path!r} {outcome} ({len(own)} of at most {allowed}): {error.why}",
                "current",
                logging.WARNING,
            )

    def _too_many(
        self, lines: list[str], num_images: int, allowed: int, folder: Path | None
    ) -> str:
        shown = "".join(f"\n  {path}: {why}" for path, why, _ in _parts(lines[:SHOWN]))
        more = "\n  ..." if len(lines) > SHOWN else ""
        place = ""
        if folder is not None:
            place = (
                f"\nall are listed in {folder / LIST_NAME}; delete that list once they are mended"
            )
        return (
            f"{len(lines)} of the {num_images} images of {self.source} cannot be read, more than "
            f"max_bad_fraction={self.max_fraction} allows ({allowed}):{shown}{more}{place}\n"
            "mend them, take them out of the annotation file, or raise max_bad_fraction"
        )


def check_policy(on_bad_image: str, max_bad_fraction: float) -> None:
    """Refuse values that mean nothing.

    Raises:
        ValueError: the policy is unknown, or the fraction is none.
    """
    if on_bad_image not in POLICIES:
        raise ValueError(f"on_bad_image must be one of {POLICIES}, got {on_bad_image!r}")
    if not isinstance(max_bad_fraction, int | float) or not 0 <= max_bad_fraction <= 1:
        raise ValueError(
            "max_bad_fraction is a part of the data set's images from 0 to 1 (0.01 is 1 %), got "
            f"{max_bad_fraction!r}"
        )


def bad_images_text(folder: str | Path) -> str | None:
    """A line on the images that runs in this work directory could not read; None without any."""
    path = Path(folder) / LIST_NAME
    if not path.is_file():
        return None
    counts: dict[str, int] = {}
    for _, _, source in _parts(path.read_text(encoding="utf-8").splitlines()):
        counts[source] = counts.get(source, 0) + 1
    each = ", ".join(f"{count} of {source}" for source, count in counts.items())
    return f"images that could not be read: {each}; listed in {path}"


def _parts(lines: list[str]) -> list[list[str]]:
    return [line.split("\t") for line in lines if line.count("\t") == 2]


def _work_dir() -> Path | None:
    """The work directory of the current run, None outside of one."""
    folder: Any = MessageHub.get_current_instance().get_info("work_dir", None)
    return None if folder is None else Path(folder)


def _added(path: Path, line: str) -> tuple[list[str], bool]:
    """All lines of the list after ``line`` was put at its end, and whether it was not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        _lock(file)  # until the file is closed
        file.seek(0)
        lines = file.read().splitlines()
        new = line not in lines
        if new:
            file.write(f"{line}\n")
            lines.append(line)
    return lines, new


def _lock(file: IO[str]) -> None:
    """Hold the file against other processes; on disks without locks an append has to do."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_LOCKS_HERE:
            raise
