"""A picture with its annotations, drawn at the size at which it will be seen.

Letters: G objects, J joints. Boxes are xyxy in pixels of the picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmdet_lite.ops.rle import decode_crop
from mmdet_lite.structures.masks import BitmapMasks, InstanceMasks
from mmdet_lite.visualization.drawing import draw_instances
from mmdet_lite.visualization.keypoint_drawing import draw_keypoints
from mmdet_lite.visualization.labels import Label, Picture, draw_labels

GREY = (150, 150, 150)
HATCH_PERIOD, HATCH_WIDTH = 8, 2


@dataclass(frozen=True)
class AnnotatedPicture:
    """What is to be drawn.

    Args:
        picture: (H, W, 3) RGB.
        boxes: (G, 4).
        labels: (G,) classes.
        ignored: (G,) bool; those are hatched in grey. None: no object is.
        masks: of the G objects.
        joints: (G, J, 3).
        scores: (G,), of predictions.
    """

    picture: Picture
    boxes: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 4)))
    labels: NDArray[Any] = field(default_factory=lambda: np.zeros(0, int))
    ignored: NDArray[Any] | None = None
    masks: InstanceMasks | None = None
    joints: NDArray[Any] | None = None
    scores: NDArray[Any] | None = None

    def scaled_into(self, width: int, height: int) -> "AnnotatedPicture":
        """Return it as large as fits into ``width`` x ``height``."""
        own_height, own_width = self.picture.shape[:2]
        scale = min(width / own_width, height / own_height)
        size = max(1, round(own_width * scale)), max(1, round(own_height * scale))
        x, y = size[0] / own_width, size[1] / own_height
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        return AnnotatedPicture(
            cv2.resize(self.picture, size, interpolation=how),
            self.boxes * [x, y, x, y],
            self.labels,
            self.ignored,
            None if self.masks is None else self.masks.resize((size[1], size[0])),
            None if self.joints is None else self.joints * [x, y, 1],
            self.scores,
        )


def annotated_entry(picture: Picture, entry: Mapping[str, Any]) -> AnnotatedPicture:
    """What a data set's entry (``instances`` with bbox, bbox_label, mask, ...) says of a picture.

    Masks are there if an instance has one, joints if all have them.
    """
    instances = entry.get("instances", [])
    outlines = [item.get("mask") or [] for item in instances]
    joints = [item["keypoints"] for item in instances if item.get("keypoints")]
    shape = picture.shape[:2]
    return AnnotatedPicture(
        picture,
        np.array([item["bbox"] for item in instances], float).reshape(-1, 4),
        np.array([item["bbox_label"] for item in instances], int),
        np.array([item.get("ignore_flag", 0) for item in instances], bool),
        BitmapMasks.from_segmentations(outlines, *shape) if any(outlines) else None,
        np.array(joints, float).reshape(len(joints), -1, 3)
        if joints and len(joints) == len(instances)
        else None,
    )


def draw_annotated(
    annotated: AnnotatedPicture, metainfo: Mapping[str, Any], font_size: int | None = None
) -> Picture:
    """Draw objects, joints, and ignored objects hatched below them.

    Args:
        annotated: unchanged.
        metainfo: ``classes``, ``palette``, and names and lines of joints.
        font_size: of the names in pixels; None scales with the picture.
    """
    ignored = annotated.ignored
    kept = np.ones(len(annotated.boxes), bool) if ignored is None else ~ignored.astype(bool)
    masks = annotated.masks
    drawn = draw_instances(
        _hatched(annotated, ~kept, font_size),
        annotated.boxes[kept],
        annotated.labels[kept],
        None if annotated.scores is None else annotated.scores[kept],
        None if masks is None else masks[kept],
        metainfo.get("classes"),
        metainfo.get("palette"),
        font_size=font_size,
    )
    if annotated.joints is None:
        return drawn
    return draw_keypoints(drawn, annotated.joints[kept], metainfo)


def _hatched(
    annotated: AnnotatedPicture, which: NDArray[np.bool_], font_size: int | None
) -> Picture:
    """Return the picture with the objects ``which`` under grey stripes, named "ignored"."""
    drawn = annotated.picture.copy()
    if not which.any():
        return drawn
    rles = None if annotated.masks is None else annotated.masks[which].to_rle()
    boxes = annotated.boxes[which]
    for i, box in enumerate(boxes):
        x1, y1, x2, y2 = _pixels(box, drawn.shape[:2])
        if rles is None or not (crop_at := decode_crop(rles[i]))[0].size:
            _hatch(drawn, np.ones((y2 - y1, x2 - x1), bool), x1, y1)
        else:
            _hatch(drawn, crop_at[0].astype(bool), crop_at[1], crop_at[2])
        cv2.rectangle(drawn, (x1, y1), (max(x1, x2 - 1), max(y1, y2 - 1)), GREY, 1)
    size = font_size or max(10, round((drawn.shape[0] * drawn.shape[1]) ** 0.5 / 45))
    tiles = [Label("ignored", tuple(box.tolist()), GREY, size) for box in boxes]
    return draw_labels(drawn, tiles)


def _hatch(image: Picture, inside: NDArray[np.bool_], x0: int, y0: int) -> None:
    height, width = inside.shape
    region = image[y0 : y0 + height, x0 : x0 + width]
    rows, columns = np.ogrid[y0 : y0 + height, x0 : x0 + width]
    stripes = (rows + columns) % HATCH_PERIOD < HATCH_WIDTH
    region[inside] = (region[inside] * 0.6 + np.multiply(GREY, 0.4)).astype(np.uint8)
    region[inside & stripes] = GREY


def _pixels(box: NDArray[Any], image_hw: tuple[int, ...]) -> tuple[int, int, int, int]:
    """A box as whole pixels inside the picture."""
    x1, x2 = np.clip(np.round(box[0::2]).astype(int), 0, image_hw[1])
    y1, y2 = np.clip(np.round(box[1::2]).astype(int), 0, image_hw[0])
    return int(x1), int(y1), int(x2), int(y2)
