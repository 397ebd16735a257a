"""The verbs of a dense head, for both places it can stand in: alone, or before a RoI head."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor

from mmdet_lite.models.dense_heads.selection import check_detection_cfg
from mmdet_lite.structures import BatchTargets, Detections, ImageBatch, Proposals

Outputs = tuple[Any, ...]  # what ``forward`` of the head gives: flat tensors, sizes of the levels


class DenseHead(BaseModule):
    """Predicts at every position of the feature maps.

    A single-stage detector uses ``loss`` and ``predict``; a two-stage detector ``loss_and_predict``
    and ``propose``, which know objects only and no classes. Subclasses write ``forward``,
    ``losses_of`` and ``detections_of``, and set ``test_cfg``, and ``in_channels`` (one for all
    maps, or one a map) and ``strides`` (one a map), which are compared with what backbone and neck
    give; None is not.
    """

    test_cfg: Mapping[str, Any]
    in_channels: int | Sequence[int] | None = None
    strides: Sequence[int | tuple[int, int]] | None = None

    def loss(
        self, features: Sequence[Tensor], images: ImageBatch, targets: BatchTargets
    ) -> dict[str, Tensor]:
        """Losses of a batch."""
        return self.losses_of(self(features), images, targets)

    def predict(self, features: Sequence[Tensor], images: ImageBatch) -> Detections:
        """Detections in input pixels, as ``test_cfg`` says."""
        return self.detections_of(self(features), images, self.test_cfg)

    def propose(self, features: Sequence[Tensor], images: ImageBatch) -> Proposals:
        """Proposals for a RoI head, as ``test_cfg`` says."""
        return self.proposals_of(self(features), images, self.test_cfg)

    def loss_and_predict(
        self,
        features: Sequence[Tensor],
        images: ImageBatch,
        targets: BatchTargets,
        proposal_cfg: Mapping[str, Any],
    ) -> tuple[dict[str, Tensor], Proposals]:
        """Losses of a batch, ``rpn`` in their names, and the proposals a RoI head trains on.

        All objects are of class 0 here.
        """
        outputs = self(features)
        losses = self.losses_of(outputs, images, targets.without_classes())
        named = {k if "rpn" in k else f"rpn_{k}": loss for k, loss in losses.items()}
        return named, self.proposals_of(outputs, images, proposal_cfg)

    def check_proposals(self, cfg: Mapping[str, Any], where: str) -> None:
        """Refuse unknown or missing keys of a ``proposal_cfg``, whose dotted key is ``where``."""
        check_detection_cfg(cfg, where)

    @abstractmethod
    def losses_of(
        self, outputs: Outputs, images: ImageBatch, targets: BatchTargets
    ) -> dict[str, Tensor]:
        """Losses of what ``forward`` gave."""

    @abstractmethod
    def detections_of(
        self, outputs: Outputs, images: ImageBatch, cfg: Mapping[str, Any]
    ) -> Detections:
        """Detections in what ``forward`` gave."""

    def proposals_of(
        self, outputs: Outputs, images: ImageBatch, cfg: Mapping[str, Any]
    ) -> Proposals:
        """Proposals in what ``forward`` gave: its detections without their classes."""
        found = self.detections_of(outputs, images, cfg)
        return Proposals.from_flat(
            found.boxes, found.scores, found.image_idx, len(images), cfg["max_per_img"]
        )
