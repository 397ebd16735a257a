"""Putting weights into a model, and saying what fitted."""

from dataclasses import dataclass
from typing import Any

import torch
from mmengine.logging import print_log
from torch import nn

SHOWN = 20


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

    Raises:
        ValueError: with ``strict``, or if not one tensor fits.
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
    missing = tuple(
        key
        for key in outcome.missing_keys
        if key not in refused and not key.endswith("num_batches_tracked")
    )
    report = LoadReport(
        source,
        len(fitting) - len(unexpected),
        mismatched,
        missing,
        () if unexpected_is_normal else unexpected,
    )
    _judge(report, strict, list(own), list(tensors))
    print_log(report.text(), logger="current")
    return report


def _judge(report: LoadReport, strict: bool, own: list[str], given: list[str]) -> None:
    if own and report.loaded == 0 and not report.mismatched:
        raise ValueError(
            f"no tensor of {report.source} fits this model: the file has "
            f"{', '.join(given[:3]) or 'no tensors'} ..., the model {', '.join(own[:3])} ..."
        )
    if strict and not report.complete:
        raise ValueError(f"the checkpoint does not fit this model\n{report.text()}")


def _cut(lines: list[str]) -> list[str]:
    shown = [f"    {line}" for line in lines[:SHOWN]]
    return shown if len(lines) <= SHOWN else [*shown, f"    ... and {len(lines) - SHOWN} more"]
