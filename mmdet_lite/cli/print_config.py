"""Print a config as it is after bases and overrides, who set each key, or how two differ."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdet_lite.cli.front_door import CommandParser, parse_overrides, run_command, short_path

if TYPE_CHECKING:
    from mmdet_lite.config import Origin

FORMATS = (".py", ".json", ".yml", ".yaml")
WIDEST_VALUE = 60


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("print-config", lambda: print_config(args))


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """The flags."""
    parser = CommandParser(
        prog="mmdet-lite print-config",
        description="Print a config as it is after bases, overrides and translations.",
    )
    parser.add_argument("config", type=Path, nargs="?", help="config file")
    parser.add_argument(
        "--origin", action="store_true", help="beside each key the file and line that set it"
    )
    parser.add_argument(
        "--diff", nargs=2, type=Path, metavar=("A", "B"), help="how the config B differs from A"
    )
    parser.add_argument("--save-path", type=Path, help="also write the config to this file")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        metavar="KEY=VALUE",
        help="change config entries (with --diff of both)",
    )
    args = parser.parse_args(argv)
    if (args.config is None) == (args.diff is None):
        parser.error("give one CONFIG, or two with --diff A B")
    if args.diff and (args.origin or args.save_path):
        parser.error("--diff goes with neither --origin nor --save-path")
    if args.save_path and args.save_path.suffix not in FORMATS:
        parser.error(f"--save-path {args.save_path}: the name must end with {', '.join(FORMATS)}")
    return args


def print_config(args: argparse.Namespace) -> int:
    """Print the config, its origins, or the difference of two."""
    from mmdet_lite.config import load_config  # imported late, so that --help is quick

    overrides = parse_overrides(args.cfg_options)
    if args.diff:
        old, new = (load_config(path, overrides, check=False) for path in args.diff)
        return _print("\n".join(difference_lines(old, new, [str(path) for path in args.diff])))
    cfg = load_config(args.config, overrides, check=False)
    if args.save_path:
        args.save_path.parent.mkdir(parents=True, exist_ok=True)
        cfg.dump(str(args.save_path))
    return _print(
        "\n".join(origin_lines(args.config, overrides)) if args.origin else cfg.pretty_text
    )


def origin_lines(path: Path, overrides: dict[str, Any] | None = None) -> list[str]:
    """``key = value  # file:line`` for every key; an empty line between sections."""
    from mmdet_lite.config import key_origins

    lines: list[str] = []
    found = key_origins(path, overrides)
    settings = {key: f"{key} = {value!r}" for key, (value, _) in found.items()}
    short = [len(text) for text in settings.values() if len(text) <= WIDEST_VALUE]
    column = max(short, default=0)
    section = None
    for key, (_, origin) in found.items():
        if section not in (None, key.split(".")[0]):
            lines.append("")
        section = key.split(".")[0]
        lines.append(f"{settings[key]:<{column}}  # {origin_text(origin)}")
    return lines


def origin_text(origin: "Origin") -> str:
    """An origin as ``file:line, how``, the file seen from the current folder."""
    place = "" if origin.file is None else short_path(str(origin.file))
    if origin.line is not None:
        place = f"{place}:{origin.line}"
    return ", ".join(part for part in (place, origin.how) if part)


def difference_lines(old: Any, new: Any, names: Sequence[str]) -> list[str]:
    """The keys that are read and differ: ``-`` only in the first, ``+`` only in the second.

    Variables that only the files themselves use are named in a last line.
    """
    from mmdet_lite.config import ABSENT, differences, leaves
    from mmdet_lite.config.top_level import SECTIONS

    lines = [f"--- {names[0]}", f"+++ {names[1]}"]
    variables: dict[str, None] = {}
    for key, before, after in differences(old._cfg_dict, new._cfg_dict):
        root = key.split(".")[0]
        if root not in SECTIONS:
            variables[root] = None
        elif before is ABSENT:
            lines += [f"+ {inner} = {value!r}" for inner, value in leaves(after, key)]
        elif after is ABSENT:
            lines += [f"- {inner} = {value!r}" for inner, value in leaves(before, key)]
        else:
            lines.append(f"  {key}: {before!r} -> {after!r}")
    if len(lines) == 2:
        lines.append("no difference in what is read")
    if variables:
        lines.append(f"variables of the files that differ too: {', '.join(variables)}")
    return lines


def _print(text: str) -> int:
    """Print; who reads it may stop early, as ``head`` does."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's own flush
    return 0
