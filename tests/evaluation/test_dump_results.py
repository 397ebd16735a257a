"""Result files: what is in them, that they are whole, that reading them runs no code."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmdet_lite.evaluation import DumpDetResults, load_results
from mmdet_lite.ops.whole_files import write_atomically
from mmdet_lite.registry import METRICS

RLE = {"size": [120, 160], "counts": b"aoi02m3O"}


def with_annotations(sample: Any) -> dict[str, Any]:
    return sample(
        10,
        [[1, 2, 4, 8]],
        [0],
        scores=[0.5],
        masks=[RLE],
        img_path="a.jpg",
        gt_instances={"bboxes": torch.zeros(3, 4)},
        ignored_instances={"bboxes": torch.zeros(0, 4)},
    )


def test_pkl_is_the_list_of_dicts_of_mmdetection(tmp_path: Path, sample: Any) -> None:
    path = tmp_path / "deep/results.pkl"
    metric = METRICS.build({"type": "DumpDetResults", "out_file_path": str(path)})
    metric.process(None, [with_annotations(sample), sample(11, masks=[])])
    assert metric.evaluate(2) == {}
    with path.open("rb") as file:
        first, second = pickle.load(file)  # a user's way; the test wrote the file
    assert set(first) == {"img_id", "ori_shape", "img_path", "pred_instances"}
    assert set(first["pred_instances"]) == {"bboxes", "scores", "labels", "masks"}
    assert first["pred_instances"]["bboxes"].tolist() == [[1, 2, 4, 8]]
    assert first["pred_instances"]["masks"] == [RLE]
    assert second["pred_instances"]["bboxes"].shape == (0, 4)


def test_load_results_returns_what_was_written(tmp_path: Path, sample: Any) -> None:
    path = tmp_path / "results.pkl"
    metric = DumpDetResults(str(path))
    metric.process(None, [with_annotations(sample), sample(11)])
    metric.evaluate(2)
    first, second = load_results(path)
    assert first["pred_instances"]["scores"].tolist() == [0.5]
    assert first["pred_instances"]["masks"] == [RLE]
    assert second["img_id"] == 11


def test_load_results_reads_arrays_of_numpy(tmp_path: Path) -> None:
    path = tmp_path / "results.pkl"
    path.write_bytes(pickle.dumps([{"scores": np.arange(3.0), "one": np.float32(2)}]))
    assert load_results(path)[0]["scores"].tolist() == [0, 1, 2]


def test_json_is_coco_results_with_category_ids_by_name(
    tmp_path: Path, two_cats_file: Path, sample: Any
) -> None:
    path = tmp_path / "results.json"
    metric = DumpDetResults(str(path), ann_file=str(two_cats_file))
    metric.dataset_meta = {"classes": ("cat", "dog")}
    metric.process(None, [with_annotations(sample), sample(11, masks=[])])
    metric.evaluate(2)
    assert json.loads(path.read_text()) == [
        {
            "image_id": 10,
            "category_id": 9,
            "bbox": [1.0, 2.0, 3.0, 6.0],
            "score": 0.5,
            "segmentation": {"size": [120, 160], "counts": "aoi02m3O"},
        }
    ]


def test_json_without_ann_file_takes_the_label(tmp_path: Path, sample: Any) -> None:
    metric = DumpDetResults(str(tmp_path / "r.json"))
    metric.dataset_meta = {"classes": ("cat", "dog")}
    metric.process(None, [sample(10, [[1, 2, 4, 8]], [1])])
    metric.evaluate(1)
    row = json.loads((tmp_path / "r.json").read_text())[0]
    assert row["category_id"] == 1
    assert "segmentation" not in row


def test_other_endings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\.pkl or \.json, got 'x\.txt'"):
        DumpDetResults("x.txt")


def test_failed_writing_leaves_the_older_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("older")

    def half(file: Any) -> None:
        file.write(b"new")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, half)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


class Attack:
    def __reduce__(self) -> Any:
        return (eval, ("1 / 0",))


def test_load_results_runs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "attack.pkl"
    path.write_bytes(pickle.dumps([{"x": Attack()}]))
    with pytest.raises(ValueError, match=r"attack\.pkl .*builtins\.eval and is refused"):
        load_results(path)


def test_load_results_names_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"tools/test\.py --out"):
        load_results(tmp_path / "none.pkl")
    (tmp_path / "dict.pkl").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ValueError, match="expected a list of dicts, got dict"):
        load_results(tmp_path / "dict.pkl")
    (tmp_path / "text.pkl").write_text("hello")
    with pytest.raises(ValueError, match="not a results file"):
        load_results(tmp_path / "text.pkl")
