"""Where a training begins."""

import torch
from mmengine.config import Config

from mmdet_lite.cli.start import Start, choose_start, with_start

PRETRAINED = {"type": "Pretrained", "checkpoint": "torchvision://resnet50"}


def test_pretrained_weights_are_not_fetched_where_the_file_has_the_backbone(tmp_path):
    cfg = Config({"model": {"backbone": {"type": "ResNet", "init_cfg": PRETRAINED}}})
    cfg.work_dir = str(tmp_path / "run")
    for key, wanted in (("backbone.conv1.weight", None), ("neck.weight", PRETRAINED)):
        cfg.load_from = str(tmp_path / f"{key}.pth")
        torch.save({"state_dict": {key: torch.zeros(1)}}, cfg.load_from)
        args = Config({"resume": None})
        started = with_start(cfg, choose_start(cfg, args))
        assert started.model.backbone.init_cfg == wanted
    resumed = with_start(cfg, Start("a.pth", {"epoch": 1, "iter": 2}, has_backbone=True))
    assert resumed.resume and resumed.model.backbone.init_cfg is None
    assert cfg.model.backbone.init_cfg == PRETRAINED
