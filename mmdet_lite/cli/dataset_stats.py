"""``mmdet-lite dataset-stats CONFIG|FOLDER|FILE``: count a data set, in a table and a picture."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmdet_lite.cli.checked_sets import add_subject, read_subject
from mmdet_lite.cli.front_door import CommandParser, run_command, say

if TYPE_CHECKING:
    from mmdet_lite.datasets.check import SetStatistics
    from mmdet_lite.visualization.labels import Picture

MOST_CLASSES = 40
DPI = 110
FONT_SIZE = 16


def main(argv: Sequence[str] | None = None) -> int:
    """Count as the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("dataset-stats", lambda: write_stats(args))


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """The flags."""
    parser = CommandParser(
        "mmdet-lite dataset-stats",
        description="Count images, instances, classes and sizes of data sets, print a table and "
        "draw a picture. No picture of the sets is opened: check-data does that.",
    )
    add_subject(parser)
    parser.add_argument("--out", type=Path, help="default: work_dirs/NAME/dataset_stats.png")
    parser.add_argument("--show", action="store_true", help="also open a window")
    return parser.parse_args(argv)


def write_stats(args: argparse.Namespace) -> int:
    """Print the tables, write the picture."""
    # imported late, so that --help is quick
    from mmdet_lite.cli.picture_window import show_picture
    from mmdet_lite.visualization import write_image

    sets = subject_statistics(args)
    print(stats_text(sets))
    out = args.out or Path("work_dirs", Path(args.subject).stem, "dataset_stats.png")
    picture = draw_stats(sets, f"{args.subject}: {', '.join(one.name for one in sets)}")
    write_image(out, picture)
    say(f"picture: {out}")
    if args.show:
        show_picture(picture, args.subject, 0)
    return 0


def subject_statistics(args: argparse.Namespace) -> "list[SetStatistics]":
    """The numbers of all sets of a config, or of annotations in any form.

    Raises:
        ValueError: as ``read_subject``, or a set cannot be read.
    """
    from mmdet_lite.datasets.check.statistics import statistics_of

    sets = read_subject(args).sets
    for data in sets:
        if not data.images and data.broken:
            raise ValueError(f"the {data.name} set cannot be read: {data.broken[0].message}")
    return [statistics_of(data) for data in sets]


def stats_text(sets: "Sequence[SetStatistics]") -> str:
    """Tables of the sets and of their classes, the most frequent ones first."""
    from terminaltables import AsciiTable

    from mmdet_lite.apis.data_report import set_rows

    summary = AsciiTable([["", *(one.name for one in sets)], *set_rows(sets)])
    names = list(dict.fromkeys(name for one in sets for name in one.instances_per_class))
    names.sort(key=lambda name: -sets[0].instances_per_class.get(name, 0))
    rows = [["class", *(f"{one.name}: instances (images)" for one in sets)]]
    for name in names[:MOST_CLASSES]:
        counts = [
            f"{one.instances_per_class.get(name, 0):,} ({one.images_per_class.get(name, 0):,})"
            for one in sets
        ]
        rows.append([name, *counts])
    classes = AsciiTable(rows)
    for table in (summary, classes):
        table.justify_columns = {n + 1: "right" for n in range(len(sets))}
    rest = len(names) - MOST_CLASSES
    more = f"\nand {rest} classes with fewer instances" if rest > 0 else ""
    return f"{summary.table}\n{classes.table}{more}"


def draw_stats(sets: "Sequence[SetStatistics]", title: str) -> "Picture":
    """Draw all charts on one sheet: the classes, beside or among the histograms."""
    import numpy as np

    from mmdet_lite.apis.data_report import statistics_figures
    from mmdet_lite.visualization import grid, same_height, titled
    from mmdet_lite.visualization.charts import rendered

    classes, *others = [
        titled(rendered(figure, DPI), name, FONT_SIZE)
        for name, figure, _ in statistics_figures(sets)
    ]
    if classes.shape[0] < 1.3 * others[0].shape[0]:
        sheet = grid([classes, *others], columns=3)
    else:
        halves = [grid([classes]), grid(others, columns=2)]
        sheet = np.concatenate(same_height(halves), axis=1)
    return titled(sheet, title, FONT_SIZE)
