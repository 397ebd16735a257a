"""SSD's head (Liu et al., 2016): classes and boxes of each level by convolutions of its own.

Letters: N images, A anchors of an image, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from torch import Tensor, nn

from mmdet_lite.models.dense_heads.anchor_steps import anchor_box_loss, anchor_detections
from mmdet_lite.models.dense_heads.anchor_targets import AnchorMatcher, AnchorTargets
from mmdet_lite.models.dense_heads.dense_head import DenseHead, Outputs
from mmdet_lite.models.dense_heads.selection import check_detection_cfg
from mmdet_lite.ops.checks import need_num_classes
from mmdet_lite.ops.class_rows import ClassRows
from mmdet_lite.ops.levels import flatten_levels
from mmdet_lite.registry import MODELS, TASK_UTILS
from mmdet_lite.structures import BatchTargets, Detections, ImageBatch

DEFAULT_ANCHORS = {
    "type": "SSDAnchorGenerator",
    "scale_major": False,
    "input_size": 300,
    "strides": [8, 16, 32, 64, 100, 300],
    "ratios": ([2], [2, 3], [2, 3], [2, 3], [2], [2]),
    "basesize_ratio_range": (0.15, 0.9),
}


@MODELS.register_module()
class SSDHead(DenseHead):
    """One classifier (K+1 classes, background last) and one regressor a level.

    Arguments are MMDetection 3's. ``stacked_convs`` convolutions of ``feat_channels`` come before
    them; ``use_depthwise`` makes all of them separable (SSDLite). The losses are fixed: softmax
    over positives and the hardest negatives, ``train_cfg.neg_pos_ratio`` for each positive of an
    image, and smooth L1 with ``train_cfg.smoothl1_beta``. ``train_cfg`` otherwise: see
    AnchorMatcher. ``test_cfg``: nms_pre, min_bbox_size, score_thr, nms, max_per_img.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        in_channels: Sequence[int] = (512, 1024, 512, 256, 256, 256),
        stacked_convs: int = 0,
        feat_channels: int = 256,
        use_depthwise: bool = False,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        act_cfg: dict[str, Any] | None = None,
        anchor_generator: Mapping[str, Any] | None = None,
        bbox_coder: Mapping[str, Any] | None = None,
        reg_decoded_bbox: bool = False,
        train_cfg: Mapping[str, Any] | None = None,
        test_cfg: Mapping[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg or _default_init())
        self.num_classes = need_num_classes(num_classes, "SSDHead", "bbox_head")
        self.anchors = TASK_UTILS.build(anchor_generator or DEFAULT_ANCHORS)
        self.in_channels, self.strides = list(in_channels), self.anchors.strides
        self.bbox_coder = TASK_UTILS.build(bbox_coder or {"type": "DeltaXYWHBBoxCoder"})
        self.reg_decoded_bbox = reg_decoded_bbox
        self.test_cfg = dict(test_cfg or {})
        if test_cfg:
            check_detection_cfg(test_cfg, "test_cfg")
        if train_cfg:
            more = ("neg_pos_ratio", "smoothl1_beta")
            self.matcher = AnchorMatcher(self.anchors, train_cfg, "train_cfg", more)
            self.negatives_per_positive = train_cfg.get("neg_pos_ratio", 3)
            beta = train_cfg.get("smoothl1_beta", 1.0)
            self.loss_bbox = MODELS.build({"type": "SmoothL1Loss", "beta": beta})
        if len(in_channels) != len(self.anchors.num_base_priors):
            raise ValueError(
                f"SSDHead: in_channels has {len(in_channels)} entries, the anchors have"
                f" {len(self.anchors.num_base_priors)} levels"
            )
        modules = {
            "conv_cfg": conv_cfg,
            "norm_cfg": norm_cfg,
            "act_cfg": act_cfg or {"type": "ReLU"},
        }
        branches = [
            nn.ModuleList(
                _level_convs([width] + [feat_channels] * stacked_convs, outputs * num_base,
                             use_depthwise, modules)
                for width, num_base in zip(in_channels, self.anchors.num_base_priors, strict=True)
            )
            for outputs in (self.num_classes + 1, 4)
        ]  # fmt: skip
        self.cls_convs, self.reg_convs = branches
        rows = ClassRows(background=1, by_anchor=True)
        last = stacked_convs + use_depthwise
        self.class_layers = {f"cls_convs.{i}.{last}": rows for i in range(len(in_channels))}

    def forward(self, features: Sequence[Tensor]) -> Outputs:
        """Logits (N, A, K+1) and deltas (N, A, 4) of all levels, and their sizes (h, w)."""
        logits, deltas = [], []
        for x, cls_conv, reg_conv in zip(features, self.cls_convs, self.reg_convs, strict=True):
            logits.append(cls_conv(x))
            deltas.append(reg_conv(x))
        sizes_hw = [(x.shape[2], x.shape[3]) for x in features]
        return (
            flatten_levels(logits, self.num_classes + 1),
            flatten_levels(deltas, 4),
            sizes_hw,
        )

    def losses_of(
        self, outputs: Outputs, images: ImageBatch, targets: BatchTargets
    ) -> dict[str, Tensor]:
        """Losses ``loss_cls`` of positives and hard negatives and ``loss_bbox`` of positives."""
        logits, deltas, sizes_hw = outputs
        wanted = self.matcher.targets(sizes_hw, images, targets, self.num_classes, logits.device)
        losses = F.cross_entropy(
            logits.float().flatten(0, 1), wanted.labels.flatten(), reduction="none"
        ).view_as(wanted.labels)
        chosen = wanted.positive | hard_negatives(
            losses.detach(), wanted, self.negatives_per_positive
        )
        losses = losses * self.matcher.class_weights(wanted) * chosen
        loss_bbox = anchor_box_loss(
            deltas, wanted, self.bbox_coder, self.loss_bbox, self.reg_decoded_bbox
        )
        return {"loss_cls": losses.sum() / wanted.divisor, "loss_bbox": loss_bbox}

    @torch.no_grad()
    def detections_of(
        self, outputs: Outputs, images: ImageBatch, cfg: Mapping[str, Any]
    ) -> Detections:
        """Detections of a batch in input pixels."""
        return anchor_detections(outputs, self.anchors, self.bbox_coder, False, images, cfg)


def hard_negatives(losses: Tensor, targets: AnchorTargets, per_positive: float) -> Tensor:
    """The negatives of largest loss, ``per_positive`` for each positive of the image: (N, A) bool.

    Shapes: ``losses`` (N, A), not negative. An image without positives gives none.
    Source: SSD, section 2.2.
    """
    order = losses.masked_fill(~targets.negative, -1).argsort(dim=1, descending=True, stable=True)
    count = (targets.positive.sum(dim=1) * per_positive).long()
    rank = torch.arange(losses.shape[1], device=losses.device).expand_as(order)
    taken = torch.zeros_like(targets.negative).scatter(1, order, rank < count[:, None])
    return taken & targets.negative


def _level_convs(
    widths: list[int], num_outputs: int, depthwise: bool, modules: dict[str, Any]
) -> nn.Sequential:
    """Convolutions of one level and one branch; ``modules`` configures all but the last."""
    conv = DepthwiseSeparableConvModule if depthwise else ConvModule
    layers = [
        conv(widths[i], widths[i + 1], 3, padding=1, **modules) for i in range(len(widths) - 1)
    ]
    if not depthwise:
        return nn.Sequential(*layers, nn.Conv2d(widths[-1], num_outputs, 3, padding=1))
    layers.append(ConvModule(widths[-1], widths[-1], 3, padding=1, groups=widths[-1], **modules))
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], num_outputs, 1))


def _default_init() -> dict[str, Any]:
    return {"type": "Xavier", "layer": "Conv2d", "distribution": "uniform", "bias": 0}
