"""Pickles of arrays and plain containers, read without running what they ask for."""

import io
import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from typing import IO, Any

import numpy as np
import torch

# what unpickling raises where bytes are missing or wrong: of a length that is none, memory is short
BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    MemoryError,
    OverflowError,
    RecursionError,
)
Admitted = Mapping[tuple[str, str], Callable[..., Any]]


def load_plain_pickle(file: IO[bytes], more: Admitted | None = None) -> Any:
    """Content of a pickle that holds numpy arrays, numbers, strings and plain containers.

    Pickles of Python 2 are read too (their strings as latin-1, as numpy's own files of that time
    need it), and arrays of numpy 1 as of numpy 2, which has moved its modules.

    Args:
        file: opened for reading bytes.
        more: what else a file may ask for, as (module, name), and what it gets; see ``TENSORS``.

    Raises:
        ValueError: the file is cut off or asks for anything else; the text, which begins with
            "it", says for what.
    """
    try:
        return _PlainUnpickler(file, {**ARRAYS, **(more or {})}).load()
    except _RefusedError as error:
        raise ValueError(str(error)) from error
    except BROKEN as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"it is incomplete or no such pickle ({reason[0]})") from error


class _RefusedError(pickle.UnpicklingError):
    """The file asks for something that is not admitted."""


class _PlainUnpickler(pickle.Unpickler):
    """Finds nothing but what is admitted, so a file can call nothing else."""

    def __init__(self, file: IO[bytes], admitted: Admitted) -> None:
        super().__init__(file, encoding="latin1")
        self.admitted = admitted

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy._core", "numpy.core").replace("__builtin__", "builtins")
        if module.startswith("numpy.dtypes"):  # each is made by calling it without arguments
            return _dtype_class(name)
        found = self.admitted.get((module, name))
        if found is None:
            raise _RefusedError(
                f"it asks for {module}.{name} and is refused: to read it, that would have to be "
                "called, and a file that may call things can do anything to this machine. Arrays, "
                "numbers, strings, lists and dicts are read. If you trust the file, read it with "
                "the program that wrote it and save its arrays alone"
            )
        return found


def _dtype_class(name: str) -> Any:
    kind = getattr(np.dtypes, name, None)
    if not (isinstance(kind, type) and issubclass(kind, np.dtype)):
        raise _RefusedError(f"it asks for numpy.dtypes.{name}, which is no dtype")
    return kind


def _from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> Any:
    """Takes the place of numpy's function of protocol 5."""
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)


def _text_bytes(text: str, encoding: str = "latin1") -> bytes:
    """Takes the place of ``_codecs.encode``, by which bytes are pickled for Python 2."""
    return text.encode(encoding)


def _storage(content: bytes) -> Any:
    """Takes the place of torch's function, which unpickles without limits."""
    return torch.load(io.BytesIO(content), weights_only=True)


_BUILTINS: list[Any] = [dict, list, tuple, set, frozenset, bytearray, bytes, complex, slice]
_RECONSTRUCT: Any = np.zeros(1).__reduce__()[0]
_SCALAR: Any = np.float64(0).__reduce__()[0]
ARRAYS: Admitted = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy.core.multiarray", "scalar"): _SCALAR,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    ("_codecs", "encode"): _text_bytes,
    **{("builtins", kind.__name__): kind for kind in _BUILTINS},
}
# what torch asks for where a tensor was pickled by Python, not by torch.save
TENSORS: Admitted = {
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch.storage", "_load_from_bytes"): _storage,
}
