"""Every config runs for real: its data, one optimiser step and one prediction, small, on CPU."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from mmdet_lite.config import fill_num_classes, load_config

CONFIGS = Path(__file__).parents[2] / "configs"
ALL = sorted(p for p in CONFIGS.rglob("*.py") if "_base_" not in p.parts)
QUICK = {  # one of each family whose training has no quicker test
    "mask-rcnn_r50_fpn_amp-1x_coco",
    "mask-rcnn_r18_fpn_balloon",
    "faster-rcnn_r50-caffe_c4-1x_coco",
    "fast-rcnn_r50_fpn_1x_coco",
    "retinanet_r18_fpn_1x_coco",
    "cascade-mask-rcnn_r50_fpn_1x_coco",
    "ssd300_voc0712",
    "faster-rcnn_mobilenet-v2_fpn_raccoon",
}
LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
JOINTS = [(30, 30), (60, 40)] * 8 + [(50, 60)]


def parametrised():
    for path in ALL:
        marks = [] if path.stem in QUICK else [pytest.mark.slow]
        yield pytest.param(path, id=path.stem, marks=marks)


VOC_XML = """<annotation><size><width>128</width><height>96</height></size><object>
<name>box</name><bndbox><xmin>21</xmin><ymin>21</ymin><xmax>81</xmax><ymax>71</ymax></bndbox>
</object></annotation>"""


@pytest.fixture(scope="module")
def two_images(tmp_path_factory):
    """Two pictures with a box each, in COCO's and VOC's form, and proposals near them."""
    root = tmp_path_factory.mktemp("coco")
    images, annotations, proposals = [], [], {}
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
                "keypoints": [number for x, y in JOINTS for number in (x, y, 2)],
                "num_keypoints": len(JOINTS),
            }
        )
        boxes = np.array([[18, 22, 79, 71], [60, 10, 120, 60]], np.float32)
        proposals[f"{root.name}/{i}.jpg"] = {
            "bboxes": boxes,
            "scores": np.array([0.9, 0.4], np.float32),
        }
    category = {"id": 0, "name": "box", "keypoints": [f"joint {i}" for i in range(len(JOINTS))]}
    content = {"images": images, "annotations": annotations, "categories": [category]}
    (root / "ann.json").write_text(json.dumps(content))
    (root / "list.txt").write_text("0\n1\n")
    for i in range(2):
        (root / f"{i}.xml").write_text(VOC_XML)
    (root / "proposals.pkl").write_bytes(pickle.dumps(proposals))
    return root


def innermost(dataset):
    """The data sets that read files, whatever wraps them."""
    if "datasets" in dataset:
        return [one for part in dataset["datasets"] for one in innermost(part)]
    return innermost(dataset["dataset"]) if "dataset" in dataset else [dataset]


def shrink(step):
    """Scales of a transform, small; SSD's network takes one size only."""
    if step["type"] == "RandomChoiceResize":
        step["scales"] = [(128, 96), (128, 64)]
    elif step["type"] == "RandomCrop":
        step["crop_size"] = (128, 128)
    elif step["type"] == "ProposalBroadcaster":
        step["transforms"] = [shrink(inner) for inner in step["transforms"]]
    elif step["type"] == "RandomResize" and "ratio_range" in step:
        step["scale"] = (128, 128)
    elif "scale" in step and step.get("keep_ratio", True):
        step["scale"] = [(128, 64), (128, 96)] if step["type"] == "RandomResize" else (128, 96)
    return step


def on_two_images(dataset, root):
    """A data set as it is, but for its files: two pictures, in VOC's form or else in COCO's."""
    # data_prefix is set, since update would merge it with what is there
    if dataset.type == "VOCDataset":
        dataset.update(data_root=str(root), ann_file="list.txt", img_subdir="", ann_subdir="")
        dataset.data_prefix, dataset.metainfo = {"sub_data_root": ""}, {"classes": ("box",)}
    else:
        dataset.update(type="CocoDataset", data_root=str(root), ann_file="ann.json", metainfo=None)
        dataset.data_prefix = {"img": ""}
    if "proposal_file" in dataset:
        dataset.proposal_file = "proposals.pkl"
    dataset.pipeline = [shrink(step) for step in dataset.pipeline]


def stages(part):
    """What is said once or for each stage of a cascade, as a list."""
    return part if isinstance(part, list) else [part] if part else []


def small_model(model):
    """Nothing downloaded, few regions, no number of classes but that of the data."""
    model.backbone.init_cfg = None
    for augment in model.data_preprocessor.get("batch_augments") or []:
        augment.size = (128, 128)
    train_cfg, test_cfg = model.train_cfg, model.test_cfg
    for proposals in (train_cfg.get("rpn_proposal"), test_cfg.get("rpn")):
        if proposals is not None:
            proposals.max_per_img = 50
    for stage in stages(train_cfg.get("rcnn")):
        stage.sampler.num = 32
    roi_head = model.get("roi_head", {})
    if roi_head.get("shared_head"):
        roi_head.shared_head.init_cfg = None
    for head in (model.get("bbox_head"), roi_head.get("bbox_head"), roi_head.get("mask_head")):
        for one in stages(head):
            one.pop("num_classes", None)


def small_run(path, root, work_dir):
    """The config with two small pictures, small models' counts and one iteration."""
    # check=False: some name data sets of a form that is read in COCO's here
    cfg = load_config(str(path), check=False)
    for key in LOADERS:
        for dataset in innermost(cfg[key].dataset):
            on_two_images(dataset, root)
        cfg[key].update(batch_size=2, num_workers=0, persistent_workers=False)
    for key in ("val_evaluator", "test_evaluator"):
        first = cfg[key][0] if isinstance(cfg[key], list) else cfg[key]
        if first.type != "VOCMetric":
            ann_file = str(root / "ann.json")
            cfg[key] = {"type": "CocoMetric", "ann_file": ann_file, "metric": first.metric}
    small_model(cfg.model)
    cfg = fill_num_classes(cfg, 1, "the test")
    cfg.train_cfg = {"type": "IterBasedTrainLoop", "max_iters": 1, "val_interval": 1}
    cfg.param_scheduler = []
    cfg.default_hooks.checkpoint = None
    cfg.visualizer.vis_backends = [{"type": "LocalVisBackend"}]
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
    logged = set(runner.message_hub.log_scalars)
    assert any("mAP" in key or "AR@" in key for key in logged), logged
