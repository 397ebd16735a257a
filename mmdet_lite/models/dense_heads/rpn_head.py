"""Region proposal network (Ren et al., 2015): boxes that may hold an object.

Letters: N images, A anchors of an image, B base anchors of a position, S sampled anchors.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from mmdet_lite.models.dense_heads.anchor_targets import AnchorMatcher, box_loss_inputs
from mmdet_lite.models.dense_heads.dense_head import DenseHead, Outputs
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.ops.levels import flatten_levels
from mmdet_lite.ops.nms import check_nms_cfg, nms_by_group
from mmdet_lite.registry import MODELS, TASK_UTILS
from mmdet_lite.structures import BatchTargets, Detections, ImageBatch, Proposals

PROPOSAL_KEYS = ("nms_pre", "max_per_img", "nms", "min_bbox_size")


@MODELS.register_module()
class RPNHead(DenseHead):
    """Scores each anchor as object or not, and moves it.

    Arguments are MMDetection 3's; ``num_classes`` can only be 1. ``loss_cls`` with use_sigmoid
    gives one logit an anchor, otherwise two. ``train_cfg``: assigner, sampler, allowed_border
    (anchors farther outside the image are ignored; -1: none), pos_weight. ``test_cfg``: nms_pre,
    max_per_img, nms, min_bbox_size.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int = 1,
        feat_channels: int = 256,
        num_convs: int = 1,
        anchor_generator: Mapping[str, Any] | None = None,
        bbox_coder: Mapping[str, Any] | None = None,
        reg_decoded_bbox: bool = False,
        loss_cls: Mapping[str, Any] | None = None,
        loss_bbox: Mapping[str, Any] | None = None,
        train_cfg: Mapping[str, Any] | None = None,
        test_cfg: Mapping[str, Any] | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg or {"type": "Normal", "layer": "Conv2d", "std": 0.01})
        if num_classes != 1:
            raise ValueError(f"RPNHead: num_classes can only be 1 (object), got {num_classes}")
        self.anchors = TASK_UTILS.build(
            anchor_generator
            or {
                "type": "AnchorGenerator",
                "scales": [8, 16, 32],
                "ratios": [0.5, 1.0, 2.0],
                "strides": [4, 8, 16, 32, 64],
            }
        )
        self.in_channels, self.strides = in_channels, self.anchors.strides
        self.bbox_coder = TASK_UTILS.build(bbox_coder or {"type": "DeltaXYWHBBoxCoder"})
        self.reg_decoded_bbox = reg_decoded_bbox
        loss_cls = loss_cls or {"type": "CrossEntropyLoss", "use_sigmoid": True}
        self.loss_cls = MODELS.build(loss_cls)
        self.loss_bbox = MODELS.build(loss_bbox or {"type": "SmoothL1Loss", "beta": 1 / 9})
        self.num_logits = 1 if loss_cls.get("use_sigmoid", False) else 2
        self.test_cfg = dict(test_cfg or {})
        if test_cfg:
            self.check_proposals(test_cfg, "test_cfg.rpn")
        if train_cfg:
            self.matcher = AnchorMatcher(self.anchors, train_cfg, "train_cfg.rpn")
        base_anchors = set(self.anchors.num_base_priors)
        if len(base_anchors) != 1:
            raise ValueError(f"RPNHead: every level needs as many base anchors, got {base_anchors}")
        (num_base,) = base_anchors
        self.rpn_conv = _conv_stack(in_channels, feat_channels, num_convs)
        self.rpn_cls = nn.Conv2d(feat_channels, num_base * self.num_logits, 1)
        self.rpn_reg = nn.Conv2d(feat_channels, num_base * 4, 1)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
        """Logits (N, A, 1 or 2) and deltas (N, A, 4) of all levels, and their sizes (h, w)."""
        scores, deltas = [], []
        for x in features:
            x = F.relu_(self.rpn_conv(x))
            scores.append(self.rpn_cls(x))
            deltas.append(self.rpn_reg(x))
        sizes_hw = [(x.shape[2], x.shape[3]) for x in features]
        return flatten_levels(scores, self.num_logits), flatten_levels(deltas, 4), sizes_hw

    def losses_of(
        self, outputs: Outputs, images: ImageBatch, targets: BatchTargets
    ) -> dict[str, Tensor]:
        """Losses ``loss_rpn_cls`` and ``loss_rpn_bbox`` of sampled anchors."""
        logits, deltas, sizes_hw = outputs
        match = self.matcher.match(sizes_hw, images, targets, logits.device)
        sample = self.matcher.sampler.sample(match.assignment)
        valid = sample.valid.to(torch.float32)
        positive = sample.positive.to(torch.float32)
        num_samples = self.matcher.divisor(sample.positive, sample.valid & ~sample.positive)
        weight = valid + positive * (self.matcher.pos_weight - 1)
        loss_cls = self.loss_cls(
            _take(logits, sample.idx).flatten(0, 1),
            (~sample.positive).long().flatten(),  # the object is class 0, background class 1
            weight.flatten(),
            avg_factor=num_samples,
        )
        boxes = match.anchors[sample.idx]
        # where there is no object the anchor itself stands in, so that nothing becomes NaN
        gts = boxes
        if match.gt_boxes.shape[1]:
            matched = _take(match.gt_boxes, sample.gt_idx)
            gts = torch.where(sample.positive[..., None], matched, boxes)
        predicted, wanted = box_loss_inputs(
            self.bbox_coder, boxes, _take(deltas, sample.idx), gts, self.reg_decoded_bbox
        )
        loss_bbox = self.loss_bbox(
            predicted, wanted, positive[..., None].expand_as(wanted), avg_factor=num_samples
        )
        return {"loss_rpn_cls": loss_cls, "loss_rpn_bbox": loss_bbox}

    def check_proposals(self, cfg: Mapping[str, Any], where: str) -> None:
        """Refuse unknown or missing keys of a config that says how proposals are chosen."""
        check_keys(cfg, PROPOSAL_KEYS, where)
        for key in ("nms_pre", "max_per_img", "nms"):
            if key not in cfg:
                raise ValueError(f"{where}.{key} is missing; keys there: {PROPOSAL_KEYS}")
        check_nms_cfg(cfg["nms"], f"{where}.nms")

    def detections_of(
        self, outputs: Outputs, images: ImageBatch, cfg: Mapping[str, Any]
    ) -> Detections:
        """The proposals as detections of class 0."""
        return self.proposals_of(outputs, images, cfg).as_detections()

    @torch.no_grad()
    def proposals_of(
        self, outputs: Outputs, images: ImageBatch, cfg: Mapping[str, Any]
    ) -> Proposals:
        """The best anchors of each level, moved, after NMS among those of one level."""
        logits, deltas, sizes_hw = outputs
        anchors = self.anchors.grid_anchors(sizes_hw, logits.device)
        if self.num_logits == 1:
            scores = logits[..., 0].float().sigmoid()
        else:
            scores = logits.float().softmax(dim=-1)[..., 0]
        scores, idx, level = self._best_of_levels(scores, sizes_hw, cfg["nms_pre"])
        boxes = self.bbox_coder.decode(anchors[idx], _take(deltas, idx), images.sizes)
        image = torch.arange(len(boxes), device=boxes.device)[:, None].expand_as(idx)
        wh = boxes[..., 2:] - boxes[..., :2]
        large = (wh > cfg.get("min_bbox_size", -1)).all(dim=-1)
        boxes, scores, image, level = boxes[large], scores[large], image[large], level[large]
        keep, scores = nms_by_group(boxes, scores, level, image, len(images), cfg["nms"])
        return Proposals.from_flat(
            boxes[keep], scores, image[keep], len(images), cfg["max_per_img"]
        )

    def _best_of_levels(
        self, scores: Tensor, sizes_hw: list[tuple[int, int]], nms_pre: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The ``nms_pre`` best anchors of each level: scores, positions and levels, each (N, T)."""
        counts = [
            h * w * b for (h, w), b in zip(sizes_hw, self.anchors.num_base_priors, strict=True)
        ]
        best, positions, levels, start = [], [], [], 0
        for i, (count, level_scores) in enumerate(
            zip(counts, torch.split(scores, counts, dim=1), strict=True)
        ):
            k = min(nms_pre, count) if nms_pre > 0 else count
            score, idx = level_scores.topk(k, dim=1)
            best.append(score)
            positions.append(idx + start)
            levels.append(torch.full_like(idx, i))
            start += count
        return torch.cat(best, 1), torch.cat(positions, 1), torch.cat(levels, 1)


def _conv_stack(in_channels: int, channels: int, num_convs: int) -> nn.Module:
    """The 3x3 convolutions before the two outputs; the last one's ReLU is the caller's."""
    if num_convs == 1:
        return nn.Conv2d(in_channels, channels, 3, padding=1)
    widths = [in_channels] + [channels] * num_convs
    return nn.Sequential(
        *(ConvModule(widths[i], channels, 3, padding=1, inplace=False) for i in range(num_convs))
    )


def _take(values: Tensor, idx: Tensor) -> Tensor:
    """Rows of each image: values (N, A, C) at idx (N, S) as (N, S, C)."""
    return values.gather(1, idx[..., None].expand(-1, -1, values.shape[-1]))
