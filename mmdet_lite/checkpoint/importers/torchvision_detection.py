"""torchvision's fasterrcnn, maskrcnn, keypointrcnn and retinanet with ResNet and FPN, v1 and v2.

Source: torchvision 0.13 to 0.29, models/detection. Row 0 of its heads is background, the others
are COCO's category ids, of which eleven were never used.
"""

import re
from collections.abc import Collection
from typing import Any

from mmdet_lite.checkpoint.conventions import TORCHVISION_ANCHORS
from mmdet_lite.checkpoint.importers.renaming import (
    TORCH_SUFFIXES,
    Imported,
    Rule,
    Weights,
    background_last,
    number_fpn,
    rename,
)

BOX, MASK = "roi_head.bbox_head", "roi_head.mask_head"
POINTS = "roi_head.keypoint_head"
RULES: list[Rule] = [
    (r"backbone\.body\.(.+)", r"backbone.\1"),
    (r"backbone\.fpn\.inner_blocks\.(\d)(?:\.0)?", r"neck.lateral_convs.\1.conv"),
    (r"backbone\.fpn\.inner_blocks\.(\d)\.1", r"neck.lateral_convs.\1.bn"),
    (r"backbone\.fpn\.layer_blocks\.(\d)(?:\.0)?", r"neck.fpn_convs.\1.conv"),
    (r"backbone\.fpn\.layer_blocks\.(\d)\.1", r"neck.fpn_convs.\1.bn"),
    (r"backbone\.fpn\.extra_blocks\.(p\d)", r"neck.fpn_convs.\1.conv"),
    (r"rpn\.head\.conv", "rpn_head.rpn_conv"),
    (r"rpn\.head\.conv\.(\d)\.0", r"rpn_head.rpn_conv.\1.conv"),
    (r"rpn\.head\.cls_logits", "rpn_head.rpn_cls"),
    (r"rpn\.head\.bbox_pred", "rpn_head.rpn_reg"),
    (r"roi_heads\.box_head\.fc6", f"{BOX}.shared_fcs.0"),
    (r"roi_heads\.box_head\.fc7", f"{BOX}.shared_fcs.1"),
    (r"roi_heads\.box_head\.(\d)\.0", rf"{BOX}.shared_convs.\1.conv"),
    (r"roi_heads\.box_head\.(\d)\.1", rf"{BOX}.shared_convs.\1.bn"),
    (r"roi_heads\.box_head\.\d", f"{BOX}.shared_fcs.0"),
    (r"roi_heads\.box_predictor\.cls_score", f"{BOX}.fc_cls"),
    (r"roi_heads\.box_predictor\.bbox_pred", f"{BOX}.fc_reg"),
    (r"roi_heads\.mask_head\.mask_fcn(\d)", lambda m: f"{MASK}.convs.{int(m[1]) - 1}.conv"),
    (r"roi_heads\.mask_head\.(\d)\.0", rf"{MASK}.convs.\1.conv"),
    (r"roi_heads\.mask_head\.(\d)\.1", rf"{MASK}.convs.\1.bn"),
    (r"roi_heads\.mask_predictor\.conv5_mask", f"{MASK}.upsample"),
    (r"roi_heads\.mask_predictor\.mask_fcn_logits", f"{MASK}.conv_logits"),
    (r"roi_heads\.keypoint_head\.(\d+)", lambda m: f"{POINTS}.convs.{int(m[1]) // 2}.conv"),
    (r"roi_heads\.keypoint_predictor\.kps_score_lowres", f"{POINTS}.upsample"),
    (r"head\.classification_head\.conv\.(\d)\.0", r"bbox_head.cls_convs.\1.conv"),
    (r"head\.classification_head\.conv\.(\d)\.1", r"bbox_head.cls_convs.\1.gn"),
    (
        r"head\.classification_head\.conv\.(\d)",
        lambda m: f"bbox_head.cls_convs.{int(m[1]) // 2}.conv",
    ),
    (r"head\.classification_head\.cls_logits", "bbox_head.retina_cls"),
    (r"head\.regression_head\.conv\.(\d)\.0", r"bbox_head.reg_convs.\1.conv"),
    (r"head\.regression_head\.conv\.(\d)\.1", r"bbox_head.reg_convs.\1.gn"),
    (
        r"head\.regression_head\.conv\.(\d)",
        lambda m: f"bbox_head.reg_convs.{int(m[1]) // 2}.conv",
    ),
    (r"head\.regression_head\.bbox_reg", "bbox_head.retina_reg"),
]
PREPROCESSING = {
    "order": "RGB",
    "mean": [123.675, 116.28, 103.53],
    "std": [58.395, 57.12, 57.375],
}
NOTE_SECOND = (
    "it is of the second version (_v2): its pyramid and heads have norms, its RPN and heads more "
    "convolutions; no config here has all of them"
)
COCO_ROWS = 91  # background and the category ids 1 to 90
# names that only one of torchvision's other detectors has -> what it is
OTHERS = [
    (r"head\.regression_head\.bbox_ctrness\.", "FCOS (fcos_resnet50_fpn)"),
    (r"backbone\.features\..*", "SSD or SSDlite (ssd300_vgg16, ssdlite320_mobilenet_v3_large)"),
    (r"backbone\.body\.0\.", "detectors with a MobileNet (fasterrcnn_mobilenet_v3_large_fpn)"),
]
HEADS = ("roi_heads.box_predictor.", "head.classification_head.")


def matches(names: Collection[str]) -> bool:
    """Whether these are names of torchvision's detection models, also of those not read here."""
    body = any(name.startswith(("backbone.body.", "backbone.features.")) for name in names)
    return body and any(name.startswith(HEADS) for name in names)


def convert(weights: Weights) -> Imported:
    """The same model's weights under our names.

    Raises:
        ValueError: they are of a detector of torchvision's that is not built here.
    """
    for pattern, kind in OTHERS:
        if any(re.match(pattern, name) for name in weights):
            raise ValueError(
                f"these are the weights of torchvision's {kind}, which are not read here; read are "
                "its fasterrcnn, maskrcnn, keypointrcnn and retinanet with a ResNet"
            )
    ours, left = rename(weights, RULES, TORCH_SUFFIXES)
    ours = _one_rpn_conv(number_fpn(ours))
    second = _is_second_version(ours)
    if "bbox_head.retina_cls.weight" in ours:
        ours, classes, notes = _retina_classes(ours)
    else:
        ours, classes, notes = _coco_classes(background_last(ours))
    if second:
        notes = (*notes, NOTE_SECOND)
    return Imported(
        "torchvision",
        ours,
        tuple(left),
        PREPROCESSING,
        classes,
        notes,
        conventions_of(ours, of_coco=len(classes or ()) == 80 and not second),
        has_config=not second,
    )


def _is_second_version(weights: Weights) -> bool:
    return any(
        name.startswith((f"{BOX}.shared_convs.", "bbox_head.cls_convs.0.gn.")) for name in weights
    )


def conventions_of(weights: Weights, of_coco: bool) -> dict[str, list[Any]]:
    """What torchvision does with these; its own weights of COCO have norms without epsilon."""
    conventions: dict[str, list[Any]] = {"style": ["pytorch"], "anchors": [TORCHVISION_ANCHORS]}
    if of_coco:
        conventions["norm_eps"] = [0.0]
    if any(name.startswith(BOX) for name in weights):
        conventions["roi_align"] = [[False, 2]]
    else:
        conventions["relu_before_extra_convs"] = [True]
    if any(name.startswith(MASK) for name in weights):
        conventions["mask_paste"] = ["whole_pixels"]
    return conventions


def _one_rpn_conv(weights: Weights) -> Weights:
    """A stack of one convolution is the convolution itself here."""
    if "rpn_head.rpn_conv.1.conv.weight" in weights:
        return weights
    return {k.replace("rpn_conv.0.conv.", "rpn_conv."): v for k, v in weights.items()}


def _coco_categories() -> list[str]:
    """Names of the rows 0 to 90."""
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

    return list(FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"])


def _coco_classes(weights: Weights) -> tuple[Weights, tuple[str, ...] | None, tuple[str, ...]]:
    """Without the ids that COCO never used; their probability after training is nil."""
    rows = len(weights.get(f"{BOX}.fc_cls.bias", ()))
    if rows == 2 and any(key.startswith(POINTS) for key in weights):
        return weights, ("person",), ()
    if rows != COCO_ROWS:
        return weights, None, ()
    named = [i for i, name in enumerate(_coco_categories()[1:]) if name != "N/A"]
    result = dict(weights)
    for key, value in weights.items():
        if key.startswith(f"{BOX}.fc_cls."):
            result[key] = value[[*named, COCO_ROWS - 1]]
        elif key.startswith(f"{BOX}.fc_reg."):
            result[key] = value.view(COCO_ROWS - 1, 4, *value.shape[1:])[named].flatten(0, 1)
        elif key.startswith(f"{MASK}.conv_logits."):
            result[key] = value[named]
    return result, _used_names(), (_unused_note(),)


def _retina_classes(weights: Weights) -> tuple[Weights, tuple[str, ...] | None, tuple[str, ...]]:
    """Without class 0, which no anchor is trained towards, and the ids that COCO never used."""
    num_anchors = len(weights["bbox_head.retina_reg.bias"]) // 4
    rows = len(weights["bbox_head.retina_cls.bias"]) // num_anchors
    coco = rows == COCO_ROWS
    kept = list(range(1, rows))
    if coco:
        kept = [i for i, name in enumerate(_coco_categories()) if name != "N/A" and i > 0]
    result = dict(weights)
    for key, value in weights.items():
        if re.match(r"bbox_head\.retina_cls\.", key):
            per_anchor = value.view(num_anchors, rows, *value.shape[1:])
            result[key] = per_anchor[:, kept].flatten(0, 1)
    if coco:
        return result, _used_names(), (_unused_note(),)
    note = (
        f"class 0 of {rows} is left out: torchvision's own training counts classes from 1, as for "
        "its other detectors. If yours had a class 0, its rows are lost"
    )
    return result, None, (note,)


def _used_names() -> tuple[str, ...]:
    return tuple(name for name in _coco_categories()[1:] if name != "N/A")


def _unused_note() -> str:
    return "91 rows are background and COCO's category ids; the 11 ids without a name are left out"
