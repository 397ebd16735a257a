"""Configs of VOC: GluonCV's recipe, and MMDetection's own files with real data in VOC's form."""

from pathlib import Path

import pytest
from mmengine.registry import DATASETS, METRICS

from mmdet_lite.config import load_config
from mmdet_lite.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
RECIPE = CONFIGS / "gluoncv" / "faster-rcnn_r50-c4_20e_voc0712.py"
NAMES = """
    faster-rcnn_r50-caffe-c4_ms-18k_voc0712 faster-rcnn_r50_fpn_1x_voc0712-cocofmt
    faster-rcnn_r50_fpn_1x_voc0712 retinanet_r50_fpn_1x_voc0712 ssd300_voc0712 ssd512_voc0712"""


def test_the_recipe_of_gluoncv_has_its_numbers() -> None:
    cfg = load_config(RECIPE)
    resize = next(step for step in cfg.train_pipeline if step.type == "Resize")
    assert resize == {"type": "Resize", "scale": (1000, 600), "keep_ratio": True}
    names = [step.type for step in cfg.train_pipeline]
    assert names == [
        "LoadImageFromFile", "LoadAnnotations", "Resize", "RandomFlip", "PackDetInputs",
    ]  # fmt: skip
    wrapper = cfg.optim_wrapper
    assert (wrapper.optimizer.lr, wrapper.optimizer.momentum) == (0.001, 0.9)
    assert wrapper.optimizer.weight_decay == 0.0005
    assert wrapper.clip_grad == {"type": "value", "clip_value": 5}
    assert cfg.train_cfg.max_epochs == 20
    [schedule] = cfg.param_scheduler
    assert (schedule.milestones, schedule.gamma) == ([14, 20], 0.1)
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 1
    assert cfg.train_dataloader.dataset.times == 1
    years = cfg.train_dataloader.dataset.dataset.datasets
    assert [one.data_prefix.sub_data_root for one in years] == ["VOC2007/", "VOC2012/"]
    assert all("filter_cfg" not in one for one in years)
    assert cfg.model.backbone.style == cfg.model.roi_head.shared_head.style == "pytorch"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES.split())
def test_files_of_mmdetection_read_and_build_unmodified(mmdet_configs: Path, name: str) -> None:
    cfg = load_config(mmdet_configs / "pascal_voc" / f"{name}.py")
    MODELS.build(cfg.model)
    if "ann_file" in cfg.val_evaluator:
        cfg.val_evaluator.ann_file = None  # the data are not there
    METRICS.build(cfg.val_evaluator)
    for section in ("train_dataloader", "val_dataloader"):
        DATASETS.build(_lazy(cfg[section].dataset))


def _lazy(dataset: dict) -> dict:
    """The data set without its files being read."""
    if "dataset" in dataset:
        return {**dataset, "lazy_init": True, "dataset": _lazy(dataset["dataset"])}
    if "datasets" in dataset:
        inner = [_lazy(one) for one in dataset["datasets"]]
        return {**dataset, "lazy_init": True, "datasets": inner}
    return {**dataset, "lazy_init": True}
