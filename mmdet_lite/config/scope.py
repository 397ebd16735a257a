"""MMDetection's scope in a config -> ours."""

from typing import Any

from mmengine.config import Config

from mmdet_lite.registry import SCOPE

FOREIGN_SCOPE = "mmdet"


def translate_scope(cfg: Config) -> None:
    """Rewrite ``mmdet`` scopes and ``mmdet.X`` types in place, at any depth.

    A config that names no scope gets ours.
    """
    if cfg.get("default_scope") in (None, FOREIGN_SCOPE):
        cfg.default_scope = SCOPE
    _rewrite(cfg._cfg_dict)


def _rewrite(node: Any) -> None:
    if isinstance(node, dict):
        kind = node.get("type")
        if isinstance(kind, str) and kind.startswith(f"{FOREIGN_SCOPE}."):
            node["type"] = kind.removeprefix(f"{FOREIGN_SCOPE}.")
        if node.get("_scope_") == FOREIGN_SCOPE:
            node["_scope_"] = SCOPE
        for value in list(node.values()):
            _rewrite(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            _rewrite(value)
