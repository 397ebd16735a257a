from functools import lru_cache

import pytest
import torch

import mmdet_lite.models  # noqa: F401
from mmdet_lite.checkpoint import model_config, zoo_models
from mmdet_lite.checkpoint.conventions import differences, model_conventions, options
from mmdet_lite.checkpoint.importers import detectron, detectron2, torchvision_detection
from mmdet_lite.cli.front_door import parse_overrides
from mmdet_lite.config import load_config
from mmdet_lite.registry import MODELS

CONVENTIONS_OF = {
    "Detectron": detectron.conventions_of,
    "Detectron2": detectron2.conventions_of,
    "torchvision": lambda ours: torchvision_detection.conventions_of(ours, of_coco=True),
}
CONFIGS = sorted(
    {
        (row.source, row.config)
        for row in zoo_models().values()
        if row.source in CONVENTIONS_OF and row.config
    }
)


@lru_cache(maxsize=2)
def built(path):
    cfg = load_config(path)
    with torch.device("meta"):
        return MODELS.build(cfg.model)


def config_path(config):
    row = next(row for row in zoo_models().values() if row.config == config)
    return str(model_config(row))


@pytest.mark.parametrize(("program", "config"), CONFIGS)
def test_configs_that_the_zoo_names_do_as_their_programs(program, config):
    model = built(config_path(config))
    assert differences(CONVENTIONS_OF[program](model.state_dict()), model) == {}


def test_conventions_of_a_model_are_read_from_its_parts():
    model = built(config_path("torchvision/mask-rcnn_r50_fpn_torchvision.py"))
    found = model_conventions(model)
    assert set(found.pop("norm_eps")) == {0.0} and set(found.pop("style")) == {"pytorch"}
    assert found == {
        "roi_align": [[False, 2], [False, 2]],
        "anchors": ["TorchvisionAnchorGenerator"],
        "anchor_center": [],
        "relu_before_extra_convs": [False],
        "mask_paste": ["whole_pixels"],
    }


def test_one_extractor_that_differs_counts():
    model = built(config_path("torchvision/mask-rcnn_r50_fpn_torchvision.py"))
    model.roi_head.mask_roi_extractor.aligned = True
    try:
        found = differences({"roi_align": [[False, 2]]}, model)
    finally:
        model.roi_head.mask_roi_extractor.aligned = False
    assert found == {"roi_align": ([False, 2], [True, 2])}


def test_nothing_is_compared_that_the_model_has_not():
    stored = {"style": ["caffe"], "roi_align": [[False, 2]], "mask_paste": ["whole_pixels"]}
    assert differences(stored, torch.nn.Linear(1, 1)) == {}


def test_pasted_options_remove_the_differences():
    stored = {"style": ["caffe"], "norm_eps": [0.0], "roi_align": [[False, 2]],
              "anchor_center": [0.5], "mask_paste": ["whole_pixels"]}  # fmt: skip
    path = config_path("mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py")
    found = differences(stored, built(path))
    assert set(found) == set(stored)
    texts = [o for name, (value, _) in found.items() for o in options(name, value, built(path))]
    with torch.device("meta"):
        model = MODELS.build(load_config(path, parse_overrides(texts)).model)
    assert differences(stored, model) == {}


def test_third_stage_of_detectron2s_cascade_has_its_weights():
    model = load_config(config_path("detectron2/cascade-mask-rcnn_r50_fpn_detectron2.py")).model
    weights = [
        [1 / std for std in head.bbox_coder.target_stds] for head in model.roi_head.bbox_head
    ]
    expected = [[10.0, 10.0, 5.0, 5.0], [20.0, 20.0, 10.0, 10.0], [30.0, 30.0, 15.0, 15.0]]
    assert weights == [pytest.approx(stage) for stage in expected]


@pytest.mark.parametrize(
    ("config", "keys", "refused"),
    [
        ("mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py", ["rpn_head.rpn_cls.weight"], True),
        ("detectron/mask-rcnn_r50_fpn_detectron.py", ["rpn_head.rpn_cls.weight"], False),
        ("mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py", ["backbone.conv1.weight"], False),
    ],
)
def test_anchors_of_detectrons_weights_stand_in_the_middle_of_cells(config, keys, refused):
    stored = detectron.conventions_of(dict.fromkeys(keys, torch.zeros(1)))
    found = differences({"anchor_center": stored.get("anchor_center", [0.0, 0.5])},
                        built(config_path(config)))  # fmt: skip
    assert found == ({"anchor_center": (0.5, 0.0)} if refused else {})
