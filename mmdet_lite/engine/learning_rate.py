"""The learning rate that belongs to a batch size: the linear scaling rule."""

from dataclasses import dataclass
from typing import Any

FLAG = "--auto-scale-lr"


@dataclass(frozen=True)
class LearningRatePlan:
    """The learning rate to train with.

    ``batch`` is what one optimizer step sees; ``scaled`` whether ``lr`` differs from the config's
    because scaling is on; ``text`` the arithmetic, or a warning where scaling is off but would
    change it; empty if there is nothing to say.
    """

    lr: float
    batch: int
    scaled: bool
    text: str


def scaled_lr(lr: float, base_batch: int, gpus: int, images: int, accumulate: int = 1) -> float:
    """The learning rate for another batch size than the one it was chosen for.

    Source: Goyal et al. 2017, "Accurate, Large Minibatch SGD", linear scaling rule.

    Args:
        lr: learning rate chosen for ``base_batch``.
        base_batch: images in one optimizer step when ``lr`` was chosen.
        gpus: processes.
        images: images a process takes in one iteration.
        accumulate: iterations in one optimizer step.

    >>> scaled_lr(0.01, base_batch=8, gpus=16, images=4)
    0.08
    """
    if min(base_batch, gpus, images, accumulate) < 1:
        raise ValueError(
            f"counts must be >= 1, got base_batch={base_batch}, gpus={gpus}, images={images}, "
            f"accumulate={accumulate}"
        )
    return lr * (gpus * images * accumulate) / base_batch


def plan_learning_rate(cfg: Any, gpus: int) -> LearningRatePlan | None:
    """Compare the batch of this run with ``auto_scale_lr.base_batch_size``.

    Args:
        cfg: a whole config; not changed.
        gpus: processes of this run.

    Returns:
        None where the config has no ``auto_scale_lr.base_batch_size``.

    Raises:
        ValueError: if scaling is on and the config lacks what it needs.
    """
    rule = cfg.get("auto_scale_lr") or {}
    enabled = bool(rule.get("enable", False))
    base = rule.get("base_batch_size")
    if base is None:
        if enabled:
            raise ValueError(
                f"{FLAG} needs auto_scale_lr=dict(base_batch_size=N) in the config: the number "
                "of images in a step for which optim_wrapper.optimizer.lr was chosen"
            )
        return None
    lr = (cfg.optim_wrapper.get("optimizer") or {}).get("lr")
    images = (cfg.train_dataloader or {}).get("batch_size")
    if lr is None or images is None:
        if enabled:
            raise ValueError(
                f"{FLAG} needs optim_wrapper.optimizer.lr and train_dataloader.batch_size"
            )
        return None
    accumulate = int(cfg.optim_wrapper.get("accumulative_counts", 1))
    batch = gpus * images * accumulate
    new = scaled_lr(lr, base, gpus, images, accumulate)
    product = f"{gpus} x {images}" + (f" x {accumulate} accumulated" if accumulate > 1 else "")
    arithmetic = f"LR {new:g} = {lr:g} * {batch}/{base}  (a step sees {product} = {batch} images)"
    if enabled:
        return LearningRatePlan(new, batch, batch != base, arithmetic)
    if batch == base:
        return LearningRatePlan(lr, batch, False, "")
    return LearningRatePlan(
        lr,
        batch,
        False,
        f"the learning rate {lr:g} was chosen for {base} images in a step, this run has {product} "
        f"= {batch}: add {FLAG} to train with {arithmetic}",
    )
