"""Look at a data set: pictures before and after its pipeline, or after every transform."""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.front_door import CommandParser, parse_overrides, run_command, say

if TYPE_CHECKING:
    from mmdet_lite.cli.sample_pictures import Step
    from mmdet_lite.visualization.labels import Picture

    Sheet = tuple[Picture, Picture]

SETS = ("train", "val", "test")
PAIRS_ON_A_SHEET, ROWS_ON_A_SHEET, STAGES_IN_A_ROW = 12, 4, 6
STAGE_WIDTH, STAGE_HEIGHT = 330, 250
PICTURE_WIDTH, PICTURE_HEIGHT = 1000, 800


def main(argv: Sequence[str] | None = None) -> int:
    """Draw as the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("browse-dataset", lambda: browse(args))


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """The flags."""
    parser = CommandParser(
        prog="mmdet-lite browse-dataset",
        description="Draw pictures of a data set with their annotations, before and after the "
        "pipeline: one picture a sample, and sheets of all.",
    )
    parser.add_argument("config", type=Path, help="config file")
    parser.add_argument("--output-dir", type=Path, help="default: work_dirs/CONFIG_NAME/browse_SET")
    parser.add_argument("--set", choices=SETS, default="train", help="which (default: train)")
    parser.add_argument("--num", type=int, default=12, help="how many samples (default: 12)")
    parser.add_argument("--stages", action="store_true", help="after every transform, in a row")
    parser.add_argument("--seed", type=int, default=0, help="of random transforms (default: 0)")
    window = parser.add_mutually_exclusive_group()
    window.add_argument("--show", action="store_true", help="also open a window for each sample")
    window.add_argument("--not-show", action="store_true", help="no windows (that is the default)")
    parser.add_argument(
        "--show-interval", type=float, default=2, help="seconds a window waits (default: 2)"
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        metavar="KEY=VALUE",
        help="change config entries",
    )
    args = parser.parse_args(argv)
    if args.num < 1:
        parser.error(f"--num must be at least 1, got {args.num}")
    return args


def browse(args: argparse.Namespace) -> int:
    """Write a picture a sample and sheets of them; print the sheets' paths."""
    # imported late, so that --help is quick
    from mmengine.runner import set_random_seed

    from mmdet_lite.cli.picture_window import show_picture
    from mmdet_lite.cli.sample_pictures import steps_of
    from mmdet_lite.config import load_config
    from mmdet_lite.datasets.pipeline_stages import PipelineWatch
    from mmdet_lite.visualization import evenly, write_image

    cfg = load_config(args.config, parse_overrides(args.cfg_options))
    dataset = dataset_of(cfg, args.set)
    set_random_seed(args.seed)
    watch = PipelineWatch(dataset)
    out_dir = args.output_dir or Path("work_dirs", args.config.stem, f"browse_{args.set}")
    end = "_stages" if args.stages else ""
    cells = []
    for idx in evenly(len(dataset), args.num):
        sample = watch.sample(idx)
        steps = steps_of(sample, is_test_set(dataset))
        stem = f"{idx:06d}_{file_stem(sample.entry)}"
        draw = draw_stages if args.stages else draw_before_after
        large, small = draw(
            steps, f"{idx} {Path(str(sample.entry.get('img_path'))).name}", dataset.metainfo
        )
        write_image(out_dir / f"{stem}{end}.png", large)
        cells.append(small)
        if args.show:
            show_picture(large, stem, args.show_interval)
    title = f"{args.config.stem}: {args.set} set, {len(cells)} of {len(dataset)} samples"
    for n, sheet in enumerate(sheets(cells, title, args.stages)):
        path = out_dir / f"sheet{end}_{n + 1:02d}.png"
        write_image(path, sheet)
        print(path)
    say(f"and a picture of each of the {len(cells)} samples in {out_dir}")
    return 0


def dataset_of(cfg: Any, name: str) -> Any:
    """Build the data set of the config's train, val or test dataloader.

    Raises:
        ValueError: the config has no such dataloader, or the set is empty.
    """
    from mmengine.registry import init_default_scope

    from mmdet_lite.registry import DATASETS

    loader = cfg.get(f"{name}_dataloader")
    if not loader:
        there = [one for one in SETS if cfg.get(f"{one}_dataloader")]
        raise ValueError(f"the config has no {name}_dataloader; it has those of {there}")
    init_default_scope("mmdet_lite")
    dataset = DATASETS.build(loader["dataset"])
    if not len(dataset):
        raise ValueError(f"the {name} set is empty")
    return dataset


def is_test_set(dataset: Any) -> bool:
    """Whether a data set, or the first one that it is made of, has ``test_mode``."""
    from mmdet_lite.ops.dataset_parts import innermost_datasets

    return bool(getattr(next(innermost_datasets(dataset)), "test_mode", False))


def draw_before_after(steps: "Sequence[Step]", caption: str, metainfo: dict[str, Any]) -> "Sheet":
    """Draw a sample as it is on disk beside what the model gets: large, and small for a sheet."""
    from mmdet_lite.visualization import same_height, side_by_side
    from mmdet_lite.visualization.sheets import CELL_HEIGHT, CELL_WIDTH, FONT_SIZE

    texts = [f"{caption}, {steps[0].text}", f"after {steps[-1].text}"]
    sizes = ((PICTURE_WIDTH, PICTURE_HEIGHT, FONT_SIZE + 6), (CELL_WIDTH, CELL_HEIGHT, FONT_SIZE))
    rows = []
    for width, height, font in sizes:
        cells = [_drawn(step, width, height, font - 2, metainfo) for step in (steps[0], steps[-1])]
        rows.append(side_by_side(same_height(cells), texts, font))
    return rows[0], rows[1]


def draw_stages(steps: "Sequence[Step]", caption: str, metainfo: dict[str, Any]) -> "Sheet":
    """Draw a sample after every transform, in rows; large and small are the same."""
    from mmdet_lite.visualization import arrange, titled
    from mmdet_lite.visualization.sheets import FONT_SIZE

    cells = []
    for n, step in enumerate(steps):
        drawn = _drawn(step, STAGE_WIDTH, STAGE_HEIGHT, FONT_SIZE - 2, metainfo)
        cells.append(titled(drawn, f"{n} {step.text}", FONT_SIZE - 1))
    rows = -(-len(cells) // STAGES_IN_A_ROW)
    block = arrange(cells, caption, -(-len(cells) // rows))
    return block, block


def sheets(cells: "Sequence[Picture]", title: str, rows_only: bool) -> "Iterator[Picture]":
    """Arrange small pictures on sheets of a dozen pairs, or of four samples with all stages."""
    from mmdet_lite.visualization import arrange

    size = ROWS_ON_A_SHEET if rows_only else PAIRS_ON_A_SHEET
    for start in range(0, len(cells), size):
        yield arrange(cells[start : start + size], title, 1 if rows_only else None)


def file_stem(entry: dict[str, Any]) -> str:
    """The name of a sample's picture as part of a file name: letters, digits, ``._-``.

    >>> file_stem({"img_path": "/data/my pics/a b:c.jpg"}), file_stem({})
    ('a_b_c', 'sample')
    """
    stem = Path(str(entry.get("img_path") or "sample")).stem
    return re.sub(r"[^\w.-]+", "_", stem)[:60]


def _drawn(
    step: "Step", width: int, height: int, font_size: int, metainfo: dict[str, Any]
) -> "Picture":
    """Scale picture and objects first, so that letters stay sharp; all are of one width."""
    from mmdet_lite.visualization import draw_annotated, on_paper

    small = step.annotated.scaled_into(width, height)
    return on_paper(draw_annotated(small, metainfo, font_size), width)
