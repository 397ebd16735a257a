"""Putting weights into a model, and saying what fitted."""

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.logging import print_log
from torch import nn

SHOWN = 20
BLOCK = re.compile(r"(.*\blayer\d+)\.(\d+)\.")  # of a stage of a ResNet


@dataclass(frozen=True)
class LoadReport:
    """What happened to the tensors of a checkpoint.

    ``mismatched`` holds (key, shape in the file, shape in the model) of tensors that keep the
    model's own values; ``missing`` are keys of the model that the file lacks, ``unexpected`` keys
    of the file that the model lacks. Counters of batch norm are no weights and are not missed.
    """

    source: str
    loaded: int
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every weight of the model came from the file."""
        return not self.mismatched and not self.missing

    def text(self) -> str:
        """The report as lines for a person; long lists are cut and say so."""
        lines = [f"weights from {self.source}: {self.loaded} tensors loaded"]
        if self.mismatched:
            lines.append(f"  {len(self.mismatched)} of another shape, kept as initialised:")
            pairs = [
                f"{key} {there} in the file, {here} here" for key, there, here in self.mismatched
            ]
            lines += _cut(pairs)
        for title, keys in (("missing in the file", self.missing), ("not used", self.unexpected)):
            if keys:
                lines += [f"  {len(keys)} {title}:", *_cut(list(keys))]
        return "\n".join(lines)


def load_state_dict(
    model: nn.Module,
    state_dict: dict[str, Any],
    source: str,
    strict: bool = False,
    unexpected_is_normal: bool = False,
    most_below: str | None = None,
) -> LoadReport:
    """Copy fitting tensors into the model and log the report.

    A tensor whose shape differs (class rows of heads, where the number of classes differs) keeps
    the model's values. ``state_dict`` is not changed.

    Args:
        model: receives the tensors in place.
        state_dict: tensors by their names in the model.
        source: name of the file for the texts.
        strict: raise where a weight of the model is missing or of another shape.
        unexpected_is_normal: do not list keys that the model lacks (a classifier's own head).
        most_below: start of the names of which most must be in the file (``backbone.``, or empty
            for all): it is of another network otherwise. What is missing there is a warning.

    Raises:
        ValueError: with ``strict`` if anything is missing; if not one tensor fits; of the names
            below ``most_below``, fewer than half are there, or a stage lacks whole blocks.
    """
    own = model.state_dict()
    tensors = {key: value for key, value in state_dict.items() if isinstance(value, torch.Tensor)}
    mismatched = tuple(
        (key, tuple(value.shape), tuple(own[key].shape))
        for key, value in tensors.items()
        if key in own and own[key].shape != value.shape
    )
    refused = {key for key, _, _ in mismatched}
    fitting = type(state_dict)((key, tensors[key]) for key in tensors if key not in refused)
    if hasattr(state_dict, "_metadata"):
        fitting._metadata = state_dict._metadata  # type: ignore[attr-defined]
    outcome = model.load_state_dict(fitting, strict=False)
    unexpected = tuple(outcome.unexpected_keys)
    missing = tuple(key for key in outcome.missing_keys if key not in refused and _is_weight(key))
    report = LoadReport(
        source,
        sum(key in own and _is_weight(key) for key in fitting),
        mismatched,
        missing,
        () if unexpected_is_normal else unexpected,
    )
    if own and report.loaded == 0 and not mismatched:
        raise ValueError(_nothing_fits_text(source, list(own), list(tensors), list(state_dict)))
    part = [] if most_below is None else [key for key in own if key.startswith(most_below)]
    whole = _judge_part(report, [key for key in part if _is_weight(key)])
    if strict and not report.complete:
        raise ValueError(f"the checkpoint does not fit this model\n{report.text()}")
    print_log(report.text(), logger="current", level=logging.INFO if whole else logging.WARNING)
    return report


def _is_weight(key: str) -> bool:
    """Counters of batch norm are none."""
    return not key.endswith("num_batches_tracked")


def _nothing_fits_text(source: str, own: list[str], tensors: list[str], keys: list[str]) -> str:
    has = ", ".join(tensors[:3]) if tensors else "no tensors, only " + ", ".join(map(str, keys[:8]))
    return (
        f"no tensor of {source} fits this model: the file has {has or 'nothing'} ..., the model "
        f"{', '.join(own[:3])} ..."
    )


def _judge_part(report: LoadReport, expected: list[str]) -> bool:
    """Whether all of the ``expected`` keys are filled; raises where too many are not."""
    lacking = {*report.missing, *(key for key, _, _ in report.mismatched)}.intersection(expected)
    got = len(expected) - len(lacking)
    if 2 * got < len(expected):
        part = "the backbone" if expected[0].startswith("backbone.") else "the network"
        raise ValueError(
            f"{part} gets only {got} of its {len(expected)} tensors from {report.source}; is it of "
            f"another network (depth, style, normalisation)?\n{report.text()}"
        )
    blocks = _empty_blocks(expected, report.missing)
    if blocks:
        raise ValueError(
            f"{report.source} has nothing for {len(blocks)} blocks of the backbone ("
            f"{', '.join(blocks[:3])} ...) and fills {got} of its {len(expected)} tensors: it is "
            "of a network of another depth; give the one or the other (model.backbone.depth)"
        )
    return not lacking


def _empty_blocks(expected: list[str], missing: Collection[str]) -> list[str]:
    """Blocks, such as ``layer3.6``, without a single tensor, of stages that have others."""
    found = [(match[1], match[2], key) for key in expected if (match := BLOCK.match(key))]
    filled = {(stage, block) for stage, block, key in found if key not in missing}
    stages = {stage for stage, _ in filled}
    empty = [
        f"{stage}.{block}"
        for stage, block, _ in found
        if (stage, block) not in filled and stage in stages
    ]
    return list(dict.fromkeys(empty))


def _cut(lines: list[str]) -> list[str]:
    shown = [f"    {line}" for line in lines[:SHOWN]]
    return shown if len(lines) <= SHOWN else [*shown, f"    ... and {len(lines) - SHOWN} more"]
