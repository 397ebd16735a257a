from pathlib import Path

import pytest
from mmengine.config import DictAction

from mmdet_lite.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
MASK = CONFIGS / "mask_rcnn" / "mask-rcnn_r50_fpn_1x_coco.py"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def child(folder: Path, text: str = "") -> Path:
    return write(folder, "child.py", f'_base_ = "{MASK}"\n{text}')


def test_overrides_reach_nested_keys_and_new_keys() -> None:
    overrides = {"model.backbone.depth": 18, "optim_wrapper.clip_grad.max_norm": 35}
    cfg = load_config(MASK, overrides, check=False)
    assert cfg.model.backbone.depth == 18
    assert cfg.model.backbone.style == "pytorch"
    assert cfg.optim_wrapper.clip_grad == {"max_norm": 35}
    assert overrides == {"model.backbone.depth": 18, "optim_wrapper.clip_grad.max_norm": 35}


def test_overrides_index_lists(tmp_path: Path) -> None:
    path = child(
        tmp_path,
        "model = dict(roi_head=dict(bbox_head=[dict(_delete_=True, num_classes=80), dict(a=1)]))",
    )
    overrides = {"model.roi_head.bbox_head.0.num_classes": 3, "param_scheduler.1.milestones": [4]}
    cfg = load_config(path, overrides, check=False)
    assert cfg.model.roi_head.bbox_head[0].num_classes == 3
    assert cfg.model.roi_head.bbox_head[1] == {"a": 1}
    assert cfg.param_scheduler[1].milestones == [4]


def test_what_cfg_options_parses_is_what_overrides_take() -> None:
    scale = DictAction._parse_iterable("(640,400)")
    cfg = load_config(MASK, {"train_pipeline.2.scale": scale}, check=False)
    assert cfg.train_pipeline[2].scale == (640, 400)


def test_overridden_pipeline_variable_reaches_the_dataloaders_made_from_it() -> None:
    cfg = load_config(MASK, {"test_pipeline.1.scale": (640, 400)}, check=False)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.pipeline[1].scale == (640, 400)
    assert cfg.train_dataloader.dataset.pipeline[2].scale == (1333, 800)


def test_overridden_pipeline_is_followed_whatever_else_is_overridden() -> None:
    overrides = {"train_pipeline.2.scale": (640, 400), "train_dataloader.dataset.indices": 8}
    cfg = load_config(MASK, overrides, check=False)
    assert cfg.train_dataloader.dataset.pipeline[2].scale == (640, 400)
    assert cfg.train_dataloader.dataset.indices == 8
    own = {
        "train_pipeline.2.scale": (640, 400),
        "train_dataloader.dataset.pipeline.2.scale": (9, 9),
    }
    cfg = load_config(MASK, own, check=False)
    assert cfg.train_dataloader.dataset.pipeline[2].scale == (9, 9)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("train_pipeline.9.scale", "train_pipeline has 5 entries, numbered 0 to 4"),
        ("train_pipeline.first.scale", "train_pipeline has 5 entries, numbered 0 to 4"),
        ("work_dir.a", "work_dir is 'here', which has no keys inside"),
    ],
)
def test_override_that_does_not_fit_is_named_alone(key: str, message: str, tmp_path: Path) -> None:
    fine = {"model.backbone.depth": 18}
    with pytest.raises(ValueError) as error:
        load_config(child(tmp_path, "work_dir = 'here'"), {**fine, key: 1}, check=False)
    assert str(error.value) == f"{key}: {message} (set by an override, --cfg-options)"


def test_redefined_pipeline_that_no_dataloader_uses_is_warned_about(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = child(tmp_path, "train_pipeline = [dict(type='LoadImageFromFile')]")
    for overrides in ({}, {"train_pipeline.0.to_float32": True}):
        load_config(path, overrides, check=False)
        said = capfd.readouterr().err
        assert said.count("WARNING: train_pipeline is set but no dataloader uses it") == 1


def test_redefined_pipeline_that_is_used_is_not_warned_about(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "train_pipeline = [dict(type='LoadImageFromFile')]\n"
    text += "train_dataloader = dict(dataset=dict(pipeline=train_pipeline))"
    cfg = load_config(child(tmp_path, text), check=False)
    assert len(cfg.train_dataloader.dataset.pipeline) == 1
    assert "WARNING" not in capfd.readouterr().err


def test_override_of_a_variable_that_was_used_up_names_the_keys_that_count() -> None:
    with pytest.raises(ValueError, match=r"^data_root: 'data_root' is a variable") as error:
        load_config(MASK, {"data_root": "elsewhere/"}, check=False)
    named = [line.split()[0] for line in str(error.value).splitlines()[1:-1]]
    sections = [f"{part}_dataloader.dataset.data_root" for part in ("train", "val", "test")]
    assert set(sections) <= set(named) and "val_evaluator.ann_file" in named
    assert len(named) == len(set(named))


def test_key_below_a_variable_is_named_below_the_keys_made_from_it(tmp_path: Path) -> None:
    text = "info = dict(classes=('a',))\ntrain_dataloader = dict(dataset=dict(metainfo=info))"
    path = child(tmp_path, text)
    with pytest.raises(ValueError, match=r"\n  train_dataloader\.dataset\.metainfo\.classes\n"):
        load_config(path, {"info.classes": ("b",)}, check=False)
    with pytest.raises(ValueError, match=r"^no_such: nothing reads this \(set by an override"):
        load_config(path, {"no_such": 1}, check=False)


def test_file_of_another_kind_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"README\.md is no config file: .*\.py"):
        load_config(write(tmp_path, "README.md", "# text"))


def test_missing_file_names_the_nearest_config() -> None:
    with pytest.raises(FileNotFoundError, match=r"did you mean .*mask-rcnn_r50_fpn_1x_coco\.py\?"):
        load_config(MASK.with_name("mask-rcnn_r50_fpn_1xx_coco.py"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mask_rcnn_r50_fpn_1x_coco.py", "mask-rcnn_r50_fpn_1x_coco.py"),
        (
            "mask_rcnn_r50_caffe_fpn_mstrain-poly_1x_coco.py",
            "mask-rcnn_r50-caffe_fpn_ms-poly-1x_coco.py",
        ),
    ],
)
def test_file_name_of_mmdetection_2_finds_todays_and_says_so(
    old: str, new: str, capfd: pytest.CaptureFixture[str]
) -> None:
    cfg = load_config(MASK.with_name(old), check=False)
    assert Path(cfg.filename).name == new
    assert f"{new}" in capfd.readouterr().err


def test_folder_instead_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is a folder"):
        load_config(tmp_path)


def test_missing_base_is_named_with_the_chain(tmp_path: Path) -> None:
    write(tmp_path, "middle.py", '_base_ = "./gone.py"')
    leaf = write(tmp_path, "leaf.py", '_base_ = ["./middle.py"]')
    with pytest.raises(FileNotFoundError) as error:
        load_config(leaf)
    message = str(error.value)
    assert "gone.py does not exist" in message
    assert message.index("middle.py") < message.index("leaf.py")


def test_base_that_leads_back_is_an_error(tmp_path: Path) -> None:
    a = write(tmp_path, "a.py", '_base_ = "./b.py"')
    write(tmp_path, "b.py", '_base_ = "./a.py"')
    with pytest.raises(ValueError, match="inherits itself"):
        load_config(a)


def test_syntax_error_names_file_and_line_of_the_base(tmp_path: Path) -> None:
    write(tmp_path, "base.py", "x = 1\nmodel = dict(type='A'\n")
    leaf = write(tmp_path, "leaf.py", '_base_ = "./base.py"')
    with pytest.raises(SyntaxError, match=r"base\.py:2: .*never closed"):
        load_config(leaf)


def test_templates_of_mmengine_are_filled_in(tmp_path: Path) -> None:
    leaf = write(
        tmp_path, "leaf.py", "a = {{'$NOT_SET_ANYWHERE:7'}}\nwork_dir = '{{ fileBasename }}'"
    )
    cfg = load_config(leaf, check=False)
    assert cfg.a == 7
    assert cfg.work_dir.endswith(".py")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("optim_wraper", "optim_wrapper"),
        ("train_dataloder", "train_dataloader"),
        ("default_hook", "default_hooks"),
        ("test_evalutor", "test_evaluator"),
        ("evaluaton", "evaluation"),
    ],
)
def test_misspelt_section_is_an_error_with_file_and_line(
    wrong: str, right: str, tmp_path: Path
) -> None:
    path = child(tmp_path, f"\n{wrong} = dict(a=1)")
    with pytest.raises(ValueError, match=rf"^{wrong}: .*did you mean '{right}'\?.*child\.py:3\)"):
        load_config(path, check=False)


def test_helper_variables_are_no_error(tmp_path: Path) -> None:
    text = "conv_cfg = dict(type='ConvWS')\nval_evaluator_city = dict(a=1)\nimg_scales = [(1, 1)]\n"
    text += "base_lr = 0.1\ntrain_dataset = dict(type='X')"
    assert load_config(child(tmp_path, text), check=False).base_lr == 0.1


def test_misspelt_override_is_an_error() -> None:
    for wrong, right in (("load_fro", "load_from"), ("evaluaton.interval", "evaluation")):
        with pytest.raises(ValueError, match=f"^{wrong}: .*'{right}'.*--cfg-options"):
            load_config(MASK, {wrong: 2}, check=False)


def test_scope_of_mmdetection_is_translated_at_any_depth(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "default_scope = 'mmdet'\n"
    text += "custom_hooks = [dict(type='mmdet.NumClassCheckHook')]\n"
    text += "model = dict(_scope_='mmdet', backbone=dict(type='mmdet.ResNet'))\n"
    text += "wrapped = (dict(a=[dict(type='mmdet.X')]),)\nother = dict(type='mmengine.Y')"
    cfg = load_config(child(tmp_path, text), check=False)
    assert cfg.default_scope == "mmdet_lite"
    assert cfg.custom_hooks[0].type == "NumClassCheckHook"
    assert cfg.model.backbone.type == "ResNet"
    assert cfg.model._scope_ == "mmdet_lite"
    assert cfg.wrapped[0].a[0].type == "X"
    assert cfg.other.type == "mmengine.Y"
    assert capfd.readouterr().err == ""  # there is nothing to do about it


def test_config_without_scope_gets_ours_and_a_users_own_stays(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "a.py", "x = 1")).default_scope == "mmdet_lite"
    own = write(tmp_path, "b.py", "default_scope = 'my_project'")
    assert load_config(own).default_scope == "my_project"


def test_loaded_config_reads_again_from_its_own_text(tmp_path: Path) -> None:
    cfg = load_config(MASK, {"optimizer.lr": 0.01}, check=False)
    again = load_config(write(tmp_path, "dumped.py", cfg.pretty_text), check=False)
    assert again.to_dict() == cfg.to_dict()
