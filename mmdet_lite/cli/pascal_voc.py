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
    from mmdet_lite.datasets.converters import read_devkit
    from mmdet_lite.ops.whole_files import write_json

    names: list[str] = []
    for split, coco in read_devkit(args.devkit_path, args.classes).items():
        out_file = (args.out_dir or args.devkit_path) / f"{split}.json"
        write_json(out_file, coco)
        crowd = sum(annotation["iscrowd"] for annotation in coco["annotations"])
        boxes = f"{len(coco['annotations'])} boxes{f' ({crowd} difficult)' if crowd else ''}"
        print(f"wrote {out_file}: {len(coco['images'])} images, {boxes}")
        names = [category["name"] for category in coco["categories"]]
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
