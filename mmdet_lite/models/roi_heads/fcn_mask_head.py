"""Mask of each RoI (Mask R-CNN)."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from mmcv.cnn import build_conv_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdet_lite.models.conv_tower import conv_tower
from mmdet_lite.ops.checks import check_keys, need_num_classes
from mmdet_lite.ops.class_rows import ClassRows
from mmdet_lite.registry import MODELS

UPSAMPLING = ("deconv", "nearest", "bilinear", None)


@MODELS.register_module()
class FCNMaskHead(BaseModule):
    """Convolutions, upsampling, and one mask a class.

    Arguments are MMDetection 3's. ``upsample_cfg``: ``type`` 'deconv', 'nearest', 'bilinear' or
    None, and ``scale_factor``. ``predictor_cfg``: the layer of the last convolution.
    ``class_agnostic``: one mask for all classes. ``loss_mask`` needs ``use_mask=True``.
    ``roi_feat_size`` decides nothing, as in MMDetection: the features have the size they have.
    ``res_layer`` (a ResLayer's config) puts a ResNet stage of its own before the convolutions; the
    RoI head's ``shared_head`` then serves the box branch alone.

    The heads of Detectron: v1up4convs is the default, with ``norm_cfg`` v1up4convs_gn; v1up has
    ``num_convs=2``; v0upshare ``num_convs=0`` behind a ``shared_head``, without
    ``mask_roi_extractor``; v0up ``num_convs=0`` with ``res_layer``.
    """

    class_layers: ClassVar = {"conv_logits": ClassRows()}

    def __init__(
        self,
        num_classes: int | None = None,
        num_convs: int = 4,
        roi_feat_size: int = 14,
        in_channels: int = 256,
        conv_kernel_size: int = 3,
        conv_out_channels: int = 256,
        class_agnostic: bool = False,
        upsample_cfg: Mapping[str, Any] | None = None,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        predictor_cfg: dict[str, Any] | None = None,
        loss_mask: Mapping[str, Any] | None = None,
        res_layer: Mapping[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.upsample_type, self.scale_factor = _read_upsampling(upsample_cfg)
        self.num_classes = need_num_classes(num_classes, "FCNMaskHead", "roi_head.mask_head")
        self.class_agnostic = class_agnostic
        self.res_layer = None if res_layer is None else MODELS.build(res_layer)
        modules = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg}
        self.convs = conv_tower(
            in_channels, conv_out_channels, num_convs, conv_kernel_size, **modules
        )
        channels = conv_out_channels if num_convs else in_channels
        self.upsample: nn.ConvTranspose2d | None = None
        if self.upsample_type == "deconv":
            self.upsample = nn.ConvTranspose2d(
                channels, conv_out_channels, self.scale_factor, stride=self.scale_factor
            )
            channels = conv_out_channels
        num_masks = 1 if class_agnostic else self.num_classes
        self.conv_logits = build_conv_layer(predictor_cfg, channels, num_masks, 1)
        self.loss_mask = MODELS.build(
            loss_mask or {"type": "CrossEntropyLoss", "use_mask": True, "loss_weight": 1.0}
        )
        if not getattr(self.loss_mask, "use_mask", False):
            raise ValueError("FCNMaskHead: loss_mask must be a CrossEntropyLoss with use_mask=True")

    def init_weights(self) -> None:
        """Kaiming values for the two last layers, unless ``init_cfg`` says otherwise."""
        super().init_weights()
        if self.init_cfg:
            return
        for layer in (self.upsample, self.conv_logits):
            if layer is not None:
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """RoI features (R, C, h, w) to logits (R, K or 1, H, W)."""
        if self.res_layer is not None:
            x = self.res_layer(x)
        x = self.convs(x)
        if self.upsample is not None:
            x = F.relu_(self.upsample(x))
        elif self.upsample_type is not None:
            x = F.interpolate(x, scale_factor=self.scale_factor, mode=self.upsample_type)
        return self.conv_logits(x)

    def loss(self, mask_logits: Tensor, targets: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """``loss_mask`` of positive RoIs: targets (R, H, W) of 0 and 1, labels (R,).

        R = 0 gives zero, still connected to every weight.
        """
        if self.class_agnostic:
            labels = torch.zeros_like(labels)
        return {"loss_mask": self.loss_mask.mask_loss(mask_logits, targets, labels)}

    def predict(self, mask_logits: Tensor, labels: Tensor) -> Tensor:
        """Probabilities of each detection's own mask: (D, H, W) from logits (D, K or 1, H, W)."""
        if self.class_agnostic:
            labels = torch.zeros_like(labels)
        rows = torch.arange(len(labels), device=labels.device)
        return mask_logits[rows, labels].float().sigmoid()


def _read_upsampling(cfg: Mapping[str, Any] | None) -> tuple[str | None, int]:
    """Kind of upsampling and its factor."""
    cfg = cfg or {"type": "deconv", "scale_factor": 2}
    check_keys(cfg, ("type", "scale_factor"), "mask_head.upsample_cfg")
    kind = cfg.get("type")
    if kind not in UPSAMPLING:
        raise ValueError(
            f"FCNMaskHead: upsample_cfg.type must be one of {UPSAMPLING}, got {kind!r}"
        )
    return kind, cfg.get("scale_factor", 2)
