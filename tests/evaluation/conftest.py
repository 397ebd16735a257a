"""Random COCO sets and samples for the metrics' tests."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask as mask_api

sys.path.insert(0, str(Path(__file__).parent))  # for joined_sets
collect_ignore = ["joined_sets.py", "distributed_sources_worker.py"]
HEIGHT, WIDTH = 120, 160


def _random_mask(rng: np.random.Generator, box: list[float]) -> dict[str, Any]:
    x, y, w, h = (int(v) for v in box)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y : y + h + 1, x : x + w + 1] = 1
    mask &= (rng.random(mask.shape) > 0.2).astype(np.uint8)
    rle = mask_api.encode(np.asfortranarray(mask))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def _random_box(rng: np.random.Generator) -> list[float]:
    x, y = rng.uniform(0, WIDTH - 4), rng.uniform(0, HEIGHT - 4)
    w, h = rng.uniform(2, WIDTH - x), rng.uniform(2, HEIGHT - y)
    if rng.random() < 0.5:
        w, h = min(w, rng.uniform(3, 40)), min(h, rng.uniform(3, 40))
    return [x, y, w, h]


def _segmentation(rng: np.random.Generator, box: list[float]) -> Any:
    """A third each: compressed RLE, RLE as a list of counts, polygon."""
    kind = rng.integers(3)
    x, y, w, h = box
    if kind == 0:
        return _random_mask(rng, box)
    if kind == 1:
        start = int(x) * HEIGHT + int(y)
        run = max(1, int(w) * HEIGHT)
        run = min(run, HEIGHT * WIDTH - start)
        return {"size": [HEIGHT, WIDTH], "counts": [start, run, HEIGHT * WIDTH - start - run]}
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def make_random_coco(
    seed: int, num_images: int = 12, num_classes: int = 4, tied_scores: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Crowds, images without objects, a category without objects, ids with gaps, near misses."""
    rng = np.random.default_rng(seed)
    categories = [{"id": 3 * k + 5, "name": f"class{k}"} for k in range(num_classes)]
    images = [{"id": 7 * i + 2, "height": HEIGHT, "width": WIDTH} for i in range(num_images)]
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image in images:
        for _ in range(rng.integers(0, 8)):
            box = _random_box(rng)
            category = categories[rng.integers(0, num_classes - 1)]["id"]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": category,
                    "bbox": box,
                    "area": float(box[2] * box[3] * rng.uniform(0.4, 1)),
                    "iscrowd": int(rng.random() < 0.15),
                    "segmentation": _segmentation(rng, box),
                }
            )
            for _ in range(rng.integers(0, 4)):
                near = (np.asarray(box) + rng.normal(0, 2, 4)).clip([0, 0, 1, 1]).tolist()
                score = rng.integers(1, 6) / 6 if tied_scores else rng.random()
                other = categories[rng.integers(0, num_classes)]["id"]
                results.append(
                    {
                        "image_id": image["id"],
                        "category_id": category if rng.random() < 0.8 else other,
                        "bbox": near,
                        "score": float(score),
                        "segmentation": _random_mask(rng, near),
                    }
                )
    return {"images": images, "annotations": annotations, "categories": categories}, results


@pytest.fixture
def random_coco() -> Callable[..., tuple[dict[str, Any], list[dict[str, Any]]]]:
    return make_random_coco


def make_sample(
    img_id: Any,
    boxes: Any = (),
    labels: Any = (),
    scores: Any = None,
    masks: Any = None,
    **extra: Any,
) -> dict[str, Any]:
    boxes = torch.as_tensor(np.asarray(boxes, np.float32).reshape(-1, 4))
    pred = {
        "bboxes": boxes,
        "labels": torch.as_tensor(list(labels), dtype=torch.long),
        "scores": torch.ones(len(boxes)) if scores is None else torch.as_tensor(scores),
    }
    if masks is not None:
        pred["masks"] = masks
    return {"img_id": img_id, "ori_shape": (HEIGHT, WIDTH), "pred_instances": pred, **extra}


@pytest.fixture
def sample() -> Callable[..., dict[str, Any]]:
    return make_sample


@pytest.fixture
def two_cats_file(tmp_path: Path) -> Path:
    """Images 10, 11, 12; 'cat' (id 9) and 'dog' (id 2) in one place each; 12 has no object."""
    boxes = {10: (9, [10, 10, 20, 30]), 11: (2, [50, 40, 60, 50])}
    path = tmp_path / "annotations.json"
    path.write_text(
        json.dumps(
            {
                "images": [{"id": i, "height": HEIGHT, "width": WIDTH} for i in (10, 11, 12)],
                "annotations": [
                    {
                        "id": n,
                        "image_id": image_id,
                        "category_id": category,
                        "bbox": box,
                        "area": box[2] * box[3],
                        "iscrowd": 0,
                        "segmentation": [
                            [
                                *box[:2],
                                box[0] + box[2],
                                box[1],
                                box[0] + box[2],
                                box[1] + box[3],
                                box[0],
                                box[1] + box[3],
                            ]
                        ],
                    }
                    for n, (image_id, (category, box)) in enumerate(boxes.items(), 1)
                ],
                "categories": [{"id": 2, "name": "dog"}, {"id": 9, "name": "cat"}],
            }
        )
    )
    return path


@pytest.fixture
def run_processes(tmp_path: Path) -> Callable[..., list[Any]]:
    """A function that runs ``script ARGS FOLDER`` in processes of one evaluation.

    It returns what each rank wrote to ``FOLDER/{rank}.json``.
    """

    def run(script: Path, *args: Path, world_size: int) -> list[Any]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        env = {**os.environ, "OMP_NUM_THREADS": "1", "WORLD_SIZE": str(world_size)}
        env |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        command = [sys.executable, str(script), *map(str, args), str(tmp_path)]
        ranks = [str(rank) for rank in range(world_size)]
        processes = [
            subprocess.Popen(command, env={**env, "RANK": rank, "LOCAL_RANK": rank})
            for rank in ranks
        ]
        assert [process.wait(300) for process in processes] == [0] * world_size
        return [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in ranks]

    return run
