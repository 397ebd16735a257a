"""Detectors whose dense head gives the detections: RetinaNet, SSD."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmdet_lite.models.detectors.base import BaseDetector, batch_targets, image_batch
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample, Detections, ImageBatch


@MODELS.register_module(name=["SingleStageDetector", "RetinaNet"])
class SingleStageDetector(BaseDetector):
    """Backbone, neck and a dense head, which gets all of ``train_cfg`` and ``test_cfg``."""

    head_key = "bbox_head"  # of the head's config

    def __init__(
        self,
        backbone: dict[str, Any],
        neck: dict[str, Any] | None = None,
        bbox_head: Mapping[str, Any] | None = None,
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
        if bbox_head is None:
            raise ValueError("a single-stage detector needs bbox_head")
        self.test_cfg = test_cfg
        self.bbox_head = MODELS.build({**bbox_head, "train_cfg": train_cfg, "test_cfg": test_cfg})
        self.join_parts(**{self.head_key: self.bbox_head})

    def loss(self, inputs: Tensor, data_samples: list[DetDataSample]) -> dict[str, Tensor]:
        """Losses of the head for a training batch (N, C, H, W)."""
        images, targets = image_batch(inputs, data_samples), batch_targets(data_samples)
        losses: dict[str, Tensor] = self.bbox_head.loss(
            self.extract_features(inputs), images, targets
        )
        return losses

    def predict_detections(self, features: tuple[Tensor, ...], images: ImageBatch) -> Detections:
        """Detections of a batch in input pixels."""
        detections: Detections = self.bbox_head.predict(features, images)
        return detections


RetinaNet = SingleStageDetector
