"""``mmdet-lite convert-weights IN OUT``: weights of another program as a checkpoint of this one."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet_lite.cli.front_door import CommandParser, run_command, say


def main(argv: Sequence[str] | None = None) -> int:
    """Convert as the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("convert-weights", lambda: convert(args))


def parse_args(argv: Sequence[str] | None) -> Namespace:
    """The flags."""
    parser = CommandParser(
        "mmdet-lite convert-weights",
        description="Write weights of torchvision, Detectron2, Detectron, Detectron.pytorch or an "
        "older MMDetection as a checkpoint with MMDetection 3's names, which are this program's.",
    )
    parser.add_argument("source", metavar="IN", help="file, address or name of the weights")
    parser.add_argument("out", metavar="OUT", help="checkpoint to write, .pth")
    parser.add_argument(
        "--no-preprocessing",
        action="store_true",
        help="do not note how images were prepared (channel order, mean, std) and how the other "
        "program runs its weights: nothing is compared when the file is loaded",
    )
    return parser.parse_args(argv)


def convert(args: Namespace) -> int:
    """Read, rename, write, and say what was written.

    Raises:
        ValueError: the names are of no known layout, or IN and OUT are one file.
    """
    from mmdet_lite.checkpoint import (
        has_own_names,
        load_checkpoint_file,
        save_checkpoint,
        state_dict_of,
    )

    out = Path(args.out)
    if out.exists() and Path(args.source).exists() and out.samefile(args.source):
        raise ValueError(f"{out} is both IN and OUT: give OUT another name")
    checkpoint = load_checkpoint_file(args.source)
    weights = state_dict_of(checkpoint)
    meta = _meta(checkpoint, args.no_preprocessing)
    if not weights or not ("imported_from" in meta or has_own_names(weights, meta)):
        shown = ", ".join(list(weights)[:3]) or "nothing"
        raise ValueError(
            f"{args.source} has names of no known layout ({shown} ...); read are: MMDetection 2 "
            "and 3, torchvision (ImageNet's networks, detectors with a ResNet and FPN), Detectron2,"
            " Detectron, Detectron.pytorch"
        )
    save_checkpoint({"meta": meta, "state_dict": weights}, out)
    program = meta.get("imported_from", "this program's layout already")
    say(f"{out}: {len(weights)} tensors, from {program}")
    if meta.get("fitting_config"):
        say(f"config that is as these weights need it: {meta['fitting_config']}")
    return 0


def _meta(checkpoint: dict[str, Any], without_preprocessing: bool) -> dict[str, Any]:
    meta = dict(checkpoint.get("meta") or {})
    if without_preprocessing:
        meta["preprocessing"] = meta["conventions"] = None
    return meta


if __name__ == "__main__":
    sys.exit(main())
