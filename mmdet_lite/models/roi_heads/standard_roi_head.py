"""From proposals to losses or detections: the second stage of Faster and Mask R-CNN.

Letters: N images, G ground truths, P proposals of an image, S samples, R RoIs of the batch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmdet_lite.models.roi_heads.mask_targets import mask_targets
from mmdet_lite.models.task_modules import IGNORED, Assignment, RandomSampler, Sample
from mmdet_lite.ops.boxes import boxes_to_rois
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.ops.levels import pad_boxes, pad_labels
from mmdet_lite.ops.nms import check_nms_cfg
from mmdet_lite.registry import MODELS, TASK_UTILS
from mmdet_lite.structures import BatchTargets, Detections, ImageBatch, Proposals

TRAIN_KEYS = ("assigner", "sampler", "mask_size", "pos_weight", "debug")
TEST_KEYS = ("score_thr", "nms", "max_per_img", "min_bbox_size", "mask_thr_binary", "mask_paste")


@dataclass(frozen=True)
class SampledRoIs:
    """RoIs of a batch to train on.

    ``rois`` (R, 5), ``labels`` (R,) with K as background, ``matched_gt`` (R, 4) and ``gt_idx``
    (R,), which count only where ``positive`` (R,) holds. ``is_gt`` (R,): the RoI is a ground truth
    that was added to the proposals.
    """

    rois: Tensor
    labels: Tensor
    matched_gt: Tensor
    gt_idx: Tensor
    positive: Tensor
    is_gt: Tensor


@MODELS.register_module()
class StandardRoIHead(BaseModule):
    """Pools each RoI, classifies and refines it, and draws its mask.

    Arguments are MMDetection 3's. Without ``mask_roi_extractor`` masks use the box branch's
    features. ``shared_head`` runs on pooled features before both branches (not before a mask head
    with a ``res_layer`` of its own). ``train_cfg``: assigner, sampler, mask_size, pos_weight.
    ``test_cfg``: score_thr, nms, max_per_img, min_bbox_size (default: none is too small),
    mask_thr_binary, mask_paste ('exact', or 'whole_pixels' as Detectron and torchvision do).
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
        self.mask_roi_extractor = self.mask_head = self.shared_head = None
        if shared_head is not None:
            self.shared_head = MODELS.build(shared_head)
        self.bbox_roi_extractor = MODELS.build(bbox_roi_extractor)
        self.bbox_head = MODELS.build(bbox_head)
        if mask_head is not None:
            self.mask_head = MODELS.build(mask_head)
            if mask_roi_extractor is not None:
                self.mask_roi_extractor = MODELS.build(mask_roi_extractor)
        self.own_stage = getattr(self.mask_head, "res_layer", None) is not None
        if self.own_stage and mask_roi_extractor is None:
            raise ValueError("mask_head.res_layer needs a mask_roi_extractor")
        if train_cfg:
            check_train_cfg(train_cfg, "train_cfg.rcnn")
            self.assigner = TASK_UTILS.build(train_cfg["assigner"])
            self.sampler = TASK_UTILS.build(train_cfg["sampler"])
        self.pos_weight = pos_weight_of(train_cfg or {})
        self.mask_size = (train_cfg or {}).get("mask_size")
        self.test_cfg = dict(test_cfg or {})
        if test_cfg:
            check_test_cfg(test_cfg, "test_cfg.rcnn")

    def loss(
        self,
        features: Sequence[Tensor],
        proposals: Proposals,
        images: ImageBatch,
        targets: BatchTargets,
    ) -> dict[str, Tensor]:
        """Losses ``loss_cls``, ``acc``, ``loss_bbox`` and ``loss_mask`` of a batch."""
        return self.rois_loss(features, self.sample_rois(features, proposals, targets), targets)

    def rois_loss(
        self, features: Sequence[Tensor], sampled: SampledRoIs, targets: BatchTargets
    ) -> dict[str, Tensor]:
        """The losses of RoIs that are drawn already."""
        pooled = self._pool(self.bbox_roi_extractor, features, sampled.rois)
        losses: dict[str, Tensor] = self.bbox_head.loss(
            *self.bbox_head(pooled),
            sampled.rois[:, 1:],
            sampled.labels,
            sampled.matched_gt,
            self.pos_weight,
        )
        if self.mask_head is not None:
            rows = torch.nonzero(sampled.positive).flatten()
            if self.mask_roi_extractor is None:
                pooled = pooled[rows]
            else:
                pooled = self._pool(self.mask_roi_extractor, features, sampled.rois[rows])
            mask_logits = self.mask_head(pooled)
            wanted = mask_targets_of(sampled, rows, targets, mask_logits, self.mask_size)
            losses.update(self.mask_head.loss(mask_logits, wanted, sampled.labels[rows]))
        return losses

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

    def sample_rois(
        self, features: Sequence[Tensor], proposals: Proposals, targets: BatchTargets
    ) -> SampledRoIs:
        """Match proposals (and ground truths) to objects and draw those to train on."""

        def class_losses(sampled: SampledRoIs) -> Tensor:
            pooled = self._pool(self.bbox_roi_extractor, features, sampled.rois)
            return self.bbox_head.class_losses(self.bbox_head(pooled)[0], sampled.labels)

        num_classes = self.bbox_head.num_classes
        return sample_rois(
            self.assigner, self.sampler, num_classes, proposals, targets, class_losses
        )

    def _pool(self, extractor: BaseModule, features: Sequence[Tensor], rois: Tensor) -> Tensor:
        pooled = extractor(features, rois)
        if self.shared_head is None or (extractor is self.mask_roi_extractor and self.own_stage):
            return pooled
        return self.shared_head(pooled)


@torch.no_grad()
def sample_rois(
    assigner: Any,
    sampler: RandomSampler,
    num_classes: int,
    proposals: Proposals,
    targets: BatchTargets,
    class_losses: Callable[[SampledRoIs], Tensor],
) -> SampledRoIs:
    """Match proposals to objects, add the objects themselves if the sampler asks, and draw.

    ``class_losses`` gives the loss of each RoI (R,); only samplers by loss call it.
    """
    gt_boxes, gt_valid = pad_boxes(targets.boxes)
    ignored = pad_boxes(targets.ignored_boxes)
    boxes = proposals.boxes
    assignment = assigner.assign(boxes, proposals.valid, gt_boxes, gt_valid, *ignored)
    num_added = 0
    if sampler.add_gt_as_proposals:
        boxes, num_added = torch.cat([gt_boxes, boxes], dim=1), gt_boxes.shape[1]
        own_idx = torch.arange(num_added, device=boxes.device).expand(gt_valid.shape)
        own_idx = own_idx.masked_fill(~gt_valid, IGNORED)
        assignment = Assignment(torch.cat([own_idx, assignment.gt_idx], dim=1))

    def gather(sample: Sample) -> SampledRoIs:
        # dropping the padding asks the host once for the number of RoIs
        image, column = torch.nonzero(sample.valid, as_tuple=True)
        idx, gt_idx = sample.idx[image, column], sample.gt_idx[image, column]
        positive, chosen = sample.positive[image, column], boxes[image, idx]
        labels, matched_gt = torch.full_like(gt_idx, num_classes), chosen
        if gt_boxes.shape[1]:
            labels = torch.where(positive, pad_labels(targets.labels)[image, gt_idx], labels)
            matched_gt = gt_boxes[image, gt_idx]
        rois = boxes_to_rois(chosen, image)
        return SampledRoIs(rois, labels, matched_gt, gt_idx, positive, idx < num_added)

    if not sampler.by_loss:
        return gather(sampler.sample(assignment))
    everyone = torch.arange(boxes.shape[1], device=boxes.device).expand(boxes.shape[:2])
    usable = assignment.positive | assignment.negative
    candidates = Sample(everyone, assignment.gt_idx.clamp(min=0), assignment.positive, usable)
    losses = boxes.new_zeros(usable.shape)
    losses[usable] = class_losses(gather(candidates)).to(losses)
    return gather(sampler.sample(assignment, losses))


def mask_targets_of(
    sampled: SampledRoIs,
    rows: Tensor,
    targets: BatchTargets,
    mask_logits: Tensor,
    mask_size: int | Sequence[int] | None,
) -> Tensor:
    """What the mask head should have answered: (R', h, w) for ``rows`` (R',) of the RoIs.

    ``mask_logits`` (R', K or 1, h, w) give the size; ``mask_size``, of the config, has to agree.

    Raises:
        ValueError: the data has no masks, or the size is another.
    """
    if targets.masks is None:
        raise ValueError(
            "the model has a mask head but the data has no masks; load them with"
            " dict(type='LoadAnnotations', with_bbox=True, with_mask=True)"
        )
    drawn_hw = (mask_logits.shape[2], mask_logits.shape[3])
    wanted_hw = (mask_size, mask_size) if isinstance(mask_size, int) else mask_size or drawn_hw
    if tuple(wanted_hw) != drawn_hw:
        raise ValueError(
            f"train_cfg.rcnn.mask_size={mask_size} but the mask head draws {drawn_hw} (h, w)"
        )
    rois = sampled.rois[rows]
    return mask_targets(
        targets.masks, rois[:, 0].long(), sampled.gt_idx[rows], rois[:, 1:], drawn_hw
    )


def check_train_cfg(cfg: Mapping[str, Any], where: str) -> None:
    """Refuse unknown or missing keys of a config that says which RoIs are trained on."""
    check_keys(cfg, TRAIN_KEYS, where)
    for key in ("assigner", "sampler"):
        if key not in cfg:
            raise ValueError(f"{where}.{key} is missing; keys there: {TRAIN_KEYS}")


def pos_weight_of(train_cfg: Mapping[str, Any]) -> float:
    """What a positive RoI counts in the classification loss; configs say -1 for 1."""
    weight: float = train_cfg.get("pos_weight", -1)
    return weight if weight > 0 else 1.0


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
    if cfg.get("mask_paste", "exact") not in ("exact", "whole_pixels"):
        raise ValueError(
            f"{where}.mask_paste must be 'exact' or 'whole_pixels', got {cfg['mask_paste']!r}"
        )
