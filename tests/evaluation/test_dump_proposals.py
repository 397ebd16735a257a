"""The file of proposals: its layout, order, limits."""

import pickle

import numpy as np
import pytest
import torch

from mmdet_lite.datasets.proposal_file import load_proposals
from mmdet_lite.evaluation import DumpProposals
from mmdet_lite.ops.proposal_key import proposal_key
from mmdet_lite.registry import METRICS


def sample(name, boxes, scores):
    pred = {"bboxes": torch.tensor(boxes).reshape(-1, 4), "scores": torch.tensor(scores)}
    pred["labels"] = torch.zeros(len(scores), dtype=torch.long)
    return {"img_path": f"data/coco/val2017/{name}.jpg", "pred_instances": pred}


SAMPLES = [
    sample("a", [[0.0, 0, 5, 5], [1.0, 1, 9, 9], [2.0, 2, 3, 3]], [0.3, 0.9, 0.5]),
    sample("b", [], []),
]


def written(tmp_path, **args):
    metric = METRICS.build({"type": "DumpProposals", "output_dir": str(tmp_path / "new"), **args})
    metric.process(None, SAMPLES)
    assert metric.evaluate(len(SAMPLES)) == {}
    return pickle.loads((tmp_path / "new" / metric.proposals_path.name).read_bytes())


def test_the_file_maps_images_to_plain_arrays_best_first(tmp_path):
    proposals = written(tmp_path)
    assert list(proposals) == ["val2017/a.jpg", "val2017/b.jpg"]
    first, empty = proposals.values()
    assert type(first) is dict and list(first) == ["bboxes", "scores"]
    assert first["bboxes"].tolist() == [[1, 1, 9, 9], [2, 2, 3, 3], [0, 0, 5, 5]]
    assert np.allclose(first["scores"], [0.9, 0.5, 0.3])
    assert {a.dtype for a in first.values()} == {np.dtype(np.float32)}
    assert empty["bboxes"].shape == (0, 4) and empty["scores"].shape == (0,)


def test_the_data_sets_read_it_back(tmp_path):
    wanted = written(tmp_path)
    got = load_proposals(str(tmp_path / "new" / "proposals.pkl"))
    assert list(got) == [proposal_key(sample["img_path"]) for sample in SAMPLES]
    for name in wanted:
        assert all(np.array_equal(got[name][k], wanted[name][k]) for k in ("bboxes", "scores"))


def test_a_number_of_proposals_is_a_limit(tmp_path):
    proposals = written(tmp_path, num_max_proposals=2, proposals_file="rpn.pkl")
    assert [len(p["scores"]) for p in proposals.values()] == [2, 0]


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end with \.pkl, got 'a\.json'"):
        DumpProposals(proposals_file="a.json")
    with pytest.raises(ValueError, match="backend_args can only be None"):
        DumpProposals(backend_args={"backend": "petrel"})
