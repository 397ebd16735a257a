"""DumpDetResults: predictions of a whole data set as one file."""

import pickle
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.evaluator.metric import _to_cpu
from mmengine.logging import MMLogger

from mmdet_lite.evaluation.coco_format import (
    ImageDetections,
    category_ids_by_name,
    detections_to_coco,
)
from mmdet_lite.evaluation.coco_metric import load_annotations
from mmdet_lite.ops.whole_files import write_atomically, write_json
from mmdet_lite.registry import METRICS

ANNOTATION_KEYS = ("gt_instances", "ignored_instances", "gt_panoptic_seg", "instances")


@METRICS.register_module()
class DumpDetResults(BaseMetric):
    """Writes the predictions of all images to one file; returns no numbers.

    ``.pkl``/``.pickle``: the list of dicts that MMDetection's ``test.py --out`` writes, one an
    image in the data set's order: the metainfo and ``pred_instances`` with bboxes, scores, labels
    (CPU tensors), masks (RLE dicts), keypoints and keypoint_scores; no annotations.

    ``.json``: COCO results, one a detection: image_id, category_id, bbox (xywh), score and, where
    there are any, segmentation and keypoints.

    The file is complete or not there; an older one is replaced at the end.

    Args:
        out_file_path: ends with .pkl, .pickle or .json.
        ann_file: COCO file from which ``.json`` takes the category ids, by name; without it a
            category id is the label.
        backend_args: mmengine's file backend for ``ann_file``.
        collect_device: 'cpu' or 'gpu', through which the ranks' results are collected.
        collect_dir: folder in which ranks exchange results on collect_device 'cpu'.
        keypoint_offset: is taken away from keypoints in ``.json`` (see LoadAnnotations).

    Raises:
        ValueError: if the file's ending is another one.
        FileNotFoundError: if there is no ``ann_file``.
    """

    default_prefix = ""

    def __init__(
        self,
        out_file_path: str,
        ann_file: str | None = None,
        backend_args: dict[str, Any] | None = None,
        collect_device: str = "cpu",
        collect_dir: str | None = None,
        keypoint_offset: float = 0.0,
    ) -> None:
        super().__init__(collect_device=collect_device, collect_dir=collect_dir)
        if not out_file_path.endswith((".pkl", ".pickle", ".json")):
            raise ValueError(
                f"results are written as .pkl or .json, got {out_file_path!r}: give --out a file "
                "name with one of these endings"
            )
        self.out_file_path = out_file_path
        self.keypoint_offset = keypoint_offset
        self.ann_file = ann_file
        self._categories = (
            load_annotations(ann_file, backend_args)["categories"] if ann_file else None
        )

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the predictions of a batch on the CPU, without its annotations."""
        for sample in data_samples:
            kept = {key: value for key, value in sample.items() if key not in ANNOTATION_KEYS}
            self.results.append(_to_cpu(kept))

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Write the file; called once, with the images of all ranks."""
        if self.out_file_path.endswith(".json"):
            write_json(self.out_file_path, self._coco_results(results))
        else:
            write_atomically(self.out_file_path, lambda file: pickle.dump(results, file))
        MMLogger.get_current_instance().info(
            f"predictions of {len(results)} images written to {self.out_file_path}"
        )
        return {}

    def _coco_results(self, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
        detections = [ImageDetections.from_sample(sample) for sample in results]
        classes = list((self.dataset_meta or {}).get("classes", ()))
        if self._categories is not None:
            ids = category_ids_by_name(classes, self._categories, str(self.ann_file))
        else:
            MMLogger.get_current_instance().info(
                f"no ann_file: category_id in {self.out_file_path} is the label (0, 1, ...)"
            )
            ids = list(range(len(classes)))
        with_masks = bool(detections) and all(image.masks is not None for image in detections)
        with_keypoints = bool(detections) and all(d.keypoints is not None for d in detections)
        return detections_to_coco(detections, ids, with_masks, with_keypoints, self.keypoint_offset)
