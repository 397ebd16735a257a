"""Class and box of each RoI (Fast R-CNN).

Letters: R RoIs of the batch, K classes (label K is background), D detections.
"""

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdet_lite.models.conv_tower import conv_tower
from mmdet_lite.ops.checks import need_num_classes
from mmdet_lite.ops.class_rows import ClassRows
from mmdet_lite.ops.nms import best_detections
from mmdet_lite.registry import MODELS, TASK_UTILS
from mmdet_lite.structures import Detections, ImageBatch


@MODELS.register_module(name=["BBoxHead", "ConvFCBBoxHead"])
class BBoxHead(BaseModule):
    """Convolutions and fully connected layers, then a classifier and a box regressor.

    Arguments are MMDetection 3's (BBoxHead's and ConvFCBBoxHead's): ``num_shared_convs`` 3x3
    convolutions and ``num_shared_fcs`` layers serve both outputs, ``num_cls_*`` and ``num_reg_*``
    one. Without any layer the RoI feature itself is used (averaged with ``with_avg_pool``).
    ``reg_class_agnostic``: one box for all classes. ``reg_decoded_bbox``: the box loss compares
    boxes instead of offsets. ``loss_cls`` and ``loss_bbox`` are built by name.
    """

    class_layers: ClassVar = {"fc_cls": ClassRows(background=1), "fc_reg": ClassRows(each=4)}

    def __init__(
        self,
        num_classes: int | None = None,
        in_channels: int = 256,
        roi_feat_size: int = 7,
        num_shared_convs: int = 0,
        num_shared_fcs: int = 0,
        num_cls_convs: int = 0,
        num_cls_fcs: int = 0,
        num_reg_convs: int = 0,
        num_reg_fcs: int = 0,
        conv_out_channels: int = 256,
        fc_out_channels: int = 1024,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        with_avg_pool: bool = False,
        with_cls: bool = True,
        with_reg: bool = True,
        bbox_coder: Mapping[str, Any] | None = None,
        reg_class_agnostic: bool = False,
        reg_decoded_bbox: bool = False,
        loss_cls: Mapping[str, Any] | None = None,
        loss_bbox: Mapping[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg or _default_init(with_cls, with_reg))
        name = type(self).__name__
        self.num_classes = need_num_classes(num_classes, name, "roi_head.bbox_head")
        if not (with_cls or with_reg):
            raise ValueError(f"{name}: with_cls and with_reg are both False")
        self.with_avg_pool = with_avg_pool
        self.reg_class_agnostic = reg_class_agnostic
        self.reg_decoded_bbox = reg_decoded_bbox
        self.bbox_coder = TASK_UTILS.build(
            bbox_coder or {"type": "DeltaXYWHBBoxCoder", "target_stds": (0.1, 0.1, 0.2, 0.2)}
        )
        self.loss_cls = MODELS.build(loss_cls or {"type": "CrossEntropyLoss"})
        self.loss_bbox = MODELS.build(loss_bbox or {"type": "SmoothL1Loss", "beta": 1.0})
        if getattr(self.loss_cls, "use_sigmoid", False):
            raise ValueError(f"{name}: loss_cls.use_sigmoid=True is not available")
        # the outputs come first in the order of parameters, as checkpoints' optimisers know it
        self.register_module("fc_cls", None)
        self.register_module("fc_reg", None)
        area = 1 if with_avg_pool else roi_feat_size**2
        add = partial(self._add_branch, conv_out_channels, fc_out_channels, conv_cfg, norm_cfg)
        shared, area = add("shared", in_channels, area, num_shared_convs, num_shared_fcs)
        cls_channels, cls_area = add("cls", shared, area, num_cls_convs, num_cls_fcs)
        reg_channels, reg_area = add("reg", shared, area, num_reg_convs, num_reg_fcs)
        if with_cls:
            self.fc_cls = nn.Linear(cls_channels * cls_area, self.num_classes + 1)
        if with_reg:
            boxes = 1 if reg_class_agnostic else self.num_classes
            self.fc_reg = nn.Linear(reg_channels * reg_area, 4 * boxes)

    def _add_branch(
        self,
        conv_width: int,
        fc_width: int,
        conv_cfg: dict[str, Any] | None,
        norm_cfg: dict[str, Any] | None,
        name: str,
        channels: int,
        area: int,
        num_convs: int,
        num_fcs: int,
    ) -> tuple[int, int]:
        """Add one branch's layers; return the channels and the area (1: flat) that come out."""
        convs = conv_tower(channels, conv_width, num_convs, conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        channels = conv_width if num_convs else channels
        inputs = [channels * area] + [fc_width] * num_fcs
        fcs = nn.ModuleList(nn.Linear(inputs[i], fc_width) for i in range(num_fcs))
        self.add_module(f"{name}_convs", convs)
        self.add_module(f"{name}_fcs", fcs)
        return (fc_width, 1) if num_fcs else (channels, area)

    def forward(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """RoI features (R, C, h, w) to class logits (R, K+1) and deltas (R, 4 or K*4)."""
        x = self._branch(x, self.shared_convs, self.shared_fcs)
        cls_score = bbox_pred = None
        if self.fc_cls is not None:
            cls_score = self.fc_cls(self._flat(self._branch(x, self.cls_convs, self.cls_fcs)))
        if self.fc_reg is not None:
            bbox_pred = self.fc_reg(self._flat(self._branch(x, self.reg_convs, self.reg_fcs)))
        return cls_score, bbox_pred

    def _branch(self, x: Tensor, convs: nn.Sequential, fcs: nn.ModuleList) -> Tensor:
        x = convs(x)
        if len(fcs):
            x = self._flat(x)
        for fc in fcs:
            x = F.relu(fc(x))
        return x

    def _flat(self, x: Tensor) -> Tensor:
        if x.dim() == 2:
            return x
        return x.mean(dim=(2, 3)) if self.with_avg_pool else x.flatten(1)

    def loss(
        self,
        cls_score: Tensor | None,
        bbox_pred: Tensor | None,
        boxes: Tensor,
        labels: Tensor,
        matched_gt: Tensor,
        pos_weight: float = 1.0,
    ) -> dict[str, Tensor]:
        """Losses of sampled RoIs.

        Shapes: boxes (R, 4) and ``matched_gt`` (R, 4) in input pixels, labels (R,) where K is
        background (its ``matched_gt`` counts nothing). Returns ``loss_cls``, ``acc`` (percent) and
        ``loss_bbox``; R = 0 gives zeros.
        """
        losses = {}
        positive = labels < self.num_classes
        if cls_score is not None:
            weights = torch.where(positive, pos_weight, 1.0)
            num = max(len(labels), 1)
            losses["loss_cls"] = self.loss_cls(cls_score, labels, weights, avg_factor=num)
            losses["acc"] = (cls_score.argmax(dim=1) == labels).sum() * (100.0 / num)
        if bbox_pred is not None:
            losses["loss_bbox"] = self._box_loss(bbox_pred, boxes, labels, matched_gt, positive)
        return losses

    def _box_loss(
        self, bbox_pred: Tensor, boxes: Tensor, labels: Tensor, gt: Tensor, positive: Tensor
    ) -> Tensor:
        rows = torch.arange(len(labels), device=labels.device)
        deltas = self._deltas_of_class(bbox_pred, rows, labels.clamp(max=self.num_classes - 1))
        if self.reg_decoded_bbox:
            predicted, wanted = self.bbox_coder.decode(boxes, deltas), gt
        else:
            predicted, wanted = deltas, self.bbox_coder.encode(boxes, gt)
        # background has no box to learn: its own answer stands in, so that nothing becomes NaN
        wanted = torch.where(positive[:, None], wanted, predicted.detach())
        weight = positive[:, None].expand_as(wanted).to(torch.float32)
        return self.loss_bbox(predicted, wanted, weight, avg_factor=max(len(labels), 1))

    def _deltas_of_class(self, bbox_pred: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        """Offsets (B, 4) of the given rows (B,) of ``bbox_pred`` for the classes (B,)."""
        deltas = bbox_pred.view(len(bbox_pred), bbox_pred.shape[1] // 4, 4)
        return deltas[rows, torch.zeros_like(labels) if self.reg_class_agnostic else labels]

    @torch.no_grad()
    def class_losses(self, cls_score: Tensor, labels: Tensor) -> Tensor:
        """Classification loss of each RoI alone: (R,) from logits (R, K+1) and labels (R,)."""
        one_by_one = copy.copy(self.loss_cls)
        one_by_one.reduction = "none"
        return one_by_one(cls_score, labels)

    @torch.no_grad()
    def refine(
        self,
        rois: Tensor,
        cls_score: Tensor,
        bbox_pred: Tensor,
        images: ImageBatch,
        labels: Tensor | None = None,
    ) -> Tensor:
        """RoIs (R, 5) moved to where this head sees the object: boxes (R, 4) in input pixels.

        Offsets are those of the label (R,); where it is background, or not given, of the class of
        largest score. R = 0 gives (0, 4).
        """
        classes = cls_score[:, :-1].argmax(dim=1)
        if labels is not None:
            classes = torch.where(labels < self.num_classes, labels, classes)
        rows = torch.arange(len(rois), device=rois.device)
        deltas = self._deltas_of_class(bbox_pred, rows, classes)
        return self.bbox_coder.decode(rois[:, 1:], deltas, images.sizes[rois[:, 0].long()])

    def predict(
        self,
        cls_score: Tensor,
        bbox_pred: Tensor | None,
        rois: Tensor,
        images: ImageBatch,
        cfg: Mapping[str, Any],
    ) -> Detections:
        """Detections of a batch after score threshold and NMS, in input pixels.

        Shapes: cls_score (R, K+1), bbox_pred (R, 4 or K*4), rois (R, 5) with the image's index.
        ``cfg``: score_thr, and what best_detections reads. R = 0 gives no detections.
        """
        scores = cls_score.float().softmax(dim=1)[:, :-1]
        row, label = torch.nonzero(scores > cfg["score_thr"], as_tuple=True)
        scores, image, boxes = scores[row, label], rois[row, 0].long(), rois[row, 1:]
        if bbox_pred is not None:
            deltas = self._deltas_of_class(bbox_pred, row, label)
            boxes = self.bbox_coder.decode(boxes, deltas, images.sizes[image])
        return Detections(*best_detections(image, boxes, scores, label, len(images), cfg))


@MODELS.register_module()
class Shared2FCBBoxHead(BBoxHead):
    """Two shared fully connected layers, the head of FPN's R-CNNs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"num_shared_fcs": 2, **kwargs})


@MODELS.register_module()
class Shared4Conv1FCBBoxHead(BBoxHead):
    """Four shared convolutions and one fully connected layer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"num_shared_convs": 4, "num_shared_fcs": 1, **kwargs})


def _default_init(with_cls: bool, with_reg: bool) -> list[dict[str, Any]]:
    """Small normal values for the two outputs, Xavier for the layers before them."""
    layers = [{"name": f"{branch}_fcs"} for branch in ("shared", "cls", "reg")]
    init: list[dict[str, Any]] = [{"type": "Xavier", "distribution": "uniform", "override": layers}]
    if with_cls:
        init.append({"type": "Normal", "std": 0.01, "override": {"name": "fc_cls"}})
    if with_reg:
        init.append({"type": "Normal", "std": 0.001, "override": {"name": "fc_reg"}})
    return init
