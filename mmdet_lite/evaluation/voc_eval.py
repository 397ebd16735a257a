"""Average precision as Pascal VOC's development kit defines it.

Letters: D detections and G objects of one class in one image.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import box_iou

EVAL_MODES = ("11points", "area")
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ClassInImage:
    """What was found and what there is of one class in one image.

    ``boxes`` (D, 4) xyxy, ``scores`` (D,), ``truth`` (G, 4) xyxy, ``ignored`` (G,) True for
    objects that count neither as found nor as missed (difficult ones).
    """

    boxes: Floats
    scores: Floats
    truth: Floats
    ignored: Flags


@dataclass(frozen=True)
class ClassScore:
    """``ap`` and the final ``recall`` of one class; nan where there is no object."""

    num_gts: int
    num_dets: int
    recall: float
    ap: float


def score_class(
    images: Sequence[ClassInImage],
    iou_thr: float,
    eval_mode: str,
    size_range: tuple[float, float] = (0.0, math.inf),
) -> ClassScore:
    """Score the detections of one class in all images.

    Detections are ranked by score over all images; equal scores in the given order. Each belongs to
    the object of highest IoU in its image, at ``iou_thr`` or more, and the first of an object is
    right. Others are wrong, unless that object is ignored: then they do not count at all.

    Args:
        images: of the whole set; may be empty.
        iou_thr: above 0.
        eval_mode: see ``average_precision``.
        size_range: only objects count whose root of the area is at least the first and less than
            the second, and of the detections that belong to none only such ones.

    Source: the protocol is VOC's (Everingham et al. 2010, and the development kit), the size ranges
    are MMDetection 3's.
    """
    outcomes = [_judge(image, iou_thr, size_range) for image in images]
    num_gts = sum(gts for _, _, gts in outcomes)
    right = np.concatenate([tp for tp, _, _ in outcomes] or [np.zeros(0, bool)])
    counts = np.concatenate([kept for _, kept, _ in outcomes] or [np.zeros(0, bool)])
    scores = np.concatenate([image.scores for image in images] or [np.zeros(0)])
    order = np.argsort(-scores, kind="stable")
    right = right[order][counts[order]]
    return ClassScore(
        num_gts=num_gts,
        num_dets=len(scores),
        recall=float(right.sum()) / num_gts if num_gts else math.nan,
        ap=average_precision(right, num_gts, eval_mode),
    )


def average_precision(right: Flags, num_gts: int, eval_mode: str) -> float:
    """Area below the curve of precision over recall; nan without objects, 0 without detections.

    Args:
        right: (D,) whether each detection is right, in falling order of score.
        num_gts: number of objects.
        eval_mode: '11points' is the mean of the highest precisions at recalls of at least 0, 0.1,
            ..., 1 (VOC until 2009), 'area' the area below the curve made monotonous (from 2010).
            The recalls are compared as whole numbers, so that 3 of 10 are 0.3.
    """
    if num_gts == 0:
        return math.nan
    found = np.cumsum(right)
    precision = found / np.arange(1, len(right) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    if eval_mode == "area":
        return float(best_from_here[right].sum() / num_gts)
    first = np.searchsorted(10 * found, num_gts * np.arange(11))
    return float(best_from_here[first[first < len(right)]].sum() / 11)


def _judge(
    image: ClassInImage, iou_thr: float, size_range: tuple[float, float]
) -> tuple[Flags, Flags, int]:
    """(D,) whether each detection is right, (D,) whether it counts; the number of objects."""
    ignored = image.ignored | ~_within(image.truth, size_range)
    num_gts = int((~ignored).sum())
    right = np.zeros(len(image.boxes), bool)
    counts = _within(image.boxes, size_range)
    if not len(image.boxes) or not len(image.truth):
        return right, counts, num_gts
    ious = box_iou(torch.from_numpy(image.boxes), torch.from_numpy(image.truth)).numpy()
    nearest, hit = ious.argmax(axis=1), ious.max(axis=1) >= iou_thr
    counts = np.where(hit, ~ignored[nearest], counts)
    candidates = np.argsort(-image.scores, kind="stable")
    candidates = candidates[(hit & counts)[candidates]]
    _, first = np.unique(nearest[candidates], return_index=True)
    right[candidates[first]] = True
    return right, counts, num_gts


def _within(boxes: Floats, size_range: tuple[float, float]) -> Flags:
    # what is no box has size 0, so that it is counted as well
    sides = np.nan_to_num(boxes[:, 2:] - boxes[:, :2], posinf=0).clip(min=0)
    sizes = np.sqrt(np.prod(sides, axis=1))
    return np.asarray((sizes >= size_range[0]) & (sizes < size_range[1]))
