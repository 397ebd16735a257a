"""Cascade R-CNN's second stage: several heads, each on the boxes that the one before refined.

Letters: N images, P proposals of an image, R RoIs of the batch, T stages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from mmengine.model import BaseModule, ModuleList
from torch import Tensor

from mmdet_lite.models.roi_heads.standard_roi_head import (
    SampledRoIs,
    check_test_cfg,
    check_train_cfg,
    mask_targets_of,
    pos_weight_of,
    sample_rois,
)
from mmdet_lite.ops.boxes import boxes_to_rois
from mmdet_lite.ops.levels import pad_boxes
from mmdet_lite.registry import MODELS, TASK_UTILS
from mmdet_lite.structures import BatchTargets, Detections, ImageBatch, Proposals

Config = Mapping[str, Any]


@MODELS.register_module()
class CascadeRoIHead(BaseModule):
    """Classifies and refines each RoI ``num_stages`` times, and draws its mask.

    Arguments are MMDetection 3's. Extractors and heads are one config for all stages or a list of
    one a stage; ``train_cfg`` is such a list of dicts as StandardRoIHead takes. The losses of stage
    i count ``stage_loss_weights[i]``. In testing the stages' class logits are averaged, and so are
    their mask probabilities; the boxes are the last stage's. Without ``mask_roi_extractor`` masks
    are pooled by the box extractor. ``shared_head`` can only be None.
    Source: Cascade R-CNN (Cai and Vasconcelos, 2018).
    """

    def __init__(
        self,
        num_stages: int,
        stage_loss_weights: Sequence[float],
        bbox_roi_extractor: Config | Sequence[Config] | None = None,
        bbox_head: Config | Sequence[Config] | None = None,
        mask_roi_extractor: Config | Sequence[Config] | None = None,
        mask_head: Config | Sequence[Config] | None = None,
        shared_head: Config | None = None,
        train_cfg: Sequence[Config] | None = None,
        test_cfg: Config | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if bbox_roi_extractor is None or bbox_head is None:
            raise ValueError("CascadeRoIHead needs bbox_roi_extractor and bbox_head")
        if shared_head is not None:
            raise ValueError("CascadeRoIHead: shared_head is not available; leave it out")
        self.num_stages = num_stages
        self.stage_loss_weights = _one_a_stage("stage_loss_weights", stage_loss_weights, num_stages)
        build = partial(_build_stages, num_stages=num_stages)
        self.bbox_roi_extractor = build("bbox_roi_extractor", bbox_roi_extractor)
        self.bbox_head = build("bbox_head", bbox_head)
        if any(head.fc_cls is None or head.fc_reg is None for head in self.bbox_head):
            raise ValueError("CascadeRoIHead: every bbox_head needs with_cls and with_reg")
        self.mask_head: ModuleList | None = None
        if mask_head is not None:
            extractor = mask_roi_extractor or bbox_roi_extractor
            self.mask_roi_extractor = build("mask_roi_extractor", extractor)
            self.mask_head = build("mask_head", mask_head)
        self._read_train_cfg(train_cfg)
        self.test_cfg = dict(test_cfg or {})
        if test_cfg:
            check_test_cfg(test_cfg, "test_cfg.rcnn")

    def _read_train_cfg(self, train_cfg: Sequence[Config] | None) -> None:
        if not train_cfg:
            return
        cfgs = _one_a_stage("train_cfg.rcnn", train_cfg, self.num_stages)
        for i, cfg in enumerate(cfgs):
            check_train_cfg(cfg, f"train_cfg.rcnn.{i}")
        self.assigners = [TASK_UTILS.build(cfg["assigner"]) for cfg in cfgs]
        self.samplers = [TASK_UTILS.build(cfg["sampler"]) for cfg in cfgs]
        self.pos_weights = [pos_weight_of(cfg) for cfg in cfgs]
        self.mask_sizes = [cfg.get("mask_size") for cfg in cfgs]

    def loss(
        self,
        features: Sequence[Tensor],
        proposals: Proposals,
        images: ImageBatch,
        targets: BatchTargets,
    ) -> dict[str, Tensor]:
        """Losses of a batch, named as StandardRoIHead's with ``s0.``, ``s1.`` ... in front."""
        losses = {}
        for stage, weight in enumerate(self.stage_loss_weights):
            found, proposals = self._stage_loss(stage, features, proposals, images, targets)
            for name, value in found.items():
                losses[f"s{stage}.{name}"] = value * weight if "loss" in name else value
        return losses

    def _stage_loss(
        self,
        stage: int,
        features: Sequence[Tensor],
        proposals: Proposals,
        images: ImageBatch,
        targets: BatchTargets,
    ) -> tuple[dict[str, Tensor], Proposals]:
        """Losses of one stage, and the proposals of the next."""
        head: Any = self.bbox_head[stage]
        extractor = self.bbox_roi_extractor[stage]

        def class_losses(sampled: SampledRoIs) -> Tensor:
            return head.class_losses(head(extractor(features, sampled.rois))[0], sampled.labels)

        sampled = sample_rois(
            self.assigners[stage],
            self.samplers[stage],
            head.num_classes,
            proposals,
            targets,
            class_losses,
        )
        cls_score, bbox_pred = head(extractor(features, sampled.rois))
        losses: dict[str, Tensor] = head.loss(
            cls_score,
            bbox_pred,
            sampled.rois[:, 1:],
            sampled.labels,
            sampled.matched_gt,
            self.pos_weights[stage],
        )
        if self.mask_head is not None:
            rows = torch.nonzero(sampled.positive).flatten()
            pooled = self.mask_roi_extractor[stage](features, sampled.rois[rows])
            mask_head: Any = self.mask_head[stage]
            mask_logits = mask_head(pooled)
            wanted = mask_targets_of(sampled, rows, targets, mask_logits, self.mask_sizes[stage])
            losses.update(mask_head.loss(mask_logits, wanted, sampled.labels[rows]))
        if stage + 1 < self.num_stages:
            boxes = head.refine(sampled.rois, cls_score, bbox_pred, images, sampled.labels)
            # ground truths that were added join the next stage again, as they are
            proposals = _proposals_of(boxes, sampled.rois[:, 0], ~sampled.is_gt, len(images))
        return losses, proposals

    def predict_boxes(
        self, features: Sequence[Tensor], proposals: Proposals, images: ImageBatch
    ) -> Detections:
        """Detections of a batch in input pixels: boxes, scores and labels only."""
        image_idx, position = torch.nonzero(proposals.valid, as_tuple=True)
        rois = boxes_to_rois(proposals.boxes[image_idx, position], image_idx)
        logits = []
        heads: list[Any] = list(self.bbox_head)
        for stage, (extractor, head) in enumerate(zip(self.bbox_roi_extractor, heads, strict=True)):
            cls_score, bbox_pred = head(extractor(features, rois))
            logits.append(cls_score)
            if stage + 1 < self.num_stages:
                rois = boxes_to_rois(head.refine(rois, cls_score, bbox_pred, images), image_idx)
        mean = torch.stack(logits).mean(dim=0)
        detections: Detections = head.predict(mean, bbox_pred, rois, images, self.test_cfg)
        return detections

    def add_shapes(self, features: Sequence[Tensor], detections: Detections) -> Detections:
        """The same detections with what is predicted inside their boxes: masks."""
        if self.mask_head is None:
            return detections
        rois = boxes_to_rois(detections.boxes, detections.image_idx)
        heads: list[Any] = list(self.mask_head)
        probs = [
            head.predict(head(extractor(features, rois)), detections.labels)
            for extractor, head in zip(self.mask_roi_extractor, heads, strict=True)
        ]
        return replace(detections, mask_probs=torch.stack(probs).mean(dim=0))


def _one_a_stage(name: str, given: Sequence[Any], num_stages: int) -> list[Any]:
    if isinstance(given, (str, Mapping)) or not isinstance(given, Sequence):
        raise ValueError(
            f"{name}: a cascade needs a list of one a stage ({num_stages}), got {given!r:.80}"
        )
    if len(given) != num_stages:
        raise ValueError(f"{name} has {len(given)} entries for num_stages={num_stages}")
    return list(given)


def _build_stages(name: str, given: Config | Sequence[Config], num_stages: int) -> ModuleList:
    """One module a stage, of one config or of a list of them."""
    cfgs = [given] * num_stages if isinstance(given, Mapping) else given
    return ModuleList(MODELS.build(cfg) for cfg in _one_a_stage(name, cfgs, num_stages))


def _proposals_of(boxes: Tensor, image_idx: Tensor, keep: Tensor, num_images: int) -> Proposals:
    """Flat boxes (R, 4) of which ``keep`` (R,) holds, as proposals of the next stage."""
    padded, valid = pad_boxes([boxes[keep & (image_idx == i)] for i in range(num_images)])
    return Proposals(padded, torch.zeros_like(padded[..., 0]), valid)
