"""The configs of Cityscapes train and evaluate on data in Cityscapes' layout, both metrics."""

from pathlib import Path

import pytest
from mmengine.runner import Runner

from mmdet_lite.config import load_config
from mmdet_lite.datasets.converters.cityscapes import convert_cityscapes

CONFIGS = Path(__file__).parents[2] / "configs" / "cityscapes"
SCRIPTS = "cityscapesscripts.evaluation.evalInstanceLevelSemanticLabeling"
VAL = "annotations/instancesonly_filtered_gtFine_val.json"


def small(path, root, work_dir):
    """The config on a small tree, one iteration, a ResNet-18 without weights."""
    cfg = load_config(path)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        inner = loader.dataset.get("dataset", loader.dataset)
        inner.data_root = str(root)
        for step in inner.pipeline:
            if "scale" in step:
                step.scale = [(160, 100), (160, 120)] if "Random" in step.type else (160, 120)
        loader.update(num_workers=0, persistent_workers=False)
    evaluators = cfg.val_evaluator if isinstance(cfg.val_evaluator, list) else [cfg.val_evaluator]
    evaluators[0].ann_file = str(root / VAL)
    if len(evaluators) > 1:
        evaluators[1].update(
            seg_prefix=str(root / "gtFine/val"), outfile_prefix=str(work_dir / "instance")
        )
    cfg.model.backbone.depth = 18
    cfg.model.neck.in_channels = [64, 128, 256, 512]
    cfg.model.train_cfg.rcnn.sampler.num = 32
    cfg.model.test_cfg.rpn.max_per_img = 50
    cfg.model.test_cfg.rcnn.score_thr = 0.0  # an untrained model still finds something
    cfg.train_cfg = {"type": "IterBasedTrainLoop", "max_iters": 1, "val_interval": 1}
    cfg.test_dataloader = cfg.test_evaluator = cfg.test_cfg = None
    cfg.param_scheduler, cfg.default_hooks.checkpoint = [], None
    cfg.load_from, cfg.work_dir = None, str(work_dir)
    return cfg


@pytest.mark.parametrize(
    "name",
    [pytest.param("faster-rcnn_r50_fpn", marks=pytest.mark.slow), "mask-rcnn_r50_fpn"],
)
def test_config_trains_a_step_and_gives_its_numbers(cityscapes_root, tmp_path, name):
    if name.startswith("mask"):
        pytest.importorskip(SCRIPTS, reason="cityscapesscripts is not installed")
    convert_cityscapes(cityscapes_root, cityscapes_root / "annotations")
    path = CONFIGS / f"{name}_1x_cityscapes.py"
    runner = Runner.from_cfg(small(path, cityscapes_root, tmp_path / "run"))
    runner.train()
    logged = set(runner.message_hub.log_scalars)
    assert "val/coco/bbox_mAP" in logged
    if name.startswith("mask"):
        assert {"val/coco/segm_mAP", "val/cityscapes/mAP", "val/cityscapes/AP@50"} <= logged
        assert len(list((tmp_path / "run/instance.results").glob("*_pred.txt"))) == 3
