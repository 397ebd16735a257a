"""CheckInvalidLossHook: training stops where a loss is no longer finite."""

import math
from typing import Any

import torch
from mmengine.hooks import Hook

from mmdet_lite.registry import HOOKS


@HOOKS.register_module()
class CheckInvalidLossHook(Hook):
    """Stops training on a loss that is NaN or infinite, before a checkpoint is written from it.

    On a GPU the losses of ``interval`` iterations are read together, so the check does not wait
    for the device in every one; on the CPU each is read at once. Either way the first bad
    iteration, its losses and its image files are named.

    Args:
        interval: iterations between checks on a GPU. Before each epoch's end, validation and
            checkpoint there is a check in any case.

    Raises:
        FloatingPointError: in training, when a loss is not finite.
    """

    def __init__(self, interval: int = 50) -> None:
        if interval < 1:
            raise ValueError(f"CheckInvalidLossHook.interval must be >= 1, got {interval}")
        self.interval = interval
        self._pending: list[tuple[str, list[str], torch.Tensor]] = []

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Keep the losses of this iteration, and look at them if it is time to."""
        losses = {
            key: value.detach()
            for key, value in (outputs or {}).items()
            if "loss" in key and isinstance(value, torch.Tensor)
        }
        if not losses:
            return
        where = _where(runner, data_batch)
        values = torch.stack([value.float().mean() for value in losses.values()])
        self._pending.append((where, list(losses), values))
        if not values.is_cuda or len(self._pending) >= self.interval:
            self._check()

    def after_train_epoch(self, runner: Any) -> None:
        """Look at what is left of the epoch."""
        self._check()

    def before_val(self, runner: Any) -> None:
        """Do not validate with spoilt weights."""
        self._check()

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Do not save spoilt weights."""
        self._check()

    def _check(self) -> None:
        pending, self._pending = self._pending, []
        if not pending:
            return
        finite = torch.stack([torch.isfinite(values).all() for _, _, values in pending]).tolist()
        if all(finite):
            return
        where, names, values = pending[finite.index(False)]
        bad = [
            f"{name} = {value}"
            for name, value in zip(names, values.tolist(), strict=True)
            if not math.isfinite(value)
        ]
        raise FloatingPointError(
            f"training stopped: {', '.join(bad)} at {where}\n"
            "No checkpoint was written from it. What usually helps: a learning rate for this "
            "batch size (--auto-scale-lr), a longer warm-up, "
            "optim_wrapper.clip_grad=dict(max_norm=35), bfloat16 in place of float16; and a look "
            "at the boxes of these images"
        )


def _where(runner: Any, data_batch: Any) -> str:
    samples = data_batch.get("data_samples", []) if isinstance(data_batch, dict) else []
    metas = [getattr(sample, "metainfo", {}) for sample in samples]
    paths = [str(meta.get("img_path", meta.get("img_id", "unnamed"))) for meta in metas]
    rates = {rate for values in runner.optim_wrapper.get_lr().values() for rate in values}
    lines = "".join(f"\n  image: {path}" for path in paths)
    return (
        f"iteration {runner.iter + 1} (epoch {runner.epoch + 1}), learning rate "
        f"{', '.join(f'{rate:g}' for rate in sorted(rates))}{lines}"
    )
