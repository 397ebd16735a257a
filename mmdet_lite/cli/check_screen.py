"""The report of ``check-data`` on the screen: short, worst first."""

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from terminaltables import AsciiTable

EXAMPLES = 3
MOST_CLASSES = 12
WIDTH = 96


def report_text(report: Any) -> str:
    """Sets, what training leaves out, findings, and the sum."""
    from mmdet_lite.datasets.check import SEVERITIES

    parts = [_sets_table(report.sets)] if report.sets else []
    parts += [_classes_text(report.sets)] if report.sets else []
    parts += _funnel_texts(report.funnels)
    if report.findings:
        parts.append(findings_text(report.findings))
    counts = [_number(report.count(severity), severity) for severity in SEVERITIES]
    parts.append(f"{report.subject}: {', '.join(counts)}")
    return "\n\n".join(part for part in parts if part)


def findings_text(findings: Sequence[Any]) -> str:
    """Each kind with its count, what training does about it, and its first examples."""
    from mmdet_lite.datasets.check import KINDS

    blocks = []
    for (severity, code), group in groupby(findings, lambda f: (f.severity, f.code)):
        members = list(group)
        count, kind = sum(f.count for f in members), KINDS[code]
        lines = [
            f"{severity.upper():<8}{code} ({count}): {kind.meaning}; training: {kind.training}"
        ]
        for finding in members[:EXAMPLES]:
            lines += _indented(f"{finding.source}: {finding.message}")
        if len(members) > EXAMPLES:
            lines.append(f"    ... {count - sum(f.count for f in members[:EXAMPLES])} more")
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _sets_table(sets: Sequence[Any]) -> str:
    rows = [
        [
            one.name,
            f"{one.num_images:,}",
            f"{one.num_empty_images:,}",
            f"{one.num_annotations:,}",
            f"{one.num_crowds:,}",
            " / ".join(f"{count:,}" for count in one.sizes.values()),
            one.ann_file,
        ]
        for one in sets
    ]
    head = ["set", "images", "without", "annotations", "crowds", "small / medium / large", "file"]
    return str(AsciiTable([head, *rows]).table)


def _classes_text(sets: Sequence[Any]) -> str:
    """Instances of each class in each set, the rarest first where there are many."""
    names = list(dict.fromkeys(name for one in sets for name in one.instances_per_class))
    shown, title = names, "class"
    if len(names) > MOST_CLASSES:
        rarest = sorted(
            names, key=lambda name: min(one.instances_per_class.get(name, 0) for one in sets)
        )
        shown, title = rarest[:MOST_CLASSES], f"rarest of {len(names)} classes"
    rows = [
        [name, *(f"{one.instances_per_class.get(name, 0):,}" for one in sets)] for name in shown
    ]
    return str(AsciiTable([[title, *(one.name for one in sets)], *rows]).table) if rows else ""


def _funnel_texts(funnels: Any) -> list[str]:
    """What each data set leaves out; nothing is said of those that leave out nothing."""
    texts = []
    for name, steps in funnels.items():
        dropped = [step for step in steps if step.dropped]
        if dropped:
            last = {step.unit: step.left for step in steps}
            lines = [f"{step.dropped:>9,} {step.unit}: {step.reason}" for step in dropped]
            left = f"{last['images']:,} images, {last['annotations']:,} annotations"
            texts.append(f"{name}: left out\n" + "\n".join(lines) + f"\n{'left':>9} {left}")
    return texts


def _indented(text: str) -> list[str]:
    """A message of several lines, wrapped; tables of two lists stay as they are."""
    lines: list[str] = []
    for line in text.splitlines():
        if "|" in line:
            lines.append(f"    {line}")
        else:
            lines += textwrap.wrap(
                line,
                WIDTH,
                initial_indent="    ",
                subsequent_indent="      ",
                break_long_words=False,
                break_on_hyphens=False,
            )
    return lines


def _number(count: int, severity: str) -> str:
    return f"{count} {severity}{'' if count == 1 else 's'}"
