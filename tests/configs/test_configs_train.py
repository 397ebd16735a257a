"""Every config runs for real: its data, one optimiser step and one prediction, small, on CPU."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from mmdet_lite.config import fill_num_classes, load_config

CONFIGS = Path(__file__).parents[2] / "configs"
ALL = sorted(p for p in CONFIGS.rglob("*.py") if "_base_" not in p.parts)
QUICK = {
    "faster-rcnn_r50_fpn_1x_coco",
    "mask-rcnn_r50_fpn_amp-1x_coco",
    "mask-rcnn_r18_fpn_8xb8-amp-lsj-200e_coco",
    "mask-rcnn_r50-caffe_fpn_ms-poly-1x_coco",
    "mask-rcnn_r18_fpn_balloon",
}


def parametrised():
    for path in ALL:
        marks = [] if path.stem in QUICK else [pytest.mark.slow]
        yield pytest.param(path, id=path.stem, marks=marks)


@pytest.fixture(scope="module")
def two_images(tmp_path_factory):
    """A COCO set of two pictures with a box each."""
    root = tmp_path_factory.mktemp("coco")
    images, annotations = [], []
    for i in range(2):
        picture = np.full((96, 128, 3), 90, np.uint8)
        cv2.rectangle(picture, (20, 20), (80, 70), (0, 0, 250), -1)
        cv2.imwrite(str(root / f"{i}.jpg"), picture)
        images.append({"id": i, "file_name": f"{i}.jpg", "height": 96, "width": 128})
        annotations.append(
            {
                "id": i + 1,
                "image_id": i,
                "category_id": 0,
                "bbox": [20, 20, 60, 50],
                "area": 3000,
                "iscrowd": 0,
                "segmentation": [[20, 20, 80, 20, 80, 70, 20, 70]],
            }
        )
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 0, "name": "box"}],
    }
    (root / "ann.json").write_text(json.dumps(content))
    return root


def innermost(dataset):
    while "dataset" in dataset:
        dataset = dataset["dataset"]
    return dataset


def shrink(step):
    """Scales of a transform, small."""
    if step["type"] == "RandomChoiceResize":
        step["scales"] = [(128, 96), (128, 64)]
    elif step["type"] == "RandomCrop":
        step["crop_size"] = (128, 128)
    elif "scale" in step:
        step["scale"] = (128, 128) if step["type"] == "RandomResize" else (128, 96)
    return step


def small_run(path, root, work_dir):
    """The config with two small pictures, small models' counts and one iteration."""
    cfg = load_config(str(path))
    for key in ("train_dataloader", "val_dataloader", "test_dataloader"):
        dataset = innermost(cfg[key].dataset)
        dataset.update(
            data_root=str(root), ann_file="ann.json", data_prefix={"img": ""}, metainfo=None
        )
        dataset.pipeline = [shrink(step) for step in dataset.pipeline]
        cfg[key].update(batch_size=2, num_workers=0, persistent_workers=False)
    for key in ("val_evaluator", "test_evaluator"):
        cfg[key].ann_file = str(root / "ann.json")
    cfg.model.backbone.init_cfg = None
    for augment in cfg.model.data_preprocessor.get("batch_augments") or []:
        augment.size = (128, 128)
    for head in ("bbox_head", "mask_head"):
        if head in cfg.model.roi_head:
            cfg.model.roi_head[head].pop("num_classes", None)
    cfg = fill_num_classes(cfg, 1, "the test")
    cfg.train_cfg = {"type": "IterBasedTrainLoop", "max_iters": 1, "val_interval": 1}
    cfg.param_scheduler = []
    cfg.default_hooks.checkpoint = None
    cfg.auto_scale_lr = None
    cfg.load_from, cfg.work_dir = None, str(work_dir)
    return cfg


@pytest.mark.parametrize("path", parametrised())
def test_config_trains_a_step_and_validates(path, two_images, tmp_path):
    runner = Runner.from_cfg(small_run(path, two_images, tmp_path))
    before = [p.clone() for p in runner.model.parameters() if p.requires_grad]
    runner.train()
    after = [p for p in runner.model.parameters() if p.requires_grad]
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(torch.isfinite(p).all() for p in after)
    assert any("bbox_mAP" in key for key in runner.message_hub.log_scalars)
