"""One process of a distributed evaluation; run by test_distributed_metric.py."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from mmengine.dataset import DefaultSampler

from mmdet_lite.evaluation import CocoMetric, VOCMetric


def evaluate(ann_file: str, collect_dir: str) -> dict[str, float]:
    """Predict this rank's images (seeded by the image) and return all ranks' numbers."""
    truth = json.loads(Path(ann_file).read_text())
    metrics = [CocoMetric(ann_file, collect_dir=collect_dir), VOCMetric(collect_dir=collect_dir)]
    for metric in metrics:
        metric.dataset_meta = {"classes": ["a", "b"]}
    ids = [image["id"] for image in truth["images"]]
    for index in DefaultSampler(ids, shuffle=False):
        rng = np.random.default_rng(index)
        rows = [r for r in truth["annotations"] if r["image_id"] == ids[index]]
        there = torch.tensor([r["bbox"] for r in rows])
        boxes = there + torch.as_tensor(rng.normal(0, 3, there.shape))
        for xywh in (there, boxes):
            xywh[:, 2:] += xywh[:, :2]
        pred = {
            "bboxes": boxes,
            "scores": torch.as_tensor(rng.random(len(boxes))),
            "labels": torch.as_tensor(rng.integers(0, 2, len(boxes))),
        }
        objects = {"bboxes": there, "labels": torch.tensor([r["category_id"] for r in rows])}
        sample = {"img_id": ids[index], "ori_shape": (200, 200), "pred_instances": pred}
        for metric in metrics:
            metric.process(None, [{**sample, "gt_instances": objects}])
    return {key: n for metric in metrics for key, n in metric.evaluate(len(ids)).items()}


if __name__ == "__main__":
    dist.init_process_group("gloo")
    numbers = evaluate(sys.argv[1], f"{sys.argv[2]}/collect")
    (Path(sys.argv[2]) / f"{dist.get_rank()}.json").write_text(json.dumps(numbers))
