"""Files of proposals: the boxes that an RPN found, from which Fast R-CNN starts."""

import io
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.fileio import exists, get
from mmengine.logging import print_log
from numpy.typing import NDArray

from mmdet_lite.ops.plain_pickle import TENSORS, load_plain_pickle
from mmdet_lite.ops.proposal_key import proposal_key

Proposals = dict[str, NDArray[np.float32]]


def load_proposals(path: str, backend_args: dict[str, Any] | None = None) -> dict[str, Proposals]:
    """Read a file that DumpProposals or ``tools/test.py --out`` wrote, ours or MMDetection 3's.

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
        content = load_plain_pickle(io.BytesIO(get(path, backend_args)), {**TENSORS, **_INSTANCES})
    except ValueError as error:
        raise ValueError(f"proposal_file {path!r} cannot be read: {error}") from error
    if isinstance(content, list) and all(map(_is_result, content)):
        _warn_of_classes(content, path)
        content = {proposal_key(one["img_path"]): one["pred_instances"] for one in content}
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
        name = proposal_key(entry["img_path"])
        if name not in proposals:
            raise ValueError(
                f"proposal_file has nothing for the image {name!r}; it has {len(proposals)}"
                f" images such as {sorted(proposals)[:3]}. Was it written for another data set?"
            )
        entry["proposals"] = proposals[name]


def _warn_of_classes(results: list[Mapping[str, Any]], path: str) -> None:
    """Log a warning where results are not an RPN's, which knows one class."""
    labels = [np.asarray(one["pred_instances"].get("labels", ())) for one in results]
    last = max((int(found.max()) for found in labels if found.size), default=0)
    if last > 0:
        print_log(
            f"proposal_file {path!r} holds results of a detector with classes (labels up to {last})"
            ", not an RPN's proposals: its few boxes, after its own threshold, are a poor start for"
            " Fast R-CNN. Write proposals with an RPN config and DumpProposals",
            "current",
            logging.WARNING,
        )


def _is_result(one: Any) -> bool:
    """Whether this is an image's entry of ``tools/test.py --out FILE.pkl``."""
    return isinstance(one, Mapping) and {"img_path", "pred_instances"} <= one.keys()


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


# mmengine's objects that hold proposals come as their fields
_INSTANCES = {("mmengine.structures.instance_data", "InstanceData"): _Instances}
