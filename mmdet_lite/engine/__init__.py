"""The clock of a run: hooks, optimizer wrappers, learning rate, processes.

Classes here that bear the names of mmengine's take their place in configs.
"""

from mmdet_lite.engine.amp_optim_wrapper import AmpOptimWrapper
from mmdet_lite.engine.hooks import (
    CheckInvalidLossHook,
    CheckpointHook,
    NumClassCheckHook,
    TrainingSummaryHook,
    check_num_classes,
    unwrapped,
)
from mmdet_lite.engine.launch import (
    fit_device,
    init_launcher,
    leave_process_group,
    stopped_by_sigterm,
)
from mmdet_lite.engine.learning_rate import LearningRatePlan, plan_learning_rate, scaled_lr
from mmdet_lite.engine.random_state import random_state, restore_random_state
from mmdet_lite.engine.runner import DetRunner

__all__ = [
    "AmpOptimWrapper",
    "CheckInvalidLossHook",
    "CheckpointHook",
    "DetRunner",
    "LearningRatePlan",
    "NumClassCheckHook",
    "TrainingSummaryHook",
    "check_num_classes",
    "fit_device",
    "init_launcher",
    "leave_process_group",
    "plan_learning_rate",
    "random_state",
    "restore_random_state",
    "scaled_lr",
    "stopped_by_sigterm",
    "unwrapped",
]
