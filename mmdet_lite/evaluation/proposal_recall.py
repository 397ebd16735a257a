"""Recall of class-agnostic boxes without the COCO evaluator, for ``metric='proposal_fast'``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import box_iou

from mmdet_lite.evaluation.coco_format import ImageDetections

Boxes = NDArray[np.float32]


def average_recalls(
    truth: dict[str, Any],
    detections: Sequence[ImageDetections],
    iou_thrs: Sequence[float],
    proposal_nums: Sequence[int],
) -> dict[int, float]:
    """Return for each number of proposals an image the recall, averaged over IoU thresholds.

    Every image pairs objects and proposals one to one, the pair of highest IoU first. Crowds do
    not count.

    Args:
        truth: COCO annotations; images without objects add nothing.
        detections: the proposals; those of highest score count.
        iou_thrs: an object is found if its pair's IoU is at least this.
        proposal_nums: how many proposals of an image count.

    Returns:
        Recall of each of ``proposal_nums``; -1 if there is no object at all.

    Source: the pairing is MMDetection 3's ``eval_recalls``.
    """
    boxes_of: dict[Any, list[list[float]]] = {image["id"]: [] for image in truth["images"]}
    for row in truth["annotations"]:
        if row["image_id"] in boxes_of and not row.get("iscrowd", 0):
            x, y, w, h = row["bbox"]
            boxes_of[row["image_id"]].append([x, y, x + w, y + h])
    if not any(boxes_of.values()):
        return dict.fromkeys(proposal_nums, -1.0)
    truths = [np.asarray(boxes_of[one.img_id], np.float32).reshape(-1, 4) for one in detections]
    recalls = {}
    for num in proposal_nums:
        ious = best_pairs(truths, detections, num)
        recalls[num] = float(np.mean([(ious >= thr).mean() for thr in iou_thrs]))
    return recalls


def best_pairs(truths: Sequence[Boxes], detections: Sequence[ImageDetections], num: int) -> Boxes:
    """Return the IoU of every object's partner among the ``num`` best proposals of its image.

    Args:
        truths: (G, 4) xyxy of each image, G may be 0.
        detections: the proposals of the same images; at least one image.
        num: how many proposals of an image count.
    """
    return np.concatenate(
        [
            pair_ious(boxes, image.boxes[np.argsort(-image.scores, kind="stable")[:num]])
            for boxes, image in zip(truths, detections, strict=True)
        ]
    )


def pair_ious(truth: Boxes, proposals: Boxes) -> Boxes:
    """Return the IoU of each object's partner (G,), best pair first; 0 for objects without one.

    Args:
        truth: (G, 4) xyxy, G may be 0.
        proposals: (P, 4) xyxy, P may be 0.
    """
    found = np.zeros(len(truth), np.float32)
    if not len(truth) or not len(proposals):
        return found
    ious = box_iou(torch.from_numpy(truth), torch.from_numpy(proposals)).numpy()
    for n in range(min(ious.shape)):
        row, column = np.unravel_index(ious.argmax(), ious.shape)
        found[n] = ious[row, column]
        ious[row], ious[:, column] = -1, -1
    return found
