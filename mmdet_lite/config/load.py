"""Reading a config: file, overrides, older spellings, checks."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmdet_lite.config.channels import check_channels
from mmdet_lite.config.components import check_components
from mmdet_lite.config.errors import ConfigError
from mmdet_lite.config.leftovers import drop_leftovers
from mmdet_lite.config.older import translate_older_keys
from mmdet_lite.config.overrides import apply_overrides
from mmdet_lite.config.scope import translate_scope
from mmdet_lite.config.sources import config_files, find_config, find_word
from mmdet_lite.config.top_level import check_top_level, stale_pipelines
from mmdet_lite.config.values import check_values


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
        The config with MMDetection's scope and older keys translated. Older keys are printed to
        standard error with their new spelling, and so are warnings.

    Raises:
        FileNotFoundError: the file or one of its ``_base_`` files is missing.
        SyntaxError: a file is not Python.
        ValueError: a key, type, argument or number that nothing reads or can use, an override
            without effect, or an older key without an exact translation; with the dotted key, the
            file and the nearest right name.
    """
    file, renamed = find_config(Path(path))
    files = config_files(file)
    cfg = Config.fromfile(str(file))
    overrides = dict(overrides or {})
    notes = [renamed] if renamed else []
    warned = stale_pipelines(cfg)
    try:
        notes += apply_overrides(cfg, overrides, files)
        warned += stale_pipelines(cfg, {key.split(".")[0] for key in overrides})
        translate_scope(cfg)  # these three also in origins.py, which says who set what
        notes += translate_older_keys(cfg)
        notes += drop_leftovers(cfg)
        check_top_level(cfg)
        check_values(cfg._cfg_dict)
        if check:
            check_components(cfg)
            check_channels(cfg)
    except ConfigError as error:
        place = _place(error, files, overrides)
        separator = "\n" if "\n" in str(error) else " "
        raise ValueError(f"{error}{separator}{place}") from error
    _say(notes, warned)
    return cfg


def _place(error: ConfigError, files: list[Path], overrides: Mapping[str, Any]) -> str:
    """Which file, or override, set the key that is wrong."""
    if any(error.key == key or error.key.startswith(f"{key}.") for key in overrides):
        return "(set by an override, --cfg-options)"
    found = (find_word(files, word) for word in (error.word, error.key.split(".")[0]))
    return f"(in {next((place for place in found if place), files[0])})"


def _say(notes: list[str], warned: list[str]) -> None:
    """To standard error: no log file exists before the Runner, and output may be piped."""
    if os.environ.get("RANK", "0") not in ("", "0"):  # one process of a group speaks
        return
    for line in notes:
        print(f"config translated: {line}", file=sys.stderr)
    for warning in dict.fromkeys(warned):
        print(f"WARNING: {warning}", file=sys.stderr)
