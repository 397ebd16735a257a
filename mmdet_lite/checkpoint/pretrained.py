"""``init_cfg=dict(type='Pretrained', checkpoint=...)``."""

from typing import Any

from mmengine.model import update_init_info
from torch import nn

from mmdet_lite.checkpoint.class_rows import class_layers_of
from mmdet_lite.checkpoint.fitting import placed, trained_classes
from mmdet_lite.checkpoint.load import MapLocation, load_checkpoint_file, state_dict_of
from mmdet_lite.checkpoint.origin import origin_of
from mmdet_lite.checkpoint.state import load_state_dict
from mmdet_lite.registry import WEIGHT_INITIALIZERS


@WEIGHT_INITIALIZERS.register_module(name="Pretrained")
class PretrainedInit:
    """Initialises a module with the weights of a file, of this program or another.

    Args:
        checkpoint: a path, a web address, ``torchvision://resnet50`` or
            ``open-mmlab://detectron2/resnet50_caffe``.
        prefix: load the part of the file below this name, such as ``backbone.``.
        map_location: where tensors are read to, as in ``torch.load``.

    Raises:
        FileNotFoundError: when called, if the file is missing or cannot be downloaded.
        ValueError: when called, if fewer than half of the module's tensors are in the file, or
            whole blocks of its stages are not.
    """

    def __init__(
        self, checkpoint: str, prefix: str | None = None, map_location: MapLocation = "cpu"
    ) -> None:
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.map_location = map_location

    def __call__(self, module: nn.Module) -> None:
        """Fill ``module`` in place."""
        checkpoint = load_checkpoint_file(self.checkpoint, self.map_location)
        weights: dict[str, Any] = state_dict_of(checkpoint)
        if self.prefix is not None:
            weights = _below(weights, self.prefix, self.checkpoint)
        weights = placed(weights, module.state_dict().keys())
        load_state_dict(module, weights, self.checkpoint, unexpected_is_normal=True, most_below="")
        # the module knows neither how images are prepared nor what the classes of the data are:
        # check_pretrained compares them later
        classes = trained_classes(checkpoint) if class_layers_of(module) else None
        noted: Any = (self.checkpoint, origin_of(checkpoint), classes)
        module.pretrained_from = noted
        if hasattr(module, "_params_init_info"):
            update_init_info(module, init_info=f"Pretrained: load from {self.checkpoint}")


def _below(weights: dict[str, Any], prefix: str, source: str) -> dict[str, Any]:
    prefix = prefix if prefix.endswith(".") else f"{prefix}."
    part = {key[len(prefix) :]: weights[key] for key in weights if key.startswith(prefix)}
    if not part:
        heads = sorted({key.split(".")[0] for key in weights})
        raise ValueError(f"{source} has nothing below prefix={prefix!r}; it has {', '.join(heads)}")
    return part
