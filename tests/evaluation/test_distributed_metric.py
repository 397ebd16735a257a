"""Two processes return the numbers of one, also with an odd number of images."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

WORKER = Path(__file__).with_name("distributed_worker.py")


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
    [single] = run_worker(ann_file, tmp_path, 1)
    first, second = run_worker(ann_file, tmp_path, 2)
    assert first == second == single
    assert 0.1 < single["coco/bbox_mAP"] < 0.9


def run_worker(ann_file: Path, folder: Path, world_size: int) -> list[dict[str, float]]:
    """The numbers that each of ``world_size`` processes of one evaluation returns."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    env["WORLD_SIZE"] = str(world_size)
    command = [sys.executable, str(WORKER), str(ann_file), str(folder)]
    ranks = [str(rank) for rank in range(world_size)]
    processes = [
        subprocess.Popen(command, env={**env, "RANK": rank, "LOCAL_RANK": rank}) for rank in ranks
    ]
    assert [process.wait(300) for process in processes] == [0] * world_size
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in ranks]
