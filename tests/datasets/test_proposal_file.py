"""Files of proposals: every form that is read, and everything that is refused."""

import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmdet_lite.datasets import CocoDataset, proposal_file
from mmdet_lite.datasets.proposal_file import add_proposals, load_proposals

BOXES = np.array([[1.0, 2.0, 30.0, 20.0], [0.0, 0.0, 5.0, 6.0]], np.float32)
SCORES = np.array([0.9, 0.5], np.float32)
PLAIN = {"bboxes": BOXES, "scores": SCORES}


def write(tmp_path, content, protocol=2):
    path = tmp_path / "proposals.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return str(path)


@pytest.mark.parametrize(
    ("protocol", "form"),
    [(0, dict), (2, dict), (4, dict), (5, dict), (2, InstanceData), (4, InstanceData)],
)
def test_arrays_come_back_from_dicts_and_from_mmengines_objects(tmp_path, protocol, form):
    path = write(tmp_path, {"val/a.jpg": form(**PLAIN)}, protocol)
    read = load_proposals(path)["val/a.jpg"]
    assert set(read) == {"bboxes", "scores"}
    assert np.array_equal(read["bboxes"], BOXES) and np.array_equal(read["scores"], SCORES)
    assert read["bboxes"].dtype == read["scores"].dtype == np.float32


def test_the_results_of_an_rpn_in_test_py_are_proposals_too(tmp_path):
    found = {"bboxes": torch.from_numpy(BOXES), "scores": torch.from_numpy(SCORES)}
    results = [{"img_path": "/data/val/a.jpg", "img_id": 3, "pred_instances": found}]
    read = load_proposals(write(tmp_path, results))
    assert list(read) == ["val/a.jpg"]
    assert np.array_equal(read["val/a.jpg"]["bboxes"], BOXES)
    assert np.array_equal(read["val/a.jpg"]["scores"], SCORES)


@pytest.mark.parametrize(("labels", "warnings"), [([0, 0], 0), ([0, 17], 1)])
def test_results_of_a_detector_with_classes_are_warned_of(tmp_path, monkeypatch, labels, warnings):
    said = []
    monkeypatch.setattr(proposal_file, "print_log", lambda text, *_: said.append(text))
    found = {**PLAIN, "labels": torch.tensor(labels)}
    empty = {"bboxes": BOXES[:0], "scores": SCORES[:0], "labels": torch.zeros(0)}
    results = [
        {"img_path": f"val/{i}.jpg", "pred_instances": p} for i, p in enumerate([empty, found])
    ]
    load_proposals(write(tmp_path, results))
    assert len(said) == warnings and all("labels up to 17" in text for text in said)


def test_missing_scores_are_zero_and_no_boxes_are_an_empty_array(tmp_path):
    empty = {"bboxes": np.zeros((0,)), "scores": np.zeros(0)}
    read = load_proposals(write(tmp_path, {"a": {"bboxes": BOXES}, "b": empty}))
    assert read["a"]["scores"].tolist() == [0, 0] and read["b"]["bboxes"].shape == (0, 4)


class Harmful:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_file_can_call_nothing(tmp_path, protocol):
    path = write(tmp_path, {"a": Harmful(str(tmp_path / "made"))}, protocol)
    with pytest.raises(ValueError, match=r"asks for (posix|nt|os)\.mkdir"):
        load_proposals(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([BOXES], "got a list; lists are MMDetection 2's form.*DumpProposals"),
        ({"a": {"boxes": BOXES}}, "a: expected bboxes and scores"),
        ({"a": {"bboxes": BOXES, "scores": SCORES[:1]}}, r"got \(2, 4\), \(1,\)"),
        ({"a": {"bboxes": BOXES[:, :3]}}, r"expected bboxes \(P, 4\)"),
    ],
)
def test_other_content_is_refused(tmp_path, content, said):
    with pytest.raises(ValueError, match=said):
        load_proposals(write(tmp_path, content))


def test_missing_and_cut_files_are_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"does not exist; write it with tools/test\.py"):
        load_proposals(str(tmp_path / "none.pkl"))
    path = write(tmp_path, {"a": PLAIN})
    whole = (tmp_path / "proposals.pkl").read_bytes()
    for content in (whole[:-30], b"no pickle", b""):
        (tmp_path / "proposals.pkl").write_bytes(content)
        with pytest.raises(ValueError, match="cannot be read"):
            load_proposals(path)


def test_entries_get_the_proposals_of_their_folder_and_name():
    entries = [{"img_path": "data/coco/val/a.jpg"}, {"img_path": "data/coco/val/b.jpg"}]
    other = {"bboxes": BOXES[:0], "scores": SCORES[:0]}
    add_proposals(entries, {"val/b.jpg": other, "val/a.jpg": PLAIN, "val/c.jpg": other})
    assert entries[0]["proposals"] is PLAIN and entries[1]["proposals"] is other
    with pytest.raises(ValueError, match=r"nothing for the image 'val/a.jpg'.*train/a\.jpg"):
        add_proposals(entries, {"train/a.jpg": PLAIN})


def test_a_data_set_reads_its_proposal_file_below_its_root(coco_args, tmp_path):
    names = [f"images/{name}.jpg" for name in "abc"]
    write(tmp_path, dict.fromkeys(names, PLAIN))
    dataset = CocoDataset(**coco_args, proposal_file="proposals.pkl")
    assert all(np.array_equal(dataset[i]["proposals"]["bboxes"], BOXES) for i in range(3))
    assert "proposals" not in CocoDataset(**coco_args)[0]


@pytest.mark.parametrize("indices", [1, -2, [2, 0]])
@pytest.mark.parametrize("serialize_data", [True, False])
def test_only_the_images_that_are_used_need_proposals(coco_args, tmp_path, indices, serialize_data):
    used = {"1": "a", "-2": "bc", "[2, 0]": "ca"}[str(indices)]
    write(tmp_path, {f"images/{name}.jpg": PLAIN for name in used})
    args = {**coco_args, "proposal_file": "proposals.pkl", "serialize_data": serialize_data}
    dataset = CocoDataset(**args, indices=indices)
    assert len(dataset) == len(used)
    assert all("proposals" in dataset.get_data_info(i) for i in range(len(used)))
    with pytest.raises(ValueError, match="nothing for the image"):
        CocoDataset(**args)
