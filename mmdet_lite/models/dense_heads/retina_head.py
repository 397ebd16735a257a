"""RetinaNet's head (Lin et al., 2017): classes and boxes of anchors, through two towers.

Letters: N images, A anchors of an image, B base anchors of a position, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmdet_lite.models.conv_tower import conv_tower
from mmdet_lite.models.dense_heads.anchor_steps import anchor_box_loss, anchor_detections
from mmdet_lite.models.dense_heads.anchor_targets import AnchorMatcher
from mmdet_lite.models.dense_heads.dense_head import DenseHead, Outputs
from mmdet_lite.models.dense_heads.selection import check_detection_cfg
from mmdet_lite.ops.checks import need_num_classes
from mmdet_lite.ops.class_rows import ClassRows
from mmdet_lite.ops.levels import flatten_levels
from mmdet_lite.registry import MODELS, TASK_UTILS
from mmdet_lite.structures import BatchTargets, Detections, ImageBatch

DEFAULT_ANCHORS = {
    "type": "AnchorGenerator",
    "octave_base_scale": 4,
    "scales_per_octave": 3,
    "ratios": [0.5, 1.0, 2.0],
    "strides": [8, 16, 32, 64, 128],
}
DEFAULT_LOSS_CLS: dict[str, Any] = {"type": "CrossEntropyLoss", "use_sigmoid": True}


@MODELS.register_module()
class RetinaHead(DenseHead):
    """Two towers of ``stacked_convs`` 3x3 convolutions, shared by all levels.

    Arguments are MMDetection 3's (RetinaHead's and AnchorHead's). ``loss_cls`` with use_sigmoid
    gives K logits an anchor, otherwise K+1 with background last. ``reg_decoded_bbox``: the box
    loss compares boxes instead of offsets. ``train_cfg``: see AnchorMatcher. ``test_cfg``: nms_pre,
    min_bbox_size, score_thr, nms, max_per_img.
    """

    def __init__(
        self,
        num_classes: int | None = None,
        in_channels: int = 256,
        stacked_convs: int = 4,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        anchor_generator: Mapping[str, Any] | None = None,
        feat_channels: int = 256,
        bbox_coder: Mapping[str, Any] | None = None,
        reg_decoded_bbox: bool = False,
        loss_cls: Mapping[str, Any] | None = None,
        loss_bbox: Mapping[str, Any] | None = None,
        train_cfg: Mapping[str, Any] | None = None,
        test_cfg: Mapping[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg or _default_init())
        self.num_classes = need_num_classes(num_classes, "RetinaHead", "bbox_head")
        self.anchors = TASK_UTILS.build(anchor_generator or DEFAULT_ANCHORS)
        self.in_channels, self.strides = in_channels, self.anchors.strides
        self.bbox_coder = TASK_UTILS.build(bbox_coder or {"type": "DeltaXYWHBBoxCoder"})
        self.reg_decoded_bbox = reg_decoded_bbox
        loss_cls = loss_cls or DEFAULT_LOSS_CLS
        self.loss_cls = MODELS.build(loss_cls)
        self.loss_bbox = MODELS.build(loss_bbox or {"type": "SmoothL1Loss", "beta": 1 / 9})
        self.use_sigmoid: bool = loss_cls.get("use_sigmoid", False)
        self.num_logits = self.num_classes if self.use_sigmoid else self.num_classes + 1
        self.test_cfg = dict(test_cfg or {})
        if test_cfg:
            check_detection_cfg(test_cfg, "test_cfg")
        if train_cfg:
            self.matcher = AnchorMatcher(self.anchors, train_cfg, "train_cfg")
        if len(set(self.anchors.num_base_priors)) != 1:
            raise ValueError(
                "RetinaHead: every level needs as many base anchors, got"
                f" {self.anchors.num_base_priors}"
            )
        num_base = self.anchors.num_base_priors[0]
        modules: dict[str, Any] = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg}
        self.cls_convs = conv_tower(in_channels, feat_channels, stacked_convs, **modules)
        self.reg_convs = conv_tower(in_channels, feat_channels, stacked_convs, **modules)
        width = feat_channels if stacked_convs else in_channels
        self.retina_cls = nn.Conv2d(width, num_base * self.num_logits, 3, padding=1)
        self.retina_reg = nn.Conv2d(width, num_base * 4, 3, padding=1)
        background = self.num_logits - self.num_classes
        self.class_layers = {"retina_cls": ClassRows(background=background, by_anchor=True)}

    def forward(self, features: Sequence[Tensor]) -> Outputs:
        """Logits (N, A, K or K+1) and deltas (N, A, 4) of all levels, and their sizes (h, w)."""
        logits, deltas = [], []
        for x in features:
            logits.append(self.retina_cls(self.cls_convs(x)))
            deltas.append(self.retina_reg(self.reg_convs(x)))
        sizes_hw = [(x.shape[2], x.shape[3]) for x in features]
        return flatten_levels(logits, self.num_logits), flatten_levels(deltas, 4), sizes_hw

    def losses_of(
        self, outputs: Outputs, images: ImageBatch, targets: BatchTargets
    ) -> dict[str, Tensor]:
        """Losses ``loss_cls`` of all anchors and ``loss_bbox`` of the positives."""
        logits, deltas, sizes_hw = outputs
        wanted = self.matcher.targets(sizes_hw, images, targets, self.num_classes, logits.device)
        loss_cls = self.loss_cls(
            logits.flatten(0, 1),
            wanted.labels.flatten(),
            self.matcher.class_weights(wanted).flatten(),
            avg_factor=wanted.divisor,
        )
        loss_bbox = anchor_box_loss(
            deltas, wanted, self.bbox_coder, self.loss_bbox, self.reg_decoded_bbox
        )
        return {"loss_cls": loss_cls, "loss_bbox": loss_bbox}

    @torch.no_grad()
    def detections_of(
        self, outputs: Outputs, images: ImageBatch, cfg: Mapping[str, Any]
    ) -> Detections:
        """Detections of a batch in input pixels."""
        return anchor_detections(
            outputs, self.anchors, self.bbox_coder, self.use_sigmoid, images, cfg
        )


def _default_init() -> dict[str, Any]:
    """Small normal weights; the classifier begins by calling everything background."""
    classifier = {"type": "Normal", "name": "retina_cls", "std": 0.01, "bias_prob": 0.01}
    return {"type": "Normal", "layer": "Conv2d", "std": 0.01, "override": classifier}
