"""Metrics: predictions and annotations in, numbers, tables and result files out."""

from mmdet_lite.evaluation.cityscapes_metric import CityScapesMetric
from mmdet_lite.evaluation.coco_eval import (
    CocoTables,
    average_precision,
    average_recall,
    evaluate_coco,
    summarize,
)
from mmdet_lite.evaluation.coco_format import (
    ImageDetections,
    category_ids_by_name,
    detections_to_coco,
    sample_to_coco_truth,
)
from mmdet_lite.evaluation.coco_keypoints import evaluate_keypoints, summarize_keypoints
from mmdet_lite.evaluation.coco_metric import CocoMetric, load_annotations
from mmdet_lite.evaluation.coco_table import classwise_table, recall_table, summary_table
from mmdet_lite.evaluation.dump_proposals import DumpProposals
from mmdet_lite.evaluation.dump_results import DumpDetResults
from mmdet_lite.evaluation.multi_datasets_evaluator import MultiDatasetsEvaluator
from mmdet_lite.evaluation.proposal_recall import average_recalls
from mmdet_lite.evaluation.result_files import load_results
from mmdet_lite.evaluation.voc_metric import VOCMetric

__all__ = [
    "CityScapesMetric",
    "CocoMetric",
    "CocoTables",
    "DumpDetResults",
    "DumpProposals",
    "ImageDetections",
    "MultiDatasetsEvaluator",
    "VOCMetric",
    "average_precision",
    "average_recall",
    "average_recalls",
    "category_ids_by_name",
    "classwise_table",
    "detections_to_coco",
    "evaluate_coco",
    "evaluate_keypoints",
    "load_annotations",
    "load_results",
    "recall_table",
    "sample_to_coco_truth",
    "summarize",
    "summarize_keypoints",
    "summary_table",
]
