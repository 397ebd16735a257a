"""Draw the default balloon data set."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmdet_lite.cli.front_door import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Draw train and val scenes with VIA annotations unless the folder has them; 0 on success."""
    args = _parser().parse_args(argv)
    return run_command("make_balloons", lambda: make(args))


def make(args: argparse.Namespace) -> int:
    """Draw what the arguments say."""
    # imported late, so that --help is quick
    from mmengine.utils import track_iter_progress

    from mmdet_lite.datasets.balloon_scenes import SPLITS, existing_splits, write_split

    existing = [] if args.force else existing_splits(args.out)
    if len(existing) == len(SPLITS):
        print(f"{args.out} is annotated already: nothing drawn (--force draws it anew)")
        return 0
    if existing:
        raise ValueError(
            f"{args.out / existing[0]} is annotated, but not every one of {', '.join(SPLITS)}; "
            "complete the folder, choose another --out, or draw anew with --force"
        )
    for split, count in zip(SPLITS, (args.train, args.val), strict=True):
        print(f"drawing {count} {split} scenes")
        path = write_split(
            args.out / split, split, track_iter_progress(range(count)), args.seed, args.size
        )
        print(f"\nwrote {path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = argparse.ArgumentParser(
        prog="make_balloons",
        description="Draw photograph-like scenes with balloons, annotated in VIA form in the "
        "layout of the public balloon set. The same seed gives the same files.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("data/balloon"), help="folder (default %(default)s)"
    )
    parser.add_argument(
        "--train", type=_positive, default=100, help="number of training scenes (default 100)"
    )
    parser.add_argument(
        "--val", type=_positive, default=25, help="number of validation scenes (default 25)"
    )
    parser.add_argument("--seed", type=_seed, default=0, help="default %(default)s")
    parser.add_argument(
        "--size",
        type=_positive,
        nargs=2,
        default=(640, 480),
        metavar=("WIDTH", "HEIGHT"),
        help="pixels of a picture (default 640 480)",
    )
    parser.add_argument(
        "--force", action="store_true", help="draw even where there are annotations; replaces them"
    )
    return parser


def _positive(text: str) -> int:
    """Return a number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {value}")
    return value


def _seed(text: str) -> int:
    """Return a number of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected at least 0, got {value}")
    return value
