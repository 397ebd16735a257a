"""The configured form of box offsets."""

import math
from collections.abc import Sequence

from torch import Tensor

from mmdet_lite.ops.box_deltas import decode_deltas, encode_deltas
from mmdet_lite.ops.boxes import clip_boxes
from mmdet_lite.registry import TASK_UTILS


@TASK_UTILS.register_module()
class DeltaXYWHBBoxCoder:
    """Boxes as (dx, dy, dw, dh) relative to a reference box, normalised.

    ``clip_border``: decoded boxes are moved inside their image. ``add_ctr_clamp`` with
    ``ctr_clamp`` in pixels bounds how far a centre moves.
    """

    def __init__(
        self,
        target_means: Sequence[float] = (0.0, 0.0, 0.0, 0.0),
        target_stds: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
        clip_border: bool = True,
        add_ctr_clamp: bool = False,
        ctr_clamp: float = 32,
        use_box_type: bool = False,
    ) -> None:
        if use_box_type:
            raise ValueError("DeltaXYWHBBoxCoder: use_box_type=True is not available; leave it out")
        self.means = tuple(target_means)
        self.stds = tuple(target_stds)
        self.clip_border = clip_border
        self.max_centre_shift = ctr_clamp if add_ctr_clamp else None

    def encode(self, boxes: Tensor, targets: Tensor) -> Tensor:
        """Offsets (..., 4) that turn ``boxes`` (..., 4) into ``targets`` (..., 4)."""
        return encode_deltas(boxes, targets, self.means, self.stds)

    def decode(
        self,
        boxes: Tensor,
        deltas: Tensor,
        sizes_hw: Tensor | None = None,
        wh_ratio_clip: float = 16 / 1000,
    ) -> Tensor:
        """Boxes of offsets; shapes broadcast, the first dimension is that of ``sizes_hw`` (B, 2).

        Without ``sizes_hw``, or with ``clip_border`` off, nothing is clipped to the image.
        """
        decoded = decode_deltas(
            boxes,
            deltas.float(),
            self.means,
            self.stds,
            abs(math.log(wh_ratio_clip)),
            self.max_centre_shift,
        )
        if sizes_hw is None or not self.clip_border:
            return decoded
        return clip_boxes(decoded, sizes_hw)
