"""Numbers of a config: is each a number, and one that the program can use?"""

from collections.abc import Callable, Mapping
from typing import Any

from mmdet_lite.config.errors import ConfigError
from mmdet_lite.ops.checks import is_number


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


_ONE_OR_MORE = ("a whole number of at least 1", lambda value: _is_count(value, 1))
_ZERO_OR_MORE = ("a whole number of at least 0", lambda value: _is_count(value, 0))
_OR_NEVER = (
    "a whole number of at least 1, or -1 for never",
    lambda value: _is_count(value, 1) or value == -1,
)
_KEEP = ("a whole number of at least 1, or -1 for all", _OR_NEVER[1])
_NUMBER = ("a number of at least 0", lambda value: is_number(value) and value >= 0)
_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "train_cfg.max_epochs": _ONE_OR_MORE,
    "train_cfg.max_iters": _ONE_OR_MORE,
    "train_cfg.val_interval": _ONE_OR_MORE,
    "train_cfg.val_begin": _ZERO_OR_MORE,
    **{
        f"{part}_dataloader.{key}": rule
        for part in ("train", "val", "test")
        for key, rule in (("batch_size", _ONE_OR_MORE), ("num_workers", _ZERO_OR_MORE))
    },
    "optim_wrapper.optimizer.lr": _NUMBER,
    "optim_wrapper.optimizer.weight_decay": _NUMBER,
    "optim_wrapper.optimizer.momentum": _NUMBER,
    "optim_wrapper.accumulative_counts": _ONE_OR_MORE,
    "optim_wrapper.clip_grad.max_norm": _NUMBER,
    "auto_scale_lr.base_batch_size": _ONE_OR_MORE,
    "default_hooks.checkpoint.interval": _OR_NEVER,
    "default_hooks.checkpoint.max_keep_ckpts": _KEEP,
    "default_hooks.logger.interval": _ONE_OR_MORE,
    "randomness.seed": _ZERO_OR_MORE,
}


def check_values(cfg: Mapping[str, Any]) -> None:
    """Refuse numbers with which a run would fail late or do nothing.

    Keys that are absent or None are left to whoever reads them.

    Raises:
        ConfigError: for the first wrong value, with what is expected and what was written.
    """
    for key, (expected, fits) in _RULES.items():
        value = _value(cfg, key.split("."))
        if value is not None and not fits(value):
            raise ConfigError(key, f"expected {expected}, got {value!r}")


def _value(node: Any, parts: list[str]) -> Any:
    for part in parts:
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return node
