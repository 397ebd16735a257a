"""Small frozen records that the heads see instead of data samples.

Letters used in all of ``models``: N images, G ground truths of one image, A anchors, P proposals
of one image, R RoIs of the batch, D detections, K classes, C channels, H W.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mmdet_lite.structures.masks import InstanceMasks

SizeHW = tuple[int, int]


@dataclass(frozen=True)
class ImageBatch:
    """The sizes of the images of a padded batch.

    ``sizes_hw``: what each image itself measures. ``pad_shapes_hw``: what it takes when padded on
    its own to the size divisor. ``padded_hw``: what all were padded to. ``sizes``: ``sizes_hw``
    as an (N, 2) tensor on the device of the images. ``proposals``: those that came with the data
    (Fast R-CNN), or None.
    """

    sizes_hw: list[SizeHW]
    pad_shapes_hw: list[SizeHW]
    padded_hw: SizeHW
    sizes: Tensor
    proposals: "Proposals | None" = None

    def __len__(self) -> int:
        return len(self.sizes_hw)


@dataclass(frozen=True)
class BatchTargets:
    """Annotations of a batch, one entry an image, all in pixels of the network input.

    ``boxes[i]`` (G, 4), ``labels[i]`` (G,), ``ignored_boxes[i]`` (G', 4), ``keypoints[i]``
    (G, J, 3) as x, y, visibility (0: not labelled); ``masks`` and ``keypoints`` are None where the
    data has none. G = 0 is an image without objects.
    """

    boxes: list[Tensor]
    labels: list[Tensor]
    ignored_boxes: list[Tensor]
    masks: list[InstanceMasks] | None = None
    keypoints: list[Tensor] | None = None

    def without_classes(self) -> "BatchTargets":
        """The same objects, all of class 0."""
        return replace(self, labels=[torch.zeros_like(labels) for labels in self.labels])


@dataclass(frozen=True)
class Proposals:
    """Boxes with scores, padded to the same number P for every image.

    ``boxes`` (N, P, 4) in pixels of the network input, ``scores`` (N, P), best first, ``valid``
    (N, P) bool: False marks padding, which holds zeros.
    """

    boxes: Tensor
    scores: Tensor
    valid: Tensor


@dataclass(frozen=True)
class Detections:
    """The flat result of a batch: D detections of all its images, best first in each image.

    ``image_idx`` (D,) says which image, ``boxes`` (D, 4) are in pixels of the network input,
    ``scores`` (D,), ``labels`` (D,) in 0..K-1, ``mask_probs`` (D, h, w) over the box, or None,
    ``keypoints`` (D, J, 3) as x, y in pixels of the network input and score, or None.
    """

    image_idx: Tensor
    boxes: Tensor
    scores: Tensor
    labels: Tensor
    mask_probs: Tensor | None = None
    keypoints: Tensor | None = None

    def of_image(self, i: int) -> Tensor:
        """Return the positions (long) of image ``i``'s detections."""
        return torch.nonzero(self.image_idx == i).flatten()
