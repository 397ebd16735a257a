"""Checkpoints: complete files of plain content, read without running anything in them.

Importing this package makes mmengine's Runner read its checkpoints through
``load_checkpoint_file`` too.
"""

from mmdet_lite.checkpoint.find import POINTER, find_resume_checkpoint, read_resume_meta
from mmdet_lite.checkpoint.load import load_checkpoint_file, state_dict_of
from mmdet_lite.checkpoint.plain import plain, to_history_buffers
from mmdet_lite.checkpoint.pretrained import PretrainedInit
from mmdet_lite.checkpoint.save import (
    atomic_path,
    remove_temporary_files,
    save_checkpoint,
    write_text,
)
from mmdet_lite.checkpoint.sources import local_checkpoint, weights_url
from mmdet_lite.checkpoint.state import LoadReport, load_state_dict

__all__ = [
    "POINTER",
    "LoadReport",
    "PretrainedInit",
    "atomic_path",
    "find_resume_checkpoint",
    "load_checkpoint_file",
    "load_state_dict",
    "local_checkpoint",
    "plain",
    "read_resume_meta",
    "remove_temporary_files",
    "save_checkpoint",
    "state_dict_of",
    "to_history_buffers",
    "weights_url",
    "write_text",
]
