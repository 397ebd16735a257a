"""What the mask head should answer: the ground truth's mask inside each RoI."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from torch import Tensor
from torchvision.ops import roi_align

from mmdet_lite.ops.like_sizes import stretches_of_like_size
from mmdet_lite.structures import BitmapMasks, InstanceMasks, PolygonMasks

# Letters: R positive RoIs of the batch, G ground truths of the batch.
MOST_PIXELS = 2**25  # of the stack of crops: a few large masks make all as large


def mask_targets(
    masks: Sequence[InstanceMasks],
    image_idx: Tensor,
    gt_idx: Tensor,
    boxes: Tensor,
    size_hw: tuple[int, int],
) -> Tensor:
    """Targets of 0 and 1 for positive RoIs, in one call for the whole batch.

    Shapes: ``masks`` one an image; image_idx (R,) and gt_idx (R,) say which mask, boxes (R, 4) in
    input pixels where; returns (R, h, w) float32. R = 0 gives (0, h, w).
    Bitmaps are sampled by RoIAlign and cut at 0.5; polygons are drawn into the RoI's grid.
    Source: both as MMDetection 3 does (``poly2mask=True`` and ``False``).
    """
    bitmaps = [m for m in masks if isinstance(m, BitmapMasks)]
    if len(bitmaps) == len(masks):
        return _from_bitmaps(bitmaps, image_idx, gt_idx, boxes, size_hw)
    polygons = [m for m in masks if isinstance(m, PolygonMasks)]
    if len(polygons) == len(masks):
        return _from_polygons(polygons, image_idx, gt_idx, boxes, size_hw)
    names = sorted({type(m).__name__ for m in masks})
    raise TypeError(f"masks of one batch must be of one class, got {names}")


def _from_bitmaps(
    masks: list[BitmapMasks],
    image_idx: Tensor,
    gt_idx: Tensor,
    boxes: Tensor,
    size_hw: tuple[int, int],
) -> Tensor:
    crops = [_with_border(m, i) for m in masks for i in range(len(m))]
    if not crops:
        return boxes.new_zeros(len(boxes), *size_hw)
    offsets = np.concatenate([m.offsets_xy for m in masks]) - 1  # the border moves them by one
    first_of_image = np.cumsum([0] + [len(m) for m in masks[:-1]])
    device = boxes.device
    frames = torch.tensor([[m.width, m.height] for m in masks], device=device)[image_idx]
    row_idx = torch.from_numpy(first_of_image).to(device)[image_idx] + gt_idx
    corners = torch.minimum(boxes.view(-1, 2, 2).clamp(min=0), frames[:, None].to(boxes))
    corners = corners - torch.from_numpy(offsets).to(boxes)[row_idx][:, None]
    boxes = corners.flatten(1)
    if _stacked_pixels(crops) <= MOST_PIXELS:
        return _sampled(crops, row_idx, boxes, size_hw)
    # crops of like size together, without those that no RoI asks for
    asked = np.unique(row_idx.cpu().numpy())
    order = asked[np.argsort([crops[i].size for i in asked], kind="stable")]
    targets = boxes.new_zeros(len(boxes), *size_hw)
    for start, end in stretches_of_like_size([crops[i].shape for i in order], MOST_PIXELS):
        place = torch.full((len(crops),), -1, device=device)
        place[torch.from_numpy(order[start:end]).to(device)] = torch.arange(
            end - start, device=device
        )
        rois = torch.nonzero(place[row_idx] >= 0).flatten()
        stretch = [crops[i] for i in order[start:end]]
        targets[rois] = _sampled(stretch, place[row_idx[rois]], boxes[rois], size_hw)
    return targets


def _stacked_pixels(crops: list[NDArray[np.uint8]]) -> int:
    return len(crops) * max(c.shape[0] for c in crops) * max(c.shape[1] for c in crops)


def _sampled(
    crops: list[NDArray[np.uint8]], crop_idx: Tensor, boxes: Tensor, size_hw: tuple[int, int]
) -> Tensor:
    """Targets (R, h, w) from crops, all made as large as the largest; boxes in their pixels."""
    height, width = max(c.shape[0] for c in crops), max(c.shape[1] for c in crops)
    stack = np.zeros((len(crops), height, width), np.uint8)
    for row, crop in zip(stack, crops, strict=True):
        row[: crop.shape[0], : crop.shape[1]] = crop
    rois = torch.cat([crop_idx[:, None].to(boxes), boxes], dim=1)
    pixels = torch.from_numpy(stack).to(boxes.device, non_blocking=True).to(boxes.dtype)[:, None]
    sampled = roi_align(pixels, rois, size_hw, 1.0, 0, True)
    return (sampled[:, 0] >= 0.5).to(boxes.dtype)


def _with_border(masks: BitmapMasks, i: int) -> NDArray[np.uint8]:
    """A crop with one more pixel on every side, as the frame continues there.

    Inside the frame the neighbours are zero (the crop is tight); beyond the frame's edge RoIAlign
    repeats the edge.
    """
    crop, (x0, y0) = masks.crops[i], masks.offsets_xy[i]
    if crop.size == 0:
        return np.zeros((2, 2), np.uint8)
    padded = np.pad(crop, 1)
    height, width = crop.shape
    if y0 == 0:
        padded[0] = padded[1]
    if y0 + height == masks.height:
        padded[-1] = padded[-2]
    if x0 == 0:
        padded[:, 0] = padded[:, 1]
    if x0 + width == masks.width:
        padded[:, -1] = padded[:, -2]
    return padded


def _from_polygons(
    masks: list[PolygonMasks],
    image_idx: Tensor,
    gt_idx: Tensor,
    boxes: Tensor,
    size_hw: tuple[int, int],
) -> Tensor:
    height, width = size_hw
    targets = np.zeros((len(boxes), height, width), np.float32)
    rows = torch.cat([image_idx[:, None], gt_idx[:, None]], dim=1).cpu().numpy()
    corners = boxes.cpu().numpy()  # drawing polygons is the host's work
    for target, (image, gt), (x1, y1, x2, y2) in zip(targets, rows, corners, strict=True):
        outline = masks[image].masks[gt]
        if not outline:  # a crop may keep a corner of the box and nothing of the object
            continue
        scale = np.array([width / max(x2 - x1, 1), height / max(y2 - y1, 1)])
        parts = [
            ((np.asarray(part).reshape(-1, 2) - (x1, y1)) * scale).flatten() for part in outline
        ]
        rle = coco_mask.merge(coco_mask.frPyObjects(parts, height, width))
        target[:] = coco_mask.decode(rle)
    return torch.from_numpy(targets).to(boxes.device)
