"""Rows of heads that belong to classes: kept for classes of the same name."""

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

# end of a layer's name -> rows beyond the classes (background), numbers a class and row, and
# whether each anchor has rows of its own
CLASS_LAYERS = {
    r"\.fc_cls": (1, 1, False),
    r"\.fc_reg": (0, 4, False),
    r"\.conv_logits": (0, 1, False),
    r"\.retina_cls": (0, 1, True),
    r"^bbox_head\.cls_convs\.\d+\.\d+": (1, 1, True),  # SSD: the last convolution of a level
}


def rows_by_name(
    weights: dict[str, Tensor],
    own: Mapping[str, Tensor],
    trained: Sequence[str] | None,
    classes: Sequence[str] | None,
) -> tuple[dict[str, Tensor], str]:
    """Put the rows of classes that both sides know where the model expects them.

    Rows of other classes keep the model's values. Nothing is done where the names are equal or
    unknown on one side, nor where they have nothing in common, which is said.

    Args:
        weights: the file's tensors under the model's names; not changed.
        own: the model's state dict.
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
        rows = _mixed(key, weights[key], own[key], (len(trained), len(classes)), (source, target))
        if rows is not None:
            result[key] = rows
    new = [name for name in classes if name not in trained]
    started = f"; {len(new)} start anew: {_shortened(new)}" if new else ""
    return result, f"rows of {len(kept)} classes are taken by name{started}"


def _mixed(
    key: str,
    value: Tensor,
    own: Tensor,
    counts: tuple[int, int],
    places: tuple[list[int], list[int]],
) -> Tensor | None:
    """The model's tensor with the known classes' rows of ``value``; None if it has none."""
    layout = _layout(key.rpartition(".")[0])
    if layout is None or value.shape[1:] != own.shape[1:]:
        return None
    background, numbers, by_anchor = layout
    (theirs, ours), rest = (count + background for count in counts), own.shape[1:]
    anchors = len(own) // (ours * numbers) if by_anchor else 1
    if len(value) != anchors * theirs * numbers or len(own) != anchors * ours * numbers:
        return None  # one row for all classes
    mixed = own.clone().view(anchors, ours, numbers, *rest)
    given = value.reshape(anchors, theirs, numbers, *rest).to(own)
    mixed[:, places[1]] = given[:, places[0]]
    if background:
        mixed[:, -1] = given[:, -1]
    return mixed.view(own.shape)


def _layout(layer: str) -> tuple[int, int, bool] | None:
    """The entry of ``CLASS_LAYERS`` whose pattern ends the layer's name."""
    for pattern, layout in CLASS_LAYERS.items():
        if re.search(f"{pattern}$", layer):
            return layout
    return None


def _shortened(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
