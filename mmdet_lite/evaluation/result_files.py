"""Result files: written whole or not at all, read without running what is in them."""

import io
import json
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import torch

SAFE_GLOBALS = {
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.numeric", "_frombuffer"),
}


def write_atomically(path: str | Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then rename it to ``path``.

    Folders are made. If ``write`` fails, an older file of that name is still whole.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        # mkstemp makes private files; give it the mode that open() would have given
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def write_json(path: str | Path, data: Any) -> None:
    """Write ``data`` as JSON, all or nothing."""
    write_atomically(path, lambda file: file.write(json.dumps(data).encode()))


def load_results(path: str | Path) -> list[dict[str, Any]]:
    """Return the list of dicts that ``test.py --out FILE.pkl`` wrote, ours or MMDetection's.

    A pickle can run any code; this reads only tensors, arrays and plain containers.

    Raises:
        FileNotFoundError: if it does not exist.
        ValueError: if it is no such list, or holds other objects.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no results file {path}; tools/test.py --out {path} writes one")
    with open(path, "rb") as file:
        try:
            results = _ResultsUnpickler(file).load()
        except (pickle.UnpicklingError, EOFError) as error:
            raise ValueError(f"{path} is not a results file of tools/test.py: {error}") from error
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        raise ValueError(
            f"{path} is not a results file of tools/test.py: expected a list of dicts, got "
            f"{type(results).__name__}"
        )
    return results


class _ResultsUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return _storage_from_bytes
        if (module, name) in SAFE_GLOBALS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is not read")


def _storage_from_bytes(content: bytes) -> Any:
    # torch's own function of this place unpickles without limits
    return torch.load(io.BytesIO(content), weights_only=True)
