"""Convert Cityscapes' annotations to COCO json."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from mmdet_lite.cli.front_door import CommandParser, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Convert every split that is there; 0 on success."""
    args = _parser().parse_args(argv)
    return run_command("cityscapes", lambda: _convert(args))


def _convert(args: Namespace) -> int:
    # imported late, so that --help is quick
    from mmdet_lite.datasets.converters.cityscapes import convert_cityscapes, describe

    if args.nproc < 1:
        raise ValueError(f"--nproc {args.nproc}: expected 1 or more processes")
    out_dir = args.out_dir or args.cityscapes_path
    written = convert_cityscapes(
        args.cityscapes_path, out_dir, args.img_dir, args.gt_dir, args.nproc
    )
    print()
    for path, coco in written.items():
        print(f"wrote {path}: {describe(coco)}")
    return 0


def _parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="cityscapes",
        description="Convert Cityscapes to COCO json: OUT_DIR/instancesonly_filtered_gtFine_"
        "{train,val,test}.json, for every split that has images. The configs look for them in "
        "data/cityscapes/annotations.",
    )
    parser.add_argument(
        "cityscapes_path", type=Path, help="the folder that holds leftImg8bit and gtFine"
    )
    parser.add_argument("--img-dir", default="leftImg8bit", help="folder of images below it")
    parser.add_argument("--gt-dir", default="gtFine", help="folder of annotations below it")
    parser.add_argument("-o", "--out-dir", type=Path, help="default: CITYSCAPES_PATH")
    parser.add_argument("--nproc", type=int, default=1, help="processes that read the pictures")
    return parser


if __name__ == "__main__":
    sys.exit(main())
