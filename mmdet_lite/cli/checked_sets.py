"""What ``check-data`` and ``dataset-stats`` are given: a config, or annotations in any form."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.front_door import parse_overrides

if TYPE_CHECKING:
    from mmdet_lite.datasets.check import AnnotatedSet, Finding


@dataclass(frozen=True)
class CheckedSets:
    """The sets of a subject.

    Args:
        sets: as they stand in the files.
        cfg: the whole config; None for annotations.
        cfgs: configs of its data sets by name; empty for annotations.
        notes: what was found while annotations were read.
    """

    sets: "list[AnnotatedSet]"
    cfg: Any = None
    cfgs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: "tuple[Finding, ...]" = ()


def add_subject(parser: ArgumentParser) -> None:
    """The argument and the flags that name what is looked at."""
    parser.add_argument(
        "subject", help="a config (all its sets), or a file or folder of annotations in any form"
    )
    parser.add_argument(
        "--from", dest="form", metavar="FORM", help="form of the annotations, if it is not guessed"
    )
    parser.add_argument("--image-root", metavar="DIR", help="folder of the images, likewise")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        metavar="KEY=VALUE",
        help="change config entries",
    )


def read_subject(args: Namespace, go_on: bool = False) -> CheckedSets:
    """Read what the flags of ``add_subject`` name.

    Args:
        args: the flags.
        go_on: annotation files that cannot be read are findings among the notes, and the others
            are read without them.

    Raises:
        ValueError: a config without data sets, flags that do not go with the subject, annotations
            that cannot be read.
    """
    path = Path(args.subject)
    if path.suffix == ".py" or not path.exists():
        if args.form or args.image_root:
            raise ValueError("--from and --image-root go with annotations, not with a config")
        return _config_sets(args.subject, parse_overrides(args.cfg_options))
    if args.cfg_options:
        raise ValueError(f"--cfg-options goes with a config; {args.subject} is annotations")
    return _annotations(args, go_on)


def _config_sets(name: str, overrides: Mapping[str, Any] | None) -> CheckedSets:
    from mmdet_lite.checkpoint import config_by_name, may_be_model_name
    from mmdet_lite.config import load_config
    from mmdet_lite.datasets.check import dataset_cfgs, read_sets

    known = Path(name).exists() or may_be_model_name(name)
    try:
        file = config_by_name(name)
    except ValueError as error:
        raise ValueError(f"there is no config, file or folder {name!r}, and {error}") from error
    if not known:
        raise FileNotFoundError(f"there is no config, file or folder {name!r}")
    cfg = load_config(file, overrides)
    cfgs = dataset_cfgs(cfg)
    if not cfgs:
        raise ValueError(f"{name} names no data set: it has no train_dataloader and so on")
    return CheckedSets(read_sets(cfgs), cfg, cfgs)


def _annotations(args: Namespace, go_on: bool) -> CheckedSets:
    from mmdet_lite.cli.progress import track
    from mmdet_lite.datasets.check import Uses, annotated_set, finding
    from mmdet_lite.datasets.check.codes import capped
    from mmdet_lite.datasets.converters.annotated_images import read_annotated
    from mmdet_lite.datasets.converters.content import raise_all

    wrong: list[str] = []
    complain = (lambda found, where: wrong.extend(found)) if go_on else raise_all
    try:
        parts = read_annotated(args.subject, args.form, args.image_root, track, complain)
    except ValueError:
        if not wrong:
            raise
        parts = []  # no file can be read
    sets = [
        annotated_set(
            part.split,
            str(part.source),
            str(part.image_root),
            part.content,
            Uses(embedded=frozenset(part.embedded)),
        )
        for part in parts
    ]
    name = Path(args.subject).name
    notes = [finding("form-note", note, name) for part in parts for note in part.notes]
    unread = capped(wrong, lambda text: finding("file-unreadable", text, name), "files")
    return CheckedSets(sets, notes=(*notes, *unread))
