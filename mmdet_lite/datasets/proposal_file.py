"""Files of proposals: the boxes that an RPN found, from which Fast R-CNN starts."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.fileio import exists, get
from numpy.typing import NDArray

Proposals = dict[str, NDArray[np.float32]]


def load_proposals(path: str, backend_args: dict[str, Any] | None = None) -> dict[str, Proposals]:
    """Read a file that DumpProposals wrote, ours or MMDetection 3's.

    Returns:
        ``folder/file name`` of each image to ``bboxes`` (P, 4) xyxy in pixels of the original
        image and ``scores`` (P,), both float32.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: it is no such file, or holds anything but arrays and plain containers.
    """
    if not exists(path, backend_args=backend_args):
        raise FileNotFoundError(
            f"proposal_file {path!r} does not exist; write it with tools/test.py and an RPN config"
            " whose test_evaluator has dict(type='DumpProposals')"
        )
    try:
        content = _ProposalUnpickler(io.BytesIO(get(path, backend_args))).load()
    except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, IndexError) as error:
        raise ValueError(f"proposal_file {path!r} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(
            f"proposal_file {path!r}: expected a dict from image to proposals, got a"
            f" {type(content).__name__}; lists are MMDetection 2's form and name no images: write"
            " the file anew with DumpProposals"
        )
    return {name: _as_arrays(value, f"{path}: {name}") for name, value in content.items()}


def add_proposals(data_list: list[dict[str, Any]], proposals: Mapping[str, Proposals]) -> None:
    """Give each entry of a data set its ``proposals``, in place.

    Raises:
        ValueError: an image has none.
    """
    for entry in data_list:
        name = "/".join(Path(entry["img_path"]).parts[-2:])
        if name not in proposals:
            raise ValueError(
                f"proposal_file has nothing for the image {name!r}; it has {len(proposals)}"
                f" images such as {sorted(proposals)[:3]}. Was it written for another data set?"
            )
        entry["proposals"] = proposals[name]


def _as_arrays(value: Any, where: str) -> Proposals:
    fields = value.__dict__ if isinstance(value, _Instances) else value
    if not isinstance(fields, Mapping) or "bboxes" not in fields:
        raise ValueError(f"{where}: expected bboxes and scores, got {str(value)[:60]}")
    boxes = np.asarray(fields["bboxes"], np.float32)
    boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
    scores = np.asarray(fields.get("scores", np.zeros(len(boxes))), np.float32)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != (len(boxes),):
        raise ValueError(
            f"{where}: expected bboxes (P, 4) and scores (P,), got {boxes.shape}, {scores.shape}"
        )
    return {"bboxes": boxes, "scores": scores}


class _Instances:
    """Takes the place of mmengine's InstanceData: its pickled fields, without its code."""


class _ProposalUnpickler(pickle.Unpickler):
    """Finds nothing but arrays and what MMDetection keeps them in."""

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy._core", "numpy.core").replace("__builtin__", "builtins")
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, and only arrays and plain containers are admitted,"
                " because a file that may call things can do anything to this machine"
            )
        return _ADMITTED[module, name]


def _text_bytes(text: str, encoding: str) -> bytes:
    """Takes the place of ``_codecs.encode``, by which the older protocols keep bytes."""
    return text.encode(encoding)


def _array_of(buffer: Any, dtype: Any, shape: Any, order: str) -> NDArray[Any]:
    """Takes the place of numpy's function of protocol 5."""
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)  # type: ignore[call-overload]


_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): np.zeros(1).__reduce__()[0],
    ("numpy.core.multiarray", "scalar"): np.float32(0).__reduce__()[0],
    ("numpy.core.numeric", "_frombuffer"): _array_of,
    ("_codecs", "encode"): _text_bytes,
    ("builtins", "set"): set,
    ("builtins", "bytes"): bytes,
    ("mmengine.structures.instance_data", "InstanceData"): _Instances,
}
