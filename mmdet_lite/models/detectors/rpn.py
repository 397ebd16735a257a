"""A region proposal network on its own."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmdet_lite.models.detectors.base import batch_targets, image_batch
from mmdet_lite.models.detectors.single_stage import SingleStageDetector
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample


@MODELS.register_module()
class RPN(SingleStageDetector):
    """Backbone, neck and RPN head; predicts proposals as objects of class 0.

    ``train_cfg`` and ``test_cfg`` hold one key, rpn. The head's weights are ``bbox_head``'s, as in
    MMDetection.
    """

    head_key = "rpn_head"

    def __init__(
        self,
        backbone: dict[str, Any],
        neck: dict[str, Any] | None = None,
        rpn_head: Mapping[str, Any] | None = None,
        train_cfg: Mapping[str, Any] | None = None,
        test_cfg: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if rpn_head is None:
            raise ValueError("RPN needs rpn_head")
        for name, cfg in (("train_cfg", train_cfg), ("test_cfg", test_cfg)):
            check_keys(cfg or {}, ("rpn",), f"model.{name}")
        train, test = (train_cfg or {}).get("rpn"), (test_cfg or {}).get("rpn")
        super().__init__(backbone, neck, rpn_head, train, test, **kwargs)

    def loss(self, inputs: Tensor, data_samples: list[DetDataSample]) -> dict[str, Tensor]:
        """Losses of the head for a training batch (N, C, H, W), whatever the classes are."""
        images, targets = image_batch(inputs, data_samples), batch_targets(data_samples)
        features = self.extract_features(inputs)
        losses: dict[str, Tensor] = self.bbox_head.loss(features, images, targets.without_classes())
        return losses
