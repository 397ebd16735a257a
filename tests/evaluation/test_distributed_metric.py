"""Two processes return the numbers of one, also with an odd number of images."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

WORKER = """
import json, sys
import numpy as np, torch, torch.distributed as dist
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_rank, is_distributed
from mmdet_lite.evaluation import CocoMetric

if len(sys.argv) > 3:
    dist.init_process_group("gloo")
truth = json.load(open(sys.argv[1]))
metric = CocoMetric(sys.argv[1], collect_dir=sys.argv[3] if len(sys.argv) > 3 else None)
metric.dataset_meta = {"classes": ["a", "b"]}
images = truth["images"]
for index in DefaultSampler(images, shuffle=False):
    rng = np.random.default_rng(index)
    boxes = [r["bbox"] for r in truth["annotations"] if r["image_id"] == images[index]["id"]]
    boxes = torch.tensor(boxes) + torch.as_tensor(rng.normal(0, 3, (len(boxes), 4)))
    boxes[:, 2:] += boxes[:, :2]
    pred = dict(bboxes=boxes, scores=torch.as_tensor(rng.random(len(boxes))),
                labels=torch.as_tensor(rng.integers(0, 2, len(boxes))))
    metric.process(None, [dict(img_id=images[index]["id"], pred_instances=pred)])
numbers = metric.evaluate(len(images))
if get_rank() == 0:
    json.dump(numbers, open(sys.argv[2], "w"))
"""


def test_two_processes_equal_one_with_an_odd_number_of_images(tmp_path: Path) -> None:
    images = [{"id": i, "height": 200, "width": 200} for i in range(7)]
    rows = [
        {"image_id": i, "category_id": n % 2, "bbox": [20 * n, 10 + i, 30 + 9 * n, 40 + n]}
        for i in range(7)
        for n in range(5)
    ]
    categories = [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}]
    ann_file = tmp_path / "ann.json"
    ann_file.write_text(
        json.dumps({"images": images, "annotations": rows, "categories": categories})
    )
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    base = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    one = [sys.executable, str(script), str(ann_file), str(tmp_path / "one.json")]
    two = [*one[:3], str(tmp_path / "two.json"), str(tmp_path / "collect")]
    processes = [subprocess.Popen(one, env=base)]
    for rank in ("0", "1"):
        env = {**base, "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2"}
        processes.append(subprocess.Popen(two, env=env))
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    single = json.loads((tmp_path / "one.json").read_text())
    assert json.loads((tmp_path / "two.json").read_text()) == single
    assert 0.1 < single["coco/bbox_mAP"] < 0.9
