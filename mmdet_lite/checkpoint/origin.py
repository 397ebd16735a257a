"""Where weights come from, and whether a model treats images and weights as that program does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmengine.logging import print_log
from torch import nn

from mmdet_lite.checkpoint.conventions import (
    OF_BACKBONE,
    OF_INFERENCE,
    Conventions,
    convention_text,
    differences,
    options,
)
from mmdet_lite.checkpoint.preprocessing import (
    Preprocessing,
    model_preprocessing,
    prepared_alike,
    preprocessing_options,
    preprocessing_text,
    stored_preprocessing,
    stored_style,
)

WITHOUT = "mmdet-lite convert-weights IN OUT --no-preprocessing"


@dataclass(frozen=True)
class Origin:
    """What a checkpoint says of how its weights are used; None and empty where it says nothing.

    ``config`` is a config that does all of it.
    """

    preprocessing: Preprocessing | None = None
    conventions: Conventions = field(default_factory=dict)
    config: str | None = None


def origin_of(checkpoint: Mapping[str, Any]) -> Origin:
    """What a checkpoint as ``load_checkpoint_file`` returns it says of itself."""
    meta = checkpoint.get("meta") or {}
    if "conventions" in meta:
        conventions = meta["conventions"] or {}
    else:
        style = stored_style(checkpoint)
        conventions = {} if style is None else {"style": [style]}
    return Origin(stored_preprocessing(checkpoint), conventions, meta.get("fitting_config"))


def check_origin(origin: Origin, model: nn.Module, source: str, exact: bool) -> None:
    """Compare a model with what weights expect that are to go into all of it.

    Args:
        origin: of the weights.
        model: the detector.
        source: their file, for the texts.
        exact: the weights are used as they are; otherwise they start a training, which gets used
            to other conventions, and these are a warning.

    Raises:
        ValueError: images are prepared otherwise, or with ``exact`` a convention differs; with
            both sides and the way out.
    """
    _judge(origin, model, source, differences(origin.conventions, model), exact)


def check_backbone_origin(origin: Origin, model: nn.Module, source: str) -> None:
    """Compare a model with what the weights expect that its backbone starts from.

    Raises:
        ValueError: images are prepared otherwise. Other conventions are a warning.
    """
    stored = {name: origin.conventions[name] for name in OF_BACKBONE if name in origin.conventions}
    _judge(Origin(origin.preprocessing, stored), model, source, differences(stored, model), False)


def _judge(
    origin: Origin,
    model: nn.Module,
    source: str,
    differing: Mapping[str, tuple[Any, Any]],
    exact: bool,
) -> None:
    own = model_preprocessing(model)
    prepared = prepared_alike(origin.preprocessing, own)
    if not exact:
        differing = {name: differing[name] for name in differing if name not in OF_INFERENCE}
    if prepared and not differing:
        return
    theirs = [(name, pair[0]) for name, pair in differing.items()]
    ours = [(name, pair[1]) for name, pair in differing.items()]
    if prepared and not exact:
        print_log(
            f"{source} was trained with {convention_text(theirs)}; this model has "
            f"{convention_text(ours)}, which training has to make up for{_config_text(origin)}",
            logger="current",
            level=30,
        )
        return
    changes = [o for name, pair in differing.items() for o in options(name, pair[0], model)]
    sides = [convention_text(theirs), convention_text(ours)]
    what = "used in another way"
    if not prepared and origin.preprocessing is not None and own is not None:
        what = "trained on images that were prepared otherwise"
        changes = [*preprocessing_options(origin.preprocessing), *changes]
        texts = [preprocessing_text(origin.preprocessing), preprocessing_text(own)]
        sides = [", ".join(filter(None, pair)) for pair in zip(texts, sides, strict=True)]
    raise ValueError(
        f"{source} was {what}\n  checkpoint: {sides[0]}\n  config:     {sides[1]}\n"
        + _way_out(origin, changes, differing)
    )


def _config_text(origin: Origin) -> str:
    return "" if origin.config is None else f" ({origin.config} is as these weights need it)"


def _way_out(origin: Origin, changes: list[str], differing: Mapping[str, Any]) -> str:
    lines = []
    if origin.config is not None:
        lines.append(f"Take the config that is as these weights need it: {origin.config}")
    if changes and "anchors" not in differing:  # a few words cannot change these
        start = "Or change" if lines else "Change"
        lines.append(f"{start} this one: --cfg-options {' '.join(changes)}")
    elif not lines:
        lines.append("Take a config that is as these weights need it")
    return "\n".join(
        [
            *lines,
            f"If it is the checkpoint that is wrong, write one that does not say it: {WITHOUT}",
        ]
    )
