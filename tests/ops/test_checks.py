import pytest

from mmdet_lite.ops.checks import check_keys, did_you_mean, likeness, nearest_name, need_num_classes


def test_known_keys_pass() -> None:
    check_keys({}, [], "model.train_cfg")
    check_keys({"rpn": 1, "rcnn": None}, {"rpn", "rcnn", "rpn_proposal"}, "model.train_cfg")


def test_unknown_key_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"^model\.test_cfg\.rcnn\.score_th: .*'score_thr'\?"):
        check_keys({"nms": 1, "score_th": 0.1}, ["nms", "score_thr"], "model.test_cfg.rcnn")


def test_missing_number_of_classes_is_named_with_its_key() -> None:
    assert need_num_classes(0, "SSDHead", "bbox_head") == 0
    with pytest.raises(
        ValueError, match=r"^SSDHead: num_classes is missing.*model\.bbox_head\.num_cl"
    ):
        need_num_classes(None, "SSDHead", "bbox_head")


def test_nearest_name_ignores_case_and_may_be_none() -> None:
    assert nearest_name("maxiouassigner", ["MaxIoUAssigner", "RandomSampler"]) == "MaxIoUAssigner"
    assert nearest_name("zzz", ["MaxIoUAssigner"]) is None
    assert nearest_name("a", []) is None


def test_known_names_are_listed_where_none_is_near() -> None:
    assert did_you_mean("zzz", ["b", "a"]) == "known are: a, b"
    many = did_you_mean("zzz", [f"name{i}" for i in range(30)])
    assert many.count("name") == 10
    assert did_you_mean("zzz", []) == "nothing is known here"


def test_likeness_of_equal_names_is_one() -> None:
    assert likeness("abc", "abc") == 1.0
    assert likeness("abc", "xyz") == 0.0
