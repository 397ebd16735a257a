import pytest
from torch import nn

from mmdet_lite.checkpoint.preprocessing import (
    model_preprocessing,
    prepared_alike,
    stored_preprocessing,
    stored_style,
)
from mmdet_lite.models import DetDataPreprocessor

RGB = {"order": "RGB", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
BGR = {"order": "BGR", "mean": [103.53, 116.28, 123.675], "std": [1.0, 1.0, 1.0]}
THREE = """
model = dict(type='MaskRCNN', data_preprocessor=dict(type='DetDataPreprocessor',
    bgr_to_rgb=False, mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0]),
    roi_head=dict(bbox_coder=dict(target_means=[0.0], target_stds=[1.0])))
"""
TWO = """/home/me/config.py
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
train_pipeline = [dict(type='Normalize', **img_norm_cfg),
    dict(type='Normalize', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
         to_rgb=True)]
"""


class Model(nn.Module):
    def __init__(self, **preprocessor):
        super().__init__()
        self.data_preprocessor = DetDataPreprocessor(**preprocessor)


def rgb_model():
    return Model(mean=RGB["mean"], std=RGB["std"], bgr_to_rgb=True)


def test_configs_in_checkpoints_of_both_versions_are_read():
    assert stored_preprocessing({"meta": {"cfg": THREE}}) == BGR
    assert stored_preprocessing({"meta": {"config": TWO}}) == RGB


@pytest.mark.parametrize(
    "meta",
    [{}, {"cfg": "this is ( no python"}, {"cfg": "a = 1"}, {"cfg": "d = dict(mean=m, std=s)"},
     {"cfg": THREE + TWO.split("\n", 1)[1]}, {"cfg": THREE, "preprocessing": None}],
)  # fmt: skip
def test_nothing_is_read_where_nothing_is_clear(meta):
    assert stored_preprocessing({"meta": meta}) is None


def test_config_text_is_not_run(tmp_path):
    stored_preprocessing({"meta": {"cfg": f"open({str(tmp_path / 'ran')!r}, 'w')"}})
    assert not (tmp_path / "ran").exists()


def test_style_of_the_backbone_is_read_where_all_parts_have_the_same():
    two = "model = dict(backbone=dict(style='caffe'), shared_head=dict(style={!r}), style=3)"
    assert stored_style({"meta": {"cfg": two.format("caffe")}}) == "caffe"
    assert stored_style({"meta": {"cfg": two.format("pytorch")}}) is None
    for meta in ({}, {"cfg": THREE}, {"cfg": "this is ( no python"}):
        assert stored_style({"meta": meta}) is None


def alike(stored, model):
    return prepared_alike(stored, model_preprocessing(model))


def test_equal_nearly_equal_and_unknown_are_alike():
    assert alike(RGB, rgb_model())
    assert alike(None, rgb_model())
    assert alike(BGR, nn.Linear(1, 1))
    assert alike(BGR, Model(mean=[102.9801, 115.9465, 122.7717], std=[1, 1, 1]))
    one_number = Model(mean=[128.0], std=[1.0])
    assert alike({"order": "BGR", "mean": [128.0] * 3, "std": [1.0] * 3}, one_number)


@pytest.mark.parametrize("change", [{"order": "BGR"}, {"mean": [0.0] * 3}, {"std": [1.0] * 3}])
def test_each_of_the_three_counts(change):
    assert not alike({**RGB, **change}, rgb_model())


def test_scaled_images_are_no_mistake_of_rounding():
    scaled = [value * 1.2 for value in RGB["std"]]
    assert not alike(RGB, Model(mean=RGB["mean"], std=scaled, bgr_to_rgb=True))


def test_pictures_of_many_channels_are_not_compared():
    own = {"order": "BGR", "mean": [1.0] * 5, "std": [1.0] * 5}
    assert prepared_alike(RGB, own)
