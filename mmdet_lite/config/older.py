"""Config keys of MMDetection 2.x -> their 3.x spelling, exactly or not at all."""

from collections.abc import Callable
from typing import Any

from mmengine.config import Config, ConfigDict

from mmdet_lite.config.errors import ConfigError
from mmdet_lite.config.older_schedule import translate_lr_config


def translate_older_keys(cfg: Config) -> list[str]:
    """Rewrite the 2.x keys of a config in place.

    Keys may come from a file or from overrides (``optimizer.lr=0.01``): a partial dict changes
    what the config already has under the new name.

    Returns:
        One ``old -> new`` note for each key translated.

    Raises:
        ConfigError: for a key that has no exact translation, with the new spelling to write.
    """
    notes = []
    for key, translate in OLDER_KEYS.items():
        if key in cfg:
            notes += translate(cfg, cfg.pop(key))
    return notes


def _section(cfg: Any, dotted: str) -> ConfigDict:
    """The dict at a dotted key, made where it is absent."""
    node = cfg
    for part in dotted.split("."):
        if node.get(part) is None:
            node[part] = ConfigDict()
        node = node[part]
    return node


def _refuse(key: str, why: str) -> ConfigError:
    return ConfigError(key, f"a key of MMDetection 2.x; {why}")


def _only(value: dict[str, Any], known: tuple[str, ...], key: str, why: str) -> None:
    for name in value:
        if name not in known:
            raise _refuse(f"{key}.{name}", why)


def _dict(value: Any, key: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refuse(key, f"expected a dict, got {value!r}")
    return value


def _evaluation(cfg: Config, value: Any) -> list[str]:
    value = _dict(value, "evaluation")
    _only(
        value,
        ("interval", "start", "metric", "classwise", "save_best", "rule"),
        "evaluation",
        "write it in val_evaluator=dict(...), train_cfg.val_interval or "
        "default_hooks.checkpoint.save_best",
    )
    notes = []
    for old, new in {"interval": "val_interval", "start": "val_begin"}.items():
        if old in value:
            _section(cfg, "train_cfg")[new] = value[old]
            notes.append(f"evaluation.{old} -> train_cfg.{new}={value[old]}")
    for key in ("metric", "classwise"):
        if key in value:
            if not isinstance(cfg.get("val_evaluator"), dict):
                raise _refuse(
                    f"evaluation.{key}",
                    "write val_evaluator=dict(type='CocoMetric', "
                    f"{key}={value[key]!r}, ann_file=...)",
                )
            cfg.val_evaluator[key] = value[key]
            notes.append(f"evaluation.{key} -> val_evaluator.{key}={value[key]!r}")
    for key in ("save_best", "rule"):
        if key in value:
            new = value[key]
            if key == "save_best" and isinstance(new, str) and new.startswith(("bbox_", "segm_")):
                new = f"coco/{new}"
            _section(cfg, "default_hooks.checkpoint")[key] = new
            _section(cfg, "default_hooks.checkpoint").setdefault("type", "CheckpointHook")
            notes.append(f"evaluation.{key} -> default_hooks.checkpoint.{key}={new!r}")
    return notes


def _dist_params(cfg: Config, value: Any) -> list[str]:
    _section(cfg, "env_cfg.dist_cfg").update(_dict(value, "dist_params"))
    return [f"dist_params.{key} -> env_cfg.dist_cfg.{key}={v!r}" for key, v in value.items()]


def _optimizer(cfg: Config, value: Any) -> list[str]:
    value = dict(_dict(value, "optimizer"))
    wrapper = _section(cfg, "optim_wrapper")
    wrapper.setdefault("type", "OptimWrapper")
    notes = []
    if "paramwise_cfg" in value:
        wrapper["paramwise_cfg"] = value.pop("paramwise_cfg")
        notes.append("optimizer.paramwise_cfg -> optim_wrapper.paramwise_cfg")
    current = wrapper.get("optimizer") or ConfigDict()
    other_type = value.get("type", current.get("type")) != current.get("type")
    replaces = value.pop("_delete_", False) or other_type
    wrapper["optimizer"] = ConfigDict(value if replaces else {**current, **value})
    return notes + [
        f"optimizer.{key} -> optim_wrapper.optimizer.{key}={value[key]!r}" for key in value
    ]


def _optimizer_config(cfg: Config, value: Any) -> list[str]:
    value = {k: v for k, v in _dict(value, "optimizer_config").items() if k != "_delete_"}
    why = "write it in optim_wrapper=dict(...), or a hook in custom_hooks"
    _only(value, ("grad_clip", "type", "cumulative_iters", "loss_scale"), "optimizer_config", why)
    wrapper = _section(cfg, "optim_wrapper")
    wrapper.setdefault("type", "OptimWrapper")
    kind = value.get("type", "OptimizerHook")
    if kind == "Fp16OptimizerHook":
        wrapper["type"] = "AmpOptimWrapper"
    elif kind not in ("OptimizerHook", "GradientCumulativeOptimizerHook"):
        raise _refuse("optimizer_config.type", f"hook '{kind}' has no counterpart; {why}")
    new_names = {
        "grad_clip": "clip_grad",
        "cumulative_iters": "accumulative_counts",
        "loss_scale": "loss_scale",
    }
    notes = [] if kind == "OptimizerHook" else [f"optimizer_config.type={kind!r} -> optim_wrapper"]
    for old, new in new_names.items():
        if old in value:
            wrapper[new] = value[old]
            notes.append(f"optimizer_config.{old} -> optim_wrapper.{new}={value[old]!r}")
    return notes or ["optimizer_config without settings -> (nothing to set)"]


def _fp16(cfg: Config, value: Any) -> list[str]:
    if value is None:
        return ["fp16=None -> (nothing to set)"]
    wrapper = _section(cfg, "optim_wrapper")
    wrapper["type"] = "AmpOptimWrapper"
    scale = _dict(value, "fp16").get("loss_scale", "dynamic")
    _only(
        value,
        ("loss_scale",),
        "fp16",
        "write optim_wrapper=dict(type='AmpOptimWrapper', loss_scale=...)",
    )
    wrapper["loss_scale"] = scale
    return [f"fp16 -> optim_wrapper.type='AmpOptimWrapper', optim_wrapper.loss_scale={scale!r}"]


def _runner(cfg: Config, value: Any) -> list[str]:
    value = _dict(value, "runner")
    _only(value, ("type", "max_epochs", "max_iters"), "runner", "write it in train_cfg=dict(...)")
    loops = {"EpochBasedRunner": "EpochBasedTrainLoop", "IterBasedRunner": "IterBasedTrainLoop"}
    train_cfg = _section(cfg, "train_cfg")
    notes = []
    if "type" in value:
        if value["type"] not in loops:
            raise _refuse(
                "runner.type",
                f"'{value['type']}' has no counterpart; write train_cfg="
                "dict(type='EpochBasedTrainLoop', max_epochs=...)",
            )
        train_cfg["type"] = loops[value["type"]]
        for other in {"max_epochs", "max_iters"} - set(value):
            train_cfg.pop(other, None)
        notes.append(f"runner.type -> train_cfg.type='{train_cfg['type']}'")
    for key in ("max_epochs", "max_iters"):
        if key in value:
            train_cfg[key] = value[key]
            notes.append(f"runner.{key} -> train_cfg.{key}={value[key]}")
    return notes


def _total_epochs(cfg: Config, value: Any) -> list[str]:
    train_cfg = _section(cfg, "train_cfg")
    train_cfg.setdefault("type", "EpochBasedTrainLoop")
    train_cfg["max_epochs"] = value
    return [f"total_epochs -> train_cfg.max_epochs={value}"]


def _resume_from(cfg: Config, value: Any) -> list[str]:
    if not value:
        return ["resume_from=None -> resume=False"]
    cfg.resume, cfg.load_from = True, value
    return [f"resume_from -> resume=True, load_from={value!r}"]


def _checkpoint_config(cfg: Config, value: Any) -> list[str]:
    if value is None:
        _section(cfg, "default_hooks")["checkpoint"] = None
        return ["checkpoint_config=None -> default_hooks.checkpoint=None"]
    hook = _section(cfg, "default_hooks.checkpoint")
    hook.setdefault("type", "CheckpointHook")
    hook.update(_dict(value, "checkpoint_config"))
    return [
        f"checkpoint_config.{k} -> default_hooks.checkpoint.{k}={v!r}" for k, v in value.items()
    ]


def _log_config(cfg: Config, value: Any) -> list[str]:
    value = _dict(value, "log_config")
    _only(value, ("interval", "hooks"), "log_config", "write it in default_hooks.logger=dict(...)")
    notes = []
    if "interval" in value:
        hook = _section(cfg, "default_hooks.logger")
        hook.setdefault("type", "LoggerHook")
        hook["interval"] = value["interval"]
        notes.append(f"log_config.interval -> default_hooks.logger.interval={value['interval']}")
    for hook in value.get("hooks", []):
        if hook.get("type") != "TextLoggerHook" or set(hook) - {"type", "by_epoch"}:
            raise _refuse(
                f"log_config.hooks.{hook.get('type')}",
                "write visualizer=dict(type="
                "'DetLocalVisualizer', vis_backends=[dict(type='LocalVisBackend'), "
                "dict(type='TensorboardVisBackend')]) or the back end it needs",
            )
        notes.append("log_config.hooks TextLoggerHook -> default_hooks.logger (always on)")
    return notes


def _workflow(cfg: Config, value: Any) -> list[str]:
    if [tuple(step) for step in value] != [("train", 1)]:
        raise _refuse(
            "workflow",
            f"{value} has no counterpart; validation follows training by "
            "train_cfg.val_interval, and nothing else may be written here",
        )
    return ["workflow=[('train', 1)] -> (always so)"]


def _data(cfg: Config, value: Any) -> list[str]:
    value = _dict(value, "data")
    why = (
        "write train_dataloader=dict(batch_size=..., num_workers=..., sampler=dict(type="
        "'DefaultSampler', shuffle=True), dataset=dict(type='CocoDataset', data_root=..., "
        "ann_file=..., data_prefix=dict(img=...), metainfo=dict(classes=...), pipeline=...)) "
        "and likewise val_dataloader, test_dataloader"
    )
    _only(value, ("samples_per_gpu", "workers_per_gpu"), "data", why)
    if not cfg.get("train_dataloader"):
        raise _refuse("data", why)
    notes = []
    if "samples_per_gpu" in value:
        cfg.train_dataloader.batch_size = value["samples_per_gpu"]
        notes.append(
            f"data.samples_per_gpu -> train_dataloader.batch_size={value['samples_per_gpu']}"
        )
    if "workers_per_gpu" in value:
        for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
            if cfg.get(name):
                cfg[name].num_workers = value["workers_per_gpu"]
                if value["workers_per_gpu"] == 0:
                    cfg[name].persistent_workers = False  # torch refuses it without workers
                notes.append(
                    f"data.workers_per_gpu -> {name}.num_workers={value['workers_per_gpu']}"
                )
    return notes


def _moved(old: str, section: str, new: str) -> Callable[[Config, Any], list[str]]:
    """A key that only changed its place."""

    def translate(cfg: Config, value: Any) -> list[str]:
        _section(cfg, section)[new] = value
        return [f"{old} -> {section}.{new}={value!r}"]

    return translate


# in this order: the optimizer and the run's length before the schedule that goes with them
OLDER_KEYS: dict[str, Callable[[Config, Any], list[str]]] = {
    "runner": _runner,
    "total_epochs": _total_epochs,
    "optimizer": _optimizer,
    "optimizer_config": _optimizer_config,
    "fp16": _fp16,
    "lr_config": translate_lr_config,
    "evaluation": _evaluation,
    "dist_params": _dist_params,
    "resume_from": _resume_from,
    "checkpoint_config": _checkpoint_config,
    "log_config": _log_config,
    "workflow": _workflow,
    "data": _data,
    "cudnn_benchmark": _moved("cudnn_benchmark", "env_cfg", "cudnn_benchmark"),
    "opencv_num_threads": _moved("opencv_num_threads", "env_cfg.mp_cfg", "opencv_num_threads"),
    "mp_start_method": _moved("mp_start_method", "env_cfg.mp_cfg", "mp_start_method"),
    "seed": _moved("seed", "randomness", "seed"),
    "deterministic": _moved("deterministic", "randomness", "deterministic"),
}
