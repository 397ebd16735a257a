"""Convert VIA annotations, such as the balloon set's, to COCO json."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmdet_lite.cli.front_door import run_command

SPLITS = ("train", "val")
VIA_FILE = "via_region_data.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Convert both splits of a folder, or one VIA file; 0 on success."""
    parser = _parser()
    args = parser.parse_args(argv)
    if len(args.paths) not in (0, 1, 3):
        parser.error(f"expected ROOT, or VIA_JSON OUT_JSON IMAGE_DIR; got {len(args.paths)} paths")
    if len(args.paths) == 3:
        jobs = [(args.paths[0], args.paths[1], args.paths[2])]
    else:
        jobs = []
        root = args.paths[0] if args.paths else Path("data/balloon")
    return run_command(
        "balloon2coco",
        lambda: _convert(jobs or _jobs_of(root), args.class_name, args.class_attribute),
    )


def _jobs_of(root: Path) -> list[tuple[Path, Path, Path]]:
    """Both splits of a folder: VIA json, COCO json, pictures."""
    if root.is_file() or (root / VIA_FILE).is_file():
        raise ValueError(
            f"expected the folder that holds {' and '.join(SPLITS)}, got {root}; one file alone "
            "is converted with three paths: VIA_JSON OUT_JSON IMAGE_DIR"
        )
    folders = [root / split for split in SPLITS]
    return [(folder / VIA_FILE, folder / "annotation_coco.json", folder) for folder in folders]


def _convert(
    jobs: Sequence[tuple[Path, Path, Path]], class_name: str | None, class_attribute: str | None
) -> int:
    """Convert files together, so that a class has the same id in all of them."""
    # imported late, so that --help is quick
    from mmdet_lite.datasets.converters import convert_balloon_to_coco, load_via, via_class_names

    names: set[str] = set()
    for ann_file, _, _ in jobs:
        via = load_via(ann_file)
        try:
            names |= set(via_class_names(via, class_name, class_attribute))
        except ValueError as error:
            raise ValueError(f"{ann_file}: {error}") from error
    for ann_file, out_file, image_dir in jobs:
        coco = convert_balloon_to_coco(
            ann_file, out_file, image_dir, class_name, class_attribute, sorted(names)
        )
        counts = f"{len(coco['images'])} images, {len(coco['annotations'])} annotations"
        print(f"wrote {out_file}: {counts}, classes {', '.join(sorted(names))}")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = argparse.ArgumentParser(
        prog="balloon2coco",
        usage="%(prog)s [options] [ROOT]\n       %(prog)s [options] VIA_JSON OUT_JSON IMAGE_DIR",
        description="Convert annotations of the VGG Image Annotator (VIA 1, VIA 2) to COCO json. "
        "ROOT/{train,val}/via_region_data.json become ROOT/{train,val}/annotation_coco.json.",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        help="ROOT (default data/balloon), or VIA_JSON OUT_JSON IMAGE_DIR",
    )
    parser.add_argument(
        "--class-attribute",
        metavar="NAME",
        help="region attribute that names the class (default: name, class, label or category)",
    )
    parser.add_argument(
        "--class-name",
        metavar="NAME",
        help="class of regions without such an attribute (default: balloon if none has one)",
    )
    return parser
