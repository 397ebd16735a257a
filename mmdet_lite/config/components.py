"""Every component that the Runner will build: is its type known, does it take its arguments?"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import mmcv.cnn  # noqa: F401  (registers the layers that norm_cfg, conv_cfg and act_cfg name)
from mmengine.registry import FUNCTIONS, Registry
from torch.utils.data import DataLoader

from mmdet_lite import registry as r
from mmdet_lite.config.errors import ConfigError
from mmdet_lite.config.signatures import refused_argument
from mmdet_lite.ops.checks import did_you_mean

_PARAMWISE_NAMES = """
    custom_keys bias_lr_mult bias_decay_mult norm_decay_mult flat_decay_mult dwconv_decay_mult
    dcn_offset_lr_mult bypass_duplicate"""
_ALIKE = 0.8  # IoULoss is no misspelt L1Loss (0.77), but FPNN a misspelt FPN (0.86)


@dataclass(frozen=True)
class Kind:
    """How the dicts under one config key are built.

    ``extra`` are keys that the builder takes out before it calls the constructor; ``default`` is
    the type where none is given; ``children`` maps keys inside (regular expressions) to kinds.
    A kind without ``registry`` is a plain dict that only holds others.
    """

    registry: Registry | None = None
    extra: frozenset[str] = frozenset()
    default: str | None = None
    children: Callable[[], Mapping[str, "Kind"]] = field(default=dict)
    check_arguments: bool = True


def check_components(cfg: Mapping[str, Any]) -> None:
    """Look up every component of a config and compare its arguments with what it takes.

    Walks what mmengine's Runner builds: model, dataloaders, evaluators, loops, optimizer, schedule,
    hooks, visualizer. Keys of ``model.train_cfg`` and ``test_cfg`` are checked by the models.

    Raises:
        ConfigError: for the first unknown type or argument; the message starts with its dotted key
            and ends with the nearest right name.
    """
    for section, kind in _SECTIONS.items():
        if cfg.get(section) is not None:
            _check(cfg[section], section, _section_kind(kind, cfg[section]))
    for section in ("train_dataloader", "val_dataloader", "test_dataloader"):
        if isinstance(cfg.get(section), Mapping):
            _check_dataloader(cfg[section], section)
    if isinstance(cfg.get("optim_wrapper"), Mapping):
        _check_optim_wrapper(cfg["optim_wrapper"], "optim_wrapper")
    for name, hook in (cfg.get("default_hooks") or {}).items():
        if hook is not None:
            _check(hook, f"default_hooks.{name}", _HOOK)
    for section, keys in _PLAIN_SECTIONS.items():
        _check_keys(cfg.get(section) or {}, keys.split(), section)


def _check(node: Any, where: str, kind: Kind) -> None:
    if isinstance(node, (list, tuple)):
        for i, item in enumerate(node):
            _check(item, f"{where}.{i}", kind)
    if not isinstance(node, Mapping):
        return
    component = None
    if kind.registry is not None:
        component = _look_up(node.get("type", kind.default), where, kind.registry)
        for name in node:
            if kind.check_arguments and name not in ("type", "_scope_"):
                refused = refused_argument(component, name, kind.extra)
                if refused:
                    raise ConfigError(f"{where}.{name}", refused)
    children = kind.children()
    foreign = getattr(component, "foreign_children", ())  # builds them from another library
    for name, value in node.items():
        for pattern, child in children.items():
            if re.fullmatch(pattern, name) and name not in foreign:
                _check(value, f"{where}.{name}", child)
                break


def _look_up(name: Any, where: str, registry: Registry) -> Callable[..., Any]:
    if name is None:
        raise ConfigError(where, "needs a 'type'")
    if not isinstance(name, str):
        return name  # type: ignore[no-any-return]  # the class itself: mmengine builds it as well
    found = registry.get(name)
    if found is not None:
        return found  # type: ignore[no-any-return]
    names: set[str] = set()
    level: Registry | None = registry
    while level is not None:
        names |= set(level.module_dict)
        level = level.parent
    raise ConfigError(
        f"{where}.type",
        f"'{name}' is no {registry.name} known here; {did_you_mean(name, names, _ALIKE)} "
        "(what of MMDetection is not here yet: docs/from_mmdetection.md; a class of your own: "
        "register it and name its module in custom_imports=dict(imports=['my_module']))",
        word=name,
    )


def _check_keys(node: Mapping[str, Any], known: list[str], where: str) -> None:
    for name in node:
        if name not in known:
            raise ConfigError(f"{where}.{name}", f"no such key; {did_you_mean(name, known)}")


def _section_kind(kind: Kind, node: Any) -> Kind:
    """Variants that mmengine decides by a key of the section."""
    if kind is _METRIC and isinstance(node, Mapping) and "metrics" in node:
        return Kind(
            r.EVALUATOR, default="Evaluator", children=lambda: {"metrics|joint_metrics": _METRIC}
        )
    if kind is _TRAIN_LOOP and "type" not in node and not node.get("by_epoch", True):
        return Kind(r.LOOPS, frozenset({"by_epoch"}), "IterBasedTrainLoop")
    return kind


def _check_dataloader(node: Mapping[str, Any], where: str) -> None:
    extra = frozenset({"num_batch_per_epoch", "disable_subprocess_warning"})
    for name in node:
        refused = refused_argument(DataLoader, name, extra)
        if refused:
            raise ConfigError(f"{where}.{name}", refused)
    for name, kind in _DATALOADER_PARTS.items():
        _check(node.get(name), f"{where}.{name}", kind)


def _check_optim_wrapper(node: Mapping[str, Any], where: str) -> None:
    if "optimizer" not in node:  # several optimizers: only their constructor knows the form
        return
    _check(node, where, _OPTIM_WRAPPER)
    if "constructor" in node:
        _look_up(node["constructor"], where, r.OPTIM_WRAPPER_CONSTRUCTORS)
    else:
        _check_keys(
            node.get("paramwise_cfg") or {}, _PARAMWISE_NAMES.split(), f"{where}.paramwise_cfg"
        )


def _model_children() -> Mapping[str, Kind]:
    return _MODEL_CHILDREN


def _data_children() -> Mapping[str, Kind]:
    return _DATA_CHILDREN


_MODEL = Kind(r.MODELS, children=_model_children)
_TASK = Kind(r.TASK_UTILS, children=_model_children)
_NORM = Kind(r.MODELS, frozenset({"requires_grad"}))
_LAYER = Kind(r.MODELS, check_arguments=False)  # their builders add and take arguments
_INIT = Kind(r.WEIGHT_INITIALIZERS, frozenset({"layer", "override", "bias_prob"}))
_PLAIN = Kind(children=_model_children)
_MODEL_CHILDREN = {
    "anchor_generator|prior_generator|bbox_coder|assigner|sampler|iou_calculator": _TASK,
    "backbone|neck|head|res_layer|.*_head|.*_extractor": _MODEL,
    "loss_.*|data_preprocessor|batch_augments": _MODEL,
    "norm_cfg": _NORM,
    "conv_cfg|act_cfg": _LAYER,
    "init_cfg": _INIT,
    "train_cfg|test_cfg|rpn|rpn_proposal|rcnn": _PLAIN,
}
_TRANSFORM = Kind(r.TRANSFORMS, children=_data_children)
_DATASET = Kind(r.DATASETS, children=_data_children)
_DATA_CHILDREN = {"datasets?": _DATASET, "pipeline|transforms|policies|aug_space": _TRANSFORM}
_DATALOADER_PARTS = {
    "dataset": _DATASET,
    "sampler": Kind(r.DATA_SAMPLERS),
    "batch_sampler": Kind(r.DATA_SAMPLERS),
    "collate_fn": Kind(FUNCTIONS),
    "worker_init_fn": Kind(FUNCTIONS),
}
_OPTIM_WRAPPER = Kind(
    r.OPTIM_WRAPPERS,
    frozenset({"constructor", "paramwise_cfg"}),
    "OptimWrapper",
    lambda: {"optimizer": Kind(r.OPTIMIZERS)},
)
_HOOK = Kind(r.HOOKS, frozenset({"priority"}))
_METRIC = Kind(r.METRICS)
_TRAIN_LOOP = Kind(r.LOOPS, frozenset({"by_epoch"}), "EpochBasedTrainLoop")
_BACKEND = Kind(r.VISBACKENDS)
_SECTIONS = {
    "model": _MODEL,
    "data_preprocessor": _MODEL,
    "tta_model": Kind(r.MODELS, frozenset({"module"})),
    "tta_pipeline": _TRANSFORM,
    "train_cfg": _TRAIN_LOOP,
    "val_cfg": Kind(r.LOOPS, default="ValLoop"),
    "test_cfg": Kind(r.LOOPS, default="TestLoop"),
    "val_evaluator": _METRIC,
    "test_evaluator": _METRIC,
    "param_scheduler": Kind(r.PARAM_SCHEDULERS, frozenset({"convert_to_iter_based"})),
    "custom_hooks": _HOOK,
    "visualizer": Kind(r.VISUALIZERS, children=lambda: {"vis_backends": _BACKEND}),
    "log_processor": Kind(r.LOG_PROCESSORS, default="LogProcessor"),
}
_PLAIN_SECTIONS = {
    "auto_scale_lr": "enable base_batch_size",
    "env_cfg": "cudnn_benchmark mp_cfg dist_cfg resource_limit",
    "randomness": "seed diff_rank_seed deterministic",
}
