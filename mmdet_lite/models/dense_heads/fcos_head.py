"""FCOS's head (Tian et al., 2019): classes and boxes of points, without anchors.

Letters: N images, A points of an image, G ground truths, P positive points of the batch, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import Scale
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmdet_lite.models.conv_tower import conv_tower
from mmdet_lite.models.dense_heads.dense_head import DenseHead, Outputs
from mmdet_lite.models.dense_heads.point_targets import PointMatcher, centerness, points_of_levels
from mmdet_lite.models.dense_heads.selection import check_detection_cfg, find_candidates
from mmdet_lite.ops.checks import need_num_classes
from mmdet_lite.ops.class_rows import ClassRows
from mmdet_lite.ops.levels import flatten_levels
from mmdet_lite.ops.nms import best_detections
from mmdet_lite.registry import MODELS, TASK_UTILS
from mmdet_lite.structures import BatchTargets, Detections, ImageBatch

REGRESS_RANGES = ((-1, 64), (64, 128), (128, 256), (256, 512), (512, 1e8))
GROUP_NORM = {"type": "GN", "num_groups": 32, "requires_grad": True}


@MODELS.register_module()
class FCOSHead(DenseHead):
    """Scores, distances to the four sides and centerness of each point.

    Arguments are MMDetection 3's. ``regress_ranges``, one a level: how far its objects' sides may
    be; ``center_sampling``: only points within ``center_sample_radius`` strides of an object's
    centre learn it; ``norm_on_bbox``: distances are learned in strides, not as exponentials;
    ``centerness_on_reg``: centerness comes from the box tower. ``conv_bias`` 'auto': where there is
    no norm. Points are matched by place and size, so ``train_cfg`` has no effect, nor have ignored
    regions. ``dcn_on_last_conv`` can only be False.

    ``test_cfg``: nms_pre, min_bbox_size, score_thr, nms, max_per_img; ``score_thr`` and ``nms_pre``
    look at the class score, what follows at its product with the centerness.
    """

    strides: list[int]

    def __init__(
        self,
        num_classes: int | None = None,
        in_channels: int = 256,
        regress_ranges: Sequence[tuple[float, float]] = REGRESS_RANGES,
        center_sampling: bool = False,
        center_sample_radius: float = 1.5,
        norm_on_bbox: bool = False,
        centerness_on_reg: bool = False,
        feat_channels: int = 256,
        stacked_convs: int = 4,
        strides: Sequence[int] = (4, 8, 16, 32, 64),
        dcn_on_last_conv: bool = False,
        conv_bias: bool | str = "auto",
        loss_cls: Mapping[str, Any] | None = None,
        loss_bbox: Mapping[str, Any] | None = None,
        loss_centerness: Mapping[str, Any] | None = None,
        bbox_coder: Mapping[str, Any] | None = None,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = GROUP_NORM,
        train_cfg: Mapping[str, Any] | None = None,
        test_cfg: Mapping[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg or _default_init())
        if dcn_on_last_conv:
            raise ValueError("FCOSHead: dcn_on_last_conv=True is not available")
        if len(regress_ranges) != len(strides):
            raise ValueError(
                f"FCOSHead: {len(regress_ranges)} regress_ranges for {len(strides)} strides"
            )
        self.num_classes = need_num_classes(num_classes, "FCOSHead", "bbox_head")
        self.norm_on_bbox = norm_on_bbox
        self.centerness_on_reg = centerness_on_reg
        self.in_channels, self.strides = in_channels, list(strides)
        radius = center_sample_radius if center_sampling else None
        self.matcher = PointMatcher(self.strides, regress_ranges, radius)
        self.bbox_coder = TASK_UTILS.build(bbox_coder or {"type": "DistancePointBBoxCoder"})
        loss_cls = loss_cls or {"type": "FocalLoss"}
        self.use_sigmoid = loss_cls.get("use_sigmoid", loss_cls["type"] == "FocalLoss")
        self.loss_cls = MODELS.build(loss_cls)
        self.loss_bbox = MODELS.build(loss_bbox or {"type": "IoULoss"})
        self.loss_centerness = MODELS.build(
            loss_centerness or {"type": "CrossEntropyLoss", "use_sigmoid": True}
        )
        self.test_cfg = dict(test_cfg or {})
        if test_cfg:
            check_detection_cfg(test_cfg, "test_cfg")
        self.num_logits = self.num_classes if self.use_sigmoid else self.num_classes + 1
        bias = norm_cfg is None if conv_bias == "auto" else bool(conv_bias)
        modules = {"bias": bias, "conv_cfg": conv_cfg, "norm_cfg": norm_cfg}
        self._add_layers(in_channels, feat_channels, stacked_convs, modules)

    def _add_layers(
        self, in_channels: int, channels: int, num_convs: int, modules: dict[str, Any]
    ) -> None:
        self.cls_convs = conv_tower(in_channels, channels, num_convs, **modules)
        self.reg_convs = conv_tower(in_channels, channels, num_convs, **modules)
        width = channels if num_convs else in_channels
        self.conv_cls = nn.Conv2d(width, self.num_logits, 3, padding=1)
        self.class_layers = {"conv_cls": ClassRows(background=self.num_logits - self.num_classes)}
        self.conv_reg = nn.Conv2d(width, 4, 3, padding=1)
        self.conv_centerness = nn.Conv2d(width, 1, 3, padding=1)
        self.scales = nn.ModuleList(Scale(1.0) for _ in self.strides)

    def forward(self, features: Sequence[Tensor]) -> Outputs:
        """Of all levels: class logits (N, A, K), distances, centerness logits, sizes (h, w).

        Distances (N, A, 4) to left, top, right and bottom side are in input pixels, centerness
        (N, A, 1).
        """
        logits, distances, centres = [], [], []
        levels = zip(features, self.scales, self.strides, strict=True)
        for x, scale, stride in levels:
            of_class, of_box = self.cls_convs(x), self.reg_convs(x)
            logits.append(self.conv_cls(of_class))
            centres.append(self.conv_centerness(of_box if self.centerness_on_reg else of_class))
            # half precision is too narrow for the exponential
            distance = scale(self.conv_reg(of_box)).float()
            distances.append(F.relu(distance) * stride if self.norm_on_bbox else distance.exp())
        return (
            flatten_levels(logits, self.num_logits),
            flatten_levels(distances, 4),
            flatten_levels(centres, 1),
            [(x.shape[2], x.shape[3]) for x in features],
        )

    def losses_of(
        self, outputs: Outputs, images: ImageBatch, targets: BatchTargets
    ) -> dict[str, Tensor]:
        """Losses ``loss_cls`` of all points, ``loss_bbox`` and ``loss_centerness`` of positives.

        Boxes count by their centerness. Divisors are means over all processes.
        """
        logits, distances, centres, sizes_hw = outputs
        wanted = self.matcher.targets(sizes_hw, targets, self.num_classes, logits.device)
        count = torch.tensor(float(len(wanted.points)), device=logits.device)  # not in half
        num_positive = _mean_of_processes(count)
        loss_cls = self.loss_cls(
            logits.flatten(0, 1), wanted.labels.flatten(), avg_factor=num_positive.clamp(min=1)
        )
        weights = centerness(self.bbox_coder.encode(wanted.points, wanted.boxes))
        predicted = self.bbox_coder.decode(wanted.points, distances[wanted.positive])
        # stride by stride or pixel by pixel the overlap of two boxes is the same
        loss_bbox = self.loss_bbox(
            predicted,
            wanted.boxes,
            weights,
            avg_factor=_mean_of_processes(weights.sum()).clamp(min=1e-6),
        )
        loss_centerness = self.loss_centerness(
            centres[wanted.positive], weights[:, None], avg_factor=num_positive.clamp(min=1)
        )
        return {
            "loss_cls": loss_cls,
            "loss_bbox": loss_bbox,
            "loss_centerness": loss_centerness,
        }

    @torch.no_grad()
    def detections_of(
        self, outputs: Outputs, images: ImageBatch, cfg: Mapping[str, Any]
    ) -> Detections:
        """Detections of a batch in input pixels."""
        logits, distances, centres, sizes_hw = outputs
        counts = [h * w for h, w in sizes_hw]
        found = find_candidates(logits, self.use_sigmoid, counts, cfg)
        points = points_of_levels(sizes_hw, self.strides, logits.device)
        boxes = self.bbox_coder.decode(
            points[found.position],
            distances[found.image, found.position],
            images.sizes[found.image],
        )
        scores = found.score * centres[found.image, found.position, 0].float().sigmoid()
        return Detections(
            *best_detections(found.image, boxes, scores, found.label, len(images), cfg)
        )


def _mean_of_processes(value: Tensor) -> Tensor:
    """Mean of a number over all processes; the number itself where there is one process."""
    value = value.detach().float().clone()
    all_reduce(value, "mean")
    return value


def _default_init() -> dict[str, Any]:
    """Small normal weights; the classifier begins by calling everything background."""
    classifier = {"type": "Normal", "name": "conv_cls", "std": 0.01, "bias_prob": 0.01}
    return {"type": "Normal", "layer": "Conv2d", "std": 0.01, "override": classifier}
