"""Rows of heads that belong to classes: kept for classes of the same name."""

import logging
from collections.abc import Mapping, Sequence

from mmengine.logging import print_log
from torch import Tensor, nn

from mmdet_lite.ops.class_rows import ClassRows


def class_layers_of(model: nn.Module) -> dict[str, ClassRows]:
    """The layers whose rows belong to classes, as the heads declare them, by their full names."""
    return {
        f"{name}.{layer}" if name else layer: rows
        for name, module in model.named_modules()
        for layer, rows in getattr(module, "class_layers", {}).items()
    }


def warn_of_undeclared_rows(
    model: nn.Module,
    weights: Mapping[str, Tensor],
    trained: Sequence[str] | None,
    classes: Sequence[str] | None,
) -> None:
    """Log a warning where rows of as many, but other, classes may stay in the file's order.

    That is so in heads that count classes and declare no ``class_layers``.
    """
    if trained is None or classes is None or list(trained) == list(classes):
        return
    if len(trained) != len(classes) or not set(trained) & set(classes):
        return
    for name, head in model.named_modules():
        silent = isinstance(getattr(head, "num_classes", None), int)
        if not silent or hasattr(head, "class_layers") or name.startswith("backbone"):
            continue
        counts = (len(trained), len(trained) + 1)
        keys = [f"{name}.{key}" for key in head.state_dict()]
        doubtful = [k for k in keys if k in weights and set(weights[k].shape[:1]) & set(counts)]
        if doubtful:
            print_log(
                f"the file has the model's classes in another order, but {type(head).__name__} does"
                f" not say which rows belong to classes: {', '.join(doubtful)} are loaded as they "
                "are and may be mixed up; declare class_layers in the head (see docs/extending.md)",
                "current",
                logging.WARNING,
            )


def rows_by_name(
    weights: dict[str, Tensor],
    own: Mapping[str, Tensor],
    layers: Mapping[str, ClassRows],
    trained: Sequence[str] | None,
    classes: Sequence[str] | None,
) -> tuple[dict[str, Tensor], str]:
    """Put the rows of classes that both sides know where the model expects them.

    Rows of other classes keep the model's values. Nothing is done where the names are equal or
    unknown on one side, nor where they have nothing in common, which is said.

    Args:
        weights: the file's tensors under the model's names; not changed.
        own: the model's state dict.
        layers: which of its layers have rows of classes, see ``class_layers_of``.
        trained: names of the file's classes in the order of its rows.
        classes: names of the model's classes.

    Returns:
        the weights to load, and a line for the person (empty where nothing was done).
    """
    if trained is None or classes is None or list(trained) == list(classes):
        return weights, ""
    kept = [name for name in classes if name in trained]
    if not kept:
        if len(trained) != len(classes):
            return weights, ""
        return weights, (
            f"no class of the file ({_shortened(trained)}) is one of this model "
            f"({_shortened(classes)}): as many, so the rows are loaded as they are"
        )
    result = dict(weights)
    source = [list(trained).index(name) for name in kept]
    target = [list(classes).index(name) for name in kept]
    for key in weights.keys() & own.keys():
        layout = layers.get(key.rpartition(".")[0])
        if layout is not None:
            counts = (len(trained), len(classes))
            rows = _mixed(layout, weights[key], own[key], counts, (source, target))
            result[key] = weights[key] if rows is None else rows
    new = [name for name in classes if name not in trained]
    started = f"; {len(new)} start anew: {_shortened(new)}" if new else ""
    return result, f"rows of {len(kept)} classes are taken by name{started}"


def _mixed(
    layout: ClassRows,
    value: Tensor,
    own: Tensor,
    counts: tuple[int, int],
    places: tuple[list[int], list[int]],
) -> Tensor | None:
    """The model's tensor with the known classes' rows of ``value``; None if it has none."""
    if value.shape[1:] != own.shape[1:]:
        return None
    theirs, ours = (count * layout.each + layout.background for count in counts)
    anchors = len(own) // ours if layout.by_anchor else 1
    if len(value) != anchors * theirs or len(own) != anchors * ours:
        return None  # one row for all classes
    rest = own.shape[1:]
    mixed = own.clone().view(anchors, ours, *rest)
    given = value.reshape(anchors, theirs, *rest).to(own)
    for source, target in zip(*places, strict=True):
        theirs_at, ours_at = source * layout.each, target * layout.each
        mixed[:, ours_at : ours_at + layout.each] = given[:, theirs_at : theirs_at + layout.each]
    if layout.background:
        mixed[:, -layout.background :] = given[:, -layout.background :]
    return mixed.view(own.shape)


def _shortened(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
