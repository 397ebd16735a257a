"""Two processes return the numbers of one, also with an odd number of images."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import distributed_worker

WORKER = Path(distributed_worker.__file__)


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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, str(WORKER), str(ann_file), str(tmp_path)]
    base = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(command, env={**base, "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2"})
        for rank in ("0", "1")
    ]
    single = distributed_worker.evaluate(str(ann_file), None)
    assert [process.wait(300) for process in processes] == [0, 0]
    for rank in (0, 1):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == single
    assert 0.1 < single["coco/bbox_mAP"] < 0.9
