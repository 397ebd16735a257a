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
    torchvision_classifier,
    torchvision_detection,
)
from mmdet_lite.checkpoint.importers.renaming import Imported, Weights

Layout = tuple[Callable[[Collection[str]], bool], Callable[[Weights], Imported]]
OLDER: list[Layout] = [
    (mmdetection.is_old_ssd, mmdetection.convert_old_ssd),
    (mmdetection.is_one, mmdetection.convert_one),
]
FOREIGN: list[Layout] = [
    (torchvision_detection.matches, torchvision_detection.convert),
    (torchvision_classifier.matches, torchvision_classifier.convert),
    (detectron_pytorch.matches, detectron_pytorch.convert),
    (detectron2.matches, detectron2.convert),
    (detectron.matches, detectron.convert),
]
# entries of meta: of files that mmengine wrote, this program's among them; of MMDetection before 3
WRITTEN_BY_MMENGINE = {"mmengine_version", "experiment_name"}
OLDER_MARKS = {"mmdet_version", "mmcv_version"}


def import_weights(
    weights: Mapping[str, Any],
    meta: Mapping[str, Any] | None = None,
    author: str | None = None,
    cfg: Any = None,
) -> Imported | None:
    """Weights under our names, or None where they have them already.

    They have where ``meta`` says that this program or another of mmengine's wrote the file,
    whatever names a guest's model has; where no layout is recognised; and where most names of the
    one that seemed to be are unknown.

    Args:
        weights: a state dict, or Detectron's blobs; entries that are no tensors are passed over.
        meta: what the file says of itself.
        author: where Detectron2's files say that they are from.
        cfg: the YAML text that Detectron's files hold beside the blobs.

    Raises:
        ValueError: if the names contradict the layout that they seem to have, or are those of a
            known program's model that is not read here.
    """
    said = set(meta or ())
    if said & {*WRITTEN_BY_MMENGINE, "imported_from"}:
        return None
    tensors = {name: value for name, value in weights.items() if isinstance(value, Tensor)}
    for matches, convert in OLDER if said & OLDER_MARKS else [*FOREIGN, *OLDER]:
        if matches(tensors):
            if convert is mmdetection.convert_old_ssd:
                mmdetection.refuse_ssd_of_one(str((meta or {}).get("mmdet_version", "2")))
            known = isinstance(cfg, str) and convert is detectron.convert
            imported = detectron.convert(tensors, cfg) if known else convert(tensors)
            if len(imported.left_over) > len(imported.weights):
                return None
            from_torchvision = convert is detectron2.convert and author == "torchvision"
            return detectron2.of_torchvision(imported) if from_torchvision else imported
    return None


__all__ = ["WRITTEN_BY_MMENGINE", "Imported", "import_weights"]
