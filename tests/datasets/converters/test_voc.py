import json
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.converters import (
    convert_voc_to_coco,
    voc_class_names,
    voc_splits,
    voc_to_coco,
)

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


def annotations(*objects):
    xml = ElementTree.fromstring(f"<annotation>{''.join(objects)}</annotation>")
    return voc_to_coco(xml, ["kite"], "a.xml")


def test_splits_are_named_as_mmdetection_does_and_years_are_joined(devkit):
    splits = voc_splits(devkit)
    assert list(splits) == ["voc07_trainval", "voc07_test", "voc12_trainval", "voc0712_trainval"]
    assert splits["voc0712_trainval"] == [("VOC2007", "a"), ("VOC2007", "b"), ("VOC2012", "c")]


def test_a_converted_split_is_read_by_the_coco_data_set(devkit):
    entries = voc_splits(devkit)["voc0712_trainval"]
    names = voc_class_names(devkit, entries)
    out = devkit / "new" / "x.json"
    coco = convert_voc_to_coco(devkit, entries, out, names)
    assert json.loads(out.read_text()) == coco
    assert coco["images"][2] == {
        "id": 2, "file_name": "VOC2012/JPEGImages/c.jpg", "height": 40, "width": 60,
    }  # fmt: skip
    dataset = CocoDataset(
        ann_file=str(out), data_root=str(devkit), metainfo={"classes": ("kite",)}, pipeline=[]
    )
    dataset.full_init()
    info = dataset.get_data_info(0)
    assert Path(info["img_path"]).is_file()
    boxes = [(one["bbox"], one["ignore_flag"]) for one in info["instances"]]
    assert boxes == [([0, 0, 10, 20], 0), ([4, 5, 6, 7], 1)]


def test_boxes_lose_the_one_that_voc_counts_from():
    [found] = annotations(obj(81, 88, 522, 408))
    assert found == {
        "category_id": 0, "bbox": [80, 87, 441, 320], "area": 441 * 320, "segmentation": [],
        "iscrowd": 0,
    }  # fmt: skip
    assert annotations(obj(1.5, 2, 3, 4))[0]["bbox"] == [0.5, 1, 1.5, 2]


def test_difficult_objects_are_crowds():
    assert [a["iscrowd"] for a in annotations(obj(1, 1, 3, 3, difficult=1))] == [1]


def test_no_objects_are_no_annotations():
    assert annotations() == []


def test_vocs_own_classes_keep_their_order_and_others_are_sorted(devkit):
    assert voc_class_names(devkit, [("VOC2007", "a")]) == ["kite"]
    write_year(devkit, "VOC2007", {"d": [obj(1, 1, 2, 2, name="dog")]}, {})
    names = voc_class_names(devkit, [("VOC2007", "d")])
    assert len(names) == 20 and names[:2] == ["aeroplane", "bicycle"] and names[11] == "dog"


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([obj(1, 1, 2, 2, name="cat")], r"a\.xml: class 'cat' is none of \['kite'\]"),
        ([obj(5, 1, 5, 2)], r"a\.xml: the box of a 'kite' has no area"),
        ([obj("x", 1, 5, 2)], r"a\.xml: a 'kite' needs a bndbox with the numbers"),
        (["<object><name>kite</name></object>"], "needs a bndbox"),
        (["<object></object>"], r"a\.xml: an object has no name"),
    ],
)
def test_unusable_objects_are_named(objects, message):
    with pytest.raises(ValueError, match=message):
        annotations(*objects)


def test_missing_and_damaged_files_are_named(devkit, tmp_path):
    with pytest.raises(FileNotFoundError, match="give the folder VOCdevkit"):
        voc_splits(tmp_path / "VOC2007")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.xml does not exist"):
        convert_voc_to_coco(devkit, [("VOC2007", "nowhere")], tmp_path / "o.json", ["kite"])
    (devkit / "VOC2007/JPEGImages/a.jpg").unlink()
    with pytest.raises(ValueError, match=r"1 of 1 images are not in .*a\.jpg"):
        convert_voc_to_coco(devkit, [("VOC2007", "a")], tmp_path / "o.json", ["kite"])
    (devkit / "VOC2007/Annotations/b.xml").write_text("<annotation>")
    with pytest.raises(ValueError, match=r"b\.xml is no XML file"):
        voc_class_names(devkit, [("VOC2007", "b")])
    assert not (tmp_path / "o.json").exists()


def test_the_raccoon_set_has_its_217_boxes(shared_dir):
    devkit = shared_dir / "data" / "raccoon_voc" / "VOCdevkit"
    splits = voc_splits(devkit)
    assert {name: len(entries) for name, entries in splits.items()} == {
        "voc07_trainval": 160,
        "voc07_test": 40,
    }
    entries = splits["voc07_trainval"] + splits["voc07_test"]
    assert voc_class_names(devkit, entries) == ["raccoon"]
    paths = [devkit / year / "Annotations" / f"{name}.xml" for year, name in entries]
    found = [voc_to_coco(ElementTree.parse(p).getroot(), ["raccoon"], p) for p in paths]
    assert sum(map(len, found)) == 217
