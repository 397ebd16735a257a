"""What stands at the top of a config: sections that are read, and variables that are only used."""

from collections.abc import Collection, Iterator
from typing import Any

from mmengine.config import Config

from mmdet_lite.config.errors import ConfigError
from mmdet_lite.config.older import OLDER_KEYS
from mmdet_lite.ops.checks import likeness
from mmdet_lite.ops.dataset_parts import walk_datasets

# arguments of mmengine's Runner, and what it or our commands read from the config beside them
_SECTION_NAMES = """
    model work_dir train_dataloader val_dataloader test_dataloader train_cfg val_cfg test_cfg
    auto_scale_lr optim_wrapper param_scheduler val_evaluator test_evaluator default_hooks
    custom_hooks data_preprocessor load_from resume launcher env_cfg log_processor log_level
    visualizer default_scope randomness experiment_name custom_imports tta_model
    tta_pipeline sync_bn find_unused_parameters model_wrapper_cfg compile
    activation_checkpointing efficient_conv_bn_eval"""
SECTIONS = frozenset(_SECTION_NAMES.split())
PIPELINE_VARIABLES = ("train_pipeline", "test_pipeline", "val_pipeline")
_LOADERS = {
    "train_pipeline": ("train_dataloader",),
    "test_pipeline": ("val_dataloader", "test_dataloader"),
    "val_pipeline": ("val_dataloader",),
}
_NEAR_MISS = 0.85  # conv_cfg, a usual variable, is 0.8 like env_cfg
# names of a few letters (data, seed) are like too many variables
_NEARBY = SECTIONS | {name for name in OLDER_KEYS if len(name) > 5}


def check_top_level(cfg: Config) -> None:
    """Refuse a misspelt section.

    Every name a config file defines is a key of the config, so an unknown one is usually a helper
    variable. A dict or a list of dicts whose name nearly is a section's is not.

    Raises:
        ConfigError: with the nearest section.
    """
    for key, value in cfg.items():
        if isinstance(value, dict) or (
            isinstance(value, (list, tuple)) and any(isinstance(v, dict) for v in value)
        ):
            meant = meant_section(key)
            if meant is not None:
                raise ConfigError(key, f"nothing reads this; did you mean '{meant}'?")


def meant_section(key: str) -> str | None:
    """The section, of today's or of MMDetection 2.x, that a name nearly is, else None."""
    if key in SECTIONS or key in PIPELINE_VARIABLES or key in OLDER_KEYS:
        return None
    near = max(_NEARBY, key=lambda section: likeness(key, section))
    # val_evaluator_city and the like are parts that the file puts together later
    is_part = key.startswith(f"{near}_")
    return near if likeness(key, near) >= _NEAR_MISS and not is_part else None


def stale_pipelines(cfg: Config, names: Collection[str] = PIPELINE_VARIABLES) -> list[str]:
    """Warnings for pipelines ``names`` that are set but that no dataloader uses.

    A child config that sets ``train_pipeline`` changes a variable, not the dataloader its base has
    already made from the old one.
    """
    warnings = []
    loaders = [section for section in cfg.values() if isinstance(section, dict)]
    pipelines = [one.get("pipeline") for loader in loaders for _, one in walk_datasets(loader)]
    for name in PIPELINE_VARIABLES:
        used = [f"{loader}.dataset.pipeline" for loader in _LOADERS[name] if cfg.get(loader)]
        if name not in names or not cfg.get(name) or not used:
            continue
        if all(cfg[name] != pipeline for pipeline in pipelines):
            warnings.append(
                f"{name} is set but no dataloader uses it ({', '.join(used)} differs): a config "
                f"that redefines {name} must also say "
                f"{used[0].split('.')[0]}=dict(dataset=dict(pipeline={name}))"
            )
    return warnings


def pipeline_holders(cfg: Config, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Data sets, with their dotted keys, whose ``pipeline`` is made from the variable ``name``."""
    for section in _LOADERS[name]:
        for where, dataset in walk_datasets(cfg.get(section), section):
            if "pipeline" in dataset:
                yield where, dataset
