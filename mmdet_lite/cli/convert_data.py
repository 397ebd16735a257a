"""Convert annotated images from one form to another."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.front_door import CommandParser, run_command, say
from mmdet_lite.cli.progress import track
from mmdet_lite.ops.annotation_forms import ALL, READ_FORMS, WRITTEN_FORMS

if TYPE_CHECKING:
    from mmdet_lite.datasets.converters import AnnotatedImages

TRAINED_FORMS = ("coco", "voc")
SPLIT_NAMES = ("train", "val", "test")


def main(argv: Sequence[str] | None = None) -> int:
    """Convert; 0 on success."""
    args = _parser().parse_args(argv)
    return run_command("convert-data", lambda: _convert(args))


def _convert(args: argparse.Namespace) -> int:
    # imported late, so that --help is quick
    from mmdet_lite.datasets.converters import guess_form, picture_sets, read_annotated
    from mmdet_lite.datasets.converters.soundness import refuse_wrong
    from mmdet_lite.datasets.converters.write_sets import check_out, write_sets

    _check_config_file(args)
    shares = split_shares(args.split) if args.split else None
    how = args.pictures or ("none" if args.to == "coco" else "copy")
    inputs = [args.input, *args.merge]
    check_out(args.out, inputs, args.overwrite)
    read = []
    for path in inputs:
        form = args.form or (guess_form(path) if path.exists() else None)
        read.append(read_annotated(path, form, args.image_root, track))
        say(f"read {path}: {form}, {_counts(read[-1])}")
    sets = picture_sets.join_inputs(read, divided=shares is not None)
    notes = refuse_wrong([one for of_input in read for one in of_input], track)
    sets = replace(sets, notes=(*sets.notes, *notes))
    if args.classes:
        sets = picture_sets.pick_classes(sets, args.classes, args.keep_empty)
    if args.box_as_mask:
        sets = picture_sets.boxes_as_masks(sets)
    if shares is not None:
        sets = picture_sets.divide(sets, shares, args.seed)
    record = {"inputs": [str(path) for path in inputs], "to": args.to, "seed": args.seed}
    written = write_sets(sets, args.out, args.to, how, record, track)
    for note in written[0].notes:
        say(f"note: {note}")
    print(_table(written))
    print(f"wrote {args.out}")
    _offer_config(written, args)
    return 0


def _check_config_file(args: argparse.Namespace) -> None:
    """Refuse a config that could not be written in the end.

    Raises:
        ValueError: no training reads the form.
        FileExistsError: the file is there; it may have been changed by hand.
    """
    file: Path | None = args.write_config
    if file is None:
        return
    if args.to not in TRAINED_FORMS:
        raise ValueError(f"--write-config: {args.to} is not trained on; convert --to coco")
    if file.exists():
        raise FileExistsError(
            f"--write-config: {file} is there already, and never overwritten; name another file, "
            "or leave the flag away to keep this one"
        )


def split_shares(words: Sequence[str]) -> dict[str, float]:
    """The shares of ``--split``: 0.8 0.2, or train=0.7 val=0.3.

    Raises:
        ValueError: they are no numbers above 0 that add up to 1, or a name comes twice.
    """
    named = [word.rpartition("=") for word in words]
    if any(name for name, _, _ in named) and not all(name for name, _, _ in named):
        raise ValueError(f"--split {' '.join(words)}: name all of the parts, or none")
    if len(words) > len(SPLIT_NAMES) and not named[0][0]:
        raise ValueError(f"--split {' '.join(words)}: name more than 3 parts, NAME=SHARE")
    names = [name or given for (name, _, _), given in zip(named, SPLIT_NAMES, strict=False)]
    names = [name for name, _, _ in named] if named[0][0] else names
    try:
        shares = [float(share) for _, _, share in named]
    except ValueError:
        shares = []
    if not shares or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6 or len(shares) < 2:
        raise ValueError(
            f"--split {' '.join(words)}: expected two or more shares above 0 that add up to 1, "
            "such as 0.8 0.2 or train=0.7 val=0.2 test=0.1"
        )
    if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        raise ValueError(f"--split {' '.join(words)}: expected names of letters, each once")
    return dict(zip(names, shares, strict=True))


def _counts(sets: Sequence["AnnotatedImages"]) -> str:
    return ", ".join(
        f"{one.split} {len(one.content['images'])} images "
        f"{len(one.content.get('annotations', []))} objects"
        for one in sets
    )


def _table(sets: Sequence["AnnotatedImages"]) -> str:
    """Images, and objects of every class, by split."""
    from terminaltables import AsciiTable

    counts, crowds = {}, []
    for one in sets:
        names = {category["id"]: category["name"] for category in one.content["categories"]}
        objects = [a for a in one.content["annotations"] if not a["iscrowd"]]
        counts[one.split] = Counter(names[a["category_id"]] for a in objects)
        crowds.append(len(one.content["annotations"]) - len(objects))
    rows = [["", *counts], ["images", *(str(len(one.content["images"])) for one in sets)]]
    for category in sets[0].content["categories"]:
        name = category["name"]
        rows.append([f"objects: {name}", *(str(count[name]) for count in counts.values())])
    if any(crowds):
        rows.append(["crowds", *map(str, crowds)])
    table = AsciiTable(rows)
    table.justify_columns = dict.fromkeys(range(1, len(rows[0])), "right")
    return str(table.table)


def _offer_config(sets: Sequence["AnnotatedImages"], args: argparse.Namespace) -> None:
    """Write the config that trains on the result, or print it."""
    from mmdet_lite.checkpoint.zoo import config_folder
    from mmdet_lite.cli.starter_config import starter_config

    if args.to not in TRAINED_FORMS:
        return
    file: Path = args.write_config or Path("mine.py")
    configs = Path(os.path.relpath(config_folder(), file.absolute().parent)).as_posix()
    data = _written_data(sets, args)
    text = starter_config(data, configs)
    if data.splits["val"] is None:
        say("note: there is no val split; --split 0.8 0.2 makes one, to see how well it learns")
    if args.write_config is None:
        print(f"a config that trains on it (--write-config FILE writes it):\n\n{text}")
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    print(f"wrote {file}. Train on it:\n  mmdet-lite train {file}")


def _below(folder: Path, root: Path) -> str:
    """A folder as seen from ``root``, whole where that leads far away."""
    relative = Path(os.path.relpath(folder, root)).as_posix()
    return Path(os.path.abspath(folder)).as_posix() if relative.startswith("../../..") else relative


def _written_data(sets: Sequence["AnnotatedImages"], args: argparse.Namespace) -> Any:
    """What the config says about the data."""
    from mmdet_lite.cli.starter_config import WrittenData

    root = Path(os.path.abspath(args.out))
    prefixes = {one.split: _below(one.image_root, root) for one in sets}
    if args.to == "voc":
        prefixes = {"train" if split == ALL else split: "" for split in prefixes}
    objects = [a for one in sets for a in one.content["annotations"] if not a["iscrowd"]]
    classes = [category["name"] for category in sets[0].content["categories"]]
    sizes = {one.split: len(one.content["images"]) for one in sets}
    return WrittenData(
        form=args.to,
        data_root=Path(args.out).as_posix(),
        prefixes=prefixes,
        classes=classes,
        masks=bool(objects) and all(a.get("segmentation") for a in objects),
        bitmaps=any(isinstance(a.get("segmentation"), dict) for a in objects),
        num_train=sizes.get("train", sum(sizes.values())),
    )


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="convert_data",
        description="Convert annotated images from one form to another. The form of IN is guessed: "
        "COCO, VOC, YOLO, LabelMe, VIA or CSV, a file or a folder.",
    )
    parser.add_argument("input", type=Path, metavar="IN", help="a file or folder of annotations")
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to write")
    parser.add_argument("--to", required=True, choices=WRITTEN_FORMS, help="the form to write")
    parser.add_argument("--from", "--form", dest="form", choices=READ_FORMS, help="the form of IN")
    parser.add_argument(
        "--image-root", type=Path, metavar="DIR", help="folder of the images, if not near IN"
    )
    parser.add_argument(
        "--split",
        nargs="+",
        metavar="SHARE",
        help="divide all images: 0.8 0.2 (train, val), or NAME=SHARE; every class in each part",
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed, another split")
    parser.add_argument(
        "--merge", nargs="+", type=Path, default=[], metavar="OTHER", help="join these with IN"
    )
    parser.add_argument(
        "--classes",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        metavar="A,B",
        help="only these classes, in this order",
    )
    parser.add_argument(
        "--keep-empty", action="store_true", help="with --classes: keep images left without object"
    )
    parser.add_argument(
        "--box-as-mask", action="store_true", help="objects without outline get that of their box"
    )
    _add_picture_flags(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what convert-data wrote to OUT before"
    )
    parser.add_argument(
        "--write-config",
        type=Path,
        metavar="FILE",
        help="write the config that trains on OUT; a new file",
    )
    return parser


def _add_picture_flags(parser: argparse.ArgumentParser) -> None:
    pictures = parser.add_mutually_exclusive_group()
    for flag, how, text in (
        ("--copy-images", "copy", "copy pictures to OUT (default, but for coco)"),
        ("--link-images", "link", "hard links in OUT, which take no room"),
        ("--no-images", "none", "leave pictures where they are (default for coco)"),
    ):
        pictures.add_argument(flag, dest="pictures", action="store_const", const=how, help=text)


if __name__ == "__main__":
    sys.exit(main())
