"""What ``check-data`` looks at around the sets of a config: its heads, its checkpoint."""

import os
from collections.abc import Mapping, Sequence
from typing import Any


def config_findings(cfg: Any, sets: Sequence[Any], checkpoint: str | None = None) -> list[Any]:
    """Findings about heads and checkpoint, against the classes of the first set.

    Args:
        cfg: whole config; unchanged.
        sets: what ``read_sets`` gave for it.
        checkpoint: file, address or name; by default ``cfg.load_from``.

    Raises:
        FileNotFoundError: there is no such checkpoint.
    """
    from mmdet_lite.checkpoint import load_checkpoint_file, trained_classes
    from mmdet_lite.config import fill_num_classes
    from mmdet_lite.datasets.check import checkpoint_classes, finding

    first = next((data for data in sets if data.classes), None)
    if first is None:
        return []
    findings = []
    try:
        fill_num_classes(cfg, len(first.classes), f"the classes of {first.name}")
    except ValueError as error:
        names = ", ".join(map(repr, first.classes[:20]))
        findings.append(finding("head-classes", f"{error}\nclasses: {names}", first.name))
    source = checkpoint or cfg.get("load_from")
    if checkpoint or os.path.isfile(source or ""):  # nothing is fetched that nobody asked for
        trained = trained_classes(load_checkpoint_file(source, mmap=True, quiet=True))
        findings += checkpoint_classes(trained, first.classes, source, first.name)
    return findings


def refusals(cfgs: Mapping[str, Any], report: Any) -> list[Any]:
    """What the data sets themselves refuse, of those in which no error was found before."""
    from mmdet_lite.datasets.check import finding, refusal_of

    wrong = {name for f in report.findings if f.severity == "error" for name in _names(f.source)}
    findings, built = [], []
    for name, cfg in cfgs.items():
        if name in wrong or cfg in built:
            continue
        built.append(cfg)
        text = refusal_of(cfg)
        if text is not None:
            findings.append(finding("set-refused", text, name))
    return findings


def _names(source: str) -> list[str]:
    return [name for part in source.split(" / ") for name in part.split(", ")]
