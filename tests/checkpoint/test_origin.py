import logging

import pytest
from torch import nn

from mmdet_lite.checkpoint.origin import Origin, check_backbone_origin, check_origin, origin_of
from mmdet_lite.models import DetDataPreprocessor
from mmdet_lite.models.backbones.resnet import ResNet

RGB = {"order": "RGB", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
BGR = {"order": "BGR", "mean": [103.53, 116.28, 123.675], "std": [1.0, 1.0, 1.0]}
CAFFE = {"style": ["caffe"], "norm_eps": [0.0]}


class Detector(nn.Module):
    def __init__(self, style="pytorch"):
        super().__init__()
        preprocessing = {"mean": RGB["mean"], "std": RGB["std"], "bgr_to_rgb": True}
        self.data_preprocessor = DetDataPreprocessor(**preprocessing)
        self.backbone = ResNet(50, base_channels=4, style=style)


def test_images_prepared_otherwise_are_an_error_with_both_and_the_way_out():
    with pytest.raises(ValueError) as caught:
        check_origin(Origin(BGR), Detector(), "model.pth", exact=False)
    text = str(caught.value)
    for part in (
        "model.pth was trained on images that were prepared otherwise",
        "checkpoint: order BGR, mean [103.53,116.28,123.675], std [1,1,1]",
        "config:     order RGB, mean [123.675,116.28,103.53], std [58.395,57.12,57.375]",
        "model.data_preprocessor.bgr_to_rgb=False",
        "model.data_preprocessor.mean=[103.53,116.28,123.675]",
        "--no-preprocessing",
    ):
        assert part in text


def test_config_made_for_the_weights_comes_first_and_options_change_all_that_differs():
    origin = Origin(BGR, CAFFE, "configs/detectron2/x.py")
    with pytest.raises(ValueError) as caught:
        check_origin(origin, Detector(), "model.pth", exact=True)
    lines = str(caught.value).splitlines()
    assert lines[3] == "Take the config that is as these weights need it: configs/detectron2/x.py"
    assert "model.data_preprocessor.std=[1,1,1]" in lines[4]
    assert lines[4].endswith("model.backbone.style=caffe model.backbone.norm_cfg.eps=0.0")


def test_other_conventions_are_an_error_where_weights_are_used_as_they_are():
    with pytest.raises(ValueError, match="used in another way") as caught:
        check_origin(Origin(RGB, CAFFE), Detector(), "a.pth", exact=True)
    assert (
        "checkpoint: style caffe, norm_eps 0.0\n  config:     style pytorch, norm_eps 1e-05"
        in str(caught.value)
    )
    check_origin(Origin(RGB, {"style": ["caffe"]}), Detector("caffe"), "a.pth", exact=True)


def test_they_are_one_warning_where_a_training_starts(logged):
    check_origin(Origin(RGB, CAFFE, "configs/x.py"), Detector(), "a.pth", exact=False)
    check_backbone_origin(Origin(RGB, {"style": ["caffe"]}), Detector(), "b.pth")
    assert [level for level, _ in logged] == [logging.WARNING] * 2
    assert (
        logged[0][1].startswith("a.pth was trained with style caffe") and "\n" not in logged[0][1]
    )
    assert "configs/x.py" in logged[0][1]


@pytest.fixture
def logged(monkeypatch):
    lines = []
    monkeypatch.setattr(
        "mmdet_lite.checkpoint.origin.print_log",
        lambda text, logger, level: lines.append((level, text)),
    )
    return lines


def test_meta_says_the_origin_and_the_config_says_the_style():
    said = {"conventions": CAFFE, "preprocessing": BGR, "fitting_config": "configs/x.py"}
    assert origin_of({"meta": said}) == Origin(BGR, CAFFE, "configs/x.py")
    assert origin_of({"meta": {"cfg": "a = dict(style='caffe')"}}).conventions == {
        "style": ["caffe"]
    }
    assert origin_of({}) == origin_of({"meta": {"conventions": None}}) == Origin()
