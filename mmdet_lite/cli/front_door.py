"""What the commands share: flags, errors as text, exit codes. Imports nothing slow."""

import argparse
import ast
import difflib
import hashlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

USAGE_ERROR, LOSS_ERROR = 2, 3
USER_ERRORS = (ValueError, TypeError, OSError, KeyError, SyntaxError)


class CommandParser(argparse.ArgumentParser):
    """An ArgumentParser that names the nearest known flag where one is unknown."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, or exit with status 2 and what is wrong."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown_text(unknown))
        return parsed

    def _unknown_text(self, unknown: Sequence[str]) -> str:
        if all(word.endswith(".pth") for word in unknown):
            return f"one checkpoint is expected; choose one, {' '.join(unknown)} came besides it"
        flags = list(self._option_string_actions)
        hints = [
            f"{word} (did you mean {near[0]}?)"
            for word in unknown
            if word.startswith("-")
            and (near := difflib.get_close_matches(word.split("=")[0], flags, n=1, cutoff=0.5))
        ]
        return f"unknown argument: {' '.join(hints or unknown)}"

    def error(self, message: str) -> NoReturn:
        """Print the command's usage and ``message``, exit with status 2."""
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"{self.prog}: {message}\n")


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """The flags that train and test share."""
    parser.add_argument("--work-dir", help="folder for logs and checkpoints")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        metavar="KEY=VALUE",
        help='change the config: model.backbone.depth=18 "train_pipeline.2.scale=(640,400)"',
    )
    parser.add_argument(
        "--launcher",
        choices=("none", "pytorch", "slurm", "mpi"),
        default="none",
        help="how the processes of this run were started",
    )
    parser.add_argument(
        "--local-rank",
        "--local_rank",
        type=int,
        help="this process's number on its machine, given by torch.distributed.launch",
    )


def parse_overrides(pairs: Sequence[str] | None) -> dict[str, Any] | None:
    """``--cfg-options`` as a dict.

    A value that is Python (``[dict(type='A', n=1)]``, ``'two words'``) is read as such, others as
    mmengine's DictAction reads them (``[a,b]``, ``true``, ``1e-3``).

    Raises:
        ValueError: if a part is not KEY=VALUE.
    """
    if not pairs:
        return None
    for pair in pairs:
        if "=" not in pair.lstrip("="):
            raise ValueError(
                f"--cfg-options {pair!r} is not KEY=VALUE; write lists without spaces, or in "
                'quotes: key=[1,2] "key=[1, 2]"'
            )
    return {key: _read_value(text) for key, text in (pair.split("=", 1) for pair in pairs)}


def _read_value(text: str) -> Any:
    from mmengine.config import DictAction

    if text.startswith(("[", "(", "{", "dict(", "'", '"')):
        try:
            return ast.literal_eval(_DictCalls().visit(ast.parse(text, mode="eval")))
        except (ValueError, SyntaxError):
            pass  # [a,b]: words without quotes
    # DictAction makes a word of a dict, or an endless loop, and asserts that brackets match
    if "dict(" not in text and all(text.count(a) == text.count(b) for a, b in ("()", "[]")):
        return DictAction._parse_iterable(text)
    raise ValueError(
        f"--cfg-options value {text!r} cannot be read: brackets or quotes do not match; quote "
        "strings inside a list or dict: \"key=[dict(type='A')]\""
    )


class _DictCalls(ast.NodeTransformer):
    """Turns ``dict(a=1)`` into ``{'a': 1}``, which is a literal."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        named = {word.arg: word.value for word in node.keywords if word.arg is not None}
        is_dict = isinstance(node.func, ast.Name) and node.func.id == "dict"
        if node.args or len(named) != len(node.keywords) or not is_dict:
            return node
        return ast.Dict([ast.Constant(name) for name in named], list(named.values()))


def metric_setting(evaluator: Any, key: str, default: Any = None) -> Any:
    """What the first metric of a config's evaluator that has ``key`` says there, else ``default``.

    >>> metric_setting([{"type": "DumpResults"}, {"type": "CocoMetric", "ann_file": "a"}], "type")
    'DumpResults'
    """
    metrics = evaluator if isinstance(evaluator, list | tuple) else [evaluator or {}]
    return next((metric[key] for metric in metrics if metric.get(key) is not None), default)


def keep_local_rank(local_rank: int | None) -> None:
    """Pass ``--local-rank`` on to torch, unless the launcher has set it already."""
    if local_rank is not None:
        os.environ.setdefault("LOCAL_RANK", str(local_rank))


def say(text: str) -> None:
    """One line to the person at the terminal, from the first process only."""
    if os.environ.get("RANK", "0") == "0":
        print(text, file=sys.stderr, flush=True)


def make_work_dir(path: str) -> None:
    """Make the folder of a run.

    Raises:
        OSError: if that is not possible, with the flag and why.
    """
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        why = "a file has that name" if os.path.isfile(path) else error.strerror
        raise OSError(
            f"the work dir {os.path.abspath(path)} cannot be made: {why}; choose another one with "
            "--work-dir"
        ) from error
    if not os.access(path, os.W_OK):
        raise OSError(f"the work dir {os.path.abspath(path)} may not be written to")


def say_bad_images(work_dir: str) -> None:
    """How many images the runs of this work directory could not read, if there are any."""
    from mmdet_lite.datasets.bad_images import bad_images_text

    text = bad_images_text(work_dir)
    if text is not None:
        say(text)


def short_path(path: str) -> str:
    """``path`` seen from the current folder if it lies in it, else whole."""
    relative = os.path.relpath(path)
    return os.path.abspath(path) if relative.startswith("..") else relative


def run_command(name: str, work: Callable[[], int]) -> int:
    """Run ``work`` and return the exit status.

    Errors that a user can mend are printed as text and give 2, losses that are not finite 3,
    Ctrl-C 130, SIGTERM 143. ``MMDET_LITE_DEBUG=1`` adds the traceback.
    """
    try:
        return work()
    except BaseException as error:
        stop = interruption(error)
        if stop is not None:
            terminated = stop.args == ("SIGTERM",)
            say(f"mmdet-lite {name}: stopped by {'SIGTERM' if terminated else 'Ctrl-C'}")
            return 143 if terminated else 130
        if isinstance(error, FloatingPointError):
            return _report(name, error, LOSS_ERROR)
        if isinstance(error, USER_ERRORS):
            return _report(name, error, USAGE_ERROR)
        raise


def interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """The Ctrl-C or SIGTERM behind ``error``, if there is one.

    It can hit anywhere: torch.save, for one, answers with an error of its own about its file.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error


def _report(name: str, error: BaseException, status: int) -> int:
    if os.environ.get("MMDET_LITE_DEBUG") == "1":
        traceback.print_exc()
    text = message_of(error)
    if _said_by_another(text):
        return status
    rank = os.environ.get("RANK", "0")
    who = f"mmdet-lite {name}" if rank == "0" else f"mmdet-lite {name} (process {rank})"
    print(f"\n{who}: {text or type(error).__name__}", file=sys.stderr, flush=True)
    return status


def message_of(error: BaseException) -> str:
    """What an error says, without the traceback that torch puts into those of loader workers."""
    if isinstance(error, KeyError) and error.args:
        return str(error.args[0])
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    text = str(error)
    if from_worker(error):
        # the traceback ends with "package.module.Error: text", built-in errors without a module
        text = re.split(rf"\n(?:\w+\.)*{type(error).__name__}: ", text)[-1].rstrip()
    return text


def from_worker(error: BaseException) -> bool:
    """Whether ``error`` was raised in a process that loads data."""
    return str(error).startswith("Caught ") and "DataLoader worker process" in str(error)


def _said_by_another(text: str) -> bool:
    """Whether another process of this torchrun already says ``text``; else it is now ours to say.

    Processes that fail alike (a wrong config) would each say the same. The first makes a file in
    the folder that torchrun keeps for the run and removes at its end.
    """
    error_file = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if error_file is None:
        return False
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    try:
        with open(os.path.join(os.path.dirname(os.path.dirname(error_file)), digest), "x"):
            return False
    except FileExistsError:
        return True
    except OSError:  # another torchrun keeps its files elsewhere: rather twice than not at all
        return False
