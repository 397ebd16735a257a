"""Reading the scalars that a training writes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

CLOCK_KEYS = {"step", "iter", "epoch", "time", "data_time", "memory"}
Curve = tuple[list[float], list[float]]


@dataclass
class Run:
    """One training with the runs that resumed it.

    ``train`` and ``val`` hold a curve (x, y) a key; x counts iterations in ``train``, and what
    ``val_unit`` says (epochs or iterations) in ``val``.
    """

    name: str
    folder: Path
    train: dict[str, Curve] = field(default_factory=dict)
    val: dict[str, Curve] = field(default_factory=dict)
    val_unit: str = "epoch"


@dataclass(frozen=True)
class _Record:
    iteration: int
    values: dict[str, Any]
    is_train: bool


def read_run(path: Path) -> Run:
    """Read a work_dir (all its runs, the later ones going on where they resumed) or one json.

    Raises:
        FileNotFoundError: if there is no such folder or file, or no log in it.
        ValueError: if a file is no log of a training.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; expected a work_dir or its scalars.json")
    files = [path] if path.is_file() else sorted(path.glob("*/vis_data/scalars.json"))
    records: list[_Record] = []
    for file in files:
        later = _read_records(file)
        train = [record.iteration for record in later if record.is_train]
        if not train and path.is_dir():
            continue  # a run that only tested
        begin = min(train, default=0)
        # what the resumed run did again replaces what came after its checkpoint
        records = [record for record in records if record.iteration < begin] + later
    if not records:
        raise FileNotFoundError(
            f"{path} has no training log; expected {path}/TIMESTAMP/vis_data/scalars.json, which "
            "the visualizer's LocalVisBackend writes"
        )
    folder = path if path.is_dir() else path.parent
    return _run_of(records, path.resolve().name if path.is_dir() else _name_of_file(path), folder)


def _name_of_file(path: Path) -> str:
    """Name of the work_dir of WORK_DIR/TIMESTAMP/vis_data/scalars.json, else of the file."""
    parents = path.resolve().parents
    return parents[2].name if parents[0].name == "vis_data" and len(parents) > 2 else path.stem


def _read_records(file: Path) -> list[_Record]:
    records = []
    iteration = 0
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{file}, line {number} is no json: {error}") from error
        if not isinstance(values, dict) or "step" not in values:
            raise ValueError(f"{file}, line {number}: expected a record with 'step', got {line!r}")
        is_train = "iter" in values or "lr" in values
        iteration = int(values["step"]) if is_train else iteration
        records.append(_Record(iteration, values, is_train))
    return records


def _run_of(records: Sequence[_Record], name: str, folder: Path) -> Run:
    run = Run(name, folder)
    if not any("epoch" in record.values for record in records if record.is_train):
        run.val_unit = "iteration"
    for record in records:
        curves = run.train if record.is_train else run.val
        for key, value in record.values.items():
            if key in CLOCK_KEYS or not isinstance(value, int | float):
                continue
            xs, ys = curves.setdefault(key, ([], []))
            xs.append(record.values["step"])
            ys.append(value)
    return run


def chosen_keys(runs: Sequence[Run], wanted: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the keys of training and validation to draw.

    Without a wish: all losses, and AP with AP50 (all numbers of the validation if it has no AP).

    Raises:
        ValueError: for a key that no run has, with the nearest ones.
    """
    train = list(dict.fromkeys(key for run in runs for key in run.train))
    val = list(dict.fromkeys(key for run in runs for key in run.val))
    if wanted:
        for key in wanted:
            if key not in train + val:
                near = get_close_matches(key, train + val, n=3) or train + val
                raise ValueError(f"no key {key!r} in the log; the nearest are {', '.join(near)}")
        return [k for k in wanted if k in train], [k for k in wanted if k in val]
    precisions = [key for key in val if key.endswith(("mAP", "mAP_50", "AP50"))]
    return [key for key in train if "loss" in key], precisions or val
