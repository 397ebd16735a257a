"""Two small COCO sets with the same image ids, and detections for each of their images."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from mmengine.structures import InstanceData

from mmdet_lite.datasets import ConcatDataset
from mmdet_lite.evaluation import MultiDatasetsEvaluator

NUM_IMAGES = {"first": 3, "second": 4}
PIPELINE = [
    {"type": "LoadImageFromFile"},
    {"type": "PackDetInputs", "meta_keys": ("img_id", "img_path", "ori_shape")},
]


def write_sets(folder: Path) -> None:
    """Write ``first.json``, ``second.json`` and the one picture that all entries share."""
    cv2.imwrite(str(folder / "a.png"), np.zeros((200, 200, 3), np.uint8))
    for name, num in NUM_IMAGES.items():
        categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
        images = [{"id": i, "file_name": "a.png", "height": 200, "width": 200} for i in range(num)]
        rows = [
            {
                "id": 10 * i + n,
                "image_id": i,
                "category_id": 1 + n % 2,
                "bbox": [20 * n, 10 + i, 30 + 9 * n, 40 + n],
            }
            for i in range(num)
            for n in range(5)
        ]
        content = {"images": images, "annotations": rows, "categories": categories}
        (folder / f"{name}.json").write_text(json.dumps(content))


def config(folder: Path, name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "CocoDataset",
        "ann_file": str(folder / f"{name}.json"),
        "data_prefix": {"img": str(folder)},
        "pipeline": PIPELINE,
        "test_mode": True,
        **more,
    }


def joined(folder: Path) -> Any:
    return ConcatDataset([config(folder, name) for name in NUM_IMAGES])


def predicted(dataset: Any, index: int, seed: int) -> Any:
    """The packed sample of an image with detections near its objects, seeded."""
    rng = np.random.default_rng(seed)
    sample = dataset[index]["data_samples"]
    boxes = [instance["bbox"] for instance in dataset.get_data_info(index)["instances"]]
    near = torch.tensor(boxes) + torch.as_tensor(rng.normal(0, 3, (len(boxes), 4)))
    sample.pred_instances = InstanceData(
        bboxes=near.float(),
        scores=torch.as_tensor(rng.random(len(boxes))),
        labels=torch.as_tensor(rng.integers(0, 2, len(boxes))),
    )
    return sample


def evaluated(folder: Path) -> dict[str, float]:
    """The numbers of both sets; each process predicts the images that its sampler gives it."""
    dataset = joined(folder)
    metrics = [
        {
            "type": "CocoMetric",
            "ann_file": str(folder / f"{name}.json"),
            "collect_dir": str(folder / name),
        }
        for name in NUM_IMAGES
    ]
    evaluator = MultiDatasetsEvaluator(metrics, list(NUM_IMAGES))
    evaluator.dataset_meta = dataset.metainfo
    for index in DefaultSampler(dataset, shuffle=False):
        evaluator.process([predicted(dataset, index, seed=index)])
    return evaluator.evaluate(len(dataset))
