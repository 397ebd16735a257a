"""Values by dotted key, and differences of two configs."""

import copy

from mmdet_lite.config import ABSENT, differences, leaves


def test_lists_of_dicts_are_gone_into_at_any_depth() -> None:
    views = [[{"type": "Flip", "prob": 1.0}], [{"type": "Pack"}]]
    assert dict(leaves({"tta": views, "scale": [1, 2], "hook": {}, "none": None})) == {
        "tta.0.0.type": "Flip",
        "tta.0.0.prob": 1.0,
        "tta.1.0.type": "Pack",
        "scale": [1, 2],
        "hook": {},
        "none": None,
    }


def test_nothing_differs_between_tuples_and_lists_or_in_an_equal_config() -> None:
    config = {"a": [{"type": "X", "scale": (1, 2)}], "b": 3}
    same = {"b": 3, "a": ({"type": "X", "scale": [1, 2]},)}
    before = copy.deepcopy((config, same))
    assert list(differences(config, same)) == []
    assert (config, same) == before


def test_a_transform_more_does_not_make_those_behind_it_differ() -> None:
    old = [{"type": "Load"}, {"type": "Resize", "scale": 1}, {"type": "Pack"}]
    new = [old[0], {"type": "Crop", "size": 5}, {"type": "Resize", "scale": 2}, old[2]]
    assert list(differences({"p": old}, {"p": new})) == [
        ("p.1", ABSENT, {"type": "Crop", "size": 5}),
        ("p.2.scale", 1, 2),
    ]
    assert list(differences({"p": new}, {"p": old})) == [
        ("p.1", {"type": "Crop", "size": 5}, ABSENT),
        ("p.1.scale", 2, 1),
    ]


def test_a_dict_that_became_something_else_is_one_difference() -> None:
    assert list(differences({"a": {"b": 1}, "c": 1}, {"a": None})) == [
        ("a", {"b": 1}, None),
        ("c", 1, ABSENT),
    ]
