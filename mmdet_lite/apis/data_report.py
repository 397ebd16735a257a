"""``report.html``: what a check of annotated images found, for a person and a browser."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmdet_lite import __version__
from mmdet_lite.apis.html_page import escape, figure, items, number, page, table
from mmdet_lite.datasets.check.codes import KINDS
from mmdet_lite.datasets.check.records import (
    SEVERITIES,
    DataReport,
    Finding,
    FunnelStep,
    SetStatistics,
)
from mmdet_lite.ops.boxes import Box
from mmdet_lite.visualization import charts
from mmdet_lite.visualization.evidence import evidence_uri

MOST_PICTURES, PICTURES_OF_A_KIND = 60, 6
MOST_TRIED = 20  # pictures of a kind, where many cannot be read
PICTURE_WIDTH, PICTURE_HEIGHT = 460, 340
MOST_MESSAGES = 12
MOST_BOXES = 30
MOST_OF_A_CLASS_TABLE = 1500
MARKS = {"error": "✖", "warning": "▲", "note": "●", "good": "✔"}


def write_html_report(report: DataReport, path: str | Path) -> None:
    """Write the report as one file that needs no network, no script and no other file.

    The worst examples are drawn, at most ``MOST_PICTURES``, so that it stays a few MB. Those that
    cannot be read are left out.

    Args:
        report: of a check; unchanged.
        path: file to write; its folder is made.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    content = page(
        f"Data report: {report.subject}",
        _summary(report),
        _findings(report),
        _sets(report.sets),
        _charts(report.sets),
        _class_table(report.sets),
        _funnels(report.funnels),
        f'<p class="soft">mmdet-lite check-data, version {escape(__version__)}</p>\n',
    )
    target.write_text(content, encoding="utf-8")


def _summary(report: DataReport) -> str:
    """What a person needs to know in five seconds."""
    counts = {severity: report.count(severity) for severity in SEVERITIES}
    kind, verdict = "good", "Nothing wrong was found"
    if counts["error"]:
        kind, verdict = "error", f"{_count(counts['error'], 'error')}: mend them before training"
    elif counts["warning"]:
        kind, verdict = "warning", f"{_count(counts['warning'], 'warning')}: look at them first"
    groups = report.by_code()
    worst = [(code, group) for code, group in groups.items() if group[0].severity == kind][:5]
    lines = [
        f'<a href="#{escape(code)}">{escape(code)}</a>: {escape(KINDS[code].meaning)} '
        f'<span class="soft">({_places(group)})</span>'
        for code, group in worst
    ]
    more = sum(group[0].severity == kind for group in groups.values()) - len(worst)
    lines += [f'<span class="soft">and {_count(more, "more kind")}</span>'] if more > 0 else []
    images = sum(one.num_images for one in report.sets)
    instances = sum(sum(one.instances_per_class.values()) for one in report.sets)
    cards = [
        ("error", counts["error"]),
        ("warning", counts["warning"]),
        ("note", counts["note"]),
        ("image", images),
        ("instance", instances),
        ("class", max((len(one.instances_per_class) for one in report.sets), default=0)),
    ]
    shown = "".join(f'<div class="card">{_card(value, name)}</div>' for name, value in cards)
    return (
        f"<h1>Data report: <code>{escape(report.subject)}</code></h1>\n"
        f'<div class="verdict {kind}"><strong>{MARKS[kind]} {verdict}</strong>'
        f'{items(lines, "")}</div>\n<div class="cards">{shown}</div>\n'
    )


def _findings(report: DataReport) -> str:
    groups = report.by_code()
    if not groups:
        return ""
    parts = ["<h2>Findings</h2>\n"]
    left = MOST_PICTURES
    for code, group in groups.items():
        pictures = list(_pictures(group, min(left, PICTURES_OF_A_KIND)))
        left -= len(pictures)
        shown = f'<div class="pictures">{"".join(pictures)}</div>' if pictures else ""
        parts.append(_group(code, group, shown))
    return "".join(parts)


def _group(code: str, group: Sequence[Finding], pictures: str) -> str:
    """One kind of finding: what it means, what training does, examples, messages."""
    severity = group[0].severity
    training = f"<p>Training: {escape(KINDS[code].training)}.</p>"
    messages = [
        f"{escape(finding.message)} "
        f'<span class="soft">{escape(finding.source)}{_times(finding.count)}</span>'
        for finding in group[:MOST_MESSAGES]
    ]
    rest = len(group) - len(messages)
    if rest > 0:
        messages.append(f'<span class="soft">and {rest:,} more: report.json has them all</span>')
    opened = "" if severity == "note" else " open"
    return (
        f'<details class="group {severity}" id="{escape(code)}"{opened}><summary>'
        f'<span class="badge">{severity}</span> <b>{escape(KINDS[code].meaning)}</b> '
        f'<code class="soft">{escape(code)}</code>'
        f'<span class="count">{_places(group)}</span></summary>{training}'
        f"{pictures}{items(messages)}</details>\n"
    )


def _pictures(group: Sequence[Finding], most: int) -> Iterator[str]:
    """The first pictures of a group that can be read, each with all boxes the group has on it."""
    boxes_on: dict[str, list[Box]] = {}
    first_of: dict[str, Finding] = {}
    for finding in group:
        if finding.image is not None:
            first_of.setdefault(finding.image, finding)
            boxes_on.setdefault(finding.image, []).extend(finding.boxes)
    drawn = 0
    for image, finding in list(first_of.items())[:MOST_TRIED]:
        if drawn >= most:
            return
        name = escape(os.path.basename(image))
        where = "" if finding.ann_id is None else f", annotation {escape(finding.ann_id)}"
        caption = f"<b>{name}</b>{where} <span class='soft'>{escape(finding.source)}</span>"
        try:
            uri = evidence_uri(image, boxes_on[image][:MOST_BOXES], PICTURE_WIDTH, PICTURE_HEIGHT)
        except (OSError, ValueError):
            continue  # a finding of its own says why
        drawn += 1
        yield figure(uri, finding.message, caption)


def _sets(sets: Sequence[SetStatistics]) -> str:
    if not sets:
        return ""
    return "<h2>Sets</h2>\n" + table(["", *(one.name for one in sets)], set_rows(sets))


def set_rows(sets: Sequence[SetStatistics]) -> list[list[str]]:
    """What the table of sets holds: a row a fact, its name and then its value in each set."""
    columns = [_facts(one) for one in sets]
    return [[name, *(number(column[name]) for column in columns)] for name in columns[0]]


def _facts(one: SetStatistics) -> dict[str, object]:
    """The rows of a set in the table of sets."""
    instances = sum(one.instances_per_class.values())
    empty = [name for name, count in one.instances_per_class.items() if not count]
    common = one.image_sizes[0] if one.image_sizes else None
    facts: dict[str, object] = {
        "images": one.num_images,
        "images without annotation": one.num_empty_images,
        "annotations": one.num_annotations,
        "crowds among them": one.num_crowds,
        "instances": instances,
        "classes": len(one.instances_per_class),
        "classes without instances": len(empty),
        "most frequent image size": f"{common[0]} x {common[1]} ({common[2]:,})" if common else "-",
    }
    bounds = {"small": "below 32²", "medium": "32² to 96²", "large": "above 96² pixels"}
    for name, count in one.sizes.items():
        share = f" ({100 * count / instances:.0f} %)" if instances else ""
        facts[f"{name} instances, {bounds.get(name, '')}"] = f"{count:,}{share}"
    facts["annotations from"] = _shortened(one.ann_file)
    return facts


def _charts(sets: Sequence[SetStatistics]) -> str:
    if not sets:
        return ""
    drawn = "".join(
        figure(charts.svg_uri(plot), title, kind="wide" if wide else "")
        for title, plot, wide in statistics_figures(sets)
    )
    return f'<h2>Pictures of the numbers</h2>\n<div class="charts">{drawn}</div>\n'


def statistics_figures(sets: Sequence[SetStatistics]) -> Iterator[tuple[str, object, bool]]:
    """Figures of sets side by side: title, matplotlib's figure, whether it wants the whole width.

    Instances per class, then histograms, then sizes of images.
    """
    numbers = {one.name: one.instances_per_class for one in sets}
    rows = len(charts.shown_classes(numbers)[0])
    plot = charts.new_figure(2.2 + 3.0 * len(sets), 1.0 + 0.235 * max(rows, 2))
    charts.draw_classes(plot.subplots(1, len(sets), squeeze=False)[0], numbers)
    yield "instances per class", plot, True
    for name in ("box_side", "box_share", "aspect", "instances_per_image"):
        known = {one.name: one.histograms[name] for one in sets if name in one.histograms}
        if known:
            first = next(iter(known.values()))
            plot = charts.new_figure(5.0, 2.8)
            label = f"{first.label}, {first.unit}" if first.unit else first.label
            bars = {key: (one.edges, one.counts) for key, one in known.items()}
            charts.draw_histogram(plot.subplots(), bars, label, first.log)
            yield first.label, plot, False
    plot = charts.new_figure(5.0, 3.6)
    charts.draw_image_sizes(plot.subplots(), {one.name: one.image_sizes for one in sets})
    yield "sizes of images", plot, False


def _class_table(sets: Sequence[SetStatistics]) -> str:
    names = list(dict.fromkeys(name for one in sets for name in one.instances_per_class))
    if not names:
        return ""
    head = ["class"]
    for one in sets:
        head += [f"{one.name}: instances!", "images", "small", "medium", "large"]
    rows = []
    for name in names[:MOST_OF_A_CLASS_TABLE]:
        row: list[object] = [name]
        for one in sets:
            sizes = one.sizes_per_class.get(name, {})
            row += [one.instances_per_class.get(name, 0), one.images_per_class.get(name, 0)]
            row += [sizes.get(size, 0) for size in ("small", "medium", "large")]
        rows.append(row)
    return (
        f"<details><summary><b>{_count(len(names), 'class')}, one by one</b></summary>"
        f"{table(head, rows)}</details>\n"
    )


def _funnels(funnels: Mapping[str, Sequence[FunnelStep]]) -> str:
    if not funnels:
        return ""
    parts = ["<h2>What training leaves out</h2>\n"]
    for name, steps in funnels.items():
        rows = [[step.reason, step.unit, -step.dropped or "", step.left] for step in steps]
        parts.append(f"<h3>{escape(name)}</h3>{table(['step', 'of', 'left out', 'left'], rows)}")
    return "".join(parts)


def _places(group: Sequence[Finding]) -> str:
    return _count(sum(finding.count for finding in group), "place")


def _card(value: int, noun: str) -> str:
    return f"<b>{value:,}</b>{_plural(noun) if value != 1 else noun}"


def _count(value: int, noun: str) -> str:
    return f"{value:,} {_plural(noun) if value != 1 else noun}"


def _plural(noun: str) -> str:
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


def _times(count: int) -> str:
    return "" if count == 1 else f", {_count(count, 'place')}"


def _shortened(path: str) -> str:
    """The end of a long path."""
    return path if len(path) <= 60 else f"...{path[-57:]}"
