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
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.checked_sets import add_subject, read_subject
from mmdet_lite.cli.front_door import CommandParser, run_command, say, short_path

if TYPE_CHECKING:
    from mmdet_lite.cli.checked_sets import CheckedSets

FOUND_ERRORS = 1


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
    add_subject(parser)
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
    return parser.parse_args(argv)


def check(args: Namespace) -> int:
    """Read, check, print, write, mend."""
    from mmdet_lite.cli.check_screen import report_text
    from mmdet_lite.ops.json_text import without_collecting

    with _quiet(), without_collecting():
        given = read_subject(args, go_on=not args.fix)
        if args.checkpoint and given.cfg is None:
            raise ValueError(f"--checkpoint goes with a config; {args.subject} is annotations")
        chosen = _set_to_fix(args, given.sets) if args.fix else None
        facts = None if args.no_images else _facts(given.sets, args)
        report = _report(args, given, facts)
    print(report_text(report))
    _write(report, Path(args.out_dir or Path("work_dirs", "check_data", _name_of(args.subject))))
    kept = chosen is None or _fix(chosen, facts or {}, Path(args.fix))
    return FOUND_ERRORS if report.count("error") or not kept else 0


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing in the log of what data sets say when they are built: the report says it better."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _name_of(subject: str) -> str:
    """Folder and name of what is checked, so that reports about 'a/train' and 'b/train' both stay.

    >>> _name_of("data/mine/train.json")
    'mine_train'
    """
    path = Path(subject)
    return "_".join(part for part in (path.parent.name, path.stem) if part not in ("", ".."))


def _report(args: Namespace, given: "CheckedSets", facts: Mapping[str, Any] | None) -> Any:
    from mmdet_lite.cli.check_config import config_findings, refusals
    from mmdet_lite.datasets.check import check_sets, in_order

    more = [*given.notes]
    if given.cfg is not None:
        more += config_findings(given.cfg, given.sets, args.checkpoint)
    report = check_sets(args.subject, given.sets, facts, more)
    return replace(report, findings=in_order([*report.findings, *refusals(given.cfgs, report)]))


def _facts(sets: Sequence[Any], args: Namespace) -> Mapping[str, Any]:
    """What all pictures are like, from the cache where they have not changed since."""
    from mmdet_lite.cli.progress import track
    from mmdet_lite.datasets.check import load_cache, read_all_facts, save_cache

    paths = [os.path.abspath(p) for data in sets for files in data.files_on_disk for p in files]
    cache = _cache_file(sets)
    known = {} if args.no_cache else load_cache(cache)
    facts = read_all_facts(paths, known, args.workers, track)
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
        ValueError: there are several, OUT.json is one of the files that are checked, or pictures
            must not be opened.
    """
    if args.no_images:
        raise ValueError("--fix compares sizes with the pictures: leave out --no-images")
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


def _fix(data: Any, facts: Mapping[str, Any], out: Path) -> bool:
    """Write the mended copy, say what was done and what is left; False where none is worth it."""
    from mmdet_lite.cli.check_screen import findings_text
    from mmdet_lite.datasets.check import (
        annotated_set,
        check_sets,
        fix_content,
        fixed_text,
        refusal_to_fix,
    )
    from mmdet_lite.ops.whole_files import write_json

    content, done = fix_content(data, facts)
    refusal = refusal_to_fix(content, done)
    if refusal is not None:
        print(f"\n--fix: {out} is not written: {refusal}")
        return False
    write_json(out, content)
    print(f"\n--fix: {data.ann_file} -> {out}\n{fixed_text(done)}")
    mended = annotated_set(data.name, str(out), data.image_root, content, data.uses)
    left = [f for f in check_sets(str(out), [mended], facts).findings if f.severity != "note"]
    if left:
        print(f"left in {out}, for a person to decide:\n{findings_text(left)}")
    return True


if __name__ == "__main__":
    sys.exit(main())
