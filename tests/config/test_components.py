from pathlib import Path

import pytest

from mmdet_lite.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
MASK = CONFIGS / "mask_rcnn" / "mask-rcnn_r50_fpn_1x_coco.py"
LSJ = CONFIGS / "mask_rcnn" / "mask-rcnn_r50_fpn_8xb8-amp-lsj-200e_coco.py"

WRONG = [
    ("model.backbone.type", "ResNett", "did you mean 'ResNet'?"),
    ("model.roi_head.bbox_head.num_clases", 3, "Shared2FCBBoxHead has no argument 'num_clases'"),
    ("model.roi_head.bbox_head.num_clases", 3, "did you mean 'num_classes'?"),
    ("model.roi_heads", {"type": "StandardRoIHead"}, "did you mean 'roi_head'?"),
    ("model.rpn_head.anchor_generator.ratio", [1.0], "did you mean 'ratios'?"),
    ("model.train_cfg.rcnn.assigner.type", "MaxIouAssigner", "did you mean 'MaxIoUAssigner'?"),
    ("model.train_cfg.rpn.sampler.nums", 1, "did you mean 'num'?"),
    ("model.rpn_head.loss_cls.use_sigmoide", True, "did you mean 'use_sigmoid'?"),
    ("model.backbone.norm_cfg.requires_gard", True, "did you mean 'requires_grad'?"),
    ("model.backbone.init_cfg.chekpoint", "a", "did you mean 'checkpoint'?"),
    ("model.data_preprocessor.pad_size_diviser", 1, "did you mean 'pad_size_divisor'?"),
    ("train_dataloader.batchsize", 4, "did you mean 'batch_size'?"),
    ("train_dataloader.dataset.ann_fil", "a", "did you mean 'ann_file'?"),
    ("train_dataloader.dataset.pipeline.3.type", "RandomFlipp", "did you mean 'RandomFlip'?"),
    ("train_dataloader.dataset.pipeline.3.probe", 0.5, "did you mean 'prob'?"),
    ("train_dataloader.sampler.shufle", True, "did you mean 'shuffle'?"),
    ("val_evaluator.classwize", True, "did you mean 'classwise'?"),
    ("train_cfg.max_epoch", 3, "did you mean 'max_epochs'?"),
    ("optim_wrapper.acumulative_counts", 2, "did you mean 'accumulative_counts'?"),
    ("optim_wrapper.optimizer.momentun", 0.9, "did you mean 'momentum'?"),
    ("optim_wrapper.paramwise_cfg.norm_decay", 0.0, "did you mean 'norm_decay_mult'?"),
    ("param_scheduler.1.milestone", [8], "did you mean 'milestones'?"),
    ("default_hooks.checkpoint.max_keep_ckpt", 3, "did you mean 'max_keep_ckpts'?"),
    ("default_hooks.logger.intervall", 3, "did you mean 'interval'?"),
    ("custom_hooks", [{"type": "NumClasCheckHook"}], "custom_hooks.0.type: 'NumClasCheckHook'"),
    ("visualizer.vis_backends.0.type", "LocalVisBackends", "did you mean 'LocalVisBackend'?"),
    ("auto_scale_lr.base_batchsize", 8, "did you mean 'base_batch_size'?"),
    ("env_cfg.cudnn_benchmarks", True, "did you mean 'cudnn_benchmark'?"),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG, ids=lambda v: str(v)[:50])
def test_wrong_name_is_an_error_that_starts_with_its_dotted_key(
    key: str, value: object, message: str
) -> None:
    with pytest.raises(ValueError) as error:
        load_config(MASK, {key: value})
    assert str(error.value).startswith(key)
    assert message in str(error.value)
    assert "--cfg-options" in str(error.value)


def test_error_names_file_and_line_where_the_name_stands(tmp_path: Path) -> None:
    base = tmp_path / "base.py"
    base.write_text(f'_base_ = "{MASK}"\n\nmodel = dict(neck=dict(\n    num_out=5))\n')
    leaf = tmp_path / "leaf.py"
    leaf.write_text('_base_ = "./base.py"\n')
    with pytest.raises(ValueError, match=r"model\.neck\.num_out: FPN .*base\.py:4\)"):
        load_config(leaf)


def test_unknown_type_names_its_line(tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.py"
    leaf.write_text(f'_base_ = "{MASK}"\nmodel = dict(neck=dict(\n    type="FPNN"))\n')
    with pytest.raises(ValueError, match=r"model\.neck\.type: 'FPNN' .*leaf\.py:3\)"):
        load_config(leaf)


def test_wrapped_data_sets_are_walked() -> None:
    key = "train_dataloader.dataset.dataset.pipeline.3.crop_sise"
    with pytest.raises(ValueError, match=f"{key}: RandomCrop has no argument"):
        load_config(LSJ, {key: (1, 1)})


PIPELINE = "train_dataloader.dataset.pipeline"


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ({"type": "RandAugment", "aug_space": [[{"type": "Rotat"}]]}, r"aug_space\.0\.0\.type"),
        (
            {"type": "AutoAugment", "policies": [[{"type": "Color"}, {"type": "Invert", "x": 1}]]},
            r"policies\.0\.1\.x: Invert has no argument 'x'",
        ),
        ({"type": "RandomOrder", "transforms": [{"type": "Rotat"}]}, "did you mean 'Rotate'"),
        ({"type": "Albu", "transforms": [], "bbox_parms": {}}, "did you mean 'bbox_params'"),
    ],
)
def test_transforms_inside_of_transforms_are_walked(transform: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_config(MASK, {PIPELINE: [transform]})


def test_transforms_of_another_library_are_not_looked_up_here() -> None:
    inner = [{"type": "OneOf", "transforms": [{"type": "Blur", "blur_limit": 3}], "p": 0.1}]
    cfg = load_config(MASK, {PIPELINE: [{"type": "Albu", "transforms": inner}]})
    assert cfg.train_dataloader.dataset.pipeline[0].transforms[0].type == "OneOf"


def test_batch_augments_are_walked() -> None:
    key = "model.data_preprocessor.batch_augments.0.sizes"
    with pytest.raises(ValueError, match=f"{key}: BatchFixedSizePad"):
        load_config(LSJ, {key: (1, 1)})


def test_component_without_type_is_an_error(tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.py"
    leaf.write_text("default_hooks = dict(checkpoint=dict(interval=1))")
    with pytest.raises(ValueError, match=r"default_hooks\.checkpoint: needs a 'type'"):
        load_config(leaf)


def test_what_the_builders_take_out_is_no_false_alarm() -> None:
    overrides = {
        "custom_hooks": [{"type": "EMAHook", "momentum": 0.001, "priority": 49}],
        "param_scheduler.1.convert_to_iter_based": True,
        "train_dataloader.num_batch_per_epoch": 3,
        "train_dataloader.collate_fn": {"type": "default_collate"},
        "optim_wrapper.constructor": "DefaultOptimWrapperConstructor",
        "model.neck.init_cfg": [{"type": "Normal", "layer": "Conv2d", "std": 0.01}],
        "default_hooks.timer": None,
        "train_cfg": {"_delete_": True, "by_epoch": False, "max_iters": 3, "val_interval": 1},
        "val_cfg": {"_delete_": True},
        "val_evaluator": {"_delete_": True, "metrics": [{"type": "CocoMetric"}]},
        "optim_wrapper.optimizer.fused": False,
    }
    load_config(MASK, overrides)


def test_empty_config_passes(tmp_path: Path) -> None:
    leaf = tmp_path / "leaf.py"
    leaf.write_text("")
    assert load_config(leaf).default_scope == "mmdet_lite"


@pytest.mark.parametrize("name", ["nn.Linear", "Quux"])
def test_type_that_nothing_resembles_has_no_hint(name: str) -> None:
    with pytest.raises(ValueError) as error:
        load_config(MASK, {"model.roi_head.mask_head.type": name})
    assert "did you mean" not in str(error.value)
    assert "docs/from_mmdetection.md" in str(error.value)
