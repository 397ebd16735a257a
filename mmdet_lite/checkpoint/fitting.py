"""From a checkpoint, of whatever program, to weights in a model: every way in goes through here."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mmengine.logging import print_log
from torch import nn

from mmdet_lite.checkpoint.class_rows import (
    class_layers_of,
    rows_by_name,
    warn_of_undeclared_rows,
)
from mmdet_lite.checkpoint.families import FAMILY_OF_HEAD, family_of, parts_of, parts_of_config
from mmdet_lite.checkpoint.load import state_dict_of
from mmdet_lite.checkpoint.origin import check_backbone_origin, check_origin, origin_of
from mmdet_lite.checkpoint.state import LoadReport, load_state_dict

# Ways in which the same tensors are named in a detector and in its part: (pattern, replacement).
PLACES = [
    (r"^", ""),
    (r"^backbone\.", ""),
    (r"^", "backbone."),
    (r"^rpn_head\.rpn_", "bbox_head.rpn_"),
    (r"^bbox_head\.rpn_", "rpn_head.rpn_"),
]


def load_weights(
    model: nn.Module,
    checkpoint: Mapping[str, Any],
    source: str,
    classes: Sequence[str] | None = None,
    strict: bool = False,
) -> LoadReport:
    """Load a detector's weights from a checkpoint as ``load_checkpoint_file`` returns it.

    A backbone alone goes into ``model.backbone``. Rows of classes that both sides name are put
    where the model expects them. What happened to each tensor is logged.

    Args:
        model: receives the tensors in place.
        checkpoint: not changed.
        source: its file, for the texts.
        classes: names of the model's classes, in order; None where they are not known.
        strict: raise where a weight of the model is missing or of another shape.

    Raises:
        ValueError: images are prepared otherwise than the checkpoint's; less than half of the
            backbone's tensors are there, or whole blocks of its stages are not; with ``strict``,
            anything is missing, or the model has other conventions (see ``check_origin``).
    """
    own = model.state_dict()
    weights = placed(state_dict_of(dict(checkpoint)), own.keys())
    check_origin(origin_of(checkpoint), model, source, exact=strict)
    trained = trained_classes(checkpoint)
    weights, note = rows_by_name(weights, own, class_layers_of(model), trained, classes)
    warn_of_undeclared_rows(model, weights, trained, classes)
    report = load_state_dict(model, weights, source, strict, most_below="backbone.")
    if note:
        print_log(f"  {note}", logger="current")
    return report


def check_family(checkpoint: Mapping[str, Any], model: Mapping[str, Any], source: str) -> None:
    """Refuse a checkpoint that lacks a whole head of a config's model, or has another's.

    Args:
        checkpoint: as ``load_checkpoint_file`` returns it.
        model: the config of a detector.
        source: the checkpoint's file, for the text.

    Raises:
        ValueError: a head is missing or another's, with what detector the weights are of.
    """
    names = state_dict_of(dict(checkpoint))
    lacking = sorted(parts_of_config(model) - parts_of(names))
    family = family_of(names)
    wanted = FAMILY_OF_HEAD.get(str((model.get("bbox_head") or {}).get("type")))
    other = family is not None and wanted not in (None, family[0])
    if not (lacking or other) or not any(name.startswith("backbone.") for name in names):
        return
    fitting = (checkpoint.get("meta") or {}).get("fitting_config")
    if not parts_of(names):
        kind = "of a backbone alone"
        way_out = "it can start a training, as model.backbone.init_cfg.checkpoint"
    elif family is None:
        kind, way_out = "of another network", "give it the config it was trained with"
    else:
        kind = f"of {'an' if family[0] in ('RPN', 'SSD') else 'a'} {family[0]}"
        way_out = f"take {fitting or f'its config, or one of configs/{family[1]}/'}"
    reason = f"the config's model.bbox_head is {wanted}'s"
    if lacking:
        reason = f"none of {', '.join(lacking)}, which the config's {model.get('type')} needs"
    raise ValueError(f"{source} holds weights {kind}: {reason}; {way_out}")


def check_pretrained(model: nn.Module, classes: Sequence[str] | None = None) -> None:
    """Compare the model with what the files say that its parts were initialised from.

    Args:
        model: its parts as ``PretrainedInit`` left them.
        classes: names of the data's classes, in order; None where they are not known.

    Raises:
        ValueError: images are prepared otherwise, where the file's way is known; a head took the
            rows of as many classes, of which some have another place in the data.
    """
    for module in model.modules():
        source, origin, trained = getattr(module, "pretrained_from", (None, None, None))
        if source is not None and origin is not None:
            check_backbone_origin(origin, model, source)
        if trained is None or classes is None or len(trained) != len(classes):
            continue  # of other counts no rows were taken
        if list(trained) != list(classes) and set(trained) & set(classes):
            raise ValueError(
                f"init_cfg took the rows of classes from {source} in its order\n  {source}: "
                f"{', '.join(trained)}\n  data: {', '.join(classes)}\nTake them by name: "
                f"--load-from {source} (load_from in the config), without init_cfg"
            )


def placed(weights: dict[str, Any], own: Collection[str]) -> dict[str, Any]:
    """The weights under those names, of ``PLACES``, that most of the model's are among."""

    def fitting(way: tuple[str, str]) -> int:
        return sum(re.sub(*way, key) in own for key in weights)

    best = max(PLACES, key=fitting)
    if best == PLACES[0]:
        return weights  # with its _metadata, torch's version numbers of modules
    return {re.sub(*best, key): value for key, value in weights.items()}


def trained_classes(checkpoint: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Class names that a checkpoint was trained on, whichever version wrote it; None if unsaid."""
    meta = checkpoint.get("meta") or {}
    data = meta.get("dataset_meta") or {}
    # MMDetection 2 wrote the names in capitals, or directly into meta
    classes = data.get("classes") or data.get("CLASSES") or meta.get("CLASSES")
    if not classes:
        return None
    return (classes,) if isinstance(classes, str) else tuple(classes)
