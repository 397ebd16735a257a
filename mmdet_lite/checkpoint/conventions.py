"""What a program does with weights that they do not show, such as where strides stand.

Conventions are a dict from a name below to the values with which the weights give their program's
results, the usual one first: ``{"style": ["caffe"], "roi_align": [[True, 0], [False, 2]]}``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

Conventions = Mapping[str, list[Any]]
# ``style``: a strided bottleneck strides in its first 1x1 convolution ('caffe') or in its 3x3 one
# ``norm_eps``: of the backbone's batch norms
# ``roi_align``: aligned, sampling_ratio
# ``anchors``: the type of anchor generator
# ``anchor_center``: center_offset of the anchor generator
# ``relu_before_extra_convs``: of the neck
# ``mask_paste``: of test_cfg.rcnn
OF_BACKBONE = ("style", "norm_eps")
OF_INFERENCE = ("mask_paste",)  # a training does not know them
EXTRACTORS = ("bbox_roi_extractor", "mask_roi_extractor", "keypoint_roi_extractor")
ANCHOR_HEADS = ("rpn_head", "bbox_head")
TORCHVISION_ANCHORS = "TorchvisionAnchorGenerator"


def model_conventions(model: nn.Module) -> dict[str, list[Any]]:
    """What the parts of a detector, or of a backbone alone, do: one value a part that does it."""
    backbone: Any = getattr(model, "backbone", model)
    neck: Any = getattr(model, "neck", None)
    roi_head: Any = getattr(model, "roi_head", None)
    extractors = _extractors(roi_head).values()
    heads: list[Any] = [getattr(model, name, None) for name in ANCHOR_HEADS]
    grids = [head.anchors for head in heads if hasattr(head, "anchors")]
    rcnn = (getattr(model, "test_cfg", None) or {}).get("rcnn") or {}
    return {
        "style": list(_styles(backbone)),
        "norm_eps": [m.eps for m in backbone.modules() if isinstance(m, _BatchNorm)],
        "roi_align": [[e.aligned, e.sampling_ratio] for e in extractors if not e.takes_maximum],
        "anchors": [type(grid).__name__ for grid in grids],
        "anchor_center": [g.center_offset for g in grids if hasattr(g, "center_offset")],
        "relu_before_extra_convs": [neck.relu_before_extra_convs]
        if hasattr(neck, "relu_before_extra_convs")
        else [],
        "mask_paste": [rcnn.get("mask_paste", "exact")]
        if getattr(roi_head, "mask_head", None) is not None
        else [],
    }


def differences(stored: Conventions, model: nn.Module) -> dict[str, tuple[Any, Any]]:
    """Name to (the weights' usual value, the model's first other one), of those that differ."""
    own = model_conventions(model)
    others = {
        name: [value for value in own.get(name, ()) if value not in accepted]
        for name, accepted in stored.items()
    }
    return {name: (stored[name][0], values[0]) for name, values in others.items() if values}


def options(name: str, value: Any, model: nn.Module) -> list[str]:
    """``--cfg-options`` that give a detector this convention; none where a few words cannot."""
    roi_head: Any = getattr(model, "roi_head", None)
    if name == "style":
        has_shared = getattr(roi_head, "shared_head", None) is not None
        shared = ["model.roi_head.shared_head"] if has_shared else []
        return [f"{part}.style={value}" for part in ["model.backbone", *shared]]
    if name == "norm_eps":
        return [f"model.backbone.norm_cfg.eps={value}"]
    if name == "roi_align":
        return [
            f"model.roi_head.{extractor}.roi_layer.{key}={setting}"
            for extractor in _extractors(roi_head)
            for key, setting in zip(("aligned", "sampling_ratio"), value, strict=True)
        ]
    if name == "anchor_center":
        return [
            f"model.{head}.anchor_generator.center_offset={value}"
            for head in ANCHOR_HEADS
            if hasattr(getattr(model, head, None), "anchors")
        ]
    if name == "relu_before_extra_convs":
        return [f"model.neck.relu_before_extra_convs={value}"]
    return [f"model.test_cfg.rcnn.mask_paste={value}"] if name == "mask_paste" else []


def convention_text(values: Iterable[tuple[str, Any]]) -> str:
    """Names and values for a person."""
    parts = []
    for name, value in values:
        if name == "roi_align":
            parts.append(f"RoIAlign aligned={value[0]} sampling_ratio={value[1]}")
        else:
            parts.append(f"{name} {value}")
    return ", ".join(parts)


def _styles(backbone: nn.Module) -> Iterator[str]:
    """The style of each strided bottleneck."""
    for block in backbone.modules():
        first, second, third = (getattr(block, f"conv{i}", None) for i in (1, 2, 3))
        if isinstance(third, nn.Conv2d) and isinstance(first, nn.Conv2d):
            if first.stride != (1, 1):
                yield "caffe"
            elif isinstance(second, nn.Conv2d) and second.stride != (1, 1):
                yield "pytorch"


def _extractors(roi_head: Any) -> dict[str, Any]:
    """The RoI extractors that a config writes down, by their keys; one of each list."""
    found: dict[str, Any] = {}
    for name in EXTRACTORS:
        extractor = getattr(roi_head, name, None)
        if isinstance(extractor, nn.ModuleList):
            extractor = extractor[0]
        if hasattr(extractor, "aligned") and all(extractor is not one for one in found.values()):
            found[name] = extractor
    return found
