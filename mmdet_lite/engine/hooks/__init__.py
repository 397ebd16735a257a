"""Hooks: what happens at fixed moments of a run."""

from mmdet_lite.engine.hooks.check_invalid_loss_hook import CheckInvalidLossHook
from mmdet_lite.engine.hooks.checkpoint_hook import CheckpointHook, unwrapped
from mmdet_lite.engine.hooks.num_class_check_hook import NumClassCheckHook, check_num_classes
from mmdet_lite.engine.hooks.training_summary_hook import TrainingSummaryHook

__all__ = [
    "CheckInvalidLossHook",
    "CheckpointHook",
    "NumClassCheckHook",
    "TrainingSummaryHook",
    "check_num_classes",
    "unwrapped",
]
