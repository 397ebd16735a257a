"""The last steps to loss and detections that heads with anchors have in common."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mmdet_lite.models.dense_heads.anchor_targets import AnchorTargets, box_loss_inputs
from mmdet_lite.models.dense_heads.selection import find_candidates
from mmdet_lite.models.task_modules import AnchorGrid
from mmdet_lite.ops.nms import best_detections
from mmdet_lite.structures import Detections, ImageBatch


def anchor_box_loss(
    deltas: Tensor, targets: AnchorTargets, bbox_coder: Any, loss: nn.Module, decoded: bool
) -> Tensor:
    """Box loss of the positive anchors of ``deltas`` (N, A, 4); without positives 0."""
    predicted, wanted = box_loss_inputs(
        bbox_coder, targets.anchors, deltas[targets.positive], targets.boxes, decoded
    )
    value: Tensor = loss(predicted, wanted, avg_factor=targets.divisor)
    return value


def anchor_detections(
    outputs: tuple[Any, ...],
    anchors: AnchorGrid,
    bbox_coder: Any,
    use_sigmoid: bool,
    images: ImageBatch,
    cfg: Mapping[str, Any],
) -> Detections:
    """Detections in logits (N, A, K or K+1), deltas (N, A, 4) and the sizes of their levels."""
    logits, deltas, sizes_hw = outputs
    counts = [h * w * b for (h, w), b in zip(sizes_hw, anchors.num_base_priors, strict=True)]
    found = find_candidates(logits, use_sigmoid, counts, cfg)
    boxes = bbox_coder.decode(
        anchors.grid_anchors(sizes_hw, logits.device)[found.position],
        deltas[found.image, found.position],
        images.sizes[found.image],
    )
    return Detections(
        *best_detections(found.image, boxes, found.score, found.label, len(images), cfg)
    )
