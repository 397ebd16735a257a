"""What the anchors of a batch are to learn.

Letters: N images, A anchors of an image, G ground truths, P positive anchors of the batch, K
classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmdet_lite.models.task_modules import IGNORED, NEGATIVE, Assignment, PseudoSampler, Sample
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.ops.levels import pad_boxes, pad_labels
from mmdet_lite.registry import TASK_UTILS
from mmdet_lite.structures import BatchTargets, ImageBatch, SizeHW

TRAIN_KEYS = ("assigner", "sampler", "allowed_border", "pos_weight", "debug")


@dataclass(frozen=True)
class AnchorMatch:
    """Anchors (A, 4), what they were assigned to, and the padded ground truths (N, G, 4)."""

    anchors: Tensor
    assignment: Assignment
    gt_boxes: Tensor


@dataclass(frozen=True)
class AnchorTargets:
    """Targets of all anchors.

    ``labels`` (N, A) in 0..K, K is background and also stands where nothing counts; ``positive``
    and ``negative`` (N, A) bool. ``anchors`` and ``boxes`` (P, 4): the positives and their ground
    truths. ``divisor``: the number that the sums of the losses are divided by.
    """

    labels: Tensor
    positive: Tensor
    negative: Tensor
    anchors: Tensor
    boxes: Tensor
    divisor: Tensor


class AnchorMatcher:
    """The decisions that a head's ``train_cfg`` configures, with nothing to learn in them.

    ``train_cfg``: assigner, sampler (default: PseudoSampler), allowed_border (anchors farther
    outside the image are ignored; -1: none), pos_weight (factor of a positive's class loss; not
    positive: 1); ``debug`` has no effect. ``where`` is its dotted key for messages, ``more_keys``
    are keys that the head itself reads.

    Raises:
        ValueError: an unknown key, or no assigner.
    """

    def __init__(
        self,
        anchors: Any,
        train_cfg: Mapping[str, Any],
        where: str,
        more_keys: tuple[str, ...] = (),
    ) -> None:
        check_keys(train_cfg, (*TRAIN_KEYS, *more_keys), where)
        if "assigner" not in train_cfg:
            raise ValueError(
                f"{where}.assigner is missing, e.g. dict(type='MaxIoUAssigner', pos_iou_thr=0.5,"
                " neg_iou_thr=0.4)"
            )
        self.anchors = anchors
        self.assigner = TASK_UTILS.build(train_cfg["assigner"])
        self.sampler = TASK_UTILS.build(train_cfg.get("sampler") or {"type": "PseudoSampler"})
        if self.sampler.by_loss:
            raise ValueError(
                f"{where}.sampler: {type(self.sampler).__name__} draws RoIs by their losses, which"
                " anchors have not; take RandomSampler or PseudoSampler"
            )
        self.allowed_border = train_cfg.get("allowed_border", -1)
        pos_weight = train_cfg.get("pos_weight", -1)
        self.pos_weight = pos_weight if pos_weight > 0 else 1.0

    def match(
        self,
        sizes_hw: list[SizeHW],
        images: ImageBatch,
        targets: BatchTargets,
        device: torch.device,
    ) -> AnchorMatch:
        """Assign the anchors of feature maps of ``sizes_hw`` to the objects of a batch."""
        anchors = self.anchors.grid_anchors(sizes_hw, device)
        usable = self.anchors.inside_image(sizes_hw, images.pad_shapes_hw, device)
        if self.allowed_border >= 0:
            usable = usable & _within_border(anchors, images.sizes, self.allowed_border)
        gt_boxes, gt_valid = pad_boxes(targets.boxes)
        ignored = pad_boxes(targets.ignored_boxes)
        assignment = self.assigner.assign(anchors, usable, gt_boxes, gt_valid, *ignored)
        return AnchorMatch(anchors, assignment, gt_boxes)

    def targets(
        self,
        sizes_hw: list[SizeHW],
        images: ImageBatch,
        targets: BatchTargets,
        num_classes: int,
        device: torch.device,
    ) -> AnchorTargets:
        """Targets of all anchors, for a head that trains on all or most of them."""
        match = self.match(sizes_hw, images, targets, device)
        assignment = match.assignment
        if not isinstance(self.sampler, PseudoSampler):
            assignment = drawn_only(self.sampler.sample(assignment), assignment.gt_idx.shape[1])
        positive = assignment.positive
        image, position = torch.nonzero(positive, as_tuple=True)
        gt_idx = assignment.gt_idx[image, position]
        labels = torch.full_like(assignment.gt_idx, num_classes)
        labels[image, position] = pad_labels(targets.labels)[image, gt_idx]
        return AnchorTargets(
            labels=labels,
            positive=positive,
            negative=assignment.negative,
            anchors=match.anchors[position],
            boxes=match.gt_boxes[image, gt_idx],
            divisor=self.divisor(positive, assignment.negative),
        )

    def divisor(self, positive: Tensor, negative: Tensor) -> Tensor:
        """What sums over anchors (N, A) are divided by.

        The number of positives and negatives that were drawn; where all are taken (PseudoSampler)
        the number of positives. An image without any of a kind counts one of it.
        Source: MMDetection 3's average factor.
        """
        num_positive = positive.sum(dim=1).clamp(min=1).sum()
        if isinstance(self.sampler, PseudoSampler):
            return num_positive
        return num_positive + negative.sum(dim=1).clamp(min=1).sum()

    def class_weights(self, targets: AnchorTargets) -> Tensor:
        """Factor of each anchor's class loss, 0 where nothing counts: (N, A) float."""
        return targets.positive * float(self.pos_weight) + targets.negative


def drawn_only(sample: Sample, num_boxes: int) -> Assignment:
    """The boxes that were drawn, as an assignment of all A in which the others are IGNORED."""
    # padding goes into an extra column that is cut off
    idx = torch.where(sample.valid, sample.idx, num_boxes)
    gt_idx = torch.where(sample.positive, sample.gt_idx, NEGATIVE)
    everything = torch.full((len(idx), num_boxes + 1), IGNORED, device=idx.device)
    return Assignment(everything.scatter(1, idx, gt_idx)[:, :num_boxes])


def box_loss_inputs(
    bbox_coder: Any, anchors: Tensor, deltas: Tensor, boxes: Tensor, decoded: bool
) -> tuple[Tensor, Tensor]:
    """What a box loss compares, both (..., 4): boxes if ``decoded``, otherwise offsets.

    ``deltas`` are predicted for ``anchors``, which are to become ``boxes``.
    """
    if decoded:
        return bbox_coder.decode(anchors, deltas), boxes
    return deltas, bbox_coder.encode(anchors, boxes)


def _within_border(anchors: Tensor, sizes: Tensor, border: int) -> Tensor:
    """Anchors (A, 4) at most ``border`` pixels outside images ``sizes`` (N, 2): (N, A) bool."""
    limits = sizes[:, None, [1, 0]].to(anchors) + border
    return (anchors[:, :2] >= -border).all(dim=1) & (anchors[:, 2:] < limits).all(dim=2)
