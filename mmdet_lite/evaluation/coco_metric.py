"""CocoMetric: COCO's AP and AR of boxes, masks, keypoints and proposals."""

import logging
import os
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.fileio import exists, get
from mmengine.logging import MMLogger

from mmdet_lite.evaluation.coco_eval import (
    COCO_IOU_THRS,
    CocoTables,
    average_precision,
    evaluate_coco,
    summarize,
)
from mmdet_lite.evaluation.coco_format import (
    ImageDetections,
    category_ids_by_name,
    detections_to_coco,
    sample_to_coco_truth,
)
from mmdet_lite.evaluation.coco_keypoints import (
    KEYPOINT_ITEMS,
    evaluate_keypoints,
    summarize_keypoints,
)
from mmdet_lite.evaluation.coco_table import classwise_table, recall_table, summary_table
from mmdet_lite.evaluation.proposal_recall import average_recalls
from mmdet_lite.ops.coco_form import coco_content
from mmdet_lite.ops.json_text import parse_json
from mmdet_lite.ops.whole_files import write_json
from mmdet_lite.registry import METRICS

METRIC_NAMES = ("bbox", "segm", "keypoints", "proposal", "proposal_fast")
PRECISION_ITEMS = ("mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l")


@METRICS.register_module()
class CocoMetric(BaseMetric):
    """Evaluates detections as COCO does.

    Returns ``bbox_mAP, bbox_mAP_50, bbox_mAP_75, bbox_mAP_s, bbox_mAP_m, bbox_mAP_l`` and the
    same for ``segm``; ``keypoints_mAP, keypoints_mAP_50, keypoints_mAP_75, keypoints_mAP_m,
    keypoints_mAP_l, keypoints_AR``; ``AR@n, AR_s@n, AR_m@n, AR_l@n`` for proposals; -1 where there
    is no data.
    Images without detections count as missed, so a model that finds nothing scores 0.

    Args:
        ann_file: COCO annotation file. Classes are looked up in it **by name**. None takes the
            annotations of the samples instead.
        metric: one or several of 'bbox', 'segm', 'keypoints' (by OKS, at most 20 detections an
            image; with ``sigmas`` of the data set's metainfo, or COCO's for 17 joints), 'proposal'
            (COCO's class-agnostic recall), 'proposal_fast' (recall with one-to-one pairs of highest
            IoU).
        classwise: also show and return each class's AP, as ``{name}_precision``; with several
            metrics that is the last one's, and ``{metric}_{name}_precision`` is each one's.
        proposal_nums: how many best detections an image count, ascending.
        iou_thrs: IoU thresholds that are averaged; None is 0.50:0.05:0.95.
        metric_items: which of the numbers to return; None is MMDetection's choice.
        format_only: write the result files and evaluate nothing (for test servers).
        outfile_prefix: write ``{prefix}.bbox.json`` and, where there are any,
            ``{prefix}.segm.json`` and ``{prefix}.keypoints.json``.
        keypoint_offset: is taken away from predicted keypoints before they are compared with the
            file's or written; give what LoadAnnotations adds.
        file_client_args: refused, it became ``backend_args``.
        backend_args: mmengine's file backend for ``ann_file``.
        collect_device: 'cpu' or 'gpu', through which the ranks' results are collected.
        prefix: of the returned names, 'coco' by default.
        sort_categories: accepted; classes are found by name, so the file's order never matters.
        use_mp_eval: accepted; the evaluator always uses all cores and gives the same numbers.
        collect_dir: folder in which ranks exchange results on collect_device 'cpu'.

    Raises:
        ValueError: for a wrong argument, a class without category in the file, or predictions of
            images that the file does not have.
        FileNotFoundError: if there is no ``ann_file``.

    Source: arguments and names are MMDetection 3's, the numbers COCO's (pycocotools 2.0).
    """

    default_prefix = "coco"

    def __init__(
        self,
        ann_file: str | None = None,
        metric: str | Sequence[str] = "bbox",
        classwise: bool = False,
        *,
        proposal_nums: Sequence[int] = (100, 300, 1000),
        iou_thrs: float | Sequence[float] | None = None,
        metric_items: Sequence[str] | None = None,
        format_only: bool = False,
        outfile_prefix: str | None = None,
        file_client_args: dict[str, Any] | None = None,
        backend_args: dict[str, Any] | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
        sort_categories: bool = False,
        use_mp_eval: bool = False,
        collect_dir: str | None = None,
        keypoint_offset: float = 0.0,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        if file_client_args is not None:
            raise ValueError("CocoMetric: file_client_args is gone, use backend_args instead")
        if format_only and outfile_prefix is None:
            raise ValueError(
                "CocoMetric(format_only=True) writes only files: say where with "
                "outfile_prefix='work_dirs/results'"
            )
        self.metrics = _checked_metrics(metric)
        self.classwise = classwise
        self.proposal_nums = tuple(sorted(int(n) for n in proposal_nums))
        thrs = [iou_thrs] if isinstance(iou_thrs, float) else iou_thrs
        self.iou_thrs = COCO_IOU_THRS if thrs is None else tuple(sorted(float(t) for t in thrs))
        self.metric_items = _checked_items(metric_items, self.proposal_nums)
        self.format_only = format_only
        self.outfile_prefix = outfile_prefix
        self.keypoint_offset = keypoint_offset
        self.ann_file = ann_file
        self._truth = load_annotations(ann_file, backend_args) if ann_file else None

    @property
    def dataset_meta(self) -> dict[str, Any] | None:
        """Class names of the data set; setting them compares them with the annotation file."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict[str, Any]) -> None:
        self._dataset_meta = dataset_meta
        self._category_ids()  # a wrong file shows before training, not after its first epoch

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the predictions of a batch (and its annotations if there is no ann_file)."""
        for sample in data_samples:
            needs_truth = self._truth is None and not self.format_only
            truth = sample_to_coco_truth(sample, self.keypoint_offset) if needs_truth else None
            self.results.append((ImageDetections.from_sample(sample), truth))

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Write the files asked for, evaluate, and log the tables; called with all images."""
        logger = MMLogger.get_current_instance()
        category_ids = self._category_ids()
        detections, truths = without_repeats(results, logger)
        if self.outfile_prefix is not None:
            self._write_files(detections, category_ids, logger)
        if self.format_only:
            return {}
        truth = self._truth_of(detections, truths, category_ids, logger)
        if not any(len(image.boxes) for image in detections):
            logger.error(
                f"no detections at all in {len(detections)} images: every AP is 0. If this is not "
                "the very start of a training, look at the loss, the class names and test_cfg's "
                "score_thr"
            )
        return self._evaluate(detections, truth, category_ids, logger)

    def result_names(self) -> list[str]:
        """Names of the numbers that an evaluation gives, as ``save_best`` takes them."""
        names = []
        for metric in self.metrics:
            if metric.startswith("proposal"):
                names += [f"AR@{num}" for num in self.proposal_nums]
                names += [f"AR_{size}@{self.proposal_nums[-1]}" for size in "sml"]
            else:
                names += [f"{metric}_{item}" for item in self.metric_items or PRECISION_ITEMS]
            if self.classwise:
                names += [f"{name}_precision" for name in self._classes()]
                names += [f"{metric}_{name}_precision" for name in self._classes()]
        return [f"{self.prefix}/{name}" for name in names] if self.prefix else names

    def _evaluate(
        self,
        detections: list[ImageDetections],
        truth: dict[str, Any],
        category_ids: list[int],
        logger: logging.Logger,
    ) -> dict[str, float]:
        metrics: dict[str, float] = {}
        summaries: dict[str, dict[str, float]] = {}
        for metric in self.metrics:
            if metric == "proposal_fast":
                recalls = self._fast_recalls(detections, truth)
                logger.info(f"proposal_fast:{recall_table(recalls)}")
                metrics |= recalls
                continue
            tables = self._tables(metric, detections, truth, category_ids)
            numbers = (summarize_keypoints if metric == "keypoints" else summarize)(tables)
            if metric == "proposal":
                recalls = {key: value for key, value in numbers.items() if key.startswith("AR")}
                logger.info(f"proposal:{recall_table(recalls)}")
                metrics |= {key: numbers[key] for key in self.metric_items or recalls}
                continue
            if self.classwise:
                metrics |= self._classwise(tables, metric, category_ids, logger)
            summaries[metric] = numbers
            items = KEYPOINT_ITEMS if metric == "keypoints" else PRECISION_ITEMS
            metrics |= {
                f"{metric}_{item}": numbers.get(item, -1.0) for item in self.metric_items or items
            }
        if summaries:
            logger.info(f"COCO evaluation of {len(detections)} images:{summary_table(summaries)}")
            for metric, numbers in summaries.items():
                line = " ".join(f"{numbers[item]:.3f}" for item in PRECISION_ITEMS)
                logger.info(f"{metric}_mAP_copypaste: {line}")
        return metrics

    def _tables(
        self,
        metric: str,
        detections: list[ImageDetections],
        truth: dict[str, Any],
        category_ids: list[int],
    ) -> CocoTables:
        if metric == "keypoints":
            results = detections_to_coco(
                detections,
                category_ids,
                with_masks=False,
                with_keypoints=True,
                keypoint_offset=self.keypoint_offset,
            )
            sigmas = (self._dataset_meta or {}).get("sigmas")
            return evaluate_keypoints(truth, results, category_ids, self.iou_thrs, sigmas)
        return evaluate_coco(
            truth,
            detections_to_coco(detections, category_ids, with_masks=metric == "segm"),
            iou_type="segm" if metric == "segm" else "bbox",
            category_ids=category_ids,
            iou_thrs=self.iou_thrs,
            max_dets=self.proposal_nums,
            use_cats=metric != "proposal",
        )

    def _classwise(
        self, tables: CocoTables, metric: str, category_ids: list[int], logger: logging.Logger
    ) -> dict[str, float]:
        classes = self._classes()
        ascending = sorted(range(len(classes)), key=category_ids.__getitem__)
        names = [classes[label] for label in ascending]
        logger.info(f"{metric} AP of each class:{classwise_table(tables, names)}")
        scores = {name: average_precision(tables, category=k) for k, name in enumerate(names)}
        numbers = {f"{name}_precision": score for name, score in scores.items()}
        if len({"bbox", "segm", "keypoints"} & set(self.metrics)) > 1:
            numbers |= {f"{metric}_{name}_precision": score for name, score in scores.items()}
        return numbers

    def _fast_recalls(
        self, detections: list[ImageDetections], truth: dict[str, Any]
    ) -> dict[str, float]:
        recalls = average_recalls(
            truth, detections, iou_thrs=self.iou_thrs, proposal_nums=self.proposal_nums
        )
        return {f"AR@{num}": recall for num, recall in recalls.items()}

    def _classes(self) -> list[str]:
        if not self._dataset_meta or "classes" not in self._dataset_meta:
            raise ValueError(
                "CocoMetric needs dataset_meta=dict(classes=...); the Runner sets it from the "
                "data set, elsewhere set metric.dataset_meta"
            )
        return list(self._dataset_meta["classes"])

    def _category_ids(self) -> list[int]:
        classes = self._classes()
        if self._truth is None:
            return list(range(len(classes)))
        return category_ids_by_name(classes, self._truth["categories"], str(self.ann_file))

    def _write_files(
        self, detections: list[ImageDetections], ids: list[int], logger: logging.Logger
    ) -> None:
        if self._truth is None:
            logger.info("no ann_file: category_id in the result files is the label (0, 1, ...)")
        kinds = ["bbox"]
        if detections and all(image.masks is not None for image in detections):
            kinds.append("segm")
        if detections and all(image.keypoints is not None for image in detections):
            kinds.append("keypoints")
        for kind in kinds:
            path = f"{self.outfile_prefix}.{kind}.json"
            rows = detections_to_coco(
                detections, ids, kind == "segm", kind == "keypoints", self.keypoint_offset
            )
            write_json(path, rows)
            logger.info(f"results written to {path}")

    def _truth_of(
        self,
        detections: list[ImageDetections],
        truths: list[dict[str, Any] | None],
        category_ids: list[int],
        logger: logging.Logger,
    ) -> dict[str, Any]:
        """Annotations of exactly the images that were predicted, so a subset scores as itself."""
        if self._truth is None:
            made = [truth for truth in truths if truth is not None]
            return {
                "images": [truth["image"] for truth in made],
                "annotations": [row for truth in made for row in truth["annotations"]],
                "categories": [{"id": id_} for id_ in category_ids],
            }
        predicted = {image.img_id for image in detections}
        images = [image for image in self._truth["images"] if image["id"] in predicted]
        unknown = predicted - {image["id"] for image in images}
        if unknown:
            raise ValueError(
                f"{len(unknown)} predicted images are not in {self.ann_file}, e.g. img_id "
                f"{sorted(unknown, key=str)[:5]}; give the evaluator the ann_file of its dataloader"
            )
        if len(images) < len(self._truth["images"]):
            logger.info(
                f"evaluating the {len(images)} images that were predicted, of "
                f"{len(self._truth['images'])} in {self.ann_file}"
            )
        return {**self._truth, "images": images}


def load_annotations(
    ann_file: str, backend_args: dict[str, Any] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Return images, annotations (empty for a file of test images) and categories of a COCO file.

    Raises:
        FileNotFoundError: if it does not exist.
        ValueError: if it is no COCO file.
    """
    if not exists(ann_file, backend_args=backend_args):
        raise FileNotFoundError(
            f"ann_file of CocoMetric does not exist: {ann_file}. Correct val_evaluator.ann_file "
            f"or test_evaluator.ann_file in the config (looked for {os.path.abspath(ann_file)})"
        )
    content = coco_content(parse_json(get(ann_file, backend_args=backend_args), ann_file), ann_file)
    return {key: content.get(key, []) for key in ("images", "annotations", "categories")}


def _checked_metrics(metric: str | Sequence[str]) -> list[str]:
    metrics = [metric] if isinstance(metric, str) else list(metric)
    for name in metrics:
        if name not in METRIC_NAMES:
            raise ValueError(f"CocoMetric: metric must be among {METRIC_NAMES}, got {name!r}")
    if {"proposal", "proposal_fast"} <= set(metrics):
        raise ValueError("CocoMetric: 'proposal' and 'proposal_fast' both return AR@n, take one")
    return metrics


def _checked_items(
    items: Sequence[str] | None, proposal_nums: Sequence[int]
) -> tuple[str, ...] | None:
    if items is None:
        return None
    top = proposal_nums[-1]
    allowed = [*PRECISION_ITEMS, *(f"AR@{n}" for n in proposal_nums)]
    allowed += [f"AR_{size}@{top}" for size in "sml"]
    for item in items:
        if item not in allowed:
            raise ValueError(
                f"CocoMetric: metric_items must be among {allowed} (the numbers are those of "
                f"proposal_nums), got {item!r}"
            )
    return tuple(items)


def without_repeats(
    results: list[Any], logger: logging.Logger
) -> tuple[list[ImageDetections], list[dict[str, Any] | None]]:
    """Keep the first prediction of an image: samplers repeat images to fill the last batch."""
    first: dict[Any, tuple[ImageDetections, dict[str, Any] | None]] = {}
    for detections, truth in results:
        first.setdefault(detections.img_id, (detections, truth))
    if len(first) < len(results):
        logger.warning(
            f"{len(results) - len(first)} of {len(results)} predictions are of an image that was "
            "already predicted (same img_id); only the first counts"
        )
    return [pair[0] for pair in first.values()], [pair[1] for pair in first.values()]
