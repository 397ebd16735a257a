import json

import pytest

from mmdet_lite.datasets import coco_metainfo


@pytest.mark.parametrize("name", ["instances_val2017", "person_keypoints_val2017"])
def test_the_names_are_those_of_the_files_themselves(shared_dir, name):
    path = shared_dir / f"data/coco/annotations/{name}.json"
    known = coco_metainfo(str(path))
    categories = json.loads(path.read_text())["categories"]
    assert known["classes"] == tuple(category["name"] for category in categories)
    if "keypoints" in categories[0]:
        assert list(known["keypoint_names"]) == categories[0]["keypoints"]
        links = [[first + 1, second + 1] for first, second in known["skeleton_links"]]
        assert links == categories[0]["skeleton"]


def test_a_file_need_not_exist_and_coco_has_eighty_classes():
    known = coco_metainfo("nowhere/instances_train2017.json")
    assert len(known["classes"]) == 80 and known["classes"][:2] == ("person", "bicycle")


@pytest.mark.parametrize("name", ["", "instances.json", "train2017.json", "my_val2017.json"])
def test_other_names_say_nothing(name):
    assert coco_metainfo(name) is None
