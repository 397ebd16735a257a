"""Checkpoints: complete files of plain content, read without running anything in them.

Importing this package makes mmengine's Runner read its checkpoints through
``load_checkpoint_file`` too.
"""

from mmdet_lite.checkpoint.download import Fingerprint, cache_folder, cached_path, fetch
from mmdet_lite.checkpoint.families import has_own_names
from mmdet_lite.checkpoint.find import POINTER, find_resume_checkpoint, read_resume_meta
from mmdet_lite.checkpoint.fitting import (
    check_family,
    check_pretrained,
    load_weights,
    trained_classes,
)
from mmdet_lite.checkpoint.load import load_checkpoint_file, state_dict_of
from mmdet_lite.checkpoint.plain import plain, to_history_buffers
from mmdet_lite.checkpoint.pretrained import PretrainedInit
from mmdet_lite.checkpoint.save import (
    atomic_path,
    remove_temporary_files,
    save_checkpoint,
    write_text,
)
from mmdet_lite.checkpoint.sources import local_checkpoint, resolve_model, weights_url
from mmdet_lite.checkpoint.state import LoadReport, load_state_dict
from mmdet_lite.checkpoint.zoo import (
    ZooModel,
    config_by_name,
    config_folder,
    find_model,
    may_be_model_name,
    model_config,
    zoo_models,
)

__all__ = [
    "POINTER",
    "Fingerprint",
    "LoadReport",
    "PretrainedInit",
    "ZooModel",
    "atomic_path",
    "cache_folder",
    "cached_path",
    "check_family",
    "check_pretrained",
    "config_by_name",
    "config_folder",
    "fetch",
    "find_model",
    "find_resume_checkpoint",
    "has_own_names",
    "load_checkpoint_file",
    "load_state_dict",
    "load_weights",
    "local_checkpoint",
    "may_be_model_name",
    "model_config",
    "plain",
    "read_resume_meta",
    "remove_temporary_files",
    "resolve_model",
    "save_checkpoint",
    "state_dict_of",
    "to_history_buffers",
    "trained_classes",
    "weights_url",
    "write_text",
    "zoo_models",
]
