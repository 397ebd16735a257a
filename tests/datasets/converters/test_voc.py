import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.converters import read_devkit
from mmdet_lite.datasets.converters.voc import voc_splits
from mmdet_lite.ops.whole_files import write_json

OBJECT = """<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{0}</xmin>
<ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object>"""


def obj(*corners, name="kite", difficult=0):
    return OBJECT.format(*corners, name=name, difficult=difficult)


def write_year(devkit, year, images, splits):
    """``images``: name to the objects of its XML file; ``splits``: name to image names."""
    folders = [devkit / year / part for part in ("Annotations", "JPEGImages", "ImageSets/Main")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    for name, objects in images.items():
        (folders[0] / f"{name}.xml").write_text(f"<annotation>{''.join(objects)}</annotation>")
        cv2.imwrite(str(folders[1] / f"{name}.jpg"), np.zeros((40, 60, 3), np.uint8))
    for split, names in splits.items():
        (folders[2] / f"{split}.txt").write_text("".join(f"{name}  1\n" for name in names))


@pytest.fixture
def devkit(tmp_path):
    images = {"a": [obj(1, 1, 11, 21), obj(5, 6, 7, 8, difficult=1)], "b": []}
    write_year(tmp_path, "VOC2007", images, {"trainval": ["a", "b"], "test": ["b"]})
    write_year(tmp_path, "VOC2012", {"c": [obj(2, 2, 4, 4)]}, {"trainval": ["c"]})
    return tmp_path


@pytest.fixture
def contents_of(tmp_path):
    """COCO content of one image with these objects."""

    def read(*objects, names=None):
        write_year(tmp_path, "VOC2007", {"a": objects}, {"train": ["a"]})
        return read_devkit(tmp_path, names)["voc07_train"]

    return read


def names_of(content):
    return [(category["id"], category["name"]) for category in content["categories"]]


def test_splits_are_named_as_mmdetection_does_and_years_are_joined(devkit):
    splits = voc_splits(devkit)
    assert list(splits) == ["voc07_trainval", "voc07_test", "voc12_trainval", "voc0712_trainval"]
    files = [file.relative_to(devkit).as_posix() for file in splits["voc0712_trainval"]]
    assert files == [f"VOC{part}.xml" for part in (
        "2007/Annotations/a", "2007/Annotations/b", "2012/Annotations/c"
    )]  # fmt: skip
    assert list(read_devkit(devkit)) == list(splits)


def test_a_converted_split_is_read_by_the_coco_data_set(devkit):
    content = read_devkit(devkit)["voc0712_trainval"]
    assert content["images"][2] == {
        "id": 3, "file_name": "VOC2012/JPEGImages/c.jpg", "height": 40, "width": 60,
    }  # fmt: skip
    out = devkit / "new" / "x.json"
    write_json(out, content)
    assert json.loads(out.read_text()) == content
    dataset = CocoDataset(
        ann_file=str(out), data_root=str(devkit), metainfo={"classes": ("kite",)}, pipeline=[]
    )
    dataset.full_init()
    info = dataset.get_data_info(0)
    assert Path(info["img_path"]).is_file()
    boxes = [(one["bbox"], one["ignore_flag"]) for one in info["instances"]]
    assert boxes == [([0, 0, 10, 20], 0), ([4, 5, 6, 7], 1)]


def test_boxes_lose_the_one_that_voc_counts_from(contents_of):
    [found] = contents_of(obj(81, 88, 522, 408))["annotations"]
    assert found == {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [80, 87, 441, 320], "area": 441 * 320,
        "segmentation": [], "iscrowd": 0,
    }  # fmt: skip
    assert contents_of(obj(1.5, 2, 3, 4))["annotations"][0]["bbox"] == [0.5, 1, 1.5, 2]


def test_difficult_objects_are_crowds(contents_of):
    [found] = contents_of(obj(1, 1, 3, 3, difficult=1))["annotations"]
    assert found["iscrowd"] == 1


def test_no_objects_are_no_annotations(contents_of):
    content = contents_of()
    assert (len(content["images"]), content["annotations"]) == (1, [])


def test_vocs_own_classes_keep_their_order_and_others_are_sorted(contents_of):
    other = contents_of(obj(1, 1, 2, 2, name="kite"), obj(1, 1, 2, 2, name="dog"))
    assert names_of(other) == [(1, "dog"), (2, "kite")]
    own = names_of(contents_of(obj(1, 1, 2, 2, name="dog")))
    assert len(own) == 20
    assert (own[0], own[11]) == ((1, "aeroplane"), (12, "dog"))


def test_classes_can_be_given_and_others_are_refused(contents_of):
    kite = obj(1, 1, 2, 2)
    assert names_of(contents_of(kite, names=["z", "kite"])) == [(1, "z"), (2, "kite")]
    with pytest.raises(ValueError, match=r"the class 'kite' is none of \['cat'\]"):
        contents_of(kite, names=["cat"])


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([obj("x", 1, 5, 2)], r"a\.xml: a 'kite' needs a bndbox with the numbers"),
        (["<object><name>kite</name></object>"], "needs a bndbox"),
        (["<object></object>"], r"a\.xml: an object has no name"),
    ],
)
def test_unusable_objects_are_named(contents_of, objects, message):
    with pytest.raises(ValueError, match=message):
        contents_of(*objects)


def test_missing_and_damaged_files_are_named_all_and_once(devkit):
    with pytest.raises(FileNotFoundError, match="give the folder VOCdevkit"):
        read_devkit(devkit / "VOC2007")
    (devkit / "VOC2007/JPEGImages/a.jpg").unlink()
    (devkit / "VOC2007/Annotations/b.xml").write_text("<annotation>")
    (devkit / "VOC2012/Annotations/c.xml").unlink()
    with pytest.raises(ValueError, match="3 problems") as caught:
        read_devkit(devkit)
    text = str(caught.value)
    assert "b.xml is no XML file" in text
    assert "c.xml does not exist" in text
    assert "a.jpg' does not exist" in text


def test_the_raccoon_set_has_its_217_boxes(shared_dir):
    contents = read_devkit(shared_dir / "data" / "raccoon_voc" / "VOCdevkit")
    assert {name: len(content["images"]) for name, content in contents.items()} == {
        "voc07_trainval": 160,
        "voc07_test": 40,
    }
    assert {tuple(names_of(content)) for content in contents.values()} == {((1, "raccoon"),)}
    assert sum(len(content["annotations"]) for content in contents.values()) == 217
