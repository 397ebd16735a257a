"""Names of another program's layers turned into ours, by a table."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Rule = tuple[str, str | Callable[[re.Match[str]], str]]
Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Imported:
    """Weights under our names, and what is known of the model that they come from.

    ``left_over``: tensors of the file that no model here has. ``preprocessing``: see
    ``checkpoint.preprocessing``; None where the layout does not fix it. ``classes``: names in the
    order of the rows, None where unknown. ``notes``: what a person should know, one line each.
    ``conventions``: see ``checkpoint.conventions``. ``has_config``: whether a config here may have
    all of these layers.
    """

    program: str
    weights: Weights
    left_over: tuple[str, ...] = ()
    preprocessing: dict[str, Any] | None = None
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    conventions: Mapping[str, list[Any]] = field(default_factory=dict)
    has_config: bool = True


def rename(
    weights: Mapping[str, Tensor], rules: Sequence[Rule], suffixes: Mapping[str, str]
) -> tuple[Weights, list[str]]:
    """Apply the first rule whose pattern is a layer's whole name.

    Args:
        weights: tensors by their names in the other program; not changed.
        rules: (pattern, replacement) for the layer, the name without its suffix. ``<norm>`` in
            our name becomes bn where the layer has statistics, else gn.
        suffixes: their ending of a name to ours, such as ``_w`` to ``.weight``.

    Returns:
        tensors under our names, and the names that no rule knows.

    Raises:
        ValueError: if two names become one: the file is not of the layout it seems.
    """
    ours: Weights = {}
    left: list[str] = []
    origin: dict[str, str] = {}
    for name, tensor in weights.items():
        ending = next((end for end in suffixes if name.endswith(end)), None)
        layer = None if ending is None else _renamed(name.removesuffix(ending), rules)
        if ending is None or layer is None:
            left.append(name)
            continue
        if "<norm>" in layer:
            statistics = f"{name.removesuffix(ending)}.running_mean"
            layer = layer.replace("<norm>", "bn" if statistics in weights else "gn")
        key = layer + suffixes[ending]
        if key in ours:
            raise ValueError(f"{name} and {origin[key]} would both become {key}")
        ours[key], origin[key] = tensor, name
    return ours, left


def _renamed(layer: str, rules: Sequence[Rule]) -> str | None:
    for pattern, replacement in rules:
        match = re.fullmatch(pattern, layer)
        if match:
            return replacement(match) if callable(replacement) else match.expand(replacement)
    return None


def less_one(template: str) -> Callable[[re.Match[str]], str]:
    """A replacement in which ``{}`` is the match's first number less one: they count from 1."""
    return lambda match: template.format(int(match[1]) - 1)


TORCH_SUFFIXES = {
    f".{name}": f".{name}"
    for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
}


def style_of_caffe2(weights: Weights) -> dict[str, list[str]]:
    """Where strides stand in the ResNets of Detectron and Detectron2, as a convention.

    Those of MSRA stride in 1x1 convolutions; ResNeXt and networks with group norm, which are of
    their own training, in 3x3 ones.
    """
    conv = weights.get("backbone.layer1.0.conv2.weight")
    if conv is None or conv.dim() != 4:
        return {}
    grouped = conv.shape[1] < conv.shape[0]
    return {"style": ["pytorch" if grouped or "backbone.gn1.weight" in weights else "caffe"]}


def number_fpn(weights: Weights) -> Weights:
    """Number a pyramid's convolutions from its finest level on.

    Tables name ``neck.lateral_convs.S`` and ``neck.fpn_convs.S`` by any rising number S, and extra
    levels ``neck.fpn_convs.p6`` and ``p7``.
    """
    stages = sorted(
        {int(m[1]) for k in weights if (m := re.match(r"neck\.lateral_convs\.(\d+)", k))}
    )

    def place(match: re.Match[str]) -> str:
        level = match[2]
        extra = level.startswith("p")
        number = len(stages) + int(level[1:]) - 6 if extra else stages.index(int(level))
        return f"neck.{match[1]}_convs.{number}."

    pattern = re.compile(r"^neck\.(lateral|fpn)_convs\.(p?\d+)\.")
    return {pattern.sub(place, key): value for key, value in weights.items()}


def background_last(weights: Weights) -> Weights:
    """From heads whose row 0 is background to ours: K+1 scores, the last one background.

    ``fc_cls`` loses no row, ``fc_reg`` the four of background (of two in a class-agnostic head),
    ``conv_logits`` its first one where it has as many as classes.
    """
    result = dict(weights)
    rows = {len(v) for k, v in weights.items() if ".fc_cls." in k}
    for key, value in weights.items():
        if ".fc_cls." in key:
            result[key] = torch.cat([value[1:], value[:1]])
        elif ".fc_reg." in key and len(value) > 4:
            result[key] = value[4:]
        elif ".conv_logits." in key and len(value) in rows:
            result[key] = value[1:]
    return result


def ratios_outside(weights: Weights, ratios: Sequence[float] = (0.5, 1.0, 2.0)) -> Weights:
    """Order the anchors of a position as ours: scale inside ratio, the ratios ascending.

    Detectron's and Detectron2's dense heads count ratio inside scale, in the order of ``ratios``.
    """
    regressors = [k for k in weights if re.search(r"\.(rpn_reg|retina_reg)\.bias$", k)]
    if not regressors:
        return weights
    num_anchors = len(weights[regressors[0]]) // 4
    if num_anchors % len(ratios):
        return weights
    ascending = sorted(range(len(ratios)), key=lambda i: ratios[i])
    order = torch.arange(num_anchors).view(-1, len(ratios))[:, ascending].t().flatten()
    result = dict(weights)
    for key, value in weights.items():
        if re.search(r"\.(rpn_reg|rpn_cls|retina_reg|retina_cls)\.", key):
            per_anchor = value.reshape(num_anchors, -1, *value.shape[1:])
            result[key] = per_anchor[order].reshape(value.shape)
    return result


def whole_affine(weights: Weights, eps: float = 1e-5) -> Weights:
    """Give scale and shift without statistics those with which a batch norm is just that.

    Mean 0 and variance 1 - eps: the norm divides by sqrt(variance + eps) = 1.
    """
    result = dict(weights)
    for key, value in weights.items():
        layer = key.removesuffix(".weight")
        batch_norm = re.search(r"\.bn\d?\.weight$", key) or (
            key.endswith(".downsample.1.weight")
            and key.replace(".downsample.1.", ".bn1.") in weights  # else it is a group norm
        )
        if batch_norm and f"{layer}.running_mean" not in weights:
            result[f"{layer}.running_mean"] = torch.zeros_like(value)
            result[f"{layer}.running_var"] = torch.full_like(value, 1 - eps)
    return result


def move_stage_to_head(weights: Weights) -> Weights:
    """Name the last stage as the shared head where the heads of a C4 model hold it."""
    return {
        re.sub(r"^backbone\.layer4\.", "roi_head.shared_head.layer4.", key): value
        for key, value in weights.items()
    }
