"""Detectron's blobs (Caffe2): its ImageNet backbones and the baselines of its model zoo.

Source: Detectron, 2018. Row 0 of its heads is background; batch norms are a scale and a shift; the
anchors of a position are ordered by ratio inside scale in RetinaNet (core/test_retinanet.py), by
scale inside ratio in the RPN; they are centred in their cells. A box of its had the width
x2 - x1 + 1, ours x2 - x1.
"""

import re
from collections.abc import Collection
from typing import Any

from mmdet_lite.checkpoint.importers.renaming import (
    Imported,
    Rule,
    Weights,
    background_last,
    less_one,
    move_stage_to_head,
    number_fpn,
    ratios_outside,
    rename,
    style_of_caffe2,
    whole_affine,
)

BOX, MASK, POINTS = "roi_head.bbox_head", "roi_head.mask_head", "roi_head.keypoint_head"
CONV_OF_LETTER = {"a": 1, "b": 2, "c": 3}
SUFFIXES = {
    "_bn_s": "_bn.weight",
    "_bn_b": "_bn.bias",
    "_bn_rm": "_bn.running_mean",
    "_bn_riv": "_bn.running_var",
    "_gn_s": "_gn.weight",
    "_gn_b": "_gn.bias",
    "_w": ".weight",
    "_b": ".bias",
}


def _block(m: Any) -> str:
    return f"backbone.layer{int(m[1]) - 1}.{m[2]}.conv{CONV_OF_LETTER[m[3]]}"


def _shortcut(m: Any) -> str:
    return f"backbone.layer{int(m[1]) - 1}.{m[2]}.downsample"


RULES: list[Rule] = [
    (r"conv1|res_conv1", "backbone.conv1"),
    (r"res(\d)_(\d+)_branch2([abc])", _block),
    (r"res(\d)_(\d+)_branch1", _shortcut),
    (r"fpn_inner_res(\d)_\d+_sum(?:_lateral)?", r"neck.lateral_convs.\1.conv"),
    (r"fpn_res(\d)_\d+_sum", r"neck.fpn_convs.\1.conv"),
    (r"fpn_(\d)", r"neck.fpn_convs.p\1.conv"),
    (r"conv_rpn(?:_fpn\d)?", "rpn_head.rpn_conv"),
    (r"rpn_cls_logits(?:_fpn\d)?", "rpn_head.rpn_cls"),
    (r"rpn_bbox_pred(?:_fpn\d)?", "rpn_head.rpn_reg"),
    (r"fc6", f"{BOX}.shared_fcs.0"),
    (r"fc7", f"{BOX}.shared_fcs.1"),
    (r"head_conv(\d)", less_one(f"{BOX}.shared_convs.{{}}.conv")),
    (r"cls_score", f"{BOX}.fc_cls"),
    (r"bbox_pred", f"{BOX}.fc_reg"),
    (r"_?\[mask\]_fcn(\d)|_mask_fcn(\d)", lambda m: f"{MASK}.convs.{int(m[1] or m[2]) - 1}.conv"),
    (r"conv5_mask", f"{MASK}.upsample"),
    (r"mask_fcn_logits", f"{MASK}.conv_logits"),
    (r"conv_fcn(\d)", less_one(f"{POINTS}.convs.{{}}.conv")),
    (r"kps_score_lowres", f"{POINTS}.upsample"),
    (r"retnet_cls_conv_n(\d)_fpn\d", r"bbox_head.cls_convs.\1.conv"),
    (r"retnet_bbox_conv_n(\d)_fpn\d", r"bbox_head.reg_convs.\1.conv"),
    (r"retnet_cls_pred_fpn\d", "bbox_head.retina_cls"),
    (r"retnet_bbox_pred_fpn\d", "bbox_head.retina_reg"),
]
PREPROCESSING = {
    "order": "BGR",
    "mean": [102.9801, 115.9465, 122.7717],
    "std": [1.0, 1.0, 1.0],
}
# the bilinear upsampling of keypoint maps is no weight here, ImageNet's classifier no part of it
FIXED = ("kps_score_w", "kps_score_b", "pred_w", "pred_b", "fc1000_w", "fc1000_b")
# RETINANET.ASPECT_RATIOS of all RetinaNet baselines, in the order of their rows
ZOO_RATIOS = (1.0, 2.0, 0.5)
NOTES = (
    "Detectron counted a box's width as x2 - x1 + 1 and rounded its anchors' sides: results are "
    "near its own, not equal; fine-tuning takes the difference away",
)


def matches(names: Collection[str]) -> bool:
    """Whether these are names of Detectron's blobs."""
    return "conv1_w" in names and "res2_0_branch2a_w" in names


def convert(weights: Weights, cfg: str = "") -> Imported:
    """The same model's weights under our names; ``cfg`` is the YAML text stored beside them."""
    blobs = {k: v for k, v in weights.items() if k not in FIXED and not k.endswith("_momentum")}
    renamed, left = rename(blobs, RULES, SUFFIXES)
    ours = number_fpn(dict(_norm_name(key, value) for key, value in renamed.items()))
    ours = whole_affine(background_last(ours))
    if "bbox_head.retina_cls.weight" in ours:
        ours = ratios_outside(ours, _retina_ratios(cfg))
    if f"{BOX}.fc_cls.weight" in ours and f"{BOX}.shared_fcs.0.weight" not in ours:
        ours = move_stage_to_head(ours)
    detector = f"{BOX}.fc_cls.weight" in ours or "bbox_head.retina_cls.weight" in ours
    notes = NOTES if detector else ()
    return Imported(
        "Detectron (Caffe2)",
        ours,
        tuple(left),
        PREPROCESSING,
        notes=notes,
        conventions=conventions_of(ours),
    )


def _retina_ratios(cfg: str) -> tuple[float, ...]:
    """Ratios of RetinaNet's anchors in the order of the file's rows."""
    found = re.search(r"\bRETINANET:.*?\bASPECT_RATIOS:([^A-Z]+)", cfg, re.DOTALL)
    numbers = re.findall(r"\d+\.?\d*", found[1]) if found else []
    return tuple(map(float, numbers)) or ZOO_RATIOS


def conventions_of(ours: Weights) -> dict[str, list[Any]]:
    """What Detectron and Detectron.pytorch do with these weights."""
    conventions: dict[str, list[Any]] = dict(style_of_caffe2(ours))
    if any(key.startswith(BOX) for key in ours):
        # with a pyramid its configs ask for two samples, without one for as many as pixels
        pyramid = any(key.startswith("neck.") for key in ours)
        conventions["roi_align"] = [[False, 2], [False, 0]][:: 1 if pyramid else -1]
    if any(key.startswith(MASK) for key in ours):
        conventions["mask_paste"] = ["whole_pixels"]
    if "rpn_head.rpn_cls.weight" in ours or "bbox_head.retina_cls.weight" in ours:
        conventions["anchor_center"] = [0.5]
    if "bbox_head.retina_cls.weight" in ours:
        conventions["relu_before_extra_convs"] = [True]
    return conventions


def _norm_name(key: str, value: Any) -> tuple[str, Any]:
    """Our name of a norm: ``conv2_bn`` of a block is bn2, ``conv_bn`` of a ConvModule bn."""
    for norm in ("bn", "gn"):
        layer, found, parameter = key.partition(f"_{norm}.")
        if not found:
            continue
        path, _, name = layer.rpartition(".")
        if name == "downsample":
            return f"{layer}.1.{parameter}", value
        return f"{path}.{norm}{name.removeprefix('conv')}.{parameter}", value
    return key.replace(".downsample.weight", ".downsample.0.weight"), value
