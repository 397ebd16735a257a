"""``mmdet-lite detectron-config FILE.yaml [OUT.py]``: a Detectron YAML as a config here."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from mmdet_lite.cli.front_door import CommandParser, run_command, say


def main(argv: Sequence[str] | None = None) -> int:
    """Translate as the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("detectron-config", lambda: convert(args))


def parse_args(argv: Sequence[str] | None) -> Namespace:
    """The flags."""
    parser = CommandParser(
        "mmdet-lite detectron-config",
        description="Translate a YAML file of Detectron or Detectron.pytorch to a config file. "
        "What is not translated is listed, on standard error and in the config.",
    )
    parser.add_argument("yaml", metavar="FILE.yaml")
    parser.add_argument("out", nargs="?", metavar="OUT.py", help="default: standard output")
    args = parser.parse_args(argv)
    if args.out and not args.out.endswith(".py"):
        parser.error(f"{args.out}: give a file name that ends with .py")
    return args


def convert(args: Namespace) -> int:
    """Read the YAML, write the config."""
    from mmdet_lite.checkpoint import config_folder, write_text
    from mmdet_lite.config.detectron import read_settings, translate

    out = Path(args.out) if args.out else None
    text, problems = translate(read_settings(args.yaml), config_folder(), out and out.parent)
    for problem in problems:
        say(problem)
    if out is None:
        print(text, end="")
        return 0
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(text, out)
    say(f"config: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
