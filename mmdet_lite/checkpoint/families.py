"""Which detector a file's weights are of, and which config here builds it."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from mmdet_lite.checkpoint.importers import WRITTEN_BY_MMENGINE
from mmdet_lite.checkpoint.zoo import zoo_models

# what names of weights begin with -> the part of a config's model, and of a detector, it is
PARTS = {
    "rpn_head": r"(rpn_head\.|bbox_head\.rpn_)",
    "bbox_head": r"bbox_head\.(?!rpn_)",
    "roi_head.bbox_head": r"roi_head\.bbox_head\.",
    "roi_head.mask_head": r"roi_head\.mask_head\.",
    "roi_head.keypoint_head": r"roi_head\.keypoint_head\.",
}
CASCADE = r"roi_head\.bbox_head\.0\."
# a part, a pattern of one of its file's names, the family, the folder of its configs: the first
# that holds
FAMILIES = [
    ("roi_head.keypoint_head", "", "Keypoint R-CNN", "keypoint_rcnn"),
    ("roi_head.mask_head", CASCADE, "Cascade Mask R-CNN", "cascade_rcnn"),
    ("roi_head.mask_head", "", "Mask R-CNN", "mask_rcnn"),
    ("roi_head.bbox_head", CASCADE, "Cascade R-CNN", "cascade_rcnn"),
    ("roi_head.bbox_head", r"rpn_head\.", "Faster R-CNN", "faster_rcnn"),
    ("roi_head.bbox_head", "", "Fast R-CNN", "fast_rcnn"),
    ("bbox_head", r"bbox_head\.retina_", "RetinaNet", "retinanet"),
    ("bbox_head", r"neck\.(l2_norm|extra_layers)\.", "SSD", "ssd"),
    ("rpn_head", "", "RPN", "rpn"),
]
# type of a config's bbox_head -> the family of its weights
FAMILY_OF_HEAD = {"RetinaHead": "RetinaNet", "SSDHead": "SSD", "FCOSHead": "FCOS"}
# a program -> its name in the zoo, and the folder of configs that are as it is
PROGRAMS = {
    "torchvision": ("torchvision", "torchvision"),
    "Detectron2": ("Detectron2", "detectron2"),
    "Detectron (Caffe2)": ("Detectron", "detectron"),
    "Detectron.pytorch": ("Detectron", "detectron"),
}
# names that models of this program and of MMDetection have, and no other program's
OWN_NAMES = re.compile(
    r"(roi_head\.(bbox|mask|keypoint|shared)_head\.|rpn_head\.|neck\.|bbox_head\.|"
    r"backbone\.(conv1|layer1|stem|features|timm_model)\b|conv1\.|layer1\.)"
)
OTHERS_NAMES = re.compile(r"(head\.|roi_heads\.|rpn\.|proposal_generator\.|backbone\.(body|fpn)\.)")
DEPTH_OF_BLOCKS = {6: 50, 23: 101, 36: 152}  # in layer3


def has_own_names(names: Collection[str], meta: Mapping[str, Any]) -> bool:
    """Whether weights have the names of a model built here or by MMDetection.

    Of a file that mmengine wrote they are taken to, as parts of guests may have any names.
    """
    if WRITTEN_BY_MMENGINE & set(meta):
        return True
    return any(map(OWN_NAMES.match, names)) and not any(map(OTHERS_NAMES.match, names))


def parts_of(names: Collection[str]) -> set[str]:
    """The keys of ``PARTS`` that weights, under our names, are of."""
    return {part for part, start in PARTS.items() if any(re.match(start, n) for n in names)}


def parts_of_config(model: Mapping[str, Any]) -> set[str]:
    """The keys of ``PARTS`` that a detector of this config has."""
    roi_head = model.get("roi_head") or {}
    wanted = {part for part in PARTS if model.get(part)}
    return wanted | {f"roi_head.{part}" for part in roi_head if roi_head[part]} & set(PARTS)


def family_of(names: Collection[str]) -> tuple[str, str] | None:
    """What detector weights (our names) are of, and the folder of its configs; None if new."""
    parts = parts_of(names)
    for part, pattern, family, folder in FAMILIES:
        if part in parts and any(re.match(pattern, name) for name in names):
            return family, folder
    return None


def config_of_program(program: str, weights: Mapping[str, Any]) -> str | None:
    """The config with which another program's weights give its results.

    Found among the models that the zoo has of that program, by family, backbone and pyramid.

    Args:
        program: as ``Imported.program`` has it.
        weights: tensors, under our names.

    Returns:
        its path, or where ones like it are; None for what is no detector.
    """
    family = family_of(weights)
    if family is None or program not in PROGRAMS:
        return None
    source, folder = PROGRAMS[program]
    wanted = _zoo_name(family[0], weights)
    for model in zoo_models().values():
        name = _folded(model.name)
        if (
            model.config is not None
            and model.source == source
            and name.startswith(wanted)
            and name.endswith("gn") == ("backbone.gn1.weight" in weights)
        ):
            return f"configs/{model.config}"
    return f"a config like those of configs/{folder}/"


def _zoo_name(family: str, weights: Mapping[str, Any]) -> str:
    """How a model's name in the zoos begins, folded: maskrcnnr50fpn, maskrcnnx10132x8dfpn."""
    blocks = {m[1] for name in weights if (m := re.match(r"backbone\.layer3\.(\d+)\.", name))}
    depth = DEPTH_OF_BLOCKS.get(len(blocks), "")
    conv: Any = weights.get("backbone.layer1.0.conv2.weight")
    out, width = (1, 1) if conv is None or conv.dim() != 4 else conv.shape[:2]
    backbone = f"r{depth}" if out == width else f"x{depth}{out // width}x{width}d"
    if any(name.startswith("neck.") for name in weights):
        pyramid = "fpn"
    else:
        shared = any(name.startswith("roi_head.shared_head.") for name in weights)
        pyramid = "c4" if shared or family == "RPN" else "dc5"
    return f"{re.sub('[ -]', '', family.lower())}{backbone}{pyramid}"


def _folded(name: str) -> str:
    """A model's name in any program's zoo, without what only separates."""
    last = name.rsplit("/", 1)[-1].removeprefix("e2e_").lower().replace("resnet", "r")
    return re.sub(r"[-_]", "", last)
