"""Faster, Mask and Cascade R-CNN: proposals first, then classes, boxes and masks."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmdet_lite.models.detectors.base import BaseDetector, batch_targets, image_batch
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample, Detections, ImageBatch


@MODELS.register_module(
    name=["TwoStageDetector", "FasterRCNN", "MaskRCNN", "CascadeRCNN", "KeypointRCNN"]
)
class TwoStageDetector(BaseDetector):
    """Backbone, neck, RPN and RoI head.

    Mask R-CNN is the one whose RoI head has a mask head, Cascade R-CNN the one with CascadeRoIHead,
    for which ``train_cfg.rcnn`` is a list of one dict a stage, Keypoint R-CNN the one with
    KeypointRoIHead.
    ``train_cfg``: rpn, rpn_proposal (default: test_cfg.rpn), rcnn. ``test_cfg``: rpn, rcnn. The
    parts of both go to the heads; the config itself stays as it was.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        neck: dict[str, Any] | None = None,
        rpn_head: Mapping[str, Any] | None = None,
        roi_head: Mapping[str, Any] | None = None,
        train_cfg: Mapping[str, Any] | None = None,
        test_cfg: Mapping[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        channels_last: bool = True,
        compile_features: bool = False,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            backbone, neck, data_preprocessor, channels_last, compile_features, init_cfg
        )
        if rpn_head is None or roi_head is None:
            raise ValueError("a two-stage detector needs rpn_head and roi_head")
        train, test = train_cfg or {}, test_cfg or {}
        check_keys(train, ("rpn", "rpn_proposal", "rcnn"), "model.train_cfg")
        check_keys(test, ("rpn", "rcnn"), "model.test_cfg")
        self.test_cfg = test
        self.proposal_cfg = train.get("rpn_proposal") or test.get("rpn")
        rpn = {"train_cfg": train.get("rpn"), "test_cfg": test.get("rpn")}
        rcnn = {"train_cfg": train.get("rcnn"), "test_cfg": test.get("rcnn")}
        self.rpn_head = MODELS.build({**rpn_head, **rpn})
        if train.get("rpn_proposal"):
            self.rpn_head.check_proposals(train["rpn_proposal"], "train_cfg.rpn_proposal")
        self.roi_head = MODELS.build({**roi_head, **rcnn})
        self.join_parts(rpn_head=self.rpn_head, roi_head=self.roi_head)

    def loss(self, inputs: Tensor, data_samples: list[DetDataSample]) -> dict[str, Tensor]:
        """Losses of RPN and RoI head for a training batch (N, C, H, W)."""
        images, targets = image_batch(inputs, data_samples), batch_targets(data_samples)
        features = self.extract_features(inputs)
        losses, proposals = self.rpn_head.loss_and_predict(
            features, images, targets, self.proposal_cfg
        )
        return {**losses, **self.roi_head.loss(features, proposals, images, targets)}

    def predict_detections(self, features: tuple[Tensor, ...], images: ImageBatch) -> Detections:
        """Detections of a batch in input pixels."""
        boxes = self.predict_boxes(features, images)
        detections: Detections = self.roi_head.add_shapes(features, boxes)
        return detections

    def predict_boxes(self, features: tuple[Tensor, ...], images: ImageBatch) -> Detections:
        """Detections of a batch in input pixels: boxes, scores and labels only."""
        proposals = self.rpn_head.propose(features, images)
        detections: Detections = self.roi_head.predict_boxes(features, proposals, images)
        return detections


FasterRCNN = MaskRCNN = CascadeRCNN = KeypointRCNN = TwoStageDetector
