"""A Detectron YAML as the text of a config file here."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmdet_lite.config.detectron.data import data_changes
from mmdet_lite.config.detectron.keys import Settings
from mmdet_lite.config.detectron.model import at_home, base_name, is_detector, model_rows
from mmdet_lite.config.detectron.schedule import images_a_step, schedule_rows
from mmdet_lite.config.detectron.text import assignment, difference, nested

SCHEDULE, RUNTIME = "schedules/schedule_90k.py", "default_runtime.py"


def translate(
    settings: Settings, configs: Path, out_folder: Path | None = None
) -> tuple[str, tuple[str, ...]]:
    """The config file, and what of the YAML it does not say.

    Args:
        settings: the YAML, see ``read_settings``.
        configs: the folder ``configs`` with the base files.
        out_folder: where the config will stand; its ``_base_`` paths are relative to that folder,
            without one they are absolute.

    Raises:
        ValueError: if no model here is of the YAML's kind; names the key.
    """
    model, data = base_name(settings)
    parts = (f"models/{model}.py", f"datasets/{data}.py", SCHEDULE, RUNTIME)
    bases = [(configs / "_base_" / part).resolve() for part in parts]
    base = _merged(bases)
    changed_data, problems = data_changes(settings, base)
    rest = nested(schedule_rows(settings))
    weights = settings["TRAIN.WEIGHTS"]
    if is_detector(weights):
        rest["load_from"] = at_home(weights)
    changes = {
        **difference(base, {"model": nested(model_rows(settings))}),
        **changed_data,
        **difference(base, rest),
    }
    problems = (*settings.problems, *problems)
    names = [_relative(path, out_folder) for path in bases]
    lines = [
        *_comment(settings, problems),
        assignment("_base_", names),
        "",
        *(assignment(name, value) for name, value in changes.items()),
    ]
    return "\n".join(lines) + "\n", problems


def _merged(bases: list[Path]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for path in bases:
        merged |= Config.fromfile(str(path)).to_dict()
    return merged


def _relative(path: Path, out_folder: Path | None) -> str:
    if out_folder is None:
        return str(path)
    text = os.path.relpath(path, out_folder.resolve())
    return text if text.startswith("..") else f"./{text}"


def _comment(settings: Settings, problems: tuple[str, ...]) -> Iterator[str]:
    gpus, images = settings["NUM_GPUS"], settings["TRAIN.IMS_PER_BATCH"]
    rate, total = settings["SOLVER.BASE_LR"], images_a_step(settings)
    gpu = "GPU" if gpus == 1 else "GPUs"
    yield f"# Detectron's {Path(settings.source).name}, translated by detectron_config."
    yield f"# Linear scaling: rate {rate:g} is for {total} images a step, {gpus} {gpu} of {images}."
    yield f"# With n images a step take rate * n / {total} (--auto-scale-lr does that) and multiply"
    yield f"# the iterations (max_iters, end, milestones, intervals) by {total} / n."
    if problems:
        yield "# Not translated:"
        yield from (f"#   {problem}" for problem in problems)
