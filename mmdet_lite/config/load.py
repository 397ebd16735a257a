"""Reading a config: file, overrides, older spellings, checks."""

import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmdet_lite.config.components import check_components
from mmdet_lite.config.older import translate_older_keys
from mmdet_lite.config.scope import translate_scope
from mmdet_lite.config.sources import config_files, find_config, find_word
from mmdet_lite.config.top_level import (
    PIPELINE_VARIABLES,
    check_top_level,
    follow_pipeline_overrides,
    idle_overrides,
    stale_pipelines,
)


def load_config(
    path: str | Path, overrides: Mapping[str, Any] | None = None, check: bool = True
) -> Config:
    """Read a config file of this program or of MMDetection.

    Args:
        path: a ``.py`` file in MMDetection's form (json and yaml work too).
        overrides: dotted keys to values as ``--cfg-options`` gives them; a number is an index into
            a list (``model.roi_head.bbox_head.0.num_classes``). Overriding ``train_pipeline`` also
            changes the dataloaders that were made from it.
        check: whether every named component is looked up and its arguments compared with what it
            takes. This imports the components (seconds).

    Returns:
        The config with MMDetection's scope and older keys translated. What was translated is
        printed to standard error with its new spelling; warnings are UserWarnings.

    Raises:
        FileNotFoundError: the file or one of its ``_base_`` files is missing.
        SyntaxError: a file is not Python.
        ValueError: a key, type or argument that nothing reads, or an older key without an exact
            translation; with the dotted key, the file and the nearest right name.
    """
    file, renamed = find_config(Path(path))
    files = config_files(file)
    cfg = Config.fromfile(str(file))
    notes = [renamed] if renamed else []
    warned = stale_pipelines(cfg)
    if overrides:
        notes += _override(cfg, overrides)
        warned += idle_overrides(cfg, overrides)
    try:
        notes += translate_scope(cfg)
        notes += translate_older_keys(cfg)
        check_top_level(cfg, overrides or {})
        if check:
            check_components(cfg)
    except ValueError as error:
        raise ValueError(f"{error} {_place(error, files, overrides or {})}") from error
    _say(notes, warned)
    return cfg


def _override(cfg: Config, overrides: Mapping[str, Any]) -> list[str]:
    before = {name: cfg.get(name) for name in PIPELINE_VARIABLES}
    try:
        cfg.merge_from_dict(dict(overrides), allow_list_keys=True)
    except (KeyError, TypeError) as error:
        said = error.args[0] if error.args else error
        raise ValueError(f"override {dict(overrides)} does not fit the config: {said}") from error
    return follow_pipeline_overrides(cfg, before, overrides)


def _place(error: ValueError, files: list[Path], overrides: Mapping[str, Any]) -> str:
    """Which file, or override, set the key that an error message starts with."""
    dotted = str(error).split(":", 1)[0]
    if any(dotted == key or dotted.startswith(f"{key}.") for key in overrides):
        return "(set by an override, --cfg-options)"
    parts = dotted.split(".")
    words = [parts[-1], parts[0]] if parts[-1] != "type" else [parts[0]]
    if parts[-1] == "type" and "'" in str(error):
        words.insert(0, str(error).split("'")[1])
    found = (find_word(files, word) for word in words)
    return f"(in {next((place for place in found if place), files[0])})"


def _say(notes: list[str], warned: list[str]) -> None:
    """To standard error: no log file exists before the Runner, and output may be piped."""
    if os.environ.get("RANK", "0") not in ("", "0"):  # one process of a group speaks
        return
    for line in notes:
        print(f"config translated: {line}", file=sys.stderr)
    for warning in warned:
        warnings.warn(warning, UserWarning, stacklevel=3)
