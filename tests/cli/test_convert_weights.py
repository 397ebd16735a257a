import pickle

import numpy as np
import pytest
import torch
from torchvision.models import detection, mobilenet_v2

from mmdet_lite.checkpoint import load_checkpoint_file
from mmdet_lite.cli.convert_weights import main

BLOBS = {"conv1_w": np.ones((4, 3, 7, 7), np.float32), "res2_0_branch2a_w": np.ones(4, np.float32)}


@pytest.fixture
def pickle_file(tmp_path):
    (tmp_path / "R-50.pkl").write_bytes(pickle.dumps({"blobs": BLOBS}, 2))
    return str(tmp_path / "R-50.pkl")


def test_foreign_file_becomes_a_checkpoint_that_torch_reads(pickle_file, tmp_path, capsys):
    out = tmp_path / "new" / "r50.pth"
    assert main([pickle_file, str(out)]) == 0
    content = torch.load(out)
    assert list(content["state_dict"]) == [
        "backbone.conv1.weight",
        "backbone.layer1.0.conv1.weight",
    ]
    assert content["meta"]["preprocessing"]["order"] == "BGR"
    assert "2 tensors, from Detectron (Caffe2)" in capsys.readouterr().err
    again = load_checkpoint_file(str(out))
    assert again["meta"] == content["meta"]


def test_preprocessing_can_be_left_unsaid(pickle_file, tmp_path):
    assert main([pickle_file, str(tmp_path / "a.pth"), "--no-preprocessing"]) == 0
    meta = load_checkpoint_file(str(tmp_path / "a.pth"))["meta"]
    assert meta["preprocessing"] is None and meta["conventions"] is None


def test_how_weights_are_used_travels_with_them_and_the_config_is_named(tmp_path, capsys):
    with torch.device("meta"):
        theirs = detection.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict()
    torch.save({k: torch.zeros(v.shape) for k, v in theirs.items()}, tmp_path / "tv.pth")
    assert main([str(tmp_path / "tv.pth"), str(tmp_path / "a.pth")]) == 0
    config = "configs/torchvision/mask-rcnn_r50_fpn_torchvision.py"
    assert config in capsys.readouterr().err
    meta = load_checkpoint_file(str(tmp_path / "a.pth"))["meta"]
    assert meta["conventions"]["roi_align"] == [[False, 2]] and meta["fitting_config"] == config


def test_backbone_of_torchvision_is_converted_and_its_other_detectors_are_refused(tmp_path, capsys):
    with torch.device("meta"):
        backbone = mobilenet_v2().state_dict()
        ssd = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    for name, state in (("m.pth", backbone), ("ssd.pth", ssd.state_dict())):
        torch.save({k: torch.zeros(v.shape) for k, v in state.items()}, tmp_path / name)
    assert main([str(tmp_path / "m.pth"), str(tmp_path / "a.pth")]) == 0
    assert "from torchvision (ImageNet)" in capsys.readouterr().err
    assert main([str(tmp_path / "ssd.pth"), str(tmp_path / "b.pth")]) == 2
    assert "ssd.pth: these are the weights of torchvision's SSD" in capsys.readouterr().err


def test_own_checkpoint_is_written_without_its_optimizer(tmp_path):
    weights = {"backbone.conv1.weight": torch.ones(1)}
    torch.save({"state_dict": weights, "optimizer": {}, "meta": {"epoch": 3}}, tmp_path / "a.pth")
    assert main([str(tmp_path / "a.pth"), str(tmp_path / "b.pth")]) == 0
    assert set(torch.load(tmp_path / "b.pth")) == {"meta", "state_dict"}


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("words.pth", b"no weights at all", "words.pth"),
        ("other.pkl", pickle.dumps({"a": np.ones(1)}), "names of no known layout (a ...)"),
        ("list.pkl", pickle.dumps([1, 2]), "holds a list, expected a dict"),
    ],
)
def test_wrong_file_is_refused_with_status_2(name, content, text, tmp_path, capsys):
    (tmp_path / name).write_bytes(content)
    assert main([str(tmp_path / name), str(tmp_path / "out.pth")]) == 2
    assert text in capsys.readouterr().err and not (tmp_path / "out.pth").exists()


def test_file_is_not_written_over_itself(pickle_file, capsys):
    assert main([pickle_file, pickle_file]) == 2
    assert "both IN and OUT" in capsys.readouterr().err
