"""Recall with one-to-one pairs, counted by hand."""

import numpy as np
import pytest

from mmdet_lite.evaluation import ImageDetections, average_recalls
from mmdet_lite.evaluation.proposal_recall import pair_ious


def image(img_id: int, boxes: list[list[float]], scores: list[float]) -> ImageDetections:
    array = np.asarray(boxes, np.float32).reshape(-1, 4)
    return ImageDetections(
        img_id, array, np.asarray(scores, np.float32), np.zeros(len(array), np.int64)
    )


def truth(*boxes: list[float], crowd: int = 0) -> dict:
    rows = [{"image_id": 1, "bbox": box, "iscrowd": crowd} for box in boxes]
    return {"images": [{"id": 1}, {"id": 2}], "annotations": rows}


def test_each_proposal_serves_one_object() -> None:
    same = np.asarray([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    assert pair_ious(same, same[:1]).tolist() == [1.0, 0.0]
    assert pair_ious(same, same).tolist() == [1.0, 1.0]
    assert pair_ious(same, same[:0]).tolist() == [0.0, 0.0]
    assert pair_ious(same[:0], same).tolist() == []


def test_best_scores_count_and_recall_is_averaged_over_thresholds() -> None:
    objects = truth([0, 0, 10, 10], [50, 50, 10, 10])
    found = image(1, [[0, 0, 10, 8], [50, 50, 60, 60]], [0.2, 0.9])
    # one proposal: 1 of 2 at both thresholds; two: IoU 0.8 counts only at 0.5
    recalls = average_recalls(objects, [found, image(2, [], [])], (0.5, 0.9), (1, 2))
    assert recalls == {1: 0.5, 2: pytest.approx((1.0 + 0.5) / 2)}


def test_crowds_and_no_objects_give_no_data() -> None:
    crowd = truth([0, 0, 10, 10], crowd=1)
    assert average_recalls(crowd, [image(1, [], [])], (0.5,), (10,)) == {10: -1.0}
