"""Plain pickles, the .pkl files of Detectron and Detectron2, read without running their content."""

import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# what torch.save wrote before it wrote zip files begins with this pickled number
OLD_TORCH_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def is_plain_pickle(path: Path) -> bool:
    """Whether a file holds a pickle that is not one of torch's own layouts.

    Recognised by its first bytes: torch writes zip files, and before that a magic number.
    """
    with path.open("rb") as file:
        start = file.read(len(OLD_TORCH_MAGIC))
    without_version = start[:2] in (b"(d", b"(l", b"}q", b"]q", b"cc", b"cn", b"c_")
    return (start[:1] == b"\x80" and start != OLD_TORCH_MAGIC) or without_version


def read_pickle(path: Path) -> Any:
    """Content of a pickle that holds numpy arrays, numbers, strings and plain containers.

    Pickles of Python 2 are read too (their strings as latin-1, as numpy's own files of that time
    need it), and arrays of numpy 1 as of numpy 2, which has moved its modules.

    Raises:
        ValueError: if the file is cut off, or asks for anything else; the text says for what.
    """
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file, encoding="latin1").load()
    except pickle.UnpicklingError as error:
        if str(error).startswith(REFUSED):
            raise ValueError(f"{path} {str(error).removeprefix(REFUSED)}") from error
        raise ValueError(_broken_text(path, error)) from error
    except (EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise ValueError(_broken_text(path, error)) from error


REFUSED = "refused:"


class _PlainUnpickler(pickle.Unpickler):
    """Finds nothing but what ``ADMITTED`` names, so a file can call nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy._core", "numpy.core").replace("__builtin__", "builtins")
        if module.startswith("numpy.dtypes"):  # each is made by calling it without arguments
            return _dtype_class(name)
        found = ADMITTED.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(
                f"{REFUSED}asks for {module}.{name} and is refused: to read it, that would have "
                "to be called, and a file that may call things can do anything to this machine. "
                "Weights need only arrays, numbers, strings, lists and dicts. If you trust the "
                "file, read it with the program that wrote it and save its arrays alone"
            )
        return found


def _dtype_class(name: str) -> Any:
    kind = getattr(np.dtypes, name, None)
    if not (isinstance(kind, type) and issubclass(kind, np.dtype)):
        raise pickle.UnpicklingError(f"{REFUSED}asks for numpy.dtypes.{name}, which is no dtype")
    return kind


def _from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> Any:
    """Takes the place of numpy's function of protocol 5."""
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)


def _text_bytes(text: str, encoding: str = "latin1") -> bytes:
    """Takes the place of ``_codecs.encode``, by which bytes are pickled for Python 2."""
    return text.encode(encoding)


def _admitted() -> dict[tuple[str, str], Callable[..., Any]]:
    scalar: Any = np.float64(0).__reduce__()[0]
    reconstruct: Any = np.zeros(1).__reduce__()[0]
    builtin: list[Any] = [dict, list, tuple, set, frozenset, bytearray, bytes, complex, slice]
    return {
        ("numpy.core.multiarray", "_reconstruct"): reconstruct,
        ("numpy.core.multiarray", "scalar"): scalar,
        ("numpy.core.numeric", "_frombuffer"): _from_buffer,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("collections", "OrderedDict"): OrderedDict,
        ("collections", "defaultdict"): defaultdict,
        ("_codecs", "encode"): _text_bytes,
        **{("builtins", kind.__name__): kind for kind in builtin},
    }


def _broken_text(path: Path, error: Exception) -> str:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return (
        f"{path} ({path.stat().st_size} bytes) cannot be read: it is incomplete or no pickle of "
        f"weights ({reason[0]}); copy or download it again, or choose another one"
    )


ADMITTED = _admitted()
