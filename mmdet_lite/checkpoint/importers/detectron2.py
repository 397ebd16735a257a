"""Detectron2's models: Faster, Mask, Keypoint, Cascade R-CNN, RetinaNet; C4, DC5 and FPN.

Source: Detectron2 0.6, modeling. Its classes and box offsets are ours (background last); its
dense heads order the anchors of a position by ratio inside size.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from mmdet_lite.checkpoint.importers.renaming import (
    TORCH_SUFFIXES,
    Imported,
    Rule,
    Weights,
    less_one,
    number_fpn,
    ratios_outside,
    rename,
    style_of_caffe2,
)

BODY = r"(?:backbone\.)?(?:bottom_up\.)?"
BOX, MASK, POINTS = "roi_head.bbox_head", "roi_head.mask_head", "roi_head.keypoint_head"
SHARED = "roi_head.shared_head.layer4"


def _stage(ours: str) -> Any:
    """A replacement for a layer of a stage: res2.0 is layer1.0."""
    return lambda m: f"backbone.layer{int(m[1]) - 1}.{m[2]}.{m.expand(ours)}"


def _cascade(template: str) -> Any:
    """A replacement with a stage's number and a layer's number, counted from 1 there."""
    return lambda m: template.format(m[1], int(m[2]) - 1)


def _subnet(branch: str) -> Any:
    """RetinaNet's towers alternate convolution and ReLU."""
    return lambda m: f"bbox_head.{branch}_convs.{int(m[1]) // 2}.conv"


RULES: list[Rule] = [
    (rf"{BODY}stem\.conv1", "backbone.conv1"),
    (rf"{BODY}stem\.conv1\.norm", "backbone.<norm>1"),
    (rf"{BODY}res(\d)\.(\d+)\.conv(\d)", _stage(r"conv\3")),
    (rf"{BODY}res(\d)\.(\d+)\.conv(\d)\.norm", _stage(r"<norm>\3")),
    (rf"{BODY}res(\d)\.(\d+)\.shortcut", _stage("downsample.0")),
    (rf"{BODY}res(\d)\.(\d+)\.shortcut\.norm", _stage("downsample.1")),
    (r"roi_heads\.res5\.(\d)\.conv(\d)", rf"{SHARED}.\1.conv\2"),
    (r"roi_heads\.res5\.(\d)\.conv(\d)\.norm", rf"{SHARED}.\1.<norm>\2"),
    (r"roi_heads\.res5\.(\d)\.shortcut", rf"{SHARED}.\1.downsample.0"),
    (r"roi_heads\.res5\.(\d)\.shortcut\.norm", rf"{SHARED}.\1.downsample.1"),
    (r"backbone\.fpn_lateral(\d)", r"neck.lateral_convs.\1.conv"),
    (r"backbone\.fpn_lateral(\d)\.norm", r"neck.lateral_convs.\1.<norm>"),
    (r"backbone\.fpn_output(\d)", r"neck.fpn_convs.\1.conv"),
    (r"backbone\.fpn_output(\d)\.norm", r"neck.fpn_convs.\1.<norm>"),
    (r"backbone\.top_block\.(p\d)", r"neck.fpn_convs.\1.conv"),
    (r"proposal_generator\.rpn_head\.conv", "rpn_head.rpn_conv"),
    (r"proposal_generator\.rpn_head\.objectness_logits", "rpn_head.rpn_cls"),
    (r"proposal_generator\.rpn_head\.anchor_deltas", "rpn_head.rpn_reg"),
    (r"roi_heads\.box_head\.conv(\d)", less_one(f"{BOX}.shared_convs.{{}}.conv")),
    (r"roi_heads\.box_head\.conv(\d)\.norm", less_one(f"{BOX}.shared_convs.{{}}.<norm>")),
    (r"roi_heads\.box_head\.fc(\d)", less_one(f"{BOX}.shared_fcs.{{}}")),
    (r"roi_heads\.box_head\.(\d)\.conv(\d)", _cascade(f"{BOX}.{{}}.shared_convs.{{}}.conv")),
    (
        r"roi_heads\.box_head\.(\d)\.conv(\d)\.norm",
        _cascade(f"{BOX}.{{}}.shared_convs.{{}}.<norm>"),
    ),
    (r"roi_heads\.box_head\.(\d)\.fc(\d)", _cascade(f"{BOX}.{{}}.shared_fcs.{{}}")),
    (r"roi_heads\.box_predictor\.cls_score", f"{BOX}.fc_cls"),
    (r"roi_heads\.box_predictor\.bbox_pred", f"{BOX}.fc_reg"),
    (r"roi_heads\.box_predictor\.(\d)\.cls_score", rf"{BOX}.\1.fc_cls"),
    (r"roi_heads\.box_predictor\.(\d)\.bbox_pred", rf"{BOX}.\1.fc_reg"),
    (r"roi_heads\.mask_head\.mask_fcn(\d)", less_one(f"{MASK}.convs.{{}}.conv")),
    (r"roi_heads\.mask_head\.mask_fcn(\d)\.norm", less_one(f"{MASK}.convs.{{}}.<norm>")),
    (r"roi_heads\.mask_head\.deconv", f"{MASK}.upsample"),
    (r"roi_heads\.mask_head\.predictor", f"{MASK}.conv_logits"),
    (r"roi_heads\.keypoint_head\.conv_fcn(\d)", less_one(f"{POINTS}.convs.{{}}.conv")),
    (r"roi_heads\.keypoint_head\.score_lowres", f"{POINTS}.upsample"),
    (r"head\.cls_subnet\.(\d)", _subnet("cls")),
    (r"head\.bbox_subnet\.(\d)", _subnet("reg")),
    (r"head\.cls_score", "bbox_head.retina_cls"),
    (r"head\.bbox_pred", "bbox_head.retina_reg"),
]
# Mean and deviation of its configs; those of ResNeXt divide too.
MEAN_BGR = [103.53, 116.28, 123.675]
STD_RESNEXT = [57.375, 57.12, 58.395]


IMAGENET_RGB = {
    "order": "RGB",
    "mean": [123.675, 116.28, 103.53],
    "std": [58.395, 57.12, 57.375],
}


def matches(names: Collection[str]) -> bool:
    """Whether these are names of Detectron2's models or ImageNet backbones with a ResNet."""
    return any(
        f"{body}stem.conv1.weight" in names and f"{body}res2.0.conv1.weight" in names
        for body in ("backbone.bottom_up.", "backbone.", "")
    )


def convert(weights: Weights) -> Imported:
    """The same model's weights under our names."""
    ours, left = rename(weights, RULES, TORCH_SUFFIXES)
    ours = _mask_head_of_each_stage(ratios_outside(number_fpn(ours)))
    left = [name for name in left if "cell_anchors" not in name and "pixel_" not in name]
    conventions = conventions_of(ours)
    preprocessing: dict[str, Any] | None = _preprocessing(weights, ours)
    if _trained_norms(weights):  # of the newer baselines: neither of the MSRA nets nor in BGR
        conventions.pop("style", None)
        preprocessing = preprocessing if "pixel_mean" in weights else None
    return Imported("Detectron2", ours, tuple(left), preprocessing, conventions=conventions)


def of_torchvision(imported: Imported) -> Imported:
    """A backbone that Detectron2 has taken from torchvision, as the file's author says."""
    conventions = {**imported.conventions, "style": ["pytorch"]}
    return replace(imported, preprocessing=IMAGENET_RGB, conventions=conventions)


def _trained_norms(weights: Weights) -> bool:
    """Whether the backbone's batch norms were not frozen: only such ones count batches."""
    return any(re.match(rf"{BODY}res2\..*num_batches_tracked$", name) for name in weights)


def conventions_of(ours: Weights) -> dict[str, list[Any]]:
    """What Detectron2 does with these weights."""
    conventions: dict[str, list[Any]] = dict(style_of_caffe2(ours))
    if any(key.startswith(BOX) for key in ours):
        conventions["roi_align"] = [[True, 0], [False, 2]]  # the second: its Detectron1 comparisons
    if "bbox_head.retina_cls.weight" in ours:
        conventions["relu_before_extra_convs"] = [True]
    return conventions


def _mask_head_of_each_stage(weights: Weights) -> Weights:
    """Detectron2's cascade has one mask head, ours the mean of three: three equal ones."""
    if not any(key.startswith(f"{BOX}.0.") for key in weights):
        return weights
    result: Weights = {}
    for key, value in weights.items():
        if not key.startswith(f"{MASK}."):
            result[key] = value
            continue
        for stage in range(3):
            result[key.replace(f"{MASK}.", f"{MASK}.{stage}.")] = value
    return result


def _preprocessing(weights: Weights, ours: Weights) -> dict[str, Any]:
    if "pixel_mean" in weights:
        mean = weights["pixel_mean"].flatten().tolist()
        std = weights["pixel_std"].flatten().tolist()
        # ImageNet's blue is the darkest of its means
        return {"order": "BGR" if mean[0] < mean[-1] else "RGB", "mean": mean, "std": std}
    conv = ours.get("backbone.layer1.0.conv2.weight")
    resnext = conv is not None and conv.dim() == 4 and conv.shape[1] < conv.shape[0]
    return {"order": "BGR", "mean": MEAN_BGR, "std": STD_RESNEXT if resnext else [1.0, 1.0, 1.0]}
