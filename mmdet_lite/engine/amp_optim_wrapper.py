"""AmpOptimWrapper: mixed precision on GPUs and on the CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import AmpOptimWrapper as EngineAmpOptimWrapper
from mmengine.optim import OptimWrapper
from torch import nn

from mmdet_lite.registry import OPTIM_WRAPPERS

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(EngineAmpOptimWrapper):
    """Runs the training step in half precision; mmengine's arguments.

    The CPU computes in bfloat16, which needs no loss scaling; a GPU in float16 with it, unless
    ``dtype`` says otherwise.

    Args:
        loss_scale: 'dynamic', a fixed factor, or the arguments of torch's GradScaler. Without
            effect in bfloat16, whose range is float32's.
        dtype: 'float16', 'bfloat16', the torch.dtype, or None for the device's default.
        use_fsdp: must be False, this package does not shard models.
        **kwargs: as OptimWrapper's: optimizer, accumulative_counts, clip_grad.

    Raises:
        TypeError: for a ``loss_scale`` of another type.
        ValueError: for another ``dtype``, or ``use_fsdp``.
    """

    def __init__(
        self,
        loss_scale: str | float | dict[str, Any] = "dynamic",
        dtype: str | torch.dtype | None = None,
        use_fsdp: bool = False,
        **kwargs: Any,
    ) -> None:
        if use_fsdp:
            raise ValueError("optim_wrapper.use_fsdp=True: sharded models are not supported here")
        # mmengine's own constructor refuses to run without a GPU
        OptimWrapper.__init__(self, **kwargs)
        self.device_type = "cuda" if torch.cuda.is_available() else "cpu"
        self.cast_dtype = _dtype(dtype, self.device_type)
        arguments = _scaler_arguments(loss_scale)
        self._scale_update_param = (
            None if isinstance(loss_scale, dict) else arguments.get("init_scale")
        )
        self.loss_scaler = torch.amp.GradScaler(
            self.device_type,
            enabled=self.cast_dtype is torch.float16,
            **arguments,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the optimizer's state, and the loss scaler's where both runs have one."""
        state = dict(state_dict)
        if not state.get("loss_scaler"):  # saved by a run in float32 or bfloat16
            state.pop("loss_scaler", None)
        super().load_state_dict(state)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The forward pass runs in here."""
        with (
            OptimWrapper.optim_context(self, model),
            torch.autocast(self.device_type, dtype=self.cast_dtype),
        ):
            yield


def _dtype(dtype: str | torch.dtype | None, device_type: str) -> torch.dtype:
    if dtype is None:
        return torch.float16 if device_type == "cuda" else torch.bfloat16
    chosen = DTYPES.get(dtype) if isinstance(dtype, str) else dtype
    if chosen is None or chosen not in DTYPES.values():
        raise ValueError(
            f"optim_wrapper.dtype must be 'float16' or 'bfloat16', got {dtype!r}; for float32 use "
            "optim_wrapper.type='OptimWrapper'"
        )
    return chosen


def _scaler_arguments(loss_scale: str | float | dict[str, Any]) -> dict[str, Any]:
    if loss_scale == "dynamic":
        return {}
    if isinstance(loss_scale, dict):
        return dict(loss_scale)
    if isinstance(loss_scale, int | float) and not isinstance(loss_scale, bool):
        return {"init_scale": float(loss_scale)}
    raise TypeError(
        f"optim_wrapper.loss_scale must be 'dynamic', a number or a dict of GradScaler's "
        f"arguments, got {loss_scale!r}"
    )
