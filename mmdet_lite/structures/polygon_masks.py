"""Instance masks as polygons."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmdet_lite.ops.affine import Matrix, transform_points
from mmdet_lite.ops.outlines import signed_area
from mmdet_lite.ops.rle import RLE, Polygon, is_valid_polygon, segmentation_to_rle
from mmdet_lite.structures.bitmap_masks import (
    BitmapMasks,
    Index,
    check_expand,
    check_pad,
    clip_window,
    flip_axes,
    selected_positions,
)

Points = NDArray[np.float64]


class PolygonMasks:
    """Masks of the G instances of one image, each a list of polygons whose union it is.

    All methods return new masks and leave these unchanged. G = 0 is allowed everywhere.

    Args:
        masks: G lists of polygons (x1, y1, x2, y2, ...) in pixels of the frame. An empty list is
            an empty mask.
        height: of the frame in pixels.
        width: of the frame in pixels.

    Attributes:
        masks: G lists of float64 arrays (2 P,), the polygons.
        height, width: of the frame.

    Raises:
        ValueError: a polygon has fewer than 3 points or numbers that are not finite.

    Source: names are those of MMDetection 3's class.
    """

    def __init__(self, masks: Sequence[Sequence[Polygon]], height: int, width: int) -> None:
        self.height, self.width = int(height), int(width)
        for parts in masks:
            for part in parts:
                if not is_valid_polygon(part):
                    raise ValueError(
                        "a polygon needs at least 3 points, as finite numbers x1, y1, x2, y2, "
                        f"...; got {np.asarray(part).tolist()}"
                    )
        self.masks: list[list[Points]] = [
            [np.array(part, np.float64).ravel() for part in parts] for parts in masks
        ]

    @classmethod
    def cat(cls, masks_list: Sequence["PolygonMasks"]) -> "PolygonMasks":
        """Put the instances of several masks of one frame into one.

        Raises:
            ValueError: nothing is given, or the frames differ.
        """
        frames = {(masks.height, masks.width) for masks in masks_list}
        if len(frames) != 1:
            raise ValueError(f"masks to join need one common frame; got {sorted(frames)}")
        return cls([parts for masks in masks_list for parts in masks.masks], *frames.pop())

    def __len__(self) -> int:
        return len(self.masks)

    def __repr__(self) -> str:
        return f"PolygonMasks(num_masks={len(self)}, height={self.height}, width={self.width})"

    def __getitem__(self, index: Index) -> "PolygonMasks":
        """Select instances; an int selects one and keeps the class."""
        chosen = [self.masks[i] for i in selected_positions(index, len(self))]
        return PolygonMasks(chosen, self.height, self.width)

    def _mapped(
        self,
        scale_xy: tuple[float, float],
        shift_xy: tuple[float, float],
        out_shape: tuple[int, int],
    ) -> "PolygonMasks":
        """Multiply all coordinates, then add, in a new frame."""
        scale, shift = np.array(scale_xy), np.array(shift_xy)
        moved = [
            [(part.reshape(-1, 2) * scale + shift).ravel() for part in parts]
            for parts in self.masks
        ]
        return PolygonMasks(moved, *out_shape)

    def resize(self, out_shape: tuple[int, int]) -> "PolygonMasks":
        """Scale the coordinates to a frame of ``out_shape`` (height, width)."""
        scale_xy = (out_shape[1] / self.width, out_shape[0] / self.height)
        return self._mapped(scale_xy, (0.0, 0.0), out_shape)

    def flip(self, flip_direction: str = "horizontal") -> "PolygonMasks":
        """Mirror in the frame: 'horizontal', 'vertical' or 'diagonal' (both)."""
        flip_x, flip_y = flip_axes(flip_direction)
        return self._mapped(
            (-1.0 if flip_x else 1.0, -1.0 if flip_y else 1.0),
            (float(self.width) if flip_x else 0.0, float(self.height) if flip_y else 0.0),
            (self.height, self.width),
        )

    def crop(self, bbox: Sequence[int] | NDArray[Any]) -> "PolygonMasks":
        """Cut out the box (x1, y1, x2, y2) of integers, which becomes the new frame.

        Polygons are clipped to it, so areas and boxes are those of the part that is left. A
        concave polygon cut into several pieces stays one, joined along the border by edges
        without area. The box is clipped to the frame first, and at least one pixel large.
        Source: Sutherland and Hodgman 1974.
        """
        x1, y1, x2, y2 = clip_window(bbox, self.height, self.width)
        return self.shift((y2 - y1, x2 - x1), -x1, -y1)

    def pad(self, out_shape: tuple[int, int]) -> "PolygonMasks":
        """Extend the frame to the right and below to ``out_shape`` (height, width).

        Raises:
            ValueError: the new frame is smaller than the present one.
        """
        check_pad(out_shape, self.height, self.width)
        return PolygonMasks(self.masks, *out_shape)

    def expand(self, expanded_h: int, expanded_w: int, top: int, left: int) -> "PolygonMasks":
        """Put the frame into a larger one, its upper left corner at (``left``, ``top``).

        Raises:
            ValueError: it does not fit in there.
        """
        out_shape = (expanded_h, expanded_w)
        check_expand(out_shape, (top, left), self.height, self.width)
        return self._mapped((1.0, 1.0), (float(left), float(top)), out_shape)

    def shift(self, out_shape: tuple[int, int], left: int, top: int) -> "PolygonMasks":
        """Put the frame into another one of ``out_shape`` (height, width), and clip to it.

        Its upper left corner comes to (``left``, ``top``), which may be negative.
        """
        return self.warp_affine(np.array([[1.0, 0, left], [0, 1, top]]), out_shape)

    def warp_affine(self, matrix: Matrix, out_shape: tuple[int, int]) -> "PolygonMasks":
        """Map by a matrix (2, 3) of continuous pixels into a frame of ``out_shape`` (h, w).

        Polygons are clipped to the old frame, beyond which nothing is seen, and to the new one, as
        by ``crop``.
        """
        height, width = out_shape
        warped = []
        for parts in self.masks:
            seen = (_clip(part.reshape(-1, 2), 0, 0, self.width, self.height) for part in parts)
            moved = (transform_points(points, matrix) for points in seen)
            cut = (_clip(points, 0, 0, width, height) for points in moved)
            warped.append([points.ravel() for points in cut if len(points) >= 3])
        return PolygonMasks(warped, height, width)

    @property
    def areas(self) -> NDArray[np.float64]:
        """Area of each mask in square pixels, (G,): the sum over its polygons."""
        return np.array(
            [sum(abs(signed_area(part.reshape(-1, 2))) for part in parts) for parts in self.masks],
            np.float64,
        )

    def get_bboxes(self) -> Tensor:
        """Return tight boxes (G, 4) of the points; zeros for an empty mask."""
        boxes = np.zeros((len(self), 4), np.float32)
        for box, parts in zip(boxes, self.masks, strict=True):
            if parts:
                points = np.concatenate(parts).reshape(-1, 2)
                box[:2], box[2:] = points.min(axis=0), points.max(axis=0)
        return torch.from_numpy(boxes)

    def to_bitmap(self) -> BitmapMasks:
        """Rasterise into crops."""
        return BitmapMasks.from_polygons(self.masks, self.height, self.width)

    def to_ndarray(self) -> NDArray[np.uint8]:
        """Return full bitmaps (G, H, W): for drawing and tests, never for training."""
        return self.to_bitmap().to_ndarray()

    def to_rle(self) -> list[RLE]:
        """Return the compressed RLE of each mask in the frame."""
        return [segmentation_to_rle(parts, self.height, self.width) for parts in self.masks]


def _clip(points: Points, x1: int, y1: int, x2: int, y2: int) -> Points:
    """Clip a polygon (P, 2) by a window; (0, 2) if nothing is left."""
    for axis, bound, sign in ((0, x1, 1), (1, y1, 1), (0, x2, -1), (1, y2, -1)):
        depth = sign * (points[:, axis] - bound)  # >= 0 is inside
        inside = depth >= 0
        if inside.all():
            continue
        following, next_depth = np.roll(points, -1, axis=0), np.roll(depth, -1)
        crosses = inside != np.roll(inside, -1)
        t = depth[crosses] / (depth[crosses] - next_depth[crosses])
        meet = points[crosses] + t[:, None] * (following - points)[crosses]
        meet[:, axis] = bound
        # Behind each point that stays comes the place where its edge leaves or enters.
        order = np.concatenate([np.flatnonzero(inside) * 2, np.flatnonzero(crosses) * 2 + 1])
        points = np.concatenate([points[inside], meet])[np.argsort(order)]
    return points
