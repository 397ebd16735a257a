"""From proposals to losses or detections: the second stage of Faster and Mask R-CNN.

Letters: N images, G ground truths, P proposals of an image, S samples, R RoIs of the batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmdet_lite.models.roi_heads.mask_targets import mask_targets
from mmdet_lite.ops.boxes import boxes_to_rois
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.ops.levels import pad_boxes, pad_labels
from mmdet_lite.ops.nms import check_nms_cfg
from mmdet_lite.registry import MODELS, TASK_UTILS
from mmdet_lite.structures import BatchTargets, Detections, ImageBatch, Proposals

TRAIN_KEYS = ("assigner", "sampler", "mask_size", "pos_weight", "debug")
TEST_KEYS = ("score_thr", "nms", "max_per_img", "mask_thr_binary")


@dataclass(frozen=True)
class SampledRoIs:
    """RoIs of a batch to train on.

    ``rois`` (R, 5), ``labels`` (R,) with K as background, ``matched_gt`` (R, 4) and ``gt_idx``
    (R,), which count only where ``positive`` (R,) holds.
    """

    rois: Tensor
    labels: Tensor
    matched_gt: Tensor
    gt_idx: Tensor
    positive: Tensor


@MODELS.register_module()
class StandardRoIHead(BaseModule):
    """Pools each RoI, classifies and refines it, and draws its mask.

    Arguments are MMDetection 3's. Without ``mask_roi_extractor`` masks use the box branch's
    features. ``shared_head`` runs on pooled features before both branches. ``train_cfg``: assigner,
    sampler, mask_size, pos_weight. ``test_cfg``: score_thr, nms, max_per_img, mask_thr_binary.
    """

    def __init__(
        self,
        bbox_roi_extractor: Mapping[str, Any] | None = None,
        bbox_head: Mapping[str, Any] | None = None,
        mask_roi_extractor: Mapping[str, Any] | None = None,
        mask_head: Mapping[str, Any] | None = None,
        shared_head: Mapping[str, Any] | None = None,
        train_cfg: Mapping[str, Any] | None = None,
        test_cfg: Mapping[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if bbox_roi_extractor is None or bbox_head is None:
            raise ValueError("StandardRoIHead needs bbox_roi_extractor and bbox_head")
        self.bbox_roi_extractor = MODELS.build(bbox_roi_extractor)
        self.bbox_head = MODELS.build(bbox_head)
        self.mask_roi_extractor = self.mask_head = self.shared_head = None
        if mask_head is not None:
            self.mask_head = MODELS.build(mask_head)
            if mask_roi_extractor is not None:
                self.mask_roi_extractor = MODELS.build(mask_roi_extractor)
        if shared_head is not None:
            self.shared_head = MODELS.build(shared_head)
        self._read_train_cfg(train_cfg)
        self.test_cfg = dict(test_cfg or {})
        if test_cfg:
            check_test_cfg(test_cfg, "test_cfg.rcnn")

    def _read_train_cfg(self, train_cfg: Mapping[str, Any] | None) -> None:
        self.pos_weight = 1.0
        if not train_cfg:
            return
        check_keys(train_cfg, TRAIN_KEYS, "train_cfg.rcnn")
        self.assigner = TASK_UTILS.build(train_cfg["assigner"])
        self.sampler = TASK_UTILS.build(train_cfg["sampler"])
        if train_cfg.get("pos_weight", -1) > 0:
            self.pos_weight = train_cfg["pos_weight"]
        if self.mask_head is None:
            return
        size = train_cfg.get("mask_size", self.mask_head.mask_size_hw)
        drawn_hw = self.mask_head.mask_size_hw
        if ((size, size) if isinstance(size, int) else tuple(size)) != drawn_hw:
            raise ValueError(
                f"train_cfg.rcnn.mask_size={size} but the mask head draws {drawn_hw} (h, w)"
            )

    @property
    def with_mask(self) -> bool:
        """Whether masks are predicted."""
        return self.mask_head is not None

    def loss(
        self,
        features: Sequence[Tensor],
        proposals: Proposals,
        images: ImageBatch,
        targets: BatchTargets,
    ) -> dict[str, Tensor]:
        """Losses ``loss_cls``, ``acc``, ``loss_bbox`` and ``loss_mask`` of a batch."""
        sampled = self.sample_rois(proposals, targets)
        pooled = self._pool(self.bbox_roi_extractor, features, sampled.rois)
        losses: dict[str, Tensor] = self.bbox_head.loss(
            *self.bbox_head(pooled),
            sampled.rois[:, 1:],
            sampled.labels,
            sampled.matched_gt,
            self.pos_weight,
        )
        if self.mask_head is not None:
            losses.update(self._mask_loss(features, pooled, sampled, targets))
        return losses

    def _mask_loss(
        self,
        features: Sequence[Tensor],
        pooled: Tensor,
        sampled: SampledRoIs,
        targets: BatchTargets,
    ) -> dict[str, Tensor]:
        assert self.mask_head is not None
        if targets.masks is None:
            raise ValueError(
                "the model has a mask head but the data has no masks; load them with"
                " dict(type='LoadAnnotations', with_bbox=True, with_mask=True)"
            )
        rows = torch.nonzero(sampled.positive).flatten()
        rois, labels = sampled.rois[rows], sampled.labels[rows]
        if self.mask_roi_extractor is None:
            pooled = pooled[rows]
        else:
            pooled = self._pool(self.mask_roi_extractor, features, rois)
        wanted = mask_targets(
            targets.masks,
            rois[:, 0].long(),
            sampled.gt_idx[rows],
            rois[:, 1:],
            self.mask_head.mask_size_hw,
        )
        losses: dict[str, Tensor] = self.mask_head.loss(self.mask_head(pooled), wanted, labels)
        return losses

    def predict(
        self, features: Sequence[Tensor], proposals: Proposals, images: ImageBatch
    ) -> Detections:
        """Detections of a batch in input pixels, with masks over their boxes if there is a head."""
        return self.add_shapes(features, self.predict_boxes(features, proposals, images))

    def predict_boxes(
        self, features: Sequence[Tensor], proposals: Proposals, images: ImageBatch
    ) -> Detections:
        """Detections of a batch in input pixels: boxes, scores and labels only."""
        image_idx, position = torch.nonzero(proposals.valid, as_tuple=True)
        rois = boxes_to_rois(proposals.boxes[image_idx, position], image_idx)
        pooled = self._pool(self.bbox_roi_extractor, features, rois)
        detections: Detections = self.bbox_head.predict(
            *self.bbox_head(pooled), rois, images, self.test_cfg
        )
        return detections

    def add_shapes(self, features: Sequence[Tensor], detections: Detections) -> Detections:
        """The same detections with what is predicted inside their boxes: masks."""
        if self.mask_head is None:
            return detections
        rois = boxes_to_rois(detections.boxes, detections.image_idx)
        extractor = self.mask_roi_extractor or self.bbox_roi_extractor
        logits = self.mask_head(self._pool(extractor, features, rois))
        return replace(detections, mask_probs=self.mask_head.predict(logits, detections.labels))

    @torch.no_grad()
    def sample_rois(self, proposals: Proposals, targets: BatchTargets) -> SampledRoIs:
        """Match proposals (and ground truths) to objects and draw those to train on."""
        gt_boxes, gt_valid = pad_boxes(targets.boxes)
        gt_labels = pad_labels(targets.labels)
        ignored = pad_boxes(targets.ignored_boxes)
        boxes, valid = proposals.boxes, proposals.valid
        if self.sampler.add_gt_as_proposals:
            boxes = torch.cat([gt_boxes, boxes], dim=1)
            valid = torch.cat([gt_valid, valid], dim=1)
        assignment = self.assigner.assign(boxes, valid, gt_boxes, gt_valid, *ignored)
        sample = self.sampler.sample(assignment)
        # dropping the padding asks the host once for the number of RoIs
        image, column = torch.nonzero(sample.valid, as_tuple=True)
        gt_idx, positive = sample.gt_idx[image, column], sample.positive[image, column]
        chosen = boxes[image, sample.idx[image, column]]
        labels = torch.full_like(gt_idx, self.bbox_head.num_classes)
        matched_gt = chosen
        if gt_boxes.shape[1]:
            labels = torch.where(positive, gt_labels[image, gt_idx], labels)
            matched_gt = gt_boxes[image, gt_idx]
        return SampledRoIs(boxes_to_rois(chosen, image), labels, matched_gt, gt_idx, positive)

    def _pool(self, extractor: BaseModule, features: Sequence[Tensor], rois: Tensor) -> Tensor:
        pooled = extractor(features, rois)
        return pooled if self.shared_head is None else self.shared_head(pooled)


def check_test_cfg(cfg: Mapping[str, Any], where: str) -> None:
    """Refuse unknown or missing keys of a config that says which detections count."""
    check_keys(cfg, TEST_KEYS, where)
    for key in ("score_thr", "nms", "max_per_img"):
        if key not in cfg:
            raise ValueError(f"{where}.{key} is missing; keys there: {TEST_KEYS}")
    check_nms_cfg(cfg["nms"], f"{where}.nms")
    if cfg.get("mask_thr_binary", 0.5) < 0:
        raise ValueError(
            f"{where}.mask_thr_binary must not be negative, got {cfg['mask_thr_binary']}"
        )
