"""VOCMetric: Pascal VOC's AP of boxes, and recall of proposals."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from numpy.typing import NDArray
from terminaltables import AsciiTable

from mmdet_lite.evaluation.coco_format import (
    ImageDetections,
    check_labels,
    sample_to_coco_truth,
)
from mmdet_lite.evaluation.coco_metric import without_repeats
from mmdet_lite.evaluation.coco_table import recall_table
from mmdet_lite.evaluation.proposal_recall import best_pairs
from mmdet_lite.evaluation.voc_eval import EVAL_MODES, ClassInImage, ClassScore, score_class
from mmdet_lite.registry import METRICS

METRIC_NAMES = ("mAP", "recall")
LAST_PIXEL = np.array([0.0, 0.0, 1.0, 1.0])


@dataclasses.dataclass(frozen=True)
class _Truth:
    """(G, 4) boxes xyxy, (G,) labels and (G,) whether each is ignored, of one image."""

    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    ignored: NDArray[np.bool_]


@METRICS.register_module()
class VOCMetric(BaseMetric):
    """Evaluates detections as Pascal VOC does.

    Returns ``mAP``, the mean over classes and IoU thresholds, and ``AP50`` and so on, the mean over
    classes at each threshold; ``recall@n@0.5`` for proposals and, with several thresholds, their
    mean ``AR@n``; -1 where there is no object. A table of every class is logged.

    Annotations are those of the samples, in pixels of the original image: the test pipeline needs
    LoadAnnotations behind Resize. Ignored instances (difficult objects) count neither as found nor
    as missed. Boxes are compared as VOC does, whose boxes end with their last pixel: a box from 10
    to 19 is 10 wide, so that 1 is added to x2 and y2 of what is found and what there is.

    Args:
        iou_thrs: one or several IoU thresholds.
        scale_ranges: pairs (least, most) of an object's size, the root of its area in pixels. Each
            adds ``mAP_{least}_{most}`` and ``AP50_{least}_{most}`` for the objects in it.
        metric: 'mAP', 'recall' (class-agnostic, objects and detections paired one to one), or both.
        proposal_nums: how many best detections an image count for 'recall'.
        eval_mode: '11points' (VOC 2007) or 'area' (since 2010), see ``average_precision``.
        collect_device: 'cpu' or 'gpu', through which the ranks' results are collected.
        prefix: of the returned names, 'pascal_voc' by default.
        collect_dir: folder in which ranks exchange results on collect_device 'cpu'.

    Raises:
        ValueError: for a wrong argument, a label that the data set does not have, or samples
            without annotations.

    Source: arguments and names are MMDetection 3's, which rounds to 3 digits and gives 0 where
    there is no object; the definition is that of VOC's development kit.
    """

    default_prefix = "pascal_voc"

    def __init__(
        self,
        iou_thrs: float | Sequence[float] = 0.5,
        scale_ranges: Sequence[tuple[float, float]] | None = None,
        metric: str | Sequence[str] = "mAP",
        proposal_nums: Sequence[int] = (100, 300, 1000),
        eval_mode: str = "11points",
        collect_device: str = "cpu",
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.iou_thrs = _checked_thresholds(iou_thrs)
        self.scale_ranges = _checked_ranges(scale_ranges or ())
        self.metrics = [metric] if isinstance(metric, str) else list(metric)
        for name in self.metrics:
            if name not in METRIC_NAMES:
                raise ValueError(f"VOCMetric: metric must be among {METRIC_NAMES}, got {name!r}")
        if eval_mode not in EVAL_MODES:
            raise ValueError(f"VOCMetric: eval_mode must be among {EVAL_MODES}, got {eval_mode!r}")
        self.eval_mode = eval_mode
        self.proposal_nums = tuple(sorted(int(num) for num in proposal_nums))

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep predictions and annotations of a batch."""
        for sample in data_samples:
            found = ImageDetections.from_sample(sample)
            boxes_only = dataclasses.replace(found, masks=None, mask_scores=None, keypoints=None)
            self.results.append((boxes_only, sample_to_coco_truth(sample)))

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Evaluate, and log the tables; called with all images."""
        logger = MMLogger.get_current_instance()
        classes = self._classes()
        kept, rows = without_repeats(results, logger)
        truths = [_truth_of(image["annotations"]) for image in rows if image is not None]
        detections = [dataclasses.replace(image, boxes=image.boxes + LAST_PIXEL) for image in kept]
        for image in detections:
            check_labels(image, len(classes))
        metrics: dict[str, float] = {}
        if "mAP" in self.metrics:
            metrics |= self._precisions(detections, truths, classes)
        if "recall" in self.metrics:
            recalls = self._recalls(detections, truths)
            logger.info(f"recall:{recall_table(recalls)}")
            metrics |= recalls
        return metrics

    def result_names(self) -> list[str]:
        """Names of the numbers that an evaluation gives, as ``save_best`` takes them."""
        names: list[str] = []
        if "mAP" in self.metrics:
            for suffix in ("", *map(_suffix, self.scale_ranges)):
                names += [f"mAP{suffix}", *(f"{_ap_name(thr)}{suffix}" for thr in self.iou_thrs)]
        if "recall" in self.metrics:
            names += [f"recall@{num}@{thr}" for num in self.proposal_nums for thr in self.iou_thrs]
            if len(self.iou_thrs) > 1:
                names += [f"AR@{num}" for num in self.proposal_nums]
        return [f"{self.prefix}/{name}" for name in names] if self.prefix else names

    def _precisions(
        self,
        detections: list[ImageDetections],
        truths: list[_Truth],
        classes: Sequence[str],
    ) -> dict[str, float]:
        logger = MMLogger.get_current_instance()
        year = (self.dataset_meta or {}).get("dataset_type")
        if year == "VOC2007" and self.eval_mode != "11points":
            logger.warning(
                "VOC 2007 is evaluated at 11 points; numbers of eval_mode='area' differ by some "
                "points from published ones"
            )
        if not any(len(image.boxes) for image in detections):
            logger.error(f"no detections at all in {len(detections)} images: every AP is 0")
        by_class: list[list[ClassInImage]] = [[] for _ in classes]
        for image, truth in zip(detections, truths, strict=True):
            for label in np.union1d(image.labels, truth.labels):
                by_class[label].append(_of_class(image, truth, label))
        numbers: dict[str, float] = {}
        for size_range in ((0.0, math.inf), *self.scale_ranges):
            suffix = "" if size_range[1] == math.inf and not size_range[0] else _suffix(size_range)
            means = {}
            for thr in self.iou_thrs:
                scores = [score_class(one, thr, self.eval_mode, size_range) for one in by_class]
                logger.info(
                    f"VOC evaluation ({self.eval_mode}) of {len(detections)} images at IoU "
                    f"{thr:g}{suffix.replace('_', ' ')}:{_table(scores, classes)}"
                )
                means[f"{_ap_name(thr)}{suffix}"] = _mean([one.ap for one in scores])
            numbers |= {f"mAP{suffix}": _mean(list(means.values())), **means}
        return numbers

    def _recalls(self, detections: list[ImageDetections], truths: list[_Truth]) -> dict[str, float]:
        objects = [truth.boxes[~truth.ignored].astype(np.float32) for truth in truths]
        numbers: dict[str, float] = {}
        means: dict[str, float] = {}
        for num in self.proposal_nums:
            ious = best_pairs(objects, detections, num) if detections else np.zeros(0)
            of_num = [float((ious >= thr).mean()) if len(ious) else -1.0 for thr in self.iou_thrs]
            numbers |= {
                f"recall@{num}@{thr}": recall
                for thr, recall in zip(self.iou_thrs, of_num, strict=True)
            }
            means[f"AR@{num}"] = sum(of_num) / len(of_num)
        return numbers | (means if len(self.iou_thrs) > 1 else {})

    def _classes(self) -> tuple[str, ...]:
        if not self.dataset_meta or "classes" not in self.dataset_meta:
            raise ValueError(
                "VOCMetric needs dataset_meta=dict(classes=...); the Runner sets it from the "
                "data set, elsewhere set metric.dataset_meta"
            )
        return tuple(self.dataset_meta["classes"])


def _truth_of(annotations: Sequence[dict[str, Any]]) -> _Truth:
    boxes = np.array([row["bbox"] for row in annotations], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return _Truth(
        boxes=boxes + LAST_PIXEL,
        labels=np.array([row["category_id"] for row in annotations], np.int64),
        ignored=np.array([row["iscrowd"] for row in annotations], bool),
    )


def _of_class(detections: ImageDetections, truth: _Truth, label: int) -> ClassInImage:
    found, there = detections.labels == label, truth.labels == label
    return ClassInImage(
        boxes=detections.boxes[found].astype(np.float64),
        scores=detections.scores[found].astype(np.float64),
        truth=truth.boxes[there],
        ignored=truth.ignored[there],
    )


def _mean(values: list[float]) -> float:
    """Mean of those that are numbers and at least 0, -1 if none is."""
    known = [value for value in values if value >= 0]
    return sum(known) / len(known) if known else -1.0


def _ap_name(iou_thr: float) -> str:
    return f"AP{round(iou_thr * 100):02d}"


def _suffix(size_range: tuple[float, float]) -> str:
    return f"_{size_range[0]:g}_{size_range[1]:g}"


def _table(scores: Sequence[ClassScore], classes: Sequence[str]) -> str:
    """One row a class, as MMDetection prints them, and the mean."""
    rows = [["class", "gts", "dets", "recall", "ap"]]
    for name, one in zip(classes, scores, strict=True):
        numbers = ["-" if math.isnan(value) else f"{value:.3f}" for value in (one.recall, one.ap)]
        rows.append([name, str(one.num_gts), str(one.num_dets), *numbers])
    rows.append(["mAP", "", "", "", f"{_mean([one.ap for one in scores]):.3f}"])
    table = AsciiTable(rows)
    table.inner_footing_row_border = True
    table.justify_columns = dict.fromkeys(range(1, 5), "right")
    return "\n" + str(table.table)


def _checked_thresholds(iou_thrs: float | Sequence[float]) -> tuple[float, ...]:
    given = [iou_thrs] if isinstance(iou_thrs, (int, float)) else list(iou_thrs)
    thrs = tuple(float(thr) for thr in given)
    if not thrs or not all(0 < thr <= 1 for thr in thrs):
        raise ValueError(f"VOCMetric: iou_thrs must be above 0 and at most 1, got {iou_thrs!r}")
    if len({_ap_name(thr) for thr in thrs}) < len(thrs):
        raise ValueError(
            f"VOCMetric: iou_thrs {thrs} have the same name in whole percent (AP50); give "
            "thresholds that differ by 0.01 or more"
        )
    return thrs


def _checked_ranges(
    ranges: Sequence[tuple[float, float]],
) -> tuple[tuple[float, float], ...]:
    for one in ranges:
        if len(one) != 2 or not 0 <= one[0] < one[1]:
            raise ValueError(
                f"VOCMetric: scale_ranges must be pairs (least, most) with 0 <= least < most, got "
                f"{one!r}"
            )
    return tuple((float(least), float(most)) for least, most in ranges)
