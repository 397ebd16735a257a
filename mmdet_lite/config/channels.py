"""Channels of the pictures: do loading, normalisation and backbone mean the same number?"""

from collections.abc import Iterator, Mapping
from typing import Any

from mmdet_lite.config.errors import ConfigError
from mmdet_lite.config.signatures import accepted_arguments
from mmdet_lite.ops.dataset_parts import walk_datasets
from mmdet_lite.registry import MODELS

_PARTS = ("train", "val", "test")
_LOADERS = ("LoadImageFromFile", "LoadImageFromNDArray")


def check_channels(cfg: Mapping[str, Any]) -> None:
    """Compare the backbone's input with ``data_preprocessor`` and with how pictures are loaded.

    Backbones of other programs, and pictures loaded with ``color_type='unchanged'`` or from several
    files, are not judged: their channels show when the first batch comes.

    Raises:
        ConfigError: for the first number that differs.
    """
    model = cfg.get("model") or {}
    channels = _input_channels(model.get("backbone") or {})
    if channels is None:
        return
    _check_preprocessor(model.get("data_preprocessor") or {}, channels)
    for part in _PARTS:
        for key, step in _loading_steps(cfg, f"{part}_dataloader"):
            loaded = _loaded_channels(str(step.get("color_type", "color")))
            if loaded not in (None, channels):
                raise ConfigError(
                    key,
                    f"gives pictures of {loaded} channels, model.backbone takes {channels}; set "
                    "color_type ('grayscale' gives 1, 'color' 3) or in_channels of the backbone",
                )


def _check_preprocessor(node: Mapping[str, Any], channels: int) -> None:
    if node.get("type", "DetDataPreprocessor") != "DetDataPreprocessor":
        return
    for name in ("mean", "std"):
        values = node.get(name)
        if isinstance(values, list | tuple) and len(values) not in (1, channels):
            raise ConfigError(
                f"model.data_preprocessor.{name}",
                f"has {len(values)} numbers, model.backbone takes pictures of {channels} channels; "
                "give one number a channel",
            )
    for name in ("bgr_to_rgb", "rgb_to_bgr"):
        if node.get(name) and channels not in (1, 3):
            raise ConfigError(
                f"model.data_preprocessor.{name}",
                f"orders 3 channels, model.backbone takes {channels}; set it to False",
            )


def _input_channels(backbone: Mapping[str, Any]) -> int | None:
    """Channels that a backbone of this program takes, None of another."""
    found = MODELS.get(backbone["type"]) if isinstance(backbone.get("type"), str) else None
    if found is None or not found.__module__.startswith("mmdet_lite."):
        return None
    if "in_channels" in accepted_arguments(found)[0]:
        return backbone.get("in_channels", 3)
    return (backbone.get("model_args") or {}).get("in_chans", 3)  # timm's name


def _loading_steps(cfg: Mapping[str, Any], loader: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The transforms of a dataloader that load pictures, each with its dotted key."""
    for where, dataset in walk_datasets(cfg.get(loader), loader):
        for i, step in enumerate(dataset.get("pipeline") or ()):
            if step.get("type") in _LOADERS:
                yield f"{where}.pipeline.{i}", step


def _loaded_channels(color_type: str) -> int | None:
    if color_type.startswith("grayscale"):
        return 1
    return 3 if color_type.startswith("color") else None
