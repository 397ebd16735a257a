"""Detectron's solver: iterations, learning rate, snapshots."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from mmdet_lite.config.detectron.keys import Settings

POLICIES = ("step", "steps_with_decay", "steps_with_lrs")


def images_a_step(settings: Settings) -> int:
    """Images of one step over all GPUs, for which the learning rate is meant."""
    return int(settings["NUM_GPUS"] * settings["TRAIN.IMS_PER_BATCH"])


def schedule_rows(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Everything about time and learning rate, as (dotted key, value).

    Raises:
        ValueError: for a policy that is not one of three, or rates that no single factor makes.
    """
    total = settings["SOLVER.MAX_ITER"]
    snapshot = max(1, min(total, settings["TRAIN.SNAPSHOT_ITERS"] // settings["NUM_GPUS"]))
    yield "train_cfg.max_iters", total
    yield "train_cfg.val_interval", snapshot
    yield "optim_wrapper.optimizer.lr", float(settings["SOLVER.BASE_LR"])
    yield "optim_wrapper.optimizer.momentum", settings["SOLVER.MOMENTUM"]
    yield "optim_wrapper.optimizer.weight_decay", settings["SOLVER.WEIGHT_DECAY"]
    if special := _biases_and_norms(settings):
        yield "optim_wrapper.paramwise_cfg", special
    yield "param_scheduler", [*_warm_up(settings), _steps(settings)]
    yield "auto_scale_lr.base_batch_size", images_a_step(settings)
    yield "default_hooks.checkpoint.by_epoch", False
    yield "default_hooks.checkpoint.interval", snapshot
    yield "log_processor.by_epoch", False


def _biases_and_norms(settings: Settings) -> dict[str, float]:
    """Detectron learns biases twice as fast and without decay; the weights of GN do not decay."""
    special = {}
    if settings["SOLVER.BIAS_DOUBLE_LR"]:
        special["bias_lr_mult"] = 2.0
    if not settings["SOLVER.BIAS_WEIGHT_DECAY"]:
        special["bias_decay_mult"] = 0.0
    with_gn = any(
        "gn" in str(settings[key])
        for key in ("RESNETS.TRANS_FUNC", "FAST_RCNN.ROI_BOX_HEAD", "MRCNN.ROI_MASK_HEAD")
    )
    if (with_gn or settings["FPN.USE_GN"]) and settings["SOLVER.WEIGHT_DECAY"]:
        special["norm_decay_mult"] = (
            settings["SOLVER.WEIGHT_DECAY_GN"] / settings["SOLVER.WEIGHT_DECAY"]
        )
    return special


def _warm_up(settings: Settings) -> Iterator[dict[str, Any]]:
    end, factor = settings["SOLVER.WARM_UP_ITERS"], settings["SOLVER.WARM_UP_FACTOR"]
    method = settings["SOLVER.WARM_UP_METHOD"]
    if method not in ("linear", "constant"):
        raise ValueError(
            f"{settings.source}: SOLVER.WARM_UP_METHOD={method!r}, expected linear or constant"
        )
    if end > 0:
        kind = {"type": "LinearLR", "start_factor": factor}
        if method == "constant":
            kind = {"type": "ConstantLR", "factor": factor}
        yield {**kind, "by_epoch": False, "begin": 0, "end": end}


def _steps(settings: Settings) -> dict[str, Any]:
    policy, total = settings["SOLVER.LR_POLICY"], settings["SOLVER.MAX_ITER"]
    gamma = settings["SOLVER.GAMMA"]
    milestones = [step for step in settings["SOLVER.STEPS"] if step > 0]
    if policy == "step":
        size = settings["SOLVER.STEP_SIZE"]
        milestones = list(range(size, total, size))
    elif policy == "steps_with_lrs":
        gamma = _factor(settings)
    elif policy not in POLICIES:
        raise ValueError(
            f"{settings.source}: SOLVER.LR_POLICY={policy!r} is not to be had here, expected "
            f"{', '.join(POLICIES)}"
        )
    return {
        "type": "MultiStepLR",
        "by_epoch": False,
        "begin": 0,
        "end": total,
        "milestones": milestones,
        "gamma": gamma,
    }


def _factor(settings: Settings) -> float:
    rates = settings["SOLVER.LRS"]
    factors = [after / before for before, after in pairwise(rates)]
    even = all(abs(factor - factors[0]) < 1e-6 * factors[0] for factor in factors)
    if not factors or not even or rates[0] != settings["SOLVER.BASE_LR"]:
        raise ValueError(
            f"{settings.source}: SOLVER.LRS={list(rates)} is not to be had here: expected BASE_LR "
            f"({settings['SOLVER.BASE_LR']}) first, then always the same factor"
        )
    return round(factors[0], 9)
