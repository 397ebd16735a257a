"""From packed samples to one normalised batch on the device."""

import math
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn

from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample

Batch = tuple[Tensor, list[DetDataSample] | None]


@MODELS.register_module()
class DetDataPreprocessor(BaseDataPreprocessor):
    """Moves images to the device as uint8, orders their channels, normalises and pads them.

    ``mean`` and ``std`` in 0..255, in the channel order after ``bgr_to_rgb`` / ``rgb_to_bgr``.
    Padding (``pad_value``, after normalisation) goes to the right and below, to a multiple of
    ``pad_size_divisor``; with ``pad_mask`` the masks' frames grow along. ``batch_augments`` are
    modules that change a whole training batch. ``boxtype2tensor`` is accepted because boxes are
    tensors here anyway.
    Writes the metainfo ``batch_input_shape`` and ``pad_shape`` (h, w).
    """

    def __init__(
        self,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        pad_size_divisor: int = 1,
        pad_value: float = 0,
        pad_mask: bool = False,
        mask_pad_value: int = 0,
        pad_seg: bool = False,
        seg_pad_value: int = 255,
        bgr_to_rgb: bool = False,
        rgb_to_bgr: bool = False,
        boxtype2tensor: bool = True,
        non_blocking: bool = False,
        batch_augments: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(non_blocking)
        if bgr_to_rgb and rgb_to_bgr:
            raise ValueError("data_preprocessor: bgr_to_rgb and rgb_to_bgr exclude each other")
        if (mean is None) != (std is None):
            raise ValueError(f"data_preprocessor: give mean and std together, got {mean}, {std}")
        if pad_seg or mask_pad_value != 0:
            raise ValueError(
                "data_preprocessor: pad_seg and a mask_pad_value other than 0 are not available"
            )
        for name, values in (("mean", mean), ("std", std)):
            if values is not None and not all(isinstance(v, Number) for v in values):
                raise TypeError(f"data_preprocessor.{name}: expected numbers, got {values!r}")
        self.swap_channels = bgr_to_rgb or rgb_to_bgr
        self.pad_size_divisor = pad_size_divisor
        self.pad_value = pad_value
        self.pad_mask = pad_mask
        self.batch_augments = nn.ModuleList(MODELS.build(a) for a in batch_augments or [])
        zero, one = (0.0,), (1.0,)
        self.register_buffer("mean", torch.tensor(mean or zero).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std or one).view(-1, 1, 1), persistent=False)

    def forward(self, data: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """``data``: inputs (list of (C, H, W) uint8, or one (N, C, H, W)) and data_samples.

        Returns ``inputs`` (N, C, H', W') float and ``data_samples`` (None if there were none).
        """
        data = self.cast_data(data)
        images = list(data["inputs"])
        samples: list[DetDataSample] | None = data.get("data_samples")
        batch, own_shapes = self._stack(images)
        if samples is not None:
            padded_hw = (batch.shape[-2], batch.shape[-1])
            for sample, pad_shape in zip(samples, own_shapes, strict=True):
                sample.set_metainfo({"batch_input_shape": padded_hw, "pad_shape": pad_shape})
                if self.pad_mask and training:
                    pad_masks(sample, padded_hw)
        if training:
            for augment in self.batch_augments:
                batch, samples = augment(batch, samples)
        return {"inputs": batch, "data_samples": samples}

    def _stack(self, images: list[Tensor]) -> tuple[Tensor, list[tuple[int, int]]]:
        """Normalise into one padded batch; also the padded size (h, w) of each image alone."""
        channels = images[0].shape[0]
        if any(image.shape[0] != channels for image in images):
            counts = sorted({image.shape[0] for image in images})
            raise ValueError(
                f"images of one batch have {counts} channels; give LoadImageFromFile color_type "
                "'color' or 'grayscale', so that all pictures become alike"
            )
        if self.swap_channels and channels not in (1, 3):
            raise ValueError(
                f"data_preprocessor: bgr_to_rgb and rgb_to_bgr order 3 channels, images have "
                f"{channels}; leave them out"
            )
        if len(self.mean) not in (1, channels):
            raise ValueError(
                f"images have {channels} channels, data_preprocessor.mean has {len(self.mean)}"
            )
        divisor = self.pad_size_divisor
        own_shapes = [
            (math.ceil(x.shape[1] / divisor) * divisor, math.ceil(x.shape[2] / divisor) * divisor)
            for x in images
        ]
        height, width = max(h for h, _ in own_shapes), max(w for _, w in own_shapes)
        batch = self.mean.new_full((len(images), channels, height, width), self.pad_value)
        for slot, image in zip(batch, images, strict=True):
            place = slot[:, : image.shape[1], : image.shape[2]]
            ordered = image.flip(0) if self.swap_channels and channels == 3 else image
            torch.sub(ordered.to(batch.dtype), self.mean, out=place).div_(self.std)
        return batch, own_shapes


@MODELS.register_module()
class BatchFixedSizePad(nn.Module):
    """Pads a training batch to a fixed ``size`` (h, w); larger batches stay as they are."""

    def __init__(
        self,
        size: tuple[int, int],
        img_pad_value: float = 0,
        pad_mask: bool = False,
        mask_pad_value: int = 0,
        pad_seg: bool = False,
        seg_pad_value: int = 255,
    ) -> None:
        super().__init__()
        if pad_seg or mask_pad_value != 0:
            raise ValueError(
                "BatchFixedSizePad: pad_seg and a mask_pad_value other than 0 are not available"
            )
        self.size_hw = tuple(size)
        self.img_pad_value = img_pad_value
        self.pad_mask = pad_mask

    def forward(self, inputs: Tensor, data_samples: list[DetDataSample] | None) -> Batch:
        """Batch (N, C, H, W) and its samples, padded to the right and below."""
        height, width = inputs.shape[-2:]
        grow_h, grow_w = self.size_hw[0] - height, self.size_hw[1] - width
        if grow_h <= 0 and grow_w <= 0:
            return inputs, data_samples
        pad = (0, max(grow_w, 0), 0, max(grow_h, 0))
        inputs = F.pad(inputs, pad, value=self.img_pad_value)
        padded_hw = (inputs.shape[-2], inputs.shape[-1])
        for sample in data_samples or []:
            sample.set_metainfo({"batch_input_shape": padded_hw, "pad_shape": padded_hw})
            if self.pad_mask:
                pad_masks(sample, padded_hw)
        return inputs, data_samples


def pad_masks(sample: DetDataSample, padded_hw: tuple[int, int]) -> None:
    """Grow the frame of a sample's masks to that of its batch."""
    if "gt_instances" in sample and "masks" in sample.gt_instances:
        sample.gt_instances.masks = sample.gt_instances.masks.pad(padded_hw)
