"""Any convolutional or windowed classifier of torchvision as a backbone, by its name.

Letters: N images, C channels, H W.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torchvision import models as torchvision_models

from mmdet_lite.models.backbones.freezing import (
    check_frozen_stages,
    freeze_modules,
    keep_norm_statistics,
)
from mmdet_lite.ops.checks import did_you_mean
from mmdet_lite.ops.frozen_norm import conv_norm
from mmdet_lite.registry import MODELS

# families whose children, called one after the other, are the network up to its classifier
FAMILIES = (
    "convnext", "densenet", "efficientnet", "mnasnet", "mobilenet", "regnet",
    "resnet", "resnext", "shufflenet", "swin", "vgg", "wide_resnet",
)  # fmt: skip
CLASSIFIERS = {"avgpool", "fc", "classifier", "head", "norm", "permute", "flatten"}
OPENED = {"features", "layers", "trunk_output"}  # whose children are steps of their own
STAGE_STRIDES = (4, 8, 16, 32)
PROBE_SIDE = 64


@dataclass(frozen=True)
class Step:
    """One module of the trunk, by its dotted name, and what comes out of it."""

    name: str
    channels: int
    stride: int


class FoldedSequential(nn.Sequential):
    """A Sequential that runs a convolution and the fixed batch norm behind it as one."""

    def forward(self, x: Tensor) -> Tensor:
        """What nn.Sequential gives, up to rounding."""
        conv: nn.Conv2d | None = None
        for module in self:
            if conv is not None:
                x, conv = conv_norm(x, conv, module), None
            elif type(module) is nn.Conv2d:
                conv = module
            else:
                x = module(x)
        return x if conv is None else conv(x)


@MODELS.register_module()
class TorchvisionBackbone(BaseModule):
    """The trunk of ``torchvision.models.get_model(name)`` as a backbone for FPN.

    Its stages are those of ResNet: stage 0 has stride 4, then 8, 16, 32; the output of a stage is
    that of its last layer. The widths and strides of what comes out are in the attributes
    ``out_channels`` and ``out_strides``. Layers behind the last stage that is asked for are left
    out. Keys of the state dict are torchvision's (``features.0.0.weight``), so its ImageNet files
    load by ``init_cfg=dict(type='Pretrained', checkpoint=...)``.

    Args:
        name: as ``torchvision.models.list_models()`` lists it: mobilenet_v2, mobilenet_v3_large,
            efficientnet_b0, convnext_tiny, swin_t, regnet_y_400mf, ...
        out_indices: the stages whose features come out.
        frozen_stages: -1 freezes nothing, 0 the stem, i also the first i stages.
        norm_eval: batch norms keep their statistics in training (where a convolution stands
            right before them they are then folded into it).
        with_cp: recompute activations in the backward pass to save memory.
        pretrained: True takes torchvision's weights of this name, a string is a file or address;
            the same as ``init_cfg`` of type Pretrained.
        model_args: more arguments of torchvision's builder, such as ``dict(width_mult=0.5)``.
        init_cfg: without one, weights are as torchvision draws them.

    Raises:
        ValueError: a name that torchvision does not have or whose trunk has no feature maps, a
            stage that it has not, weights given twice.
    """

    def __init__(
        self,
        name: str,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        frozen_stages: int = -1,
        norm_eval: bool = True,
        with_cp: bool = False,
        pretrained: bool | str | None = None,
        model_args: Mapping[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(_init_cfg(name, pretrained, init_cfg))
        _check_name(name)
        self.name = name
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        self.channels_come_last = name.startswith("swin")
        trunk = torchvision_models.get_model(name, weights=None, **(model_args or {}))
        steps = self._measure(trunk)
        outputs = [_last_step(steps, stage, name) for stage in _check_stages(name, out_indices)]
        self.out_steps = [step.name for step in outputs]
        self.out_channels = [step.channels for step in outputs]
        self.out_strides = [step.stride for step in outputs]
        self.steps = steps[: max(steps.index(step) for step in outputs) + 1]
        self._keep(trunk)
        fold_norms(self)
        check_frozen_stages("TorchvisionBackbone", frozen_stages, len(STAGE_STRIDES))
        self.frozen_stages = frozen_stages
        freeze_modules(self._frozen_modules())

    @torch.no_grad()
    def _measure(self, trunk: nn.Module) -> list[Step]:
        """Run a small black image through the trunk and note what each step gives."""
        trunk.eval()
        x = torch.zeros(1, 3, PROBE_SIDE, PROBE_SIDE)
        steps = []
        for name in step_names(trunk):
            x = trunk.get_submodule(name)(x)
            feature = self._channels_first(x)
            steps.append(Step(name, feature.shape[1], PROBE_SIDE // feature.shape[2]))
        trunk.train()
        return steps

    def _keep(self, trunk: nn.Module) -> None:
        """Take over the children that are needed, under torchvision's names."""
        names = [step.name for step in self.steps]
        for name, child in trunk.named_children():
            inside = {key: m for key, m in child.named_children() if f"{name}.{key}" in names}
            if name in names:
                self.add_module(name, child)
            elif inside:
                self.add_module(name, nn.ModuleDict(inside))

    def _channels_first(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 1, 2) if self.channels_come_last else x

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images (N, 3, H, W) to the feature maps of ``out_indices``, finest first."""
        features = {}
        for step in self.steps:
            module = self.get_submodule(step.name)
            if self.with_cp and x.requires_grad:
                x = checkpoint(module, x, use_reentrant=False)
            else:
                x = module(x)
            if step.name in self.out_steps:
                features[step.name] = self._channels_first(x)
        return tuple(features[name] for name in self.out_steps)

    def train(self, mode: bool = True) -> "TorchvisionBackbone":
        """Switch the mode; frozen stages, and batch norms under ``norm_eval``, stay in eval."""
        super().train(mode)
        freeze_modules(self._frozen_modules())
        if mode and self.norm_eval:
            keep_norm_statistics(self)
        return self

    def _frozen_modules(self) -> list[nn.Module]:
        if self.frozen_stages < 0:
            return []
        limit = STAGE_STRIDES[self.frozen_stages - 1] if self.frozen_stages else 2
        frozen = [step for step in self.steps if step.stride <= limit]
        # a patchifying stem has stride 4 at once: the first layer is the stem of those networks
        return [self.get_submodule(step.name) for step in frozen or self.steps[:1]]


def step_names(trunk: nn.Module) -> list[str]:
    """Dotted names of the modules that, one after the other, make the trunk of a classifier."""
    names: list[str] = []
    for name, child in trunk.named_children():
        if name in OPENED:
            names += [f"{name}.{inner}" for inner, _ in child.named_children()]
        elif name not in CLASSIFIERS:
            names.append(name)
    return names


def fold_norms(module: nn.Module) -> None:
    """Let every Sequential below ``module`` run its fixed batch norms inside its convolutions.

    Changes ``module`` in place; the keys of its state dict stay.
    """
    for name, child in module.named_children():
        fold_norms(child)
        pairs = pairwise(type(layer) for layer in child.children())
        if isinstance(child, nn.Sequential) and (nn.Conv2d, nn.BatchNorm2d) in pairs:
            folded = FoldedSequential()
            for key, layer in child.named_children():
                folded.add_module(key, layer)
            setattr(module, name, folded)


def available_names() -> list[str]:
    """The names that TorchvisionBackbone takes."""
    names: list[str] = torchvision_models.list_models(module=torchvision_models)
    return [name for name in names if name.startswith(FAMILIES)]


def _check_name(name: str) -> None:
    names = available_names()
    if name not in names:
        raise ValueError(
            f"TorchvisionBackbone: name={name!r} is no network of torchvision with feature maps"
            f" of stride 4 to 32; {did_you_mean(name, names)}"
        )


def _check_stages(name: str, out_indices: Sequence[int]) -> Sequence[int]:
    stages = list(range(len(STAGE_STRIDES)))
    if not out_indices or list(out_indices) != sorted(set(out_indices) & set(stages)):
        raise ValueError(
            f"TorchvisionBackbone {name}: out_indices must rise and be some of {stages} (strides"
            f" {STAGE_STRIDES}), got {tuple(out_indices)}"
        )
    return out_indices


def _last_step(steps: Sequence[Step], stage: int, name: str) -> Step:
    """The last step of a stage."""
    stride = STAGE_STRIDES[stage]
    of_stage = [step for step in steps if step.stride == stride]
    if not of_stage:
        raise ValueError(f"TorchvisionBackbone {name}: it has no stage {stage} (stride {stride})")
    return of_stage[-1]


def _init_cfg(
    name: str, pretrained: bool | str | None, init_cfg: dict[str, Any] | list[dict[str, Any]] | None
) -> dict[str, Any] | list[dict[str, Any]] | None:
    if not pretrained:
        return init_cfg
    if init_cfg is not None:
        raise ValueError("TorchvisionBackbone: give init_cfg or pretrained, not both")
    source = f"torchvision://{name}" if pretrained is True else pretrained
    return {"type": "Pretrained", "checkpoint": source}
