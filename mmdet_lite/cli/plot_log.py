"""Draw the curves of a training: losses on the left, AP on the right."""

import argparse
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.front_door import run_command

if TYPE_CHECKING:
    from mmdet_lite.cli.training_log import Curve, Run

SMOOTH_FROM = 20  # shorter curves are drawn as they are


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the curves of one or several runs and print the picture's path; 0 on success."""
    args = _parser().parse_args(argv)
    return run_command("plot_log", lambda: plot(args))


def plot(args: argparse.Namespace) -> int:
    """Draw what the arguments say."""
    from mmdet_lite.cli.training_log import chosen_keys, read_run

    runs = [read_run(path) for path in args.logs]
    keys = chosen_keys(runs, args.keys)
    if args.legend and len(args.legend) != len(runs):
        raise ValueError(f"--legend takes a name a run: {len(runs)}, got {len(args.legend)}")
    out = args.out or runs[-1].folder / "curves.png"
    draw_curves(runs, args.legend or [run.name for run in runs], keys, args.title, out)
    print(out)
    return 0


def draw_curves(
    runs: Sequence["Run"],
    names: Sequence[str],
    keys: tuple[list[str], list[str]],
    title: str | None,
    out: Path,
) -> None:
    """Write the picture; a panel is left out if none of its keys is asked for."""
    # imported late, so that --help is quick; the Figure without pyplot needs no display
    from matplotlib.figure import Figure

    train_keys, val_keys = keys
    panels = [bool(train_keys), bool(val_keys)]
    figure = Figure(figsize=(6.6 * sum(panels), 4.6), dpi=120, layout="constrained")
    axes = list(figure.subplots(1, sum(panels), squeeze=False)[0])
    figure.suptitle(title or ", ".join(dict.fromkeys(names)), fontsize=13)
    if train_keys:
        _draw_train(axes.pop(0), runs, names, train_keys)
    if val_keys:
        _draw_val(axes.pop(0), runs, names, val_keys)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)


def _draw_train(axes: Any, runs: Sequence["Run"], names: Sequence[str], keys: list[str]) -> None:
    rate_axes = None
    losses = [key for key in keys if key != "lr"]
    for n, (run, name) in enumerate(zip(runs, names, strict=True)):
        for k, key in enumerate(losses):
            if key in run.train:
                color = f"C{(n * len(losses) + k) % 10}"
                _draw_smoothed(axes, run.train[key], _label(key, name, runs), color, key == "loss")
        if "lr" in keys and "lr" in run.train:
            rate_axes = rate_axes or (axes.twinx() if losses else axes)
            rate_axes.plot(*run.train["lr"], color="0.55", ls=":", label=_label("lr", name, runs))
            rate_axes.set_ylabel("learning rate")
    handles, labels = axes.get_legend_handles_labels()
    if rate_axes is not None and rate_axes is not axes:
        more_handles, more_labels = rate_axes.get_legend_handles_labels()
        handles, labels = handles + more_handles, labels + more_labels
    _finish(axes, "training", "iteration", "loss" if losses else "")
    axes.legend(handles, labels, fontsize=8, framealpha=0.8)
    if losses and all("loss" in key for key in losses):
        axes.set_ylim(
            0, _upper_limit([run.train[k] for run in runs for k in losses if k in run.train])
        )


def _draw_smoothed(axes: Any, curve: "Curve", label: str, color: str, is_total: bool) -> None:
    """The mean over a sliding window in front of the values themselves."""
    xs, ys = curve
    width = 2.2 if is_total else 1.4
    if len(ys) < SMOOTH_FROM:
        axes.plot(xs, ys, color=color, lw=width, label=label, marker="." if len(ys) < 3 else "")
        return
    axes.plot(xs, ys, color=color, lw=0.7, alpha=0.25)
    axes.plot(xs, smoothed(ys), color=color, lw=width, label=label)


def smoothed(values: Sequence[float]) -> list[float]:
    """Return centred means over about a twentieth of the curve, narrower at its ends.

    Values that are not finite are left out of the means.

    >>> smoothed([1.0, 2.0, 3.0])
    [1.0, 2.0, 3.0]
    """
    half = len(values) // 40
    means = []
    for n in range(len(values)):
        reach = min(half, n, len(values) - 1 - n)
        window = [v for v in values[n - reach : n + reach + 1] if isfinite(v)]
        means.append(sum(window) / len(window) if window else float("nan"))
    return means


def _draw_val(axes: Any, runs: Sequence["Run"], names: Sequence[str], keys: list[str]) -> None:
    for n, (run, name) in enumerate(zip(runs, names, strict=True)):
        for k, key in enumerate(keys):
            if key not in run.val:
                continue
            color = f"C{(n * len(keys) + k) % 10}"
            xs, ys = run.val[key]
            label = f"{_label(key, name, runs)}  (best {max(ys):.3f})"
            axes.plot(xs, ys, color=color, lw=1.8, marker="o", ms=3.5, label=label)
    _finish(axes, "validation", runs[0].val_unit, "")
    if runs[0].val_unit == "epoch":
        axes.xaxis.get_major_locator().set_params(integer=True)
    if all("AP" in key or "AR" in key or "precision" in key for key in keys):
        axes.set_ylim(0, None)
    axes.legend(fontsize=8, framealpha=0.8, loc="lower right")


def _finish(axes: Any, title: str, x_label: str, y_label: str) -> None:
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.02)


def _label(key: str, name: str, runs: Sequence["Run"]) -> str:
    return key if len(runs) == 1 else f"{name}: {key}"


def _upper_limit(curves: Sequence["Curve"]) -> float | None:
    """Cut off single peaks of the first iterations, which would flatten all the rest."""
    values = sorted(value for _, ys in curves for value in smoothed(ys) if isfinite(value))
    return None if not values else min(1.05 * values[-1], 2.5 * values[int(0.97 * len(values))])


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = argparse.ArgumentParser(
        prog="plot_log", description="Draw loss and AP curves of trainings into one picture."
    )
    parser.add_argument(
        "logs",
        nargs="+",
        type=Path,
        metavar="WORK_DIR_OR_JSON",
        help="work_dir of a training (resumed runs are joined), or a scalars.json",
    )
    parser.add_argument(
        "--keys",
        nargs="+",
        metavar="KEY",
        help="what to draw, e.g. loss loss_mask lr coco/bbox_mAP (default: all losses, AP, AP50)",
    )
    parser.add_argument("--out", type=Path, help="picture (default: WORK_DIR/curves.png)")
    parser.add_argument("--title", help="above the panels (default: the runs' names)")
    parser.add_argument("--legend", nargs="+", metavar="NAME", help="a name for each run")
    return parser
