"""One process of a distributed evaluation; run by test_distributed_metric.py."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from mmengine.dataset import DefaultSampler

from mmdet_lite.evaluation import CocoMetric


def evaluate(ann_file: str, collect_dir: str) -> dict[str, float]:
    """Predict this rank's images (seeded by the image) and return all ranks' numbers."""
    truth = json.loads(Path(ann_file).read_text())
    metric = CocoMetric(ann_file, collect_dir=collect_dir)
    metric.dataset_meta = {"classes": ["a", "b"]}
    ids = [image["id"] for image in truth["images"]]
    for index in DefaultSampler(ids, shuffle=False):
        rng = np.random.default_rng(index)
        boxes = [r["bbox"] for r in truth["annotations"] if r["image_id"] == ids[index]]
        boxes = torch.tensor(boxes) + torch.as_tensor(rng.normal(0, 3, (len(boxes), 4)))
        boxes[:, 2:] += boxes[:, :2]
        pred = {
            "bboxes": boxes,
            "scores": torch.as_tensor(rng.random(len(boxes))),
            "labels": torch.as_tensor(rng.integers(0, 2, len(boxes))),
        }
        metric.process(None, [{"img_id": ids[index], "pred_instances": pred}])
    return metric.evaluate(len(ids))


if __name__ == "__main__":
    dist.init_process_group("gloo")
    numbers = evaluate(sys.argv[1], f"{sys.argv[2]}/collect")
    (Path(sys.argv[2]) / f"{dist.get_rank()}.json").write_text(json.dumps(numbers))
