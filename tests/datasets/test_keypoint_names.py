"""Names, mirror partners and lines of joints, from metainfo and file."""

import pytest

from mmdet_lite.datasets.keypoint_names import complete_keypoint_metainfo, flip_indices_by_name
from mmdet_lite.ops.coco_person import KEYPOINT_NAMES

PERSON = {"name": "person", "keypoints": ["nose", "left_eye", "right_eye"], "skeleton": [[1, 2]]}


def test_cocos_joints_change_left_and_right():
    pairs = ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16))
    wanted = list(range(17))
    for left, right in pairs:
        wanted[left], wanted[right] = right, left
    assert flip_indices_by_name(KEYPOINT_NAMES) == tuple(wanted)


def test_names_and_skeleton_come_from_the_category_counted_from_zero():
    given = {"classes": ("person",)}
    assert complete_keypoint_metainfo(given, [PERSON, {"name": "car"}], "f.json") == {
        "classes": ("person",),
        "keypoint_names": ("nose", "left_eye", "right_eye"),
        "flip_indices": (0, 2, 1),
        "skeleton_links": ((0, 1),),
    }
    assert given == {"classes": ("person",)}


def test_what_was_given_counts_more_than_the_file():
    given = {
        "flip_pairs": [["nose", "left_eye"]],
        "skeleton_links": [["nose", "right_eye"], [1, 2]],
        "sigmas": [0.1, 0.2, 0.3],
    }
    got = complete_keypoint_metainfo(given, [PERSON], "f.json")
    assert got["flip_indices"] == (1, 0, 2) and "flip_pairs" not in got
    assert got["skeleton_links"] == ((0, 2), (1, 2))
    assert got["sigmas"] == (0.1, 0.2, 0.3)
    named = complete_keypoint_metainfo({"keypoint_names": ["a", "b"]}, [], "f.json")
    assert named["flip_indices"] == (0, 1) and named["skeleton_links"] == ()


def test_without_joints_or_with_several_kinds_nothing_is_added():
    other = {"name": "dog", "keypoints": ["tail"]}
    assert complete_keypoint_metainfo({"a": 1}, [{"name": "car"}], "f") == {"a": 1}
    assert complete_keypoint_metainfo({"a": 1}, [PERSON, other], "f") == {"a": 1}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"flip_indices": [0, 1]}, "flip_indices has 2 entries for 3 joints"),
        ({"flip_indices": [1, 2, 0]}, r"joint 0 \('nose'\) becomes 1, which does not become 0"),
        ({"flip_pairs": [["nose", "left_ey"]]}, "no joint 'left_ey'; did you mean 'left_eye'"),
        ({"skeleton_links": [[0, 3]]}, r"joint 3 is not in 0\.\.2"),
        ({"skeleton_links": [[0, 1, 2]]}, "expected pairs of joints"),
        ({"sigmas": [0.1]}, "sigmas has 1 entries for 3 joints"),
        ({"keypoint_names": ["a", "a"]}, "occurs more than once"),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        complete_keypoint_metainfo(given, [PERSON], "f.json")


def test_sigmas_without_names_are_refused():
    with pytest.raises(ValueError, match=r"metainfo.sigmas needs metainfo.keypoint_names"):
        complete_keypoint_metainfo({"sigmas": [1]}, [], "f.json")
