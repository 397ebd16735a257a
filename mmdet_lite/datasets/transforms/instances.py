"""Moving the objects of an image all together, and joining those of several images.

What a move does to an object, it does to its box, mask and keypoints; an object that leaves the
frame leaves all of ``INSTANCE_KEYS``. Results without ``gt_bboxes`` have no objects to move.
Letters: G objects.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.datasets.transforms.filtering import INSTANCE_KEYS, select_instances
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.ops.affine import Matrix, transform_boxes, transform_points
from mmdet_lite.structures.masks import InstanceMasks, PolygonMasks


def warp_instances(
    results: Results, matrix: Matrix, size_hw: tuple[int, int], clip: bool = True
) -> Results:
    """Return results whose objects are mapped by a matrix of ``ops.affine`` into a new frame.

    Boxes become those around their four mapped corners, clipped to the frame if ``clip``. Objects
    whose box or mask is wholly outside of the frame are dropped, keypoints there become unlabelled.
    """
    if "gt_bboxes" not in results:
        return results
    moved: dict[str, Any] = {"gt_bboxes": transform_boxes(results["gt_bboxes"], matrix)}
    if "gt_masks" in results:
        moved["gt_masks"] = results["gt_masks"].warp_affine(matrix, size_hw)
    if "gt_keypoints" in results:
        moved["gt_keypoints"] = results["gt_keypoints"].copy()
        moved["gt_keypoints"][..., :2] = transform_points(results["gt_keypoints"][..., :2], matrix)
    return _within_frame(results, moved, size_hw, clip)


def shift_instances(
    results: Results, left: int, top: int, size_hw: tuple[int, int], clip: bool = True
) -> Results:
    """Return results whose frame's upper left corner is put at (left, top) of a new frame.

    Both may be negative. What is dropped and clipped: as in ``warp_instances``.
    """
    if "gt_bboxes" not in results:
        return results
    step = np.array([left, top], np.float32)
    moved: dict[str, Any] = {"gt_bboxes": results["gt_bboxes"] + np.tile(step, 2)}
    if "gt_masks" in results:
        moved["gt_masks"] = results["gt_masks"].shift(size_hw, left, top)
    if "gt_keypoints" in results:
        moved["gt_keypoints"] = results["gt_keypoints"] + np.array([left, top, 0], np.float32)
    return _within_frame(results, moved, size_hw, clip)


def _within_frame(
    before: Results, moved: dict[str, Any], size_hw: tuple[int, int], clip: bool
) -> Results:
    """Put moved boxes, masks and keypoints (new arrays) into the results, without what is gone."""
    size_wh = np.array([size_hw[1], size_hw[0]], np.float32)
    boxes = moved["gt_bboxes"]
    inside = ((boxes[:, :2] < size_wh) & (boxes[:, 2:] > 0)).all(axis=1)
    if "gt_masks" in moved:
        # ignored regions may have had an empty mask from the beginning
        inside &= (moved["gt_masks"].areas > 0) | (before["gt_masks"].areas == 0)
    if clip:
        moved["gt_bboxes"] = np.clip(boxes, 0, np.tile(size_wh, 2))
    if "gt_keypoints" in moved:
        points = moved["gt_keypoints"][..., :2]
        visible = ((points >= 0) & (points < size_wh)).all(axis=-1)
        moved["gt_keypoints"][..., 2] *= visible
    return select_instances({**before, **moved}, inside)


def hide_keypoints(
    keypoints: NDArray[np.float32], covered: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Turn visible keypoints (G, J, 3) on covered pixels (H, W) into hidden ones (visibility 1)."""
    hidden = keypoints.copy()
    cols, rows = np.floor(keypoints[..., :2]).astype(np.int64).transpose(2, 0, 1)
    in_frame = (cols >= 0) & (cols < covered.shape[1]) & (rows >= 0) & (rows < covered.shape[0])
    at_point = covered[np.where(in_frame, rows, 0), np.where(in_frame, cols, 0)] & in_frame
    hidden[..., 2] = np.where(at_point, np.minimum(keypoints[..., 2], 1), keypoints[..., 2])
    return hidden


def join_instances(parts: Sequence[Results]) -> dict[str, Any]:
    """Return the objects of several results of one frame, those of the first part first.

    Raises:
        ValueError: not all parts have the same kinds of annotations.
    """
    keys = [key for key in INSTANCE_KEYS if key in parts[0]]
    joined: dict[str, Any] = {}
    for part in parts[1:]:
        other = [key for key in INSTANCE_KEYS if key in part]
        if other != keys:
            raise ValueError(
                f"images to mix must have the same kinds of annotations; got {keys} of "
                f"{parts[0].get('img_path')!r} and {other} of {part.get('img_path')!r}; load all "
                "of them with the same LoadAnnotations"
            )
    for key in keys:
        values = [part[key] for part in parts]
        if key == "gt_masks":
            joined[key] = _join_masks(values)
        else:  # without objects the number of joints is not always known
            filled = [value for value in values if len(value)] or values[:1]
            joined[key] = np.concatenate(filled)
    return joined


def _join_masks(masks: list[InstanceMasks]) -> InstanceMasks:
    polygons = [one for one in masks if isinstance(one, PolygonMasks)]
    if len(polygons) == len(masks):
        return PolygonMasks.cat(polygons)
    bitmaps = [one.to_bitmap() for one in masks]
    return bitmaps[0].cat(bitmaps)


def other_images(results: Results, number: int, name: str) -> list[Results]:
    """Return the ``number`` images that MultiImageMixDataset put beside this one.

    Raises:
        ValueError: there are none, or another number; or the image has proposals, which cannot be
            mixed.
    """
    others = results.get("mix_results")
    if others is None or len(others) != number:
        raise ValueError(
            f"{name} mixes an image with {number} more, which dict(type='MultiImageMixDataset', "
            f"dataset=..., pipeline=[dict(type='{name}', ...)]) gives it in 'mix_results'; got "
            f"{'none' if others is None else len(others)}"
        )
    if "proposals_scores" in results:
        raise ValueError(f"{name} cannot mix images with proposals; take out LoadProposals")
    return list(others)


def shift_image(
    results: Results,
    left: int,
    top: int,
    size_hw: tuple[int, int],
    fill: float = 0,
    clip: bool = True,
) -> Results:
    """Return results put at (left, top) of a new frame of one colour, with all their objects.

    Both may be negative. What is dropped and clipped: as in ``warp_instances``.
    """
    img = results["img"]
    canvas = np.full((*size_hw, *img.shape[2:]), fill, img.dtype)
    paste_image(canvas, img, left, top)
    moved = shift_instances(results, left, top, size_hw, clip)
    return {**moved, "img": canvas, "img_shape": size_hw}


def paste_image(canvas: NDArray[np.generic], img: NDArray[np.generic], left: int, top: int) -> None:
    """Write an image into the canvas, its upper left corner at (left, top), which may be outside.

    The canvas is changed.
    """
    height, width = canvas.shape[:2]
    rows = slice(max(-top, 0), max(height - top, 0))
    cols = slice(max(-left, 0), max(width - left, 0))
    part = img[rows, cols]
    y0, x0 = max(top, 0), max(left, 0)
    canvas[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] = part
