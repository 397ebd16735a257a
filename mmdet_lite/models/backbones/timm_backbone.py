"""Any network of timm that gives feature maps as a backbone, where timm is installed."""

import importlib
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdet_lite.models.backbones.freezing import check_frozen_stages, keep_norm_statistics
from mmdet_lite.ops.checks import did_you_mean
from mmdet_lite.registry import MODELS

STAGE_STRIDES = (4, 8, 16, 32)


@MODELS.register_module()
class TimmBackbone(BaseModule):
    """``timm.create_model(name, features_only=True)`` as a backbone for FPN.

    Stages count as in ResNet, whatever timm counts: stage 0 has stride 4, then 8, 16, 32. The
    widths and strides of what comes out are in ``out_channels`` and ``out_strides``. Keys of the
    state dict are timm's below ``timm_model.``.

    Args:
        name: as ``timm.list_models()`` lists it.
        out_indices: the stages whose features come out.
        frozen_stages: -1 freezes nothing, 0 what lies before stage 0, i also the first i stages.
        norm_eval: batch norms keep their statistics in training.
        with_cp: recompute activations in the backward pass to save memory.
        pretrained: True takes timm's weights of this name (from the network or timm's cache), a
            string is a local file of timm's. They are read when weights are initialised, so not
            where a detector's checkpoint replaces them.
        model_args: more arguments of timm's builder, such as ``dict(strict_img_size=False)``,
            without which a swin of timm takes one image size only.
        init_cfg: mmengine's.

    Raises:
        ValueError: timm is not installed or does not know the name, the network has no maps of
            these strides, or weights are given twice.
    """

    def __init__(
        self,
        name: str,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        frozen_stages: int = -1,
        norm_eval: bool = True,
        with_cp: bool = False,
        pretrained: bool | str = False,
        model_args: Mapping[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        if pretrained and init_cfg is not None:
            raise ValueError("TimmBackbone: give init_cfg or pretrained, not both")
        super().__init__(init_cfg)
        self.timm_args = {"model_name": name, "features_only": True, **(model_args or {})}
        self.norm_eval = norm_eval
        self.pretrained = pretrained
        timm = import_timm()
        if name.split(".")[0] not in timm.list_models():
            raise ValueError(
                f"TimmBackbone: timm has no {name!r}; {did_you_mean(name, timm.list_models())}"
            )
        with torch.device("meta"):
            levels = timm.create_model(**self.timm_args).feature_info.get_dicts()
        by_stride = {level["reduction"]: i for i, level in enumerate(levels)}
        chosen = [by_stride.get(stride, -1) for stride in _strides(name, out_indices)]
        if -1 in chosen:
            raise ValueError(
                f"TimmBackbone {name}: out_indices={tuple(out_indices)} ask for strides "
                f"{_strides(name, out_indices)}, the network has {sorted(by_stride)}"
            )
        self.timm_args["out_indices"] = tuple(chosen)
        self.timm_model: nn.Module = timm.create_model(**self.timm_args)
        if with_cp:
            self.timm_model.set_grad_checkpointing(True)
        self.out_channels = [levels[i]["num_chs"] for i in chosen]
        self.out_strides = [levels[i]["reduction"] for i in chosen]
        stages = [levels[by_stride[s]]["module"] for s in STAGE_STRIDES if s in by_stride]
        self.frozen_prefixes = self._frozen_prefixes(stages, frozen_stages)
        for _, parameter in self._frozen(self.timm_model.named_parameters()):
            parameter.requires_grad_(False)
        self.train()

    def init_weights(self) -> None:
        """Read timm's pretrained weights if asked for, else initialise as ``init_cfg`` says."""
        first_time = not self.is_init
        super().init_weights()
        if first_time and self.pretrained:
            source = {} if self.pretrained is True else {"file": self.pretrained}
            trained = import_timm().create_model(
                **self.timm_args, pretrained=True, pretrained_cfg_overlay=source
            )
            self.timm_model.load_state_dict(trained.state_dict())

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images (N, 3, H, W) to the feature maps of ``out_indices``, finest first."""
        layout = getattr(self.timm_model, "output_fmt", "NCHW")
        features = self.timm_model(x)
        if getattr(layout, "value", layout) == "NHWC":
            features = [feature.permute(0, 3, 1, 2) for feature in features]
        return tuple(features)

    def train(self, mode: bool = True) -> "TimmBackbone":
        """Switch the mode; frozen stages, and batch norms under ``norm_eval``, stay in eval."""
        super().train(mode)
        for name, module in self._frozen(self.timm_model.named_modules()):
            # not eval(): the parents of what learns come first, and it would reach their children
            module.training = mode and any(_inside(p, name) for p in self.frozen_prefixes or ())
        if mode and self.norm_eval:
            keep_norm_statistics(self)
        return self

    def _frozen_prefixes(self, stages: Sequence[str], frozen_stages: int) -> tuple[str, ...] | None:
        """Names of the first stage that learns, or () if all are frozen, None if none is."""
        check_frozen_stages("TimmBackbone", frozen_stages, len(stages))
        if frozen_stages == -1:
            return None
        names = [name for name, _ in self.timm_model.named_modules()]
        stages = [s if s in names else s.replace(".", "_") for s in stages]  # flattened by timm
        if frozen_stages:
            last = stages[frozen_stages - 1]
            following = [n for n in names[names.index(last) :] if not _inside(n, last)]
        else:
            following = [stages[0]]
        return tuple(following[:1])

    def _frozen(self, named: Any) -> list[tuple[str, Any]]:
        """Those of ``named`` modules or parameters that come before the first part that learns."""
        if self.frozen_prefixes is None:
            return []
        frozen = []
        for name, value in named:
            if any(_inside(name, prefix) for prefix in self.frozen_prefixes):
                break
            frozen.append((name, value))
        return frozen


def import_timm() -> ModuleType:
    """The package timm.

    Raises:
        ValueError: it is not installed.
    """
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError as error:
        raise ValueError(
            "TimmBackbone needs the package timm, which is not installed: pip install timm, or "
            "take a network of torchvision with type='TorchvisionBackbone'"
        ) from error


def _inside(name: str, module: str) -> bool:
    return module in ("", name) or name.startswith(f"{module}.")


def _strides(name: str, out_indices: Sequence[int]) -> list[int]:
    stages = list(range(len(STAGE_STRIDES)))
    if not out_indices or list(out_indices) != sorted(set(out_indices) & set(stages)):
        raise ValueError(
            f"TimmBackbone {name}: out_indices must rise and be some of {stages} (strides"
            f" {STAGE_STRIDES}), got {tuple(out_indices)}"
        )
    return [STAGE_STRIDES[i] for i in out_indices]
