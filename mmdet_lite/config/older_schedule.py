"""``lr_config`` of MMDetection 2.x -> ``param_scheduler``."""

from typing import Any

from mmengine.config import Config, ConfigDict

from mmdet_lite.config.errors import ConfigError

_STEP_KEYS = {"step": "milestones", "gamma": "gamma"}
_WARMUP_KEYS = {"warmup_iters": "end", "warmup_ratio": "start_factor"}
_KNOWN = {"policy", "by_epoch", "warmup", *_STEP_KEYS, *_WARMUP_KEYS}


def translate_lr_config(cfg: Config, value: Any) -> list[str]:
    """Rewrite a step schedule in place: linear or constant warm-up, then steps by epoch.

    With ``policy`` it is a whole schedule and replaces ``param_scheduler``; without, it changes
    the warm-up and the steps that the config has (``lr_config.step=[16,22]``).

    Returns:
        The notes for the log.

    Raises:
        ConfigError: for any other policy or key, with the spelling to write.
    """
    if not isinstance(value, dict):
        raise _refuse("lr_config", f"expected a dict, got {value!r}")
    value = {key: v for key, v in value.items() if key != "_delete_"}
    for key in value:
        if key not in _KNOWN:
            raise _refuse(f"lr_config.{key}", "it has no exact counterpart")
    if "policy" not in value:
        return _change(cfg, value)
    if value["policy"] != "step" or not value.get("by_epoch", True):
        raise _refuse("lr_config.policy", f"only 'step' by epoch is exact, got {value['policy']!r}")
    schedulers = [*_warmup(value), _steps(cfg, value)]
    cfg.param_scheduler = schedulers
    return [f"lr_config -> param_scheduler={[dict(s) for s in schedulers]}"]


def _warmup(value: dict[str, Any]) -> list[ConfigDict]:
    kind = value.get("warmup")
    if kind is None:
        return []
    types = {"linear": ("LinearLR", "start_factor"), "constant": ("ConstantLR", "factor")}
    if kind not in types:
        raise _refuse("lr_config.warmup", f"only 'linear' and 'constant' are exact, got {kind!r}")
    name, factor = types[kind]
    start = {factor: value.get("warmup_ratio", 0.1)}
    return [
        ConfigDict(type=name, **start, by_epoch=False, begin=0, end=value.get("warmup_iters", 0))
    ]


def _steps(cfg: Config, value: dict[str, Any]) -> ConfigDict:
    if "step" not in value:
        raise _refuse("lr_config.step", "a step schedule needs it")
    gamma = value.get("gamma", 0.1)
    if isinstance(value["step"], int):
        return ConfigDict(
            type="StepLR", by_epoch=True, begin=0, step_size=value["step"], gamma=gamma
        )
    end = (cfg.get("train_cfg") or {}).get("max_epochs")
    reach = {} if end is None else {"end": end}
    return ConfigDict(
        type="MultiStepLR",
        by_epoch=True,
        begin=0,
        **reach,
        milestones=list(value["step"]),
        gamma=gamma,
    )


def _change(cfg: Config, value: dict[str, Any]) -> list[str]:
    """Set single numbers of the schedule that the config has."""
    notes = []
    for keys, kind in ((_STEP_KEYS, "MultiStepLR"), (_WARMUP_KEYS, "LinearLR")):
        found = [s for s in cfg.get("param_scheduler") or [] if s.get("type") == kind]
        for old, new in keys.items():
            if old not in value:
                continue
            if len(found) != 1:
                raise _refuse(
                    f"lr_config.{old}",
                    f"param_scheduler has {len(found)} {kind}, so it is not clear which is meant",
                )
            found[0][new] = value[old]
            notes.append(f"lr_config.{old} -> param_scheduler's {kind}.{new}={value[old]!r}")
    left = set(value) - {*_STEP_KEYS, *_WARMUP_KEYS}
    if left:
        raise _refuse(f"lr_config.{min(left)}", "without policy it says nothing")
    return notes


def _refuse(key: str, why: str) -> ConfigError:
    return ConfigError(
        key,
        f"a key of MMDetection 2.x; {why}; write param_scheduler=[dict(type='LinearLR', "
        "start_factor=0.001, by_epoch=False, begin=0, end=500), dict(type='MultiStepLR', begin=0, "
        "end=12, by_epoch=True, milestones=[8, 11], gamma=0.1)]",
    )
