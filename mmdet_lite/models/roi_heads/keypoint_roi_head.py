"""The second stage of Keypoint R-CNN: boxes, masks if there is a mask head, and joints."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from mmdet_lite.models.roi_heads.standard_roi_head import SampledRoIs, StandardRoIHead
from mmdet_lite.ops.boxes import boxes_to_rois
from mmdet_lite.ops.keypoints import NOT_VISIBLE, heatmap_targets
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import BatchTargets, Detections

# Letters: R RoIs of the batch, D detections, J joints.


@MODELS.register_module()
class KeypointRoIHead(StandardRoIHead):
    """StandardRoIHead that also finds joints, with features and a head of their own.

    Takes ``keypoint_roi_extractor`` and ``keypoint_head`` besides StandardRoIHead's arguments. The
    keypoint head is trained on positive RoIs inside which a labelled joint of their object lies.
    Source: Mask R-CNN, section 5; the choice of RoIs is Detectron's.
    """

    def __init__(
        self,
        keypoint_roi_extractor: Mapping[str, Any] | None = None,
        keypoint_head: Mapping[str, Any] | None = None,
        **standard: Any,
    ) -> None:
        super().__init__(**standard)
        if keypoint_roi_extractor is None or keypoint_head is None:
            raise ValueError(
                "KeypointRoIHead needs keypoint_roi_extractor and keypoint_head; without joints "
                "use StandardRoIHead"
            )
        self.keypoint_roi_extractor = MODELS.build(keypoint_roi_extractor)
        self.keypoint_head = MODELS.build(keypoint_head)
        pooled, wanted = self.keypoint_roi_extractor.output_size, self.keypoint_head.roi_feat_size
        if pooled != wanted:
            raise ValueError(
                f"keypoint_roi_extractor.roi_layer.output_size is {pooled}, but "
                f"keypoint_head.roi_feat_size is {wanted}: make them equal"
            )

    def rois_loss(
        self, features: Sequence[Tensor], sampled: SampledRoIs, targets: BatchTargets
    ) -> dict[str, Tensor]:
        """The losses of StandardRoIHead, and ``loss_keypoint``."""
        losses = super().rois_loss(features, sampled, targets)
        cells = self._wanted_cells(sampled, targets)
        rows = torch.nonzero((cells != NOT_VISIBLE).any(dim=1)).flatten()
        pooled = self._pool(self.keypoint_roi_extractor, features, sampled.rois[rows])
        logits = self.keypoint_head(pooled)
        losses.update(self.keypoint_head.loss(logits, cells[rows], len(targets.boxes)))
        return losses

    def add_shapes(self, features: Sequence[Tensor], detections: Detections) -> Detections:
        """The same detections with masks, if there is a mask head, and joints."""
        detections = self.add_masks(features, detections)
        logits = self.keypoint_logits(features, detections)
        return replace(detections, keypoints=self.keypoint_head.predict(logits, detections.boxes))

    def add_masks(self, features: Sequence[Tensor], detections: Detections) -> Detections:
        """The same detections with masks, if there is a mask head."""
        return super().add_shapes(features, detections)

    def keypoint_logits(self, features: Sequence[Tensor], detections: Detections) -> Tensor:
        """Heatmaps (D, J, h, w) of the detections, over their boxes."""
        rois = boxes_to_rois(detections.boxes, detections.image_idx)
        logits: Tensor = self.keypoint_head(self._pool(self.keypoint_roi_extractor, features, rois))
        return logits

    def _wanted_cells(self, sampled: SampledRoIs, targets: BatchTargets) -> Tensor:
        """Cells (R, J) that the heatmaps should show; -1 for all joints of other RoIs."""
        num_joints = self.keypoint_head.num_keypoints
        if targets.keypoints is None:
            raise ValueError(
                "the model has a keypoint head but the data has no keypoints; load them with"
                " dict(type='LoadAnnotations', with_bbox=True, with_keypoints=True)"
            )
        padded = torch.nn.utils.rnn.pad_sequence(targets.keypoints, batch_first=True)
        if padded.shape[1] == 0:
            return sampled.gt_idx.new_full((len(sampled.rois), num_joints), NOT_VISIBLE)
        if padded.shape[2] != num_joints:
            raise ValueError(
                f"keypoint_head.num_keypoints is {num_joints}, but the objects of the data have "
                f"{padded.shape[2]} joints"
            )
        joints = padded[sampled.rois[:, 0].long(), sampled.gt_idx]
        cells = heatmap_targets(joints, sampled.rois[:, 1:], self.keypoint_head.heatmap_hw)
        return cells.masked_fill(~sampled.positive[:, None], NOT_VISIBLE)
