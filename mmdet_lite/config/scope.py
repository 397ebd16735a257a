"""MMDetection's scope in a config -> ours."""

from typing import Any

from mmengine.config import Config

from mmdet_lite.registry import SCOPE

FOREIGN_SCOPE = "mmdet"


def translate_scope(cfg: Config) -> list[str]:
    """Rewrite ``mmdet`` scopes and ``mmdet.X`` types in place, at any depth.

    A config that names no scope gets ours.

    Returns:
        What was translated, for the log.
    """
    notes = []
    if cfg.get("default_scope") == FOREIGN_SCOPE:
        notes.append(f"default_scope='{FOREIGN_SCOPE}' -> '{SCOPE}'")
        cfg.default_scope = SCOPE
    elif cfg.get("default_scope") is None:
        cfg.default_scope = SCOPE
    renamed: list[str] = []
    _rewrite(cfg._cfg_dict, renamed)
    if renamed:
        notes.append(f"{FOREIGN_SCOPE}.X -> X for {', '.join(sorted(set(renamed)))}")
    return notes


def _rewrite(node: Any, renamed: list[str]) -> None:
    if isinstance(node, dict):
        kind = node.get("type")
        if isinstance(kind, str) and kind.startswith(f"{FOREIGN_SCOPE}."):
            node["type"] = kind.removeprefix(f"{FOREIGN_SCOPE}.")
            renamed.append(node["type"])
        if node.get("_scope_") == FOREIGN_SCOPE:
            node["_scope_"] = SCOPE
        for value in list(node.values()):
            _rewrite(value, renamed)
    elif isinstance(node, (list, tuple)):
        for value in node:
            _rewrite(value, renamed)
