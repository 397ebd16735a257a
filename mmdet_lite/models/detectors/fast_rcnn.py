"""Fast R-CNN (Girshick, 2015): the second stage alone, on proposals from a file."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmdet_lite.models.detectors.base import BaseDetector, batch_targets, image_batch
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample, Detections, ImageBatch, Proposals


@MODELS.register_module()
class FastRCNN(BaseDetector):
    """Backbone, neck and RoI head; the proposals are ``data_samples[i].proposals``.

    They come from the data set's ``proposal_file`` by LoadProposals and ProposalBroadcaster.
    Arguments are MMDetection 3's; ``train_cfg`` and ``test_cfg`` have the one key rcnn.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        roi_head: Mapping[str, Any],
        neck: dict[str, Any] | None = None,
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
        train, test = train_cfg or {}, test_cfg or {}
        check_keys(train, ("rcnn",), "model.train_cfg")
        check_keys(test, ("rcnn",), "model.test_cfg")
        self.test_cfg = test
        rcnn = {"train_cfg": train.get("rcnn"), "test_cfg": test.get("rcnn")}
        self.roi_head = MODELS.build({**roi_head, **rcnn})
        self.join_parts(roi_head=self.roi_head)

    def loss(self, inputs: Tensor, data_samples: list[DetDataSample]) -> dict[str, Tensor]:
        """Losses of the RoI head for a training batch (N, C, H, W)."""
        images, targets = image_batch(inputs, data_samples), batch_targets(data_samples)
        proposals = _given_proposals(images)
        features = self.extract_features(inputs)
        losses: dict[str, Tensor] = self.roi_head.loss(features, proposals, images, targets)
        return losses

    def predict_detections(self, features: tuple[Tensor, ...], images: ImageBatch) -> Detections:
        """Detections of a batch in input pixels."""
        boxes = self.predict_boxes(features, images)
        detections: Detections = self.roi_head.add_shapes(features, boxes)
        return detections

    def predict_boxes(self, features: tuple[Tensor, ...], images: ImageBatch) -> Detections:
        """Detections of a batch in input pixels: boxes, scores and labels only."""
        given = _given_proposals(images)
        detections: Detections = self.roi_head.predict_boxes(features, given, images)
        return detections


def _given_proposals(images: ImageBatch) -> Proposals:
    if images.proposals is None:
        raise ValueError(
            "FastRCNN: the data has no proposals; give the data set a proposal_file and start the"
            " pipeline with LoadImageFromFile, LoadProposals, and ProposalBroadcaster around Resize"
            " and RandomFlip"
        )
    return images.proposals
