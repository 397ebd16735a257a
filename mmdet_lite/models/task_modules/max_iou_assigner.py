"""Which ground truth each box answers for, by overlap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmdet_lite.ops.boxes import pairwise_overlaps
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.registry import TASK_UTILS

NEGATIVE = -1
IGNORED = -2
MOST_PAIRS = 2**26  # of ground truths and boxes of a batch that are compared at once


@dataclass(frozen=True)
class Assignment:
    """``gt_idx`` (N, A): the ground truth of each box, or NEGATIVE, or IGNORED."""

    gt_idx: Tensor

    @property
    def positive(self) -> Tensor:
        """Boxes that answer for an object: (N, A) bool."""
        return self.gt_idx >= 0

    @property
    def negative(self) -> Tensor:
        """Boxes that answer for background: (N, A) bool."""
        return self.gt_idx == NEGATIVE


@TASK_UTILS.register_module()
class MaxIoUAssigner:
    """Assigns by the largest IoU, for all images of a batch at once.

    ``pos_iou_thr``: from here positive. ``neg_iou_thr``: below negative, or a range (low, high).
    ``min_pos_iou`` and ``match_low_quality``: each ground truth also takes its best box (all
    equally good ones with ``gt_max_assign_all``) if that overlaps by ``min_pos_iou``.
    ``ignore_iof_thr`` > 0: boxes covered so much by an ignored region count nothing
    (``ignore_wrt_candidates``: measured on the box's area, else on the region's), also in an image
    without ground truths, where MMDetection takes all boxes as negative.
    ``gpu_assign_thr`` > 0: with more ground truths than this in an image the work moves to the
    CPU, to save GPU memory. ``perm_repeat_gt_cfg`` (dict(iou_thr, perm_range)): nearly equal
    ground truths take turns at random.
    Source: Faster R-CNN, section 3.1.2; parameters of MMDetection 3.
    """

    def __init__(
        self,
        pos_iou_thr: float,
        neg_iou_thr: float | Sequence[float],
        min_pos_iou: float = 0.0,
        gt_max_assign_all: bool = True,
        ignore_iof_thr: float = -1,
        ignore_wrt_candidates: bool = True,
        match_low_quality: bool = True,
        gpu_assign_thr: float = -1,
        iou_calculator: Mapping[str, Any] | None = None,
        perm_repeat_gt_cfg: Mapping[str, float] | None = None,
    ) -> None:
        if iou_calculator is not None and dict(iou_calculator) != {"type": "BboxOverlaps2D"}:
            raise ValueError(
                "MaxIoUAssigner.iou_calculator: only dict(type='BboxOverlaps2D') is available,"
                f" got {dict(iou_calculator)}"
            )
        if perm_repeat_gt_cfg is not None:
            check_keys(perm_repeat_gt_cfg, ("iou_thr", "perm_range"), "perm_repeat_gt_cfg")
        self.pos_iou_thr = pos_iou_thr
        low_high = neg_iou_thr if isinstance(neg_iou_thr, Sequence) else (0.0, neg_iou_thr)
        self.neg_range = (low_high[0], low_high[1])
        self.min_pos_iou = min_pos_iou
        self.gt_max_assign_all = gt_max_assign_all
        self.ignore_iof_thr = ignore_iof_thr
        self.ignore_wrt_candidates = ignore_wrt_candidates
        self.match_low_quality = match_low_quality
        self.gpu_assign_thr = gpu_assign_thr
        self.perm_repeat_gt_cfg = perm_repeat_gt_cfg

    def assign(
        self,
        boxes: Tensor,
        usable: Tensor,
        gt_boxes: Tensor,
        gt_valid: Tensor,
        ignored_boxes: Tensor,
        ignored_valid: Tensor,
    ) -> Assignment:
        """Assign boxes to ground truths.

        Shapes: boxes (A, 4) for all images or (N, A, 4); ``usable`` (N, A) bool, the others become
        IGNORED; gt_boxes (N, G, 4) with ``gt_valid`` (N, G) marking what is not padding, and the
        same for ignored boxes. G = 0 makes every usable box negative.
        """
        if 0 < self.gpu_assign_thr < gt_boxes.shape[1] and boxes.device.type != "cpu":
            on_cpu = (boxes, usable, gt_boxes, gt_valid, ignored_boxes, ignored_valid)
            assignment = self.assign(*(t.cpu() for t in on_cpu))
            return Assignment(assignment.gt_idx.to(boxes.device))
        if len(usable) > 1 and gt_boxes.shape[1] * usable.numel() > MOST_PAIRS:
            return self._image_by_image(
                boxes, usable, gt_boxes, gt_valid, ignored_boxes, ignored_valid
            )
        if gt_boxes.shape[1] == 0 or usable.shape[1] == 0:
            gt_idx = torch.full(usable.shape, NEGATIVE, device=usable.device)
            usable = usable & ~self._in_ignored_region(boxes, ignored_boxes, ignored_valid, usable)
            return Assignment(torch.where(usable, gt_idx, IGNORED))
        overlaps = pairwise_overlaps(self._perturbed(gt_boxes, gt_valid), boxes)  # N, G, A
        if ignored_boxes.shape[1] and self.ignore_iof_thr > 0:
            usable = usable & ~self._in_ignored_region(boxes, ignored_boxes, ignored_valid, usable)
        overlaps.masked_fill_(~usable[:, None], -1)
        overlaps.masked_fill_(~gt_valid[:, :, None], -1)
        best_of_box, gt_of_box = overlaps.max(dim=1)
        low, high = self.neg_range
        has_no_gt = ~gt_valid.any(dim=1, keepdim=True)
        is_negative = (best_of_box >= low) & (best_of_box < high) | has_no_gt
        gt_idx = torch.full_like(gt_of_box, IGNORED).masked_fill_(is_negative, NEGATIVE)
        gt_idx = torch.where(best_of_box >= self.pos_iou_thr, gt_of_box, gt_idx)
        if self.match_low_quality:
            forced = self._best_boxes_of_gts(overlaps, gt_valid)
            gt_idx = torch.where(forced >= 0, forced, gt_idx)
        return Assignment(gt_idx.masked_fill(~usable, IGNORED))

    def _image_by_image(self, boxes: Tensor, usable: Tensor, *padded: Tensor) -> Assignment:
        """``assign`` for each image and its own boxes: padding to the fullest costs memory."""
        rows = []
        for i in range(len(usable)):
            own = []
            for gt_boxes, valid in (padded[:2], padded[2:]):
                count = int(valid[i].sum())
                own += [gt_boxes[i : i + 1, :count], valid[i : i + 1, :count]]
            boxes_i = boxes if boxes.dim() == 2 else boxes[i : i + 1]
            rows.append(self.assign(boxes_i, usable[i : i + 1], *own).gt_idx)
        return Assignment(torch.cat(rows))

    def _best_boxes_of_gts(self, overlaps: Tensor, gt_valid: Tensor) -> Tensor:
        """For each box the last ground truth that it is a best box of, else -1: (N, A)."""
        best_of_gt, box_of_gt = overlaps.max(dim=2)
        allowed = (best_of_gt >= self.min_pos_iou) & (best_of_gt >= 0) & gt_valid
        if self.gt_max_assign_all:
            is_best = overlaps == best_of_gt[:, :, None]
        else:
            is_best = torch.zeros_like(overlaps, dtype=torch.bool)
            is_best.scatter_(2, box_of_gt[:, :, None], True)
        is_best &= allowed[:, :, None]
        order = torch.arange(1, overlaps.shape[1] + 1, device=overlaps.device, dtype=torch.int32)
        return (is_best * order[:, None]).amax(dim=1).long() - 1

    def _in_ignored_region(
        self, boxes: Tensor, ignored_boxes: Tensor, ignored_valid: Tensor, usable: Tensor
    ) -> Tensor:
        """Boxes that an ignored region covers too much: (N, A) bool."""
        if self.ignore_iof_thr <= 0 or ignored_boxes.shape[1] == 0:
            return torch.zeros_like(usable)
        if self.ignore_wrt_candidates:
            covered = pairwise_overlaps(boxes, ignored_boxes, "iof").transpose(-1, -2)
        else:
            covered = pairwise_overlaps(ignored_boxes, boxes, "iof")
        covered = covered.masked_fill(~ignored_valid[:, :, None], 0)
        return covered.amax(dim=1) > self.ignore_iof_thr

    def _perturbed(self, gt_boxes: Tensor, gt_valid: Tensor) -> Tensor:
        """Ground truths, nearly equal ones changed a little at random if so configured."""
        if self.perm_repeat_gt_cfg is None:
            return gt_boxes
        overlaps = pairwise_overlaps(gt_boxes, gt_boxes)
        overlaps = overlaps.masked_fill(~gt_valid[:, None], 0).triu(diagonal=1)
        repeated = (overlaps > self.perm_repeat_gt_cfg.get("iou_thr", 0.7)).any(dim=2)
        reach = self.perm_repeat_gt_cfg.get("perm_range", 0.01)
        factor = 1 + reach * (2 * torch.rand_like(gt_boxes[..., :1]) - 1)
        return torch.where(repeated[..., None], gt_boxes * factor, gt_boxes)
