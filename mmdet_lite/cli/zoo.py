"""``mmdet-lite zoo [WORD ...]``: the published models that are known by name."""

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from mmdet_lite.cli.front_door import CommandParser, run_command

COLUMNS = ("name", "program", "published AP", "here", "config")


def main(argv: Sequence[str] | None = None) -> int:
    """List models, or fetch one; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("zoo", lambda: fetch_model(args.get) if args.get else list_models(args))


def parse_args(argv: Sequence[str] | None) -> Namespace:
    """The flags."""
    parser = CommandParser(
        "mmdet-lite zoo",
        description="List the published models that --load-from, test, infer and init_detector "
        "know by name, or fetch one. MMDET_LITE_HOME (else TORCH_HOME) moves the cache.",
    )
    parser.add_argument("words", nargs="*", help="list only models whose lines hold all of these")
    parser.add_argument("--get", metavar="NAME", help="fetch its weights and print where they are")
    parser.add_argument(
        "--json", action="store_true", help="list as json, with addresses and hashes"
    )
    return parser.parse_args(argv)


def list_models(args: Namespace) -> int:
    """Print the table; status 1 if no model has all the words."""
    from mmdet_lite.checkpoint import zoo_models

    rows = [(model, _row(model)) for model in zoo_models().values()]
    chosen = [
        (model, row)
        for model, row in rows
        if all(word.lower() in " ".join((*row, *model.aliases)).lower() for word in args.words)
    ]
    if args.json:
        print(json.dumps([_record(model) for model, _ in chosen], indent=2))
    elif chosen:
        print("\n".join(_table([COLUMNS, *(row for _, row in chosen)])))
    if not chosen:
        print(f"no model has {' and '.join(args.words)} in its line", file=sys.stderr)
    return 0 if chosen else 1


def fetch_model(name: str) -> int:
    """Fetch the weights of a model; print the config, where one is here, and the checkpoint."""
    from mmdet_lite.checkpoint import find_model, local_checkpoint, model_config

    model = find_model(name)
    checkpoint = local_checkpoint(model.name)
    try:
        print(f"config: {model_config(model)}")
    except (ValueError, FileNotFoundError) as error:
        print(f"config: none, {error}")
    print(f"checkpoint: {checkpoint}")
    return 0


def _row(model: Any) -> tuple[str, ...]:
    from mmdet_lite.checkpoint import cached_path, model_config

    ap = ", ".join(f"{task} {value:.1f}" for task, value in model.ap.items()) or "-"
    try:
        model_config(model)
        config = str(model.config)
    except (ValueError, FileNotFoundError):
        config = f"{model.config} (not here)" if model.config else "-"
    fetched = "yes" if cached_path(model.url).is_file() else "-"
    return model.name, model.source, ap, fetched, config


def _record(model: Any) -> dict[str, Any]:
    known = model.fingerprint
    return {
        "name": model.name,
        "aliases": list(model.aliases),
        "program": model.source,
        "config": model.config,
        "url": model.url,
        "ap": dict(model.ap),
        "sha256": known.sha256,
        "md5": known.md5,
        "size": known.size,
        "megabytes": known.megabytes,
    }


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(len(line) for line in lines), *lines[1:]]


if __name__ == "__main__":
    sys.exit(main())
