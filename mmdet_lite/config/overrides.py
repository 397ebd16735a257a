"""Overrides of a config: ``--cfg-options KEY=VALUE``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmdet_lite.config.errors import ConfigError
from mmdet_lite.config.older import OLDER_KEYS
from mmdet_lite.config.top_level import (
    PIPELINE_VARIABLES,
    SECTIONS,
    meant_section,
    pipeline_holders,
)
from mmdet_lite.config.variables import keys_made_from

_SHOWN = 12
_ABSENT = object()


def apply_overrides(cfg: Config, overrides: Mapping[str, Any], files: list[Path]) -> list[str]:
    """Change ``cfg`` in place; a changed ``train_pipeline`` also changes its dataloaders.

    Args:
        cfg: config as the files make it.
        overrides: dotted keys to values; a number is an index into a list.
        files: the config's files, to say what a variable went into.

    Returns:
        What was changed besides, for the log.

    Raises:
        ConfigError: a key that does not fit the config, or that nothing reads.
    """
    _refuse_idle(cfg, overrides, files)
    before = {name: cfg.get(name) for name in PIPELINE_VARIABLES}
    try:
        cfg.merge_from_dict(dict(overrides), allow_list_keys=True)
    except (KeyError, TypeError) as error:
        for key in overrides:
            _check_fits(cfg, key)
        raise ValueError(f"the overrides do not fit the config: {error.args[0]}") from error
    return _follow_pipelines(cfg, before, overrides)


def _refuse_idle(cfg: Config, overrides: Mapping[str, Any], files: list[Path]) -> None:
    """Refuse to change a variable of the file: it was used up when the file was read."""
    for key in overrides:
        root, _, rest = key.partition(".")
        if root in SECTIONS or root in PIPELINE_VARIABLES or root in OLDER_KEYS:
            continue
        meant = meant_section(root)
        if meant is not None:
            raise ConfigError(key, f"nothing reads '{root}'; did you mean '{meant}'?")
        made = [made for made in keys_made_from(files, root) if _holds(cfg, made, root)]
        if not made:
            raise ConfigError(key, "nothing reads this")
        ends = [f"{one}.{rest}" if rest and cfg.get(root) == _at(cfg, one) else one for one in made]
        shown = "".join(f"\n  {end}" for end in ends[:_SHOWN])
        more = f"\n  and {len(ends) - _SHOWN} more" if len(ends) > _SHOWN else ""
        raise ConfigError(
            key,
            f"'{root}' is a variable of the config file, used up when the file was read; give "
            f"the keys that were made from it:{shown}{more}",
        )


def _holds(cfg: Config, key: str, variable: str) -> bool:
    """Whether ``key`` is one that is read, or that is passed on when overridden."""
    root = key.split(".")[0]
    read = root in SECTIONS or root in PIPELINE_VARIABLES
    return read and root != variable and _at(cfg, key) is not _ABSENT


def _at(cfg: Any, key: str) -> Any:
    """What stands at a dotted key, or ``_ABSENT``."""
    node = cfg
    for part in key.split("."):
        if isinstance(node, (list, tuple)):
            node = node[int(part)] if part.isdigit() and int(part) < len(node) else _ABSENT
        else:
            node = node.get(part, _ABSENT) if isinstance(node, (Mapping, Config)) else _ABSENT
    return node


def _check_fits(cfg: Config, key: str) -> None:
    """Say where the way down a dotted key ends."""
    node: Any = cfg
    walked: list[str] = []
    for part in key.split("."):
        here = ".".join(walked)
        if isinstance(node, (list, tuple)):
            if not part.isdigit() or int(part) >= len(node):
                raise ConfigError(
                    key, f"{here} has {len(node)} entries, numbered 0 to {len(node) - 1}"
                )
            node = node[int(part)]
        elif isinstance(node, (Mapping, Config)):
            if part not in node:
                return
            node = node[part]
        elif node is not None:
            raise ConfigError(key, f"{here} is {node!r}, which has no keys inside")
        walked.append(part)


def _follow_pipelines(
    cfg: Config, before: Mapping[str, Any], overrides: Mapping[str, Any]
) -> list[str]:
    """Give an overridden ``train_pipeline`` to the dataloaders that were made from the old one.

    A pipeline that the overrides also set directly keeps that value.
    """
    notes = []
    for name in PIPELINE_VARIABLES:
        if not any(key.split(".")[0] == name for key in overrides):
            continue
        for where, holder in pipeline_holders(cfg, name):
            own = f"{where}.pipeline"
            if any(key == own or key.startswith(f"{own}.") for key in overrides):
                continue
            if holder["pipeline"] == before[name]:
                holder["pipeline"] = cfg[name]
                notes.append(f"{name} override -> {own}")
    return notes
