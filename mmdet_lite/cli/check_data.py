"""``mmdet-lite check-data CONFIG|FOLDER|FILE``: what is wrong with annotated images."""

import json
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmdet_lite.cli.front_door import CommandParser, parse_overrides, run_command, say, short_path

FOUND_ERRORS = 1
Subject = tuple[list[Any], list[Any], Mapping[str, Any]]


def main(argv: Sequence[str] | None = None) -> int:
    """Check; returns 1 where there are errors, else 0 (see ``run_command`` for other statuses)."""
    args = parse_args(argv)
    return run_command("check-data", lambda: check(args))


def parse_args(argv: Sequence[str] | None) -> Namespace:
    """The flags."""
    parser = CommandParser(
        "mmdet-lite check-data",
        description="Find what is wrong with annotated images: files, sizes, copies, class names, "
        "boxes, outlines; count them; say what training would leave out. Writes report.html and "
        "report.json. Exit status 1 where there are errors.",
    )
    parser.add_argument(
        "subject", help="a config (all its sets), or a file or folder of annotations in any form"
    )
    parser.add_argument(
        "--from", dest="form", metavar="FORM", help="form of the annotations, if it is not guessed"
    )
    parser.add_argument("--image-root", metavar="DIR", help="folder of the images, likewise")
    parser.add_argument("--out-dir", metavar="DIR", help="default: work_dirs/check_data/NAME")
    parser.add_argument("--fix", metavar="OUT.json", help="write a mended copy in COCO form")
    parser.add_argument("--set", metavar="NAME", help="which set --fix means, where there are many")
    parser.add_argument(
        "--checkpoint", metavar="CKPT", help="compare its classes too (default: cfg.load_from)"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=min(os.cpu_count() or 1, 8),
        metavar="N",
        help="processes that read pictures (default: %(default)s)",
    )
    parser.add_argument(
        "--no-images", action="store_true", help="look whether pictures are there, open none"
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="read all pictures again, keep nothing"
    )
    parser.add_argument("--cfg-options", nargs="+", action="extend", metavar="KEY=VALUE")
    return parser.parse_args(argv)


def check(args: Namespace) -> int:
    """Read, check, print, write, mend."""
    from mmdet_lite.cli.check_table import report_text
    from mmdet_lite.ops.json_text import without_collecting

    with _quiet(), without_collecting():
        sets, more, cfgs = _subject(args)
        chosen = _set_to_fix(args, sets) if args.fix else None
        report = _report(args, sets, more, cfgs)
    print(report_text(report))
    _write(report, Path(args.out_dir or Path("work_dirs", "check_data", Path(args.subject).stem)))
    if chosen is not None:
        _fix(chosen, Path(args.fix))
    return FOUND_ERRORS if report.count("error") else 0


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing in the log of what data sets say when they are built: the report says it better."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _report(
    args: Namespace, sets: Sequence[Any], more: Sequence[Any], cfgs: Mapping[str, Any]
) -> Any:
    from mmdet_lite.cli.check_config import refusals
    from mmdet_lite.datasets.check import check_sets, in_order

    facts = None if args.no_images else _facts(sets, args)
    report = check_sets(args.subject, sets, facts, more)
    return replace(report, findings=in_order([*report.findings, *refusals(cfgs, report)]))


def _subject(args: Namespace) -> Subject:
    """What was named: its sets, findings about what is around them, configs of its data sets."""
    path = Path(args.subject)
    if path.suffix == ".py" or not path.exists():
        return _config_sets(args)
    if args.cfg_options or args.checkpoint:
        raise ValueError(
            f"--cfg-options and --checkpoint go with a config; {args.subject} is annotations"
        )
    return _annotated_sets(args)


def _config_sets(args: Namespace) -> Subject:
    from mmdet_lite.checkpoint import config_by_name
    from mmdet_lite.cli.check_config import config_findings
    from mmdet_lite.config import load_config
    from mmdet_lite.datasets.check import dataset_cfgs, read_sets

    if args.form or args.image_root:
        raise ValueError("--from and --image-root go with annotations, not with a config")
    cfg = load_config(config_by_name(args.subject), parse_overrides(args.cfg_options))
    cfgs = dataset_cfgs(cfg)
    if not cfgs:
        raise ValueError(f"{args.subject} names no data set: it has no train_dataloader and so on")
    sets = read_sets(cfgs)
    return sets, config_findings(cfg, sets, args.checkpoint), cfgs


def _annotated_sets(args: Namespace) -> Subject:
    from mmdet_lite.datasets.check import Uses, annotated_set, found
    from mmdet_lite.datasets.converters.annotated_images import read_annotated

    sets, notes = [], []
    for part in read_annotated(args.subject, args.form, args.image_root):
        uses = Uses(
            filter_cfg={"filter_empty_gt": True, "min_size": 32}, embedded=frozenset(part.embedded)
        )
        places = (part.split, str(part.source), str(part.image_root))
        sets.append(annotated_set(*places, part.content, uses))
        notes += [found("form-note", note, Path(args.subject).name) for note in part.notes]
    return sets, notes, {}


def _facts(sets: Sequence[Any], args: Namespace) -> Mapping[str, Any]:
    """What all pictures are like, from the cache where they have not changed since."""
    from mmengine.utils import ProgressBar

    from mmdet_lite.datasets.check import load_cache, read_all_facts, save_cache

    paths = [os.path.abspath(p) for data in sets for files in data.files_on_disk for p in files]
    cache = _cache_file(sets)
    known = {} if args.no_cache else load_cache(cache)
    bar = ProgressBar(len(set(paths)), file=sys.stderr) if sys.stderr.isatty() else None
    facts = read_all_facts(paths, known, args.workers, bar.update if bar else lambda: None)
    if bar:
        say("")
    if not args.no_cache and facts != known:
        try:
            save_cache(cache, {**known, **facts})
        except OSError as error:
            say(f"what was learnt about the pictures cannot be kept in {cache}: {error}")
    given = {p for data in sets for files in data.files_on_disk for p in files}
    return {path: facts[full] for path in given if (full := os.path.abspath(path)) in facts}


def _cache_file(sets: Sequence[Any]) -> Path:
    """One file for each group of folders of pictures."""
    import hashlib

    from mmdet_lite.checkpoint import cache_folder

    folders = sorted({os.path.abspath(os.path.dirname(p)) for s in sets for p in s.image_paths})
    name = hashlib.sha256("\n".join(folders).encode()).hexdigest()[:16]
    return Path(cache_folder()) / "check_data" / f"{name}.json.gz"


def _write(report: Any, folder: Path) -> None:
    from mmdet_lite.apis.data_report import write_html_report

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.as_dict(), indent=1, allow_nan=False)
    (folder / "report.json").write_text(text, encoding="utf-8")
    write_html_report(report, folder / "report.html")
    print(f"\nwith pictures: {short_path(str(folder / 'report.html'))}")
    print(f"all findings:  {short_path(str(folder / 'report.json'))}")


def _set_to_fix(args: Namespace, sets: Sequence[Any]) -> Any:
    """The set that ``--fix`` means.

    Raises:
        ValueError: there are several, or OUT.json is one of the files that are checked.
    """
    names = [data.name for data in sets]
    chosen = [data for data in sets if args.set in (None, data.name)]
    if len(chosen) != 1:
        raise ValueError(
            f"--fix mends one file; choose with --set one of {', '.join(map(repr, names))}"
        )
    out = os.path.realpath(args.fix)
    for data in sets:
        if out == os.path.realpath(data.ann_file):
            raise ValueError(f"--fix {args.fix} is the file that is checked; give it another name")
    return chosen[0]


def _fix(data: Any, out: Path) -> None:
    """Write the mended copy, say what was done and what is left."""
    from mmdet_lite.cli.check_table import findings_text
    from mmdet_lite.datasets.check import (
        annotated_set,
        check_content,
        fix_content,
        fixed_text,
        in_order,
    )
    from mmdet_lite.datasets.converters.coco_json import write_coco

    content, done = fix_content(data)
    write_coco(content, out)
    print(f"\n--fix: {data.ann_file} -> {out}\n{fixed_text(done)}")
    mended = annotated_set(data.name, str(out), data.image_root, content, data.uses)
    left = [f for f in in_order(check_content(mended)) if f.severity != "note"]
    if left:
        print(f"left in {out}, for a person to decide:\n{findings_text(left)}")


if __name__ == "__main__":
    sys.exit(main())
