"""Detectron.pytorch's models: the layouts of Detectron under module names of its own.

Source: roytseng-tw/Detectron.pytorch, lib/modeling. Row 0 of its heads is background; its batch
norms are a scale and a shift; it counts the pyramid from its coarsest level.
"""

import re
from collections.abc import Collection
from typing import Any

import torch

from mmdet_lite.checkpoint.importers.detectron import conventions_of
from mmdet_lite.checkpoint.importers.renaming import (
    Imported,
    Rule,
    Weights,
    background_last,
    number_fpn,
    rename,
    whole_affine,
)

BODY = r"Conv_Body\.(?:conv_body\.)?"
BOX, MASK, POINTS = "roi_head.bbox_head", "roi_head.mask_head", "roi_head.keypoint_head"
SHARED = "roi_head.shared_head.layer4"
SUFFIXES = {".weight": ".weight", ".bias": ".bias"}
COARSEST = 5  # stage of Conv_Body.conv_top


def _from_top(list_name: str, start: int, layer: str) -> Any:
    """A replacement for an entry of a list that counts downwards from a stage."""
    return lambda m: f"neck.{list_name}_convs.{start - int(m[1])}.{layer}"


def _sequence(head: str, index: str = "1") -> Any:
    """A replacement for an entry of a Sequential; ``_pair_up`` numbers its convolutions."""
    return lambda m: f"{head}.sequence.{m[int(index)]}"


RULES: list[Rule] = [
    (rf"{BODY}res1\.(conv1|bn1|gn1)", r"backbone.\1"),
    (rf"{BODY}res(\d)\.(\d+)\.(.+)", lambda m: f"backbone.layer{int(m[1]) - 1}.{m[2]}.{m[3]}"),
    (r"Conv_Body\.conv_top(?:\.0)?", f"neck.lateral_convs.{COARSEST}.conv"),
    (r"Conv_Body\.conv_top\.1", f"neck.lateral_convs.{COARSEST}.gn"),
    (
        r"Conv_Body\.topdown_lateral_modules\.(\d)\.conv_lateral(?:\.0)?",
        _from_top("lateral", COARSEST - 1, "conv"),
    ),
    (
        r"Conv_Body\.topdown_lateral_modules\.(\d)\.conv_lateral\.1",
        _from_top("lateral", COARSEST - 1, "gn"),
    ),
    (r"Conv_Body\.posthoc_modules\.(\d)(?:\.0)?", _from_top("fpn", COARSEST, "conv")),
    (r"Conv_Body\.posthoc_modules\.(\d)\.1", _from_top("fpn", COARSEST, "gn")),
    (r"RPN\.(?:FPN_)?RPN_conv", "rpn_head.rpn_conv"),
    (r"RPN\.(?:FPN_)?RPN_cls_score", "rpn_head.rpn_cls"),
    (r"RPN\.(?:FPN_)?RPN_bbox_pred", "rpn_head.rpn_reg"),
    (r"Box_Head\.fc1?", f"{BOX}.shared_fcs.0"),
    (r"Box_Head\.fc2", f"{BOX}.shared_fcs.1"),
    (r"Box_Head\.convs\.(\d+)", _sequence(f"{BOX}.shared_convs")),
    (r"Box_Head\.res5\.(\d)\.(.+)", rf"{SHARED}.\1.\2"),
    (r"Box_Outs\.cls_score", f"{BOX}.fc_cls"),
    (r"Box_Outs\.bbox_pred", f"{BOX}.fc_reg"),
    (r"Mask_Head\.conv_fcn\.(\d+)", _sequence(f"{MASK}.convs")),
    (r"Mask_Head\.upconv5?", f"{MASK}.upsample"),
    (r"Mask_Outs\.classify", f"{MASK}.conv_logits"),
    (r"Keypoint_Head\.conv_fcn\.(\d+)", _sequence(f"{POINTS}.convs")),
    (r"Keypoint_Outs\.classify", f"{POINTS}.upsample"),
]
PREPROCESSING = {
    "order": "BGR",
    "mean": [102.9801, 115.9465, 122.7717],
    "std": [1.0, 1.0, 1.0],
}
NOTES = (
    "Detectron.pytorch counted a box's width as x2 - x1 + 1 and rounded its anchors' sides: "
    "results are near its own, not equal; fine-tuning takes the difference away",
)


def matches(names: Collection[str]) -> bool:
    """Whether these are names of Detectron.pytorch's models."""
    return any(re.match(rf"{BODY}res1\.conv1\.", name) for name in names)


def convert(weights: Weights) -> Imported:
    """The same model's weights under our names."""
    shared = {k for k in weights if _is_box_heads(k, weights)}
    fixed = {k for k in weights if ".upsample." in k}  # bilinear kernels, no weights here
    known = {k: v for k, v in weights.items() if k not in shared | fixed}
    ours, left = rename(known, RULES, SUFFIXES)
    ours = whole_affine(background_last(number_fpn(_pair_up(ours))))
    return Imported(
        "Detectron.pytorch",
        ours,
        tuple(left),
        PREPROCESSING,
        notes=NOTES,
        conventions=conventions_of(ours),
    )


def _is_box_heads(name: str, weights: Weights) -> bool:
    """Whether a mask head's stage is the box head's once more; v0up has one of its own."""
    head, found, layer = name.partition("Mask_Head.res5.")
    other = weights.get(f"Box_Head.res5.{layer}")
    return bool(found) and not head and other is not None and torch.equal(other, weights[name])


def _pair_up(weights: Weights) -> Weights:
    """Number the convolutions of a Sequential 0, 1, ... and call the norms between them gn."""
    result: Weights = {}
    for key, value in weights.items():
        match = re.fullmatch(r"(.+)\.sequence\.(\d+)\.(weight|bias)", key)
        if match is None:
            result[key] = value
            continue
        head, position, parameter = match[1], int(match[2]), match[3]
        convs = sorted(
            int(m[1])
            for other, tensor in weights.items()
            if (m := re.fullmatch(re.escape(head) + r"\.sequence\.(\d+)\.weight", other))
            and tensor.dim() > 1
        )
        number = sum(conv <= position for conv in convs) - 1
        layer = "conv" if position in convs else "gn"
        result[f"{head}.{number}.{layer}.{parameter}"] = value
    return result
