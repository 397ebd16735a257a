"""What stands at the top of a config: sections that are read, and variables that are only used."""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmdet_lite.config.older import OLDER_KEYS
from mmdet_lite.ops.checks import did_you_mean, likeness

# arguments of mmengine's Runner, and what it or our commands read from the config beside them
_SECTION_NAMES = """
    model work_dir train_dataloader val_dataloader test_dataloader train_cfg val_cfg test_cfg
    auto_scale_lr optim_wrapper param_scheduler val_evaluator test_evaluator default_hooks
    custom_hooks data_preprocessor load_from resume launcher env_cfg log_processor log_level
    visualizer default_scope randomness experiment_name runner_type custom_imports tta_model
    tta_pipeline vis_backends sync_bn find_unused_parameters model_wrapper_cfg compile
    activation_checkpointing efficient_conv_bn_eval"""
SECTIONS = frozenset(_SECTION_NAMES.split())
PIPELINE_VARIABLES = ("train_pipeline", "test_pipeline", "val_pipeline")
_LOADERS = {
    "train_pipeline": ("train_dataloader",),
    "test_pipeline": ("val_dataloader", "test_dataloader"),
    "val_pipeline": ("val_dataloader",),
}
_NEAR_MISS = 0.85  # conv_cfg, a usual variable, is 0.8 like env_cfg


def check_top_level(cfg: Config, overrides: Mapping[str, Any]) -> None:
    """Refuse a misspelt section.

    Every name a config file defines is a key of the config, so an unknown one is usually a helper
    variable. A dict, a list of dicts or an override whose name nearly is a section's is not.

    Raises:
        ValueError: with the nearest section.
    """
    overridden = {key.split(".")[0] for key in overrides}
    for key, value in cfg.items():
        if key in SECTIONS or key in PIPELINE_VARIABLES:
            continue
        built = isinstance(value, dict) or (
            isinstance(value, (list, tuple)) and any(isinstance(v, dict) for v in value)
        )
        if not built and key not in overridden:
            continue
        near = max(SECTIONS, key=lambda section: likeness(key, section))
        # val_evaluator_city and the like are parts that the file puts together later
        if likeness(key, near) >= _NEAR_MISS and not key.startswith(f"{near}_"):
            raise ValueError(f"{key}: nothing reads this; {did_you_mean(key, [near])}")


def stale_pipelines(cfg: Config) -> list[str]:
    """Warnings for pipelines that a file defines anew but no dataloader uses.

    A child config that sets ``train_pipeline`` changes a variable, not the dataloader its base has
    already made from the old one.
    """
    warnings = []
    for name in PIPELINE_VARIABLES:
        used = [f"{loader}.dataset.pipeline" for loader in _LOADERS[name] if cfg.get(loader)]
        if not cfg.get(name) or not used:
            continue
        if not any(cfg[name] == p for loader in cfg.values() for p in _pipelines(loader)):
            warnings.append(
                f"{name} is set but no dataloader uses it ({', '.join(used)} differs): a config "
                f"that redefines {name} must also say "
                f"{used[0].split('.')[0]}=dict(dataset=dict(pipeline={name}))"
            )
    return warnings


def follow_pipeline_overrides(
    cfg: Config, before: Mapping[str, Any], overrides: Mapping[str, Any]
) -> list[str]:
    """Give an overridden ``train_pipeline`` to the dataloaders that were made from the old one.

    Args:
        cfg: config after the overrides; changed in place.
        before: the pipeline variables before the overrides.
        overrides: dotted keys; a pipeline that they also set directly keeps that value.

    Returns:
        What was changed, for the log.
    """
    notes = []
    for name in PIPELINE_VARIABLES:
        if not any(key.split(".")[0] == name for key in overrides):
            continue
        for section in _LOADERS[name]:
            if any(key.startswith(f"{section}.dataset") for key in overrides):
                continue
            for holder in _holders(cfg.get(section)):
                if holder["pipeline"] == before[name]:
                    holder["pipeline"] = cfg[name]
                    notes.append(f"{name} override -> {section}.dataset.pipeline")
    return notes


def idle_overrides(cfg: Config, overrides: Mapping[str, Any]) -> list[str]:
    """Warnings for overrides of names that nothing reads once the file has been read."""
    read = {*SECTIONS, *PIPELINE_VARIABLES, *OLDER_KEYS}
    idle = sorted({key.split(".")[0] for key in overrides} - read)
    return [
        f"override of {key} has no effect by itself: it is a variable of the config file, used "
        "while the file is read; override the key that was made from it, such as "
        "train_dataloader.dataset.data_root"
        for key in idle
    ]


def _holders(node: Any) -> list[dict[str, Any]]:
    """All dicts in a dataloader that hold a ``pipeline``; wrapped data sets are looked into."""
    if isinstance(node, (list, tuple)):
        return [holder for item in node for holder in _holders(item)]
    if not isinstance(node, dict):
        return []
    own = [node] if "pipeline" in node else []
    return own + [h for key in ("dataset", "datasets") for h in _holders(node.get(key))]


def _pipelines(node: Any) -> list[Any]:
    return [holder["pipeline"] for holder in _holders(node)]
