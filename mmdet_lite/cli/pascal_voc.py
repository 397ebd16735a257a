"""Convert annotations in Pascal VOC's form to COCO json."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmdet_lite.cli.front_door import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Convert every split of a VOCdevkit folder; 0 on success."""
    args = _parser().parse_args(argv)
    return run_command("pascal-voc", lambda: _convert(args))


def _convert(args: argparse.Namespace) -> int:
    # imported late, so that --help is quick
    from mmdet_lite.datasets.converters import convert_voc_to_coco, voc_class_names, voc_splits
    from mmdet_lite.datasets.converters.voc import describe

    splits = voc_splits(args.devkit_path)
    all_entries = sorted({entry for entries in splits.values() for entry in entries})
    names = args.classes or voc_class_names(args.devkit_path, all_entries)
    for split, entries in splits.items():
        out_file = (args.out_dir or args.devkit_path) / f"{split}.json"
        coco = convert_voc_to_coco(args.devkit_path, entries, out_file, names)
        print(f"wrote {out_file}: {describe(coco)}")
    print(f"classes: {', '.join(names)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = argparse.ArgumentParser(
        prog="pascal_voc",
        description="Convert a VOCdevkit folder to COCO json: OUT_DIR/voc07_trainval.json and so "
        "on, for every split in VOC*/ImageSets/Main. File names in them are relative to "
        "DEVKIT_PATH, so data_root=DEVKIT_PATH and data_prefix=dict(img='').",
    )
    parser.add_argument("devkit_path", type=Path, help="the folder VOCdevkit")
    parser.add_argument("-o", "--out-dir", type=Path, help="default: DEVKIT_PATH")
    parser.add_argument(
        "--out-format", choices=("coco",), default="coco", help="coco, the only one"
    )
    parser.add_argument(
        "--classes",
        nargs="+",
        metavar="NAME",
        help="classes in the order of their ids (default: VOC's 20, or those found, sorted)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
