"""Reading checkpoints without running anything that is pickled in them."""

import pickle
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from torch import serialization

from mmdet_lite.checkpoint.plain import plain
from mmdet_lite.checkpoint.sources import SCHEMES, local_checkpoint

MapLocation = str | torch.device | Callable[..., Any] | None


def load_checkpoint_file(
    source: str, map_location: MapLocation = "cpu", mmap: bool = False
) -> dict[str, Any]:
    """Read a checkpoint in torch's safe mode, from a path, a web address or a config's name.

    Besides tensors and plain containers, numpy arrays and numbers and mmengine's history of
    scalars are understood (older files have them) and made plain; anything else is refused.

    Args:
        source: see ``local_checkpoint``.
        map_location: where tensors go, as in ``torch.load``.
        mmap: leave tensors on disk until they are used.

    Raises:
        FileNotFoundError: if the file is missing or cannot be downloaded.
        ValueError: if the file is truncated, is no checkpoint, or holds objects that would have
            to be executed to be read.
    """
    path = local_checkpoint(str(source))
    try:
        with _allow_listed():
            content = torch.load(
                path,
                map_location=map_location,
                weights_only=True,
                mmap=mmap and zipfile.is_zipfile(path),  # torch < 1.6 wrote another form
            )
    except pickle.UnpicklingError as error:
        raise ValueError(_refused_text(path, str(error))) from error
    except (RuntimeError, EOFError, KeyError, ValueError, OSError) as error:
        raise ValueError(_unreadable_text(path)) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} holds a {type(content).__name__}, expected a dict with 'state_dict' (or a "
            "state dict itself)"
        )
    return plain(content, where=path.name)


def state_dict_of(checkpoint: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights in a checkpoint of mmengine's, torchvision's or torch's layout.

    The prefix ``module.`` of wrapped models is taken off.
    """
    weights = checkpoint.get("state_dict", checkpoint.get("model", checkpoint))
    metadata = getattr(weights, "_metadata", None)
    stripped = type(weights)((re.sub(r"^module\.", "", key), weights[key]) for key in weights)
    if metadata is not None:
        stripped._metadata = metadata
    return stripped


class _InertHistoryBuffer(HistoryBuffer):
    """Takes the place of mmengine's HistoryBuffer, whose own state brings methods along."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._log_history = np.asarray(state.get("_log_history", []))
        self._count_history = np.asarray(state.get("_count_history", []))
        self.max_length = state.get("max_length", 1_000_000)


def _inert_getattr(owner: Any, name: str) -> None:
    """Takes the place of ``getattr``, by which mmengine's HistoryBuffer pickles its methods."""
    if owner is not _InertHistoryBuffer:
        raise pickle.UnpicklingError(f"getattr of {name!r} on {owner!r} refused")


def _named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """``function`` under the dotted ``name`` by which a checkpoint asks for it."""

    def stand_in(*args: Any) -> Any:
        return function(*args)

    stand_in.__module__, stand_in.__name__ = name.rsplit(".", 1)
    stand_in.__qualname__ = stand_in.__name__
    return stand_in


def _dict_without_factory(*_: Any) -> dict[Any, Any]:
    """Takes the place of ``defaultdict``, which torch's safe mode does not fill."""
    return {}


def _text_bytes(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


def _allowed() -> list[Any]:
    """What a foreign checkpoint may hold besides tensors and plain containers."""
    scalar: Any = np.float64(0).__reduce__()[0]
    reconstruct: Any = np.zeros(1).__reduce__()[0]
    dtypes = {type(np.dtype(code)) for code in np.typecodes["All"]}
    _InertHistoryBuffer.__module__ = "mmengine.logging.history_buffer"
    _InertHistoryBuffer.__name__ = _InertHistoryBuffer.__qualname__ = "HistoryBuffer"
    renamed = [
        _named(function, f"numpy.{core}.multiarray.{name}")
        for core in ("core", "_core")
        for name, function in (("scalar", scalar), ("_reconstruct", reconstruct))
    ]
    return [
        *renamed,
        *dtypes,
        np.dtype,
        np.ndarray,
        _named(_dict_without_factory, "collections.defaultdict"),
        dict,
        list,
        _named(_text_bytes, "_codecs.encode"),
        _named(_inert_getattr, "builtins.getattr"),
        _InertHistoryBuffer,
    ]


@contextmanager
def _allow_listed() -> Iterator[None]:
    """Lets ``torch.load`` read what ``_allowed`` names, and nothing more afterwards."""
    before = serialization.get_safe_globals()
    serialization.add_safe_globals(ALLOWED)
    try:
        yield
    finally:
        serialization.clear_safe_globals()
        serialization.add_safe_globals(before)


def _unreadable_text(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(4)
    if size == 0 or start.startswith((b"PK\x03\x04", b"\x80\x02")):  # of a zip file, a pickle
        return (
            f"{path} is incomplete, it was cut off at {size} bytes: copy or download it again, or "
            "choose another one"
        )
    return f"{path} ({size} bytes) is no checkpoint: give a file that torch.save wrote (*.pth)"


def _refused_text(path: Path, error: str) -> str:
    found = re.search(r"GLOBAL (\S+)", error) or re.search(r"global:? (\S+)", error)
    if found is None:
        return _unreadable_text(path)
    return (
        f"{path} holds a {found.group(1)}, which would have to be executed to be read, and is "
        "refused. If you trust the file, load it with the program that wrote it and save its "
        "state_dict alone: torch.save(dict(state_dict=...), path)"
    )


def _load_for_mmengine(filename: str, map_location: MapLocation = None) -> dict[str, Any]:
    """The way mmengine asks for a file; every path of its Runner ends here."""
    return load_checkpoint_file(filename, map_location)


ALLOWED = _allowed()
for _scheme in ("", "modelzoo://", *SCHEMES):
    CheckpointLoader.register_scheme(_scheme, _load_for_mmengine, force=True)
