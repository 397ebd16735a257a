"""Writing checkpoints: complete or not at all."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from mmdet_lite.checkpoint.plain import plain

TEMPORARY_SUFFIX = ".writing"


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that becomes ``path`` when the block ends.

    The file written in the block is flushed to the disk and renamed in one step, so ``path`` is
    at every moment absent, the old file or the complete new one. If the block raises, the
    temporary file is removed and ``path`` is untouched. A process that is killed leaves at most a
    file with ``TEMPORARY_SUFFIX``, which ``remove_temporary_files`` removes.

    Raises:
        OSError: if the disk is full or the folder cannot be written to, with path and free space.
    """
    path = Path(path)
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except OSError as error:
        raise OSError(_not_written_text(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def save_checkpoint(checkpoint: Mapping[str, Any], path: str | Path) -> None:
    """Write a checkpoint that ``torch.load(path)`` reads with its defaults.

    The folder is made where it is missing. Content is made plain first (see ``plain``); the
    argument is not changed.

    Raises:
        TypeError: if something in it cannot be made plain, with its dotted key.
        OSError: as ``atomic_path``.
    """
    content = plain(checkpoint)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        torch.save(content, file)


def remove_temporary_files(folder: str | Path) -> list[Path]:
    """Remove what a killed process left half-written in ``folder``; returns what was removed."""
    leftovers = sorted(Path(folder).glob(f"*{TEMPORARY_SUFFIX}"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return leftovers


def write_text(text: str, path: str | Path) -> None:
    """Write a small text file in one step."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _not_written_text(path: Path, error: OSError) -> str:
    folder = path.absolute().parent
    free = f"{shutil.disk_usage(folder).free / 2**20:.0f} MB free" if folder.is_dir() else "no such"
    return (
        f"cannot write {path}: {error.strerror or error} (folder {folder}: {free}); files written "
        "before are as they were"
    )


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
