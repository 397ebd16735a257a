"""Result files: written whole or not at all, read without running what is in them."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from mmdet_lite.ops.plain_pickle import TENSORS, load_plain_pickle


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
            results = load_plain_pickle(file, TENSORS)
        except ValueError as error:
            raise ValueError(f"{path} is not a results file of tools/test.py: {error}") from error
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        raise ValueError(
            f"{path} is not a results file of tools/test.py: expected a list of dicts, got "
            f"{type(results).__name__}"
        )
    return results
