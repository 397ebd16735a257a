"""Keys, detections and losses against numbers kept from MMDetection 3.3."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmdet_lite.config import load_config
from mmdet_lite.registry import DATASETS, MODELS

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
NAMES = {
    "mask-rcnn_r50_fpn_1x_coco": "mask_rcnn",
    "faster-rcnn_r50_fpn_1x_coco": "faster_rcnn",
    "cascade-mask-rcnn_r50_fpn_1x_coco": "cascade_rcnn",
    "mask-rcnn_r50-caffe-c4_1x_coco": "mask_rcnn",
    "retinanet_r50_fpn_1x_coco": "retinanet",
}
LARGE = ("mask-rcnn_r50-caffe-c4_1x_coco",)  # its losses take 8 GB: a res5 stage on 2000 RoIs
EVERYTHING = 10**7
SCALE = (400, 300)


def module_at(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def config(name: str, data_root: Path) -> Config:
    """Our own config on the four reference images, small, without anything random."""
    cfg = load_config(CONFIGS / NAMES[name] / f"{name}.py", {"model.backbone.init_cfg": None})
    train_cfg = cfg.model.train_cfg
    stages = train_cfg.get("rcnn", [])  # RetinaNet has none, and takes all anchors anyway
    for part in (train_cfg.get("rpn"), *(stages if isinstance(stages, list) else [stages])):
        if part is not None:
            part.sampler.num = EVERYTHING
    for split, loader in (("train", cfg.train_dataloader), ("val", cfg.test_dataloader)):
        dataset = loader.dataset
        dataset.data_root = str(data_root)
        dataset.ann_file, dataset.data_prefix = f"{split}.json", {"img": f"{split}/"}
        for step in dataset.pipeline:
            if step.type == "Resize":
                step.scale = SCALE
            if step.type == "RandomFlip":
                step.prob = 0.0
    return cfg


@pytest.fixture(scope="module", params=sorted(NAMES))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def reference_dir():
    folder = Path(__file__).resolve().parents[3] / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("no reference numbers beside this checkout")
    return folder


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """The order of summation decides pairs of boxes that overlap by the threshold of NMS."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cfg(name, reference_dir):
    return config(name, reference_dir / "data")


@pytest.fixture(scope="module")
def rows(name, reference_dir):
    """Key, shape, dtype and factor of each tensor of the reference checkpoint."""
    fill = module_at(reference_dir / "fill.py")
    return fill.read_keys(reference_dir / "keys" / f"{name}.txt")


@pytest.fixture(scope="module")
def model(cfg, rows, reference_dir):
    init_default_scope("mmdet_lite")
    model = MODELS.build(cfg.model)
    weights = module_at(reference_dir / "fill.py").fill(rows)
    model.load_state_dict(weights, strict=True)
    return model


def test_keys_shapes_types_and_their_order_are_those_of_checkpoints(model, rows):
    wanted = [(key, shape, f"torch.{dtype}") for key, shape, dtype, _ in rows]
    got = [(k, tuple(v.shape), str(v.dtype)) for k, v in model.state_dict().items()]
    assert got == wanted


def test_detections_are_the_same(name, cfg, model, reference_dir):
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    model.eval()
    got = {}
    for i in range(len(dataset)):
        with torch.no_grad():
            (sample,) = model.test_step(pseudo_collate([dataset[i]]))
        pred, key = sample.pred_instances, sample.img_id
        for field in ("bboxes", "scores", "labels"):
            got[f"{key}/{field}"] = pred[field].numpy()
        if "masks" in pred:
            got[f"{key}/hw"] = np.array(pred.masks[0]["size"])
            got[f"{key}/rle"] = np.array([mask["counts"] for mask in pred.masks])
    wanted = dict(np.load(reference_dir / "ref" / f"{name}.npz", allow_pickle=True))
    same, said = module_at(reference_dir / "compare.py").compare(wanted, got)
    assert same, said


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in LARGE else []) for n in sorted(NAMES)],
    indirect=True,
    scope="module",
)
def test_losses_are_the_same(name, cfg, model, reference_dir):
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    model.train()
    batch = pseudo_collate([dataset[i] for i in range(2)])
    with torch.no_grad():
        losses = model(**model.data_preprocessor(batch, training=True), mode="loss")
    wanted = json.loads((reference_dir / "ref" / f"{name}.json").read_text())["losses"]
    assert losses.keys() == wanted.keys()
    for key, value in wanted.items():
        assert losses[key].item() == pytest.approx(value, rel=1e-4), key
