"""What a file in COCO form keeps of a base in VOC's form is taken out, and said."""

import pytest

from mmdet_lite.config import load_config

BASE = """
train_dataloader = dict(dataset=dict(type="RepeatDataset", times=2, dataset=dict(
    type="ConcatDataset", datasets=[dict(type="VOCDataset", data_prefix=dict(sub_data_root="a/"))]
)))
val_dataloader = dict(dataset=dict(type="VOCDataset", data_prefix=dict(sub_data_root="a/")))
val_evaluator = dict(type="VOCMetric", eval_mode="11points")
"""
OVER = """
_base_ = "base.py"
val_dataloader = dict(dataset=dict(type="CocoDataset", data_prefix=dict(img="")))
val_evaluator = dict(type="CocoMetric", metric="bbox")
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "over.py").write_text(OVER)
    return tmp_path


def test_keys_of_voc_are_taken_out_beside_cocos_form_with_a_line_each(files, capfd):
    cfg = load_config(files / "over.py", check=False)
    assert cfg.val_dataloader.dataset.data_prefix == {"img": ""}
    assert cfg.val_evaluator == {"type": "CocoMetric", "metric": "bbox"}
    said = capfd.readouterr().err
    assert said.count("config translated: ") == 2
    assert "val_evaluator.eval_mode is VOCMetric's -> taken out for CocoMetric" in said
    assert "val_dataloader.dataset.data_prefix.sub_data_root is VOCDataset's" in said


def test_what_is_in_vocs_form_keeps_its_keys(files, capfd):
    cfg = load_config(files / "base.py", check=False)
    inner = cfg.train_dataloader.dataset.dataset.datasets[0]
    assert inner.data_prefix == cfg.val_dataloader.dataset.data_prefix == {"sub_data_root": "a/"}
    assert cfg.val_evaluator.eval_mode == "11points"
    assert capfd.readouterr().err == ""


def test_a_key_that_was_written_for_coco_alone_is_an_error(files):
    (files / "wrong.py").write_text('val_evaluator = dict(type="CocoMetric", eval_modes="area")')
    with pytest.raises(ValueError, match="CocoMetric has no argument 'eval_modes'"):
        load_config(files / "wrong.py")
