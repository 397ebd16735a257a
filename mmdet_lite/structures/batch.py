"""Small frozen records that the heads see instead of data samples.

Letters used in all of ``models``: N images, G ground truths of one image, A anchors, P proposals
of one image, R RoIs of the batch, D detections, K classes, C channels, H W.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mmdet_lite.ops.nms import rank_within_image
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

    @classmethod
    def from_flat(
        cls, boxes: Tensor, scores: Tensor, image: Tensor, num_images: int, most: int
    ) -> "Proposals":
        """Flat boxes (D, 4), best first, as at most ``most`` for each image (not positive: all)."""
        width = min(most, len(boxes)) if most > 0 else len(boxes)
        # everything past the limit goes into one extra column that is cut off
        column = rank_within_image(image, num_images).clamp(max=width)
        padded = boxes.new_zeros(num_images, width + 1, 6)
        ones = torch.ones_like(scores)[:, None]
        padded[image, column] = torch.cat([boxes, scores[:, None], ones], 1)
        padded = padded[:, :width]
        return cls(padded[..., :4], padded[..., 4], padded[..., 5] > 0)

    def as_detections(self) -> "Detections":
        """The same boxes without padding, as detections of class 0."""
        image, column = torch.nonzero(self.valid, as_tuple=True)
        boxes, scores = self.boxes[image, column], self.scores[image, column]
        return Detections(image, boxes, scores, torch.zeros_like(image))


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
