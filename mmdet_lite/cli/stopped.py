"""What to say when a training stops before its end."""

import shlex
import shutil
import sys
import traceback
from argparse import Namespace
from pathlib import Path
from typing import Any

from mmdet_lite.cli.front_door import from_worker, message_of, short_path

PACKAGE = str(Path(__file__).resolve().parents[1])


def go_on_text(args: Namespace, work_dir: str) -> str:
    """How to go on with the stopped training, with all its flags."""
    from mmdet_lite.checkpoint import POINTER

    pointer = Path(work_dir) / POINTER
    if not pointer.is_file():
        return f"no checkpoint was written to {work_dir} yet: start again with the same command"
    saved = pointer.read_text(encoding="utf-8").strip()
    if args.launcher != "none":
        return f"{saved} in {work_dir} stays; to go on: the same command with --resume"
    words = shlex.join([*_program(), *_words(args)])
    return f"{saved} in {work_dir} stays; to go on: {words}"


def failed_in_training(error: Exception, iterations: int, go_on: str) -> Exception:
    """The error to raise in place of one that came up after the first step.

    What this program says on purpose (a picture that cannot be read), and what the system says (a
    full disk), is for the user to mend and comes back as a ValueError. Anything else is a fault of
    the program: a RuntimeError, which keeps its traceback.
    """
    meant = isinstance(error, OSError) or (isinstance(error, ValueError) and _is_ours(error))
    text = message_of(error) if meant else f"{type(error).__name__}: {message_of(error)}"
    text = f"training stopped after {iterations} iterations: {text}\n{go_on}"
    return ValueError(text) if meant else RuntimeError(text)


def _is_ours(error: Exception) -> bool:
    """Whether the statement that raised ``error`` is in this package."""
    if from_worker(error):
        files = [line.split('"')[1] for line in str(error).splitlines() if '  File "' in line]
    else:
        files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return bool(files) and files[-1].startswith(PACKAGE)


def _program() -> list[str]:
    """How this training's program is called from here: what was typed need not be on the PATH."""
    python = short_path(sys.executable)
    if Path(sys.argv[0]).name == "train.py":
        return [python, short_path(sys.argv[0])]
    if shutil.which("mmdet-lite"):
        return ["mmdet-lite", "train"]
    return [python, "-m", "mmdet_lite.cli", "train"]


def _words(args: Namespace) -> list[str]:
    """The arguments of the stopped run, with ``--resume`` as the way to start."""
    words: list[Any] = [args.config]
    if args.work_dir:
        words += ["--work-dir", args.work_dir]
    for flag in ("amp", "auto_scale_lr", "no_validate", "no_check_data"):
        if getattr(args, flag, False):
            words.append(f"--{flag.replace('_', '-')}")
    if args.cfg_options:
        words += ["--cfg-options", *args.cfg_options]
    return [*words, "--resume"]
