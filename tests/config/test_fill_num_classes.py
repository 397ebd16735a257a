import pytest
from mmengine.config import Config

from mmdet_lite.config import fill_num_classes


def two_stage(bbox_head: object, mask_head: object) -> Config:
    roi_head = {"bbox_head": bbox_head, "mask_head": mask_head, "keypoint_head": {"type": "K"}}
    return Config({"model": {"rpn_head": {"type": "RPNHead"}, "roi_head": roi_head}})


def test_missing_numbers_are_filled_and_the_config_given_is_unchanged() -> None:
    cfg = two_stage({"type": "A"}, {"type": "B", "num_classes": 3})
    filled = fill_num_classes(cfg, 3, "train.json")
    assert filled.model.roi_head.bbox_head.num_classes == 3
    assert filled.model.roi_head.mask_head.num_classes == 3
    assert "num_classes" not in filled.model.roi_head.keypoint_head
    assert "num_classes" not in filled.model.rpn_head
    assert "num_classes" not in cfg.model.roi_head.bbox_head


def test_every_stage_of_a_cascade_is_filled() -> None:
    filled = fill_num_classes(two_stage([{"type": "A"}, {"type": "A"}], None), 2, "train.json")
    assert [head.num_classes for head in filled.model.roi_head.bbox_head] == [2, 2]


def test_contradiction_names_key_value_expected_and_source() -> None:
    cfg = two_stage([{"type": "A"}, {"type": "A", "num_classes": 80}], None)
    message = r"model\.roi_head\.bbox_head\.1\.num_classes: .* 80, expected 1 from train\.json"
    with pytest.raises(ValueError, match=message):
        fill_num_classes(cfg, 1, "train.json")


def test_single_stage_head_is_filled_but_not_an_rpn() -> None:
    retina = Config({"model": {"bbox_head": {"type": "RetinaHead"}}})
    assert fill_num_classes(retina, 4, "x").model.bbox_head.num_classes == 4
    rpn = Config({"model": {"bbox_head": {"type": "RPNHead", "num_classes": 1}}})
    assert fill_num_classes(rpn, 4, "x").model.bbox_head.num_classes == 1


def test_config_without_model_is_left_alone() -> None:
    assert fill_num_classes(Config({"a": 1}), 4, "x").to_dict() == {"a": 1}
