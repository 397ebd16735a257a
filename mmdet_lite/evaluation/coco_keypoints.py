"""COCO's evaluation of keypoints: precision and recall by the similarity of joints (OKS)."""

from collections.abc import Sequence
from typing import Any

from mmdet_lite.evaluation.coco_eval import COCO_IOU_THRS, CocoTables, evaluate_coco, summarize
from mmdet_lite.ops.coco_person import SIGMAS

MAX_DETECTIONS = 20
KEYPOINT_ITEMS = ("mAP", "mAP_50", "mAP_75", "mAP_m", "mAP_l", "AR")


def evaluate_keypoints(
    truth: dict[str, Any],
    results: Sequence[dict[str, Any]],
    category_ids: Sequence[int],
    oks_thrs: Sequence[float] = COCO_IOU_THRS,
    sigmas: Sequence[float] | None = None,
) -> CocoTables:
    """Match joints of results with those of annotations as pycocotools' COCOeval does.

    Objects without labelled joints count neither as found nor as missed. Categories of which no
    annotation has keypoints are left out.

    Args:
        truth: COCO annotations (images, annotations with ``keypoints``, categories).
        results: COCO results with ``keypoints``; empty: nothing was found.
        category_ids: which categories count.
        oks_thrs: ascending thresholds of the similarity.
        sigmas: (J,) how exactly each joint can be marked; None takes COCO's of 17 joints.

    Raises:
        ValueError: if no annotation has keypoints, or sigmas or results have another number of
            joints than they.

    Source: Ronchi and Perona 2017; pycocotools 2.0, iouType 'keypoints'.
    """
    rows = [row for row in truth["annotations"] if row.get("keypoints")]
    if truth["annotations"] and not rows:
        raise ValueError(
            "metric 'keypoints' needs keypoints, but no annotation has any. Give the evaluator a "
            "file with keypoints (COCO: person_keypoints_val2017.json)"
        )
    sigmas = SIGMAS if sigmas is None else tuple(sigmas)
    for what, row in [("annotations", row) for row in rows] + [("results", r) for r in results]:
        if len(row["keypoints"]) != 3 * len(sigmas):
            raise ValueError(
                f"metric 'keypoints' has sigmas of {len(sigmas)} joints, but the {what} of image "
                f"{row['image_id']} have {len(row['keypoints']) // 3}. Give the data set "
                "metainfo=dict(sigmas=(...)) with one for each joint (COCO's are 0.025 to 0.107)"
            )
    with_joints = {row["category_id"] for row in rows}
    return evaluate_coco(
        truth,
        results,
        "keypoints",
        [id_ for id_ in category_ids if id_ in with_joints] or category_ids,
        oks_thrs,
        (MAX_DETECTIONS,),
        sigmas=sigmas,
    )


def summarize_keypoints(tables: CocoTables) -> dict[str, float]:
    """Return what ``summarize`` returns, and the recall at the one limit as ``AR``."""
    numbers = summarize(tables)
    return {**numbers, "AR": numbers[f"AR@{MAX_DETECTIONS}"]}
