from pathlib import Path
from typing import Any

import pytest

from mmdet_lite.config import load_config
from mmdet_lite.config.older import OLDER_KEYS

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
MASK = CONFIGS / "mask_rcnn" / "mask-rcnn_r50_fpn_1x_coco.py"


def get(cfg: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        cfg = cfg[int(part)] if part.isdigit() else cfg[part]
    return cfg


TRANSLATED = [
    ("evaluation = dict(interval=12)", {"train_cfg.val_interval": 12}),
    (
        "evaluation = dict(metric=['bbox'], save_best='segm_mAP', classwise=True)",
        {
            "val_evaluator.metric": ["bbox"],
            "val_evaluator.classwise": True,
            "default_hooks.checkpoint.save_best": "coco/segm_mAP",
        },
    ),
    (
        "dist_params = dict(backend='gloo', port=29501)",
        {"env_cfg.dist_cfg.backend": "gloo", "env_cfg.dist_cfg.port": 29501},
    ),
    (
        "optimizer = dict(lr=0.01)",
        {"optim_wrapper.optimizer.lr": 0.01, "optim_wrapper.optimizer.momentum": 0.9},
    ),
    (
        "optimizer = dict(type='AdamW', lr=0.1, paramwise_cfg=dict(norm_decay_mult=0.0))",
        {
            "optim_wrapper.optimizer": {"type": "AdamW", "lr": 0.1},
            "optim_wrapper.paramwise_cfg.norm_decay_mult": 0.0,
        },
    ),
    (
        "optimizer_config = dict(grad_clip=dict(max_norm=35, norm_type=2))",
        {"optim_wrapper.clip_grad": {"max_norm": 35, "norm_type": 2}},
    ),
    (
        "optimizer_config = dict(type='GradientCumulativeOptimizerHook', cumulative_iters=4)",
        {"optim_wrapper.accumulative_counts": 4, "optim_wrapper.type": "OptimWrapper"},
    ),
    (
        "fp16 = dict(loss_scale=512.0)",
        {"optim_wrapper.type": "AmpOptimWrapper", "optim_wrapper.loss_scale": 512.0},
    ),
    (
        "runner = dict(type='IterBasedRunner', max_iters=90000)",
        {"train_cfg": {"type": "IterBasedTrainLoop", "val_interval": 1, "max_iters": 90000}},
    ),
    ("runner = dict(type='EpochBasedRunner', max_epochs=24)", {"train_cfg.max_epochs": 24}),
    ("total_epochs = 36", {"train_cfg.max_epochs": 36}),
    ("resume_from = 'a.pth'", {"resume": True, "load_from": "a.pth"}),
    ("resume_from = None", {"resume": False, "load_from": None}),
    (
        "checkpoint_config = dict(interval=5)",
        {"default_hooks.checkpoint.interval": 5, "default_hooks.checkpoint.max_keep_ckpts": 3},
    ),
    (
        "log_config = dict(interval=7, hooks=[dict(type='TextLoggerHook')])",
        {"default_hooks.logger.interval": 7},
    ),
    ("workflow = [('train', 1)]", {}),
    (
        "data = dict(samples_per_gpu=4, workers_per_gpu=0)",
        {
            "train_dataloader.batch_size": 4,
            "train_dataloader.num_workers": 0,
            "test_dataloader.num_workers": 0,
            "train_dataloader.persistent_workers": False,
            "val_dataloader.batch_size": 1,
        },
    ),
    (
        "total_epochs = 24\nlr_config = dict(policy='step', warmup='linear', warmup_iters=500, "
        "warmup_ratio=0.001, step=[16, 22])",
        {
            "param_scheduler": [
                {"type": "LinearLR", "start_factor": 0.001, "by_epoch": False, "begin": 0}
                | {"end": 500},
                {"type": "MultiStepLR", "by_epoch": True, "begin": 0, "end": 24}
                | {"milestones": [16, 22], "gamma": 0.1},
            ]
        },
    ),
    ("lr_config = dict(step=[9])", {"param_scheduler.1.milestones": [9]}),
    ("lr_config = dict(warmup_iters=100)", {"param_scheduler.0.end": 100}),
    ("cudnn_benchmark = True", {"env_cfg.cudnn_benchmark": True}),
    ("seed = 3", {"randomness.seed": 3}),
]


@pytest.mark.parametrize(("text", "expected"), TRANSLATED, ids=lambda v: str(v)[:40])
def test_older_key_is_translated_and_said(
    text: str, expected: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "child.py"
    path.write_text(f'_base_ = "{MASK}"\n{text}')
    cfg = load_config(path, check=False)
    for key, value in expected.items():
        assert get(cfg, key) == value
    said = capfd.readouterr().err
    for line in text.splitlines():
        old = line.split(" = ")[0]
        assert old not in cfg
        assert old in said
        assert " -> " in said


def test_overrides_in_the_older_spelling_are_translated() -> None:
    overrides = {"optimizer.lr": 0.005, "evaluation.interval": 3, "dist_params.port": 1}
    cfg = load_config(MASK, overrides, check=False)
    assert cfg.optim_wrapper.optimizer.lr == 0.005
    assert cfg.optim_wrapper.optimizer.type == "SGD"
    assert cfg.train_cfg.val_interval == 3
    assert cfg.env_cfg.dist_cfg.port == 1


REFUSED = [
    ("data = dict(train=dict(ann_file='a.json'))", r"data\.train: .*train_dataloader=dict"),
    ("workflow = [('train', 1), ('val', 1)]", r"workflow: .*train_cfg\.val_interval"),
    ("lr_config = dict(policy='CosineAnnealing')", r"lr_config\.policy: .*param_scheduler="),
    ("lr_config = dict(policy='step', step=[8], min_lr=0)", r"lr_config\.min_lr: "),
    ("evaluation = dict(gpu_collect=True)", r"evaluation\.gpu_collect: .*val_evaluator"),
    ("optimizer_config = dict(detect_anomalous_params=True)", r"optimizer_config\.detect"),
    ("optimizer = 'SGD'", r"optimizer: .*expected a dict, got 'SGD'"),
    ("log_config = dict(hooks=[dict(type='WandbLoggerHook')])", r"Wandb.*vis_backends"),
    ("runner = dict(type='MyRunner')", r"runner\.type: .*'MyRunner' has no counterpart"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=lambda v: v[:30])
def test_older_key_without_exact_counterpart_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "child.py"
    path.write_text(f'_base_ = "{MASK}"\n{text}')
    with pytest.raises(ValueError, match=f"{message}.*child.py"):
        load_config(path, check=False)


def test_no_older_key_survives_in_our_own_configs() -> None:
    for path in CONFIGS.rglob("*.py"):
        names = {line.split(" = ")[0] for line in path.read_text().splitlines() if " = " in line}
        assert not names & set(OLDER_KEYS)
