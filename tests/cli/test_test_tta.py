"""``mmdet-lite test --tta`` on a small Mask R-CNN and two pictures."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_lite.apis import init_detector
from mmdet_lite.checkpoint import save_checkpoint
from mmdet_lite.cli import test as test_command

CONFIG = str(Path(__file__).parents[2] / "configs/balloon/mask-rcnn_r18_fpn_balloon.py")


@pytest.fixture
def options(tmp_path, monkeypatch):
    """Flags that put two pictures, few detections and a small scale into the config."""
    monkeypatch.chdir(tmp_path)
    images, annotations = [], []
    for i in range(2):
        picture = np.random.default_rng(i).integers(0, 255, (48, 64, 3), np.uint8)
        cv2.imwrite(f"{i}.jpg", picture)
        images.append({"id": i, "file_name": f"{i}.jpg", "height": 48, "width": 64})
        box = {"bbox": [5, 5, 20, 20], "segmentation": [[5, 5, 25, 5, 25, 25]], "area": 200}
        annotations.append({"id": i + 1, "image_id": i, "category_id": 0, "iscrowd": 0, **box})
    content = {"images": images, "annotations": annotations}
    content["categories"] = [{"id": 0, "name": "balloon"}]
    Path("ann.json").write_text(json.dumps(content))
    model = init_detector(
        CONFIG,
        device="cpu",
        cfg_options={"test_dataloader.dataset.metainfo": {"classes": ("balloon",)}},
    )
    model.roi_head.bbox_head.fc_cls.bias.data[0] = 5
    save_checkpoint({"meta": {}, "state_dict": model.state_dict()}, tmp_path / "w.pth")
    changes = {
        "test_dataloader.dataset.data_root": "./",
        "test_dataloader.dataset.ann_file": "ann.json",
        "test_dataloader.dataset.data_prefix.img": "./",
        "test_dataloader.dataset.pipeline.1.scale": "(96,72)",
        "test_dataloader.num_workers": 0,
        "test_dataloader.persistent_workers": False,
        "test_evaluator.ann_file": "ann.json",
        "model.test_cfg.rpn.max_per_img": 20,
        "model.test_cfg.rcnn.max_per_img": 5,
    }
    return ["--cfg-options", *(f"{key}={value}" for key, value in changes.items())]


def test_without_tta_keys_mirroring_is_taken_and_said(options, capsys):
    flags = ["--tta", "--out", "out.pkl", "--show-dir", "pics"]
    assert test_command.main([CONFIG, "w.pth", *flags, *options]) == 0
    said = capsys.readouterr().err
    assert "--tta: tta_pipeline is not in the config, taken: the test pipeline, also" in said
    with open("out.pkl", "rb") as file:
        results = pickle.load(file)
    assert [r["img_id"] for r in results] == [0, 1]
    found = results[0]["pred_instances"]
    assert 0 < len(found["scores"]) <= 5 and found["masks"][0]["size"] == [48, 64]
    assert len(list(Path("pics").rglob("*.jpg"))) == 2
