"""Charts of data sets, drawn into matplotlib's axes; several sets side by side or overlaid.

No display is needed: figures are made without pyplot. Names are drawn as they are, never read as
formulas.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from mmdet_lite.visualization.labels import Picture

Edges = Sequence[float]
Counts = Sequence[int]

SET_COLORS = ("#2f6fb3", "#e0842a", "#3b9a6d", "#a05ab4", "#8a8f98")
MOST_CLASSES = 30
LONGEST_NAME = 26
INK, FAINT = "#222833", "#d8dce2"
STYLE = {
    "font.size": 10,
    "svg.fonttype": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9aa1ab",
    "xtick.color": INK,
    "ytick.color": INK,
}


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure of this size in inches, laid out so that no text is cut off."""
    with matplotlib.rc_context(STYLE):
        return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def draw_histogram(
    axes: Any,
    sets: Mapping[str, tuple[Edges, Counts]],
    x_label: str,
    log: bool = False,
) -> None:
    """Draw the histograms of several sets over each other, in percent of each set's sum.

    Args:
        axes: of matplotlib.
        sets: name to (edges, counts), one edge more than counts; a set without any is named but
            not drawn. One set alone is drawn in numbers.
        x_label: what is counted.
        log: of the horizontal axis; only where all edges that hold something are above 0.
    """
    alone = len(sets) == 1
    for n, (name, (edges, counts)) in enumerate(sets.items()):
        values = np.asarray(counts, float)
        total = values.sum()
        if total and not alone:
            values = values * 100 / total
        color = SET_COLORS[n % len(SET_COLORS)]
        if total:
            axes.stairs(values, edges, fill=True, alpha=0.25, color=color)
            axes.stairs(values, edges, color=color, lw=1.4, label=name)
        else:
            axes.plot([], [], color=color, label=f"{name} (none)")
    filled = [_filled_range(edges, counts) for edges, counts in sets.values() if sum(counts)]
    if filled:
        low, high = min(low for low, _ in filled), max(high for _, high in filled)
        if log and low > 0:
            axes.set_xscale("log")
            steps = (1, 2, 5) if high / low < 100 else (1,)
            axes.xaxis.set_major_locator(LogLocator(subs=steps))
            axes.xaxis.set_major_formatter(_plain_number)
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            low -= 0.02 * (high - low)
        axes.set_xlim(low, high)
    axes.set_ylim(0, None)
    _finish(axes, x_label, "number" if alone else "% of the set")
    if not alone:
        axes.legend(fontsize=9, frameon=False)


def draw_classes(panels: Sequence[Any], sets: Mapping[str, Mapping[str, int]]) -> None:
    """Draw instances per class as bars, a panel a set, the classes in the same rows.

    The order is that of the first set's numbers. Of more than ``MOST_CLASSES`` the most and the
    least frequent are drawn. A class without instances in a set is marked with a red 0.

    Args:
        panels: matplotlib's axes, as many as sets.
        sets: name to (class name to number).
    """
    names, gap = shown_classes(sets)
    rows = np.arange(len(names), dtype=float)
    rows[gap:] += 1 if gap < len(names) else 0
    for n, (axes, (title, numbers)) in enumerate(zip(panels, sets.items(), strict=True)):
        values = [numbers.get(name, 0) for name in names]
        axes.barh(rows, values, height=0.78, color=SET_COLORS[n % len(SET_COLORS)])
        top = max([*values, 1])
        for row, value in zip(rows, values, strict=True):
            color, weight = ("#c62828", "bold") if value == 0 else (INK, "normal")
            text = f" {value:,}"
            axes.text(value, row, text, va="center", fontsize=8, color=color, weight=weight)
        axes.set_ylim(rows[-1] + 0.6 if len(rows) else 1, -0.6)
        axes.set_xlim(0, top * 1.18)
        axes.set_yticks(rows, [_shortened(name) for name in names] if n == 0 else [""] * len(names))
        for label in axes.get_yticklabels():
            label.set_parse_math(False)
        axes.tick_params(axis="y", length=0)
        axes.set_title(title, fontsize=10, loc="left", parse_math=False)
        _finish(axes, "instances", "")
        axes.xaxis.get_major_locator().set_params(nbins=4, integer=True)
        if gap < len(names):
            left_out = len(next(iter(sets.values()))) - len(names)
            axes.text(0, gap, f" ... {left_out} classes between", fontsize=8, va="center")


def shown_classes(sets: Mapping[str, Mapping[str, int]]) -> tuple[list[str], int]:
    """Return the classes to draw, most frequent first, and the row in front of which some miss.

    >>> shown_classes({"train": {"cat": 1, "dog": 5}, "val": {"cat": 2, "dog": 0}})
    (['dog', 'cat'], 2)
    """
    first = next(iter(sets.values()), {})
    names = list(dict.fromkeys(name for numbers in sets.values() for name in numbers))
    names.sort(key=lambda name: -first.get(name, 0))
    if len(names) <= MOST_CLASSES:
        return names, len(names)
    half = MOST_CLASSES // 2
    return names[:half] + names[-half:], half


def draw_image_sizes(axes: Any, sets: Mapping[str, Sequence[tuple[int, int, int]]]) -> None:
    """Draw a dot for each size of images, larger where there are more.

    Args:
        axes: of matplotlib.
        sets: name to (width, height, number).
    """
    for n, (name, sizes) in enumerate(sets.items()):
        widths, heights, numbers = np.asarray(sizes, float).reshape(-1, 3).T
        share = numbers / max(numbers.sum(), 1)
        color = SET_COLORS[n % len(SET_COLORS)]
        axes.scatter(widths, heights, s=18 + 500 * share, color=color, alpha=0.45, label=name, lw=0)
    most = max((max(w, h) for sizes in sets.values() for w, h, _ in sizes), default=1)
    axes.plot([0, most * 1.1], [0, most * 1.1], color=FAINT, lw=1, zorder=0)
    axes.set_xlim(0, most * 1.1)
    axes.set_ylim(0, most * 1.1)
    _finish(axes, "image width, pixels", "image height, pixels")
    if len(sets) > 1:
        for handle in axes.legend(fontsize=9, frameon=False).legend_handles:
            handle.set_sizes([40])


def svg_uri(figure: Any) -> str:
    """Return the figure as ``data:image/svg+xml`` for the src of an image; texts stay texts."""
    with matplotlib.rc_context(STYLE), io.BytesIO() as file:
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()


def rendered(figure: Any, dpi: int) -> Picture:
    """Return the figure as a picture of this many pixels an inch."""
    with matplotlib.rc_context(STYLE):
        canvas = FigureCanvasAgg(figure)
        figure.set_dpi(dpi)
        canvas.draw()
        return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _filled_range(edges: Edges, counts: Counts) -> tuple[float, float]:
    """Return the ends of the bins that hold something."""
    held = np.flatnonzero(np.asarray(counts))
    return float(edges[held[0]]), float(edges[held[-1] + 1])


def _finish(axes: Any, x_label: str, y_label: str) -> None:
    axes.set_xlabel(x_label, parse_math=False)
    axes.set_ylabel(y_label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x" if not y_label else "y", color=FAINT, lw=0.6)
    axes.set_axisbelow(True)


def _plain_number(value: float, position: int = 0) -> str:
    return f"{value:g}"


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
