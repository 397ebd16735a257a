"""Names of the model zoo at the front doors."""

import hashlib
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import _load_checkpoint

from mmdet_lite.apis import inference_detector, init_detector
from mmdet_lite.checkpoint import config_folder, save_checkpoint, zoo, zoo_models
from mmdet_lite.checkpoint.download import Fingerprint
from mmdet_lite.cli import train

sys.path.insert(0, str(Path(__file__).parents[1] / "checkpoint"))
from file_server import FileServer, serve

CONFIG = "balloon/mask-rcnn_r18_fpn_balloon.py"
CLASSES = {"test_dataloader.dataset.metainfo": {"classes": ("balloon",)}}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A small detector and the file that holds its weights."""
    path = tmp_path_factory.mktemp("published") / "m.pth"
    path_of_config = config_folder() / CONFIG
    model = init_detector(path_of_config, None, device="cpu", cfg_options=CLASSES)
    meta = {"dataset_meta": {"classes": ["balloon"], "palette": [(1, 2, 3)]}}
    save_checkpoint({"meta": meta, "state_dict": model.state_dict()}, path)
    return model, path.read_bytes()


@pytest.fixture
def server(published, tmp_path, monkeypatch):
    _, content = published
    with serve(FileServer(content)) as served:
        sha = hashlib.sha256(content).hexdigest()
        url = served.url(f"small-{sha[:8]}.pth")
        model = zoo.ZooModel("small-balloon", "nobody", url, CONFIG, Fingerprint(sha256=sha[:8]))
        table = {**zoo_models(), model.name: model}
        monkeypatch.setattr(zoo, "zoo_models", lambda: table)
        zoo._by_any_name.cache_clear()
        monkeypatch.setenv("MMDET_LITE_HOME", str(tmp_path))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield served
    zoo._by_any_name.cache_clear()


def test_name_alone_gives_the_published_detector(published, server):
    model = init_detector("small-balloon", device="cpu")
    weights = published[0].state_dict()
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())
    assert tuple(model.dataset_meta["classes"]) == ("balloon",)
    assert inference_detector(model, np.zeros((64, 80, 3), np.uint8)).ori_shape == (64, 80)


def test_name_as_checkpoint_goes_with_a_config_of_ones_own(published, server):
    model = init_detector(config_folder() / CONFIG, "small-balloon", device="cpu")
    assert model.dataset_meta["palette"] == [(1, 2, 3)]
    assert len(server.requests) == 1


@pytest.mark.parametrize("wrong", ["smal-balloon", "small-baloon"])
def test_misspelt_name_is_answered_with_the_nearest(server, wrong):
    with pytest.raises(ValueError, match="the nearest are small-balloon"):
        init_detector(wrong, device="cpu")
    with pytest.raises(FileNotFoundError, match="nearest names there: small-balloon"):
        init_detector(config_folder() / CONFIG, wrong, device="cpu")


def test_load_from_takes_a_name(server, tmp_path):
    cfg = Config({"load_from": "small-balloon", "work_dir": str(tmp_path / "run")})
    assert train.choose_start(cfg, Namespace(resume=None))
    assert [path.suffix for path in (tmp_path / "checkpoints").iterdir()] == [".pth"]
    # how mmengine's Runner reads the name later
    assert "state_dict" in _load_checkpoint(cfg.load_from, map_location="cpu")
    cfg.load_from = "smal-balloon"
    with pytest.raises(FileNotFoundError, match="small-balloon"):
        train.choose_start(cfg, Namespace(resume=None))
