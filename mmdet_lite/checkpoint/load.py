"""Reading checkpoints, of this program and others, without running anything pickled in them."""

import pickle
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, print_log
from mmengine.runner.checkpoint import CheckpointLoader
from torch import serialization

from mmdet_lite.checkpoint.families import config_of_program
from mmdet_lite.checkpoint.importers import Imported, import_weights
from mmdet_lite.checkpoint.plain import plain
from mmdet_lite.checkpoint.sources import (
    SCHEMES,
    local_checkpoint,
    torchvision_preprocessing,
)
from mmdet_lite.checkpoint.unpickle import is_plain_pickle, read_pickle

MapLocation = str | torch.device | Callable[..., Any] | None


def load_checkpoint_file(
    source: str, map_location: MapLocation = "cpu", mmap: bool = False, quiet: bool = False
) -> dict[str, Any]:
    """Read a checkpoint safely, from a path, a web address or a config's name.

    torch's files are read in its safe mode: besides tensors and plain containers, numpy arrays and
    numbers, mmengine's history of scalars and configs are understood and made plain. Pickles of
    arrays are read as ``read_pickle`` says. Anything else is refused. Weights of another program
    (see ``importers``) come back under our names, with ``meta`` saying where they are from.

    Args:
        source: see ``local_checkpoint``.
        map_location: where tensors go, as in ``torch.load``.
        mmap: leave tensors on disk until they are used.
        quiet: do not log what was imported: the file will be read once more.

    Raises:
        FileNotFoundError: if the file is missing or cannot be downloaded.
        ValueError: if the file is truncated, is no checkpoint, is of another program's model that
            is not read here, or holds objects that would have to be executed to be read.
    """
    path = local_checkpoint(str(source))
    content = read_pickle(path) if is_plain_pickle(path) else _read(path, map_location, mmap)
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} holds a {type(content).__name__}, expected a dict with 'state_dict' (or a "
            "state dict itself)"
        )
    if not content:
        raise ValueError(f"{path} holds an empty dict: there are no weights in it")
    try:
        checkpoint = _imported(plain(content, where=path.name), path.name, quiet)
    except RecursionError as error:
        raise ValueError(f"{path} holds lists in lists without end, it is no checkpoint") from error
    preprocessing = torchvision_preprocessing(str(source))
    if preprocessing is not None:
        meta = {**(checkpoint.get("meta") or {}), "preprocessing": preprocessing}
        checkpoint = {"meta": meta, "state_dict": state_dict_of(checkpoint)}
    return checkpoint


def _read(path: Path, map_location: MapLocation, mmap: bool) -> Any:
    try:
        with _allow_listed():
            return torch.load(
                path,
                map_location=map_location,
                weights_only=True,
                mmap=mmap and zipfile.is_zipfile(path),  # torch < 1.6 wrote another form
            )
    except pickle.UnpicklingError as error:
        raise ValueError(_refused_text(path, str(error))) from error
    except (RuntimeError, EOFError, LookupError, ValueError, OverflowError, OSError) as error:
        raise ValueError(_unreadable_text(path)) from error


def _imported(checkpoint: dict[str, Any], name: str, quiet: bool) -> dict[str, Any]:
    """``checkpoint`` itself, or, if it is of another program, its weights under our names."""
    meta = dict(checkpoint.get("meta") or {})
    try:
        said = (checkpoint.get("__author__"), checkpoint.get("cfg"))
        imported = import_weights(state_dict_of(checkpoint), meta, *said)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    if imported is None:
        return checkpoint
    if not quiet:
        print_log(_import_text(imported, name), logger="current")
    meta["imported_from"] = imported.program
    meta["conventions"] = dict(imported.conventions)
    if imported.has_config:
        meta["fitting_config"] = config_of_program(imported.program, imported.weights)
    if imported.preprocessing is not None:
        meta["preprocessing"] = imported.preprocessing
    if imported.classes is not None:
        meta["dataset_meta"] = {"classes": list(imported.classes)}
    return {"meta": meta, "state_dict": imported.weights}


def _import_text(imported: Imported, name: str) -> str:
    lines = [f"{name} is of {imported.program}: {len(imported.weights)} tensors under our names"]
    if imported.left_over:
        shown = ", ".join(imported.left_over[:10])
        more = " ..." if len(imported.left_over) > 10 else ""
        lines.append(
            f"  {len(imported.left_over)} left over, no model here has them: {shown}{more}"
        )
    return "\n".join(lines + [f"  {note}" for note in imported.notes])


def state_dict_of(checkpoint: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights in a checkpoint of mmengine's, Detectron's, torchvision's or torch's layout.

    Weights below another name, such as ``model_state_dict``, are found if nothing else in the file
    holds tensors beside them. The prefix ``module.`` of wrapped models is taken off.
    """
    weights = _weights_part(checkpoint)
    metadata = getattr(weights, "_metadata", None)
    stripped = type(weights)((re.sub(r"^module\.", "", str(key)), weights[key]) for key in weights)
    if metadata is not None:
        stripped._metadata = metadata
    return stripped


def _weights_part(checkpoint: dict[str, Any]) -> Any:
    for key in ("state_dict", "model", "blobs", "model_state_dict"):
        if isinstance(checkpoint.get(key), dict):
            return checkpoint[key]
    if _has_tensors(checkpoint):
        return checkpoint
    parts = [part for part in checkpoint.values() if isinstance(part, dict) and _has_tensors(part)]
    return parts[0] if len(parts) == 1 else checkpoint


def _has_tensors(part: dict[Any, Any]) -> bool:
    return any(isinstance(value, torch.Tensor) for value in part.values())


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


def _plain_dict(items: Any = ()) -> dict[Any, Any]:
    """Takes the place of mmengine's ConfigDict."""
    return dict(items)


def _dict_without_factory(*_: Any) -> dict[Any, Any]:
    """Takes the place of ``defaultdict``, which torch's safe mode does not fill."""
    return {}


def _joined_path(*parts: str) -> str:
    """Takes the place of paths, which exist on one kind of machine only."""
    return str(PurePosixPath(*parts))


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
        _named(_plain_dict, "mmengine.config.config.ConfigDict"),
        *(_named(_joined_path, f"pathlib.{kind}Path") for kind in ("Posix", "Windows")),
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
    if zipfile.is_zipfile(path):  # its table stands at the end: nothing was cut off
        return (
            f"{path} is an archive, but no checkpoint: of a TorchScript model (torch.jit.save) save"
            " the weights alone, torch.save(model.state_dict(), path)"
        )
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
