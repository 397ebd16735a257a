"""COCO's evaluation: precision and recall tables, and the numbers read from them.

Letters: T IoU thresholds, R 101 recall levels, K categories, A area ranges, M detection limits, J
joints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AREAS = ("all", "small", "medium", "large")
KEYPOINT_AREAS = ("all", "medium", "large")  # COCO marks no joints of small people
COCO_IOU_THRS = tuple(np.linspace(0.5, 0.95, 10).tolist())
_AREA_SUFFIX = {"small": "_s", "medium": "_m", "large": "_l"}


@dataclass(frozen=True)
class CocoTables:
    """The evaluator's result: ``precision`` (T, R, K, A, M) and ``recall`` (T, K, A, M).

    -1 where a category has no object in the area range. K follows ascending category ids; without
    categories (``use_cats=False``) K = 1. ``areas`` names the A ranges.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    iou_thrs: tuple[float, ...]
    max_dets: tuple[int, ...]
    areas: tuple[str, ...] = AREAS


def evaluate_coco(
    truth: dict[str, Any],
    results: Sequence[dict[str, Any]],
    iou_type: str,
    category_ids: Sequence[int],
    iou_thrs: Sequence[float] = COCO_IOU_THRS,
    max_dets: Sequence[int] = (1, 10, 100),
    use_cats: bool = True,
    sigmas: Sequence[float] | None = None,
) -> CocoTables:
    """Match results with annotations as pycocotools' COCOeval does.

    Args:
        truth: COCO annotations (images, annotations, categories); all its images count.
        results: COCO results, those of other categories do not count; empty: nothing was found.
        iou_type: 'bbox', 'segm', or 'keypoints', where the similarity of joints (OKS) takes the
            place of IoU.
        category_ids: which categories count.
        iou_thrs: ascending IoU thresholds.
        max_dets: ascending numbers of best detections an image (and category) that count.
        use_cats: False pools all categories, as for class-agnostic proposals.
        sigmas: (J,) of 'keypoints': how exactly each joint can be marked.

    Raises:
        ValueError: if 'segm' is asked for and an annotation has no segmentation.

    Source: Lin et al. 2014; pycocotools 2.0. hotcoco runs it: its two tables are equal to
    pycocotools' to the last bit in all settings used here (a test compares them) in a hundredth of
    the time. Its ``summarize`` differs where 100 is not a limit, so the numbers are read here.
    """
    from hotcoco import COCO, COCOeval

    # the evaluator takes only ids >= 0; ascending order is kept since it decides between ties
    image_no = {image["id"]: n for n, image in enumerate(_by_id(truth["images"]), 1)}
    category_no = {id_: n for n, id_ in enumerate(sorted(category_ids), 1)}
    coco_truth = COCO(_plain_truth(truth, image_no, category_no, iou_type, len(sigmas or ())))
    coco_results = coco_truth.loadRes(_plain_results(results, image_no, category_no, iou_type))
    evaluator = COCOeval(coco_truth, coco_results, iou_type)
    evaluator.params.imgIds = list(image_no.values())
    evaluator.params.catIds = list(category_no.values())
    evaluator.params.iouThrs = list(iou_thrs)
    evaluator.params.maxDets = list(max_dets)
    evaluator.params.useCats = use_cats
    if sigmas is not None:
        evaluator.params.kpt_oks_sigmas = list(sigmas)
    evaluator.evaluate()
    evaluator.accumulate()
    found: Any = evaluator.eval
    return CocoTables(
        np.asarray(found["precision"]),
        np.asarray(found["recall"]),
        tuple(iou_thrs),
        tuple(max_dets),
        KEYPOINT_AREAS if iou_type == "keypoints" else AREAS,
    )


def _by_id(images: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(images, key=lambda image: image["id"])


def _plain_truth(
    truth: dict[str, Any],
    image_no: dict[Any, int],
    category_no: dict[int, int],
    iou_type: str,
    num_joints: int,
) -> dict[str, Any]:
    """Return only what the evaluator reads, under fresh ids, so that odd files cannot confuse it.

    Annotation files made by hand lack ids or areas, or repeat ids; none of that changes AP.
    """
    annotations: list[dict[str, Any]] = []
    for row in truth["annotations"]:
        if row["image_id"] not in image_no or row["category_id"] not in category_no:
            continue
        plain = {
            "id": len(annotations) + 1,
            "image_id": image_no[row["image_id"]],
            "category_id": category_no[row["category_id"]],
            "bbox": row["bbox"],
            "area": row.get("area", row["bbox"][2] * row["bbox"][3]),
            "iscrowd": int(row.get("iscrowd", 0)),
        }
        if iou_type == "keypoints":
            joints = row.get("keypoints") or [0] * (3 * num_joints)
            labelled = sum(visibility > 0 for visibility in joints[2::3])
            plain |= {"keypoints": joints, "num_keypoints": row.get("num_keypoints", labelled)}
        elif iou_type == "segm":
            if "segmentation" not in row:
                raise ValueError(
                    f"metric 'segm' needs masks, but the annotation {row.get('id')} of image "
                    f"{row['image_id']} has no 'segmentation'. Use metric='bbox' for a file "
                    "with boxes only"
                )
            plain["segmentation"] = row["segmentation"]
        annotations.append(plain)
    return {
        "images": [
            {"id": image_no[i["id"]], "height": i.get("height", 0), "width": i.get("width", 0)}
            for i in _by_id(truth["images"])
        ],
        "annotations": annotations,
        "categories": [{"id": n, "name": str(n)} for n in category_no.values()],
    }


def _plain_results(
    results: Sequence[dict[str, Any]],
    image_no: dict[Any, int],
    category_no: dict[int, int],
    iou_type: str,
) -> list[dict[str, Any]]:
    """Return rows with one shape only: from the box its area is taken, if there is one."""
    shape_key = {"segm": "segmentation", "keypoints": "keypoints"}.get(iou_type, "bbox")
    return [
        {
            "image_id": image_no[row["image_id"]],
            "category_id": category_no[row["category_id"]],
            "score": row["score"],
            shape_key: row[shape_key],
        }
        for row in results
        if row["category_id"] in category_no
    ]


def average_precision(
    tables: CocoTables,
    iou_thr: float | None = None,
    area: str = "all",
    max_det: int | None = None,
    category: int | None = None,
) -> float:
    """Return the mean precision over recall levels and, where not fixed, IoUs and categories.

    Args:
        tables: what :func:`evaluate_coco` returned.
        iou_thr: one threshold; one that was not evaluated gives -1.
        area: one of ``AREAS``; one that was not evaluated gives -1.
        max_det: a limit of the tables; None is the highest.
        category: position of a category among the ascending ids.
    """
    if area not in tables.areas:
        return -1.0
    limit = tables.max_dets.index(max_det) if max_det is not None else -1
    precision = tables.precision[..., tables.areas.index(area), limit]
    if iou_thr is not None:
        precision = precision[np.isclose(tables.iou_thrs, iou_thr, rtol=0, atol=1e-9)]
    if category is not None:
        precision = precision[..., category]
    return _mean_of_valid(precision)


def average_recall(tables: CocoTables, area: str = "all", max_det: int | None = None) -> float:
    """Return the mean recall over IoU thresholds and categories at a limit of the tables."""
    if area not in tables.areas:
        return -1.0
    limit = tables.max_dets.index(max_det) if max_det is not None else -1
    return _mean_of_valid(tables.recall[..., tables.areas.index(area), limit])


def _mean_of_valid(values: NDArray[np.float64]) -> float:
    valid = values[values > -1]
    return float(valid.mean()) if valid.size else -1.0


def summarize(tables: CocoTables) -> dict[str, float]:
    """Return MMDetection's names with their values: mAP, mAP_50, ..., AR@n, AR_s@n, ....

    -1 is a number without data. As in pycocotools mAP is taken at 100 detections (at the highest
    limit if 100 is not one), its variants at the highest limit.
    """
    top = tables.max_dets[-1]
    numbers = {
        "mAP": average_precision(tables, max_det=100 if 100 in tables.max_dets else top),
        "mAP_50": average_precision(tables, iou_thr=0.5),
        "mAP_75": average_precision(tables, iou_thr=0.75),
    }
    for area, suffix in _AREA_SUFFIX.items():
        numbers[f"mAP{suffix}"] = average_precision(tables, area=area)
    for limit in tables.max_dets:
        numbers[f"AR@{limit}"] = average_recall(tables, max_det=limit)
    for area, suffix in _AREA_SUFFIX.items():
        numbers[f"AR{suffix}@{top}"] = average_recall(tables, area=area)
    return numbers
