"""Two processes return the numbers of one, also with an odd number of images."""

import json
from collections.abc import Callable
from pathlib import Path

WORKER = Path(__file__).with_name("distributed_worker.py")


def test_two_processes_equal_one_with_an_odd_number_of_images(
    tmp_path: Path, run_processes: Callable[..., list[dict[str, float]]]
) -> None:
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
    [single] = run_processes(WORKER, ann_file, world_size=1)
    first, second = run_processes(WORKER, ann_file, world_size=2)
    assert first == second == single
    assert 0.1 < single["coco/bbox_mAP"] < 0.9
    assert 0.1 < single["pascal_voc/mAP"] < 0.9
