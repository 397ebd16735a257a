"""Weights of other programs, recognised by their names and turned into ours.

One file for each layout: ``matches`` looks at the names, ``convert`` renames and reorders.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from torch import Tensor

from mmdet_lite.checkpoint.importers import (
    detectron,
    detectron2,
    detectron_pytorch,
    mmdetection,
    torchvision_detection,
)
from mmdet_lite.checkpoint.importers.renaming import Imported, Weights

LAYOUTS: list[tuple[Callable[[Collection[str]], bool], Callable[[Weights], Imported]]] = [
    (torchvision_detection.matches, torchvision_detection.convert),
    (detectron_pytorch.matches, detectron_pytorch.convert),
    (detectron2.matches, detectron2.convert),
    (detectron.matches, detectron.convert),
    (mmdetection.is_old_ssd, mmdetection.convert_old_ssd),
    (mmdetection.is_one, mmdetection.convert_one),
]


def import_weights(weights: Mapping[str, Any]) -> Imported | None:
    """Weights under our names, or None where the names are of no other program's.

    Args:
        weights: a state dict, or Detectron's blobs; entries that are no tensors are passed over.

    Raises:
        ValueError: if the names contradict the layout that they seem to have.
    """
    tensors = {name: value for name, value in weights.items() if isinstance(value, Tensor)}
    for matches, convert in LAYOUTS:
        if matches(tensors):
            return convert(tensors)
    return None


__all__ = ["LAYOUTS", "Imported", "import_weights"]
