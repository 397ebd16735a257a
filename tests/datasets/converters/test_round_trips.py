"""From COCO to a form and back, nothing is lost that the form can hold."""

import copy
import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mmdet_lite.datasets.converters import read_annotated
from mmdet_lite.datasets.converters.picture_sets import join_inputs
from mmdet_lite.datasets.converters.write_sets import write_sets
from mmdet_lite.ops.rle import segmentation_to_rle

FORMS = ("coco", "voc", "yolo", "labelme")
MASK_FORMS = ("coco", "yolo", "labelme")


def no_track(items, what):
    return items


def convert(path, out, form, how="copy"):
    sets = join_inputs([read_annotated(path)], divided=False)
    return write_sets(sets, out, form, how, {}, no_track)


def objects_of(path):
    """By file name: (class, box, mask or None, crowd) of each object, and the image's size."""
    [one] = read_annotated(path)
    names = {c["id"]: c["name"] for c in one.content["categories"]}
    found = {}
    for image in one.content["images"]:
        size = (image["height"], image["width"])
        objects = []
        for ann in one.content["annotations"]:
            if ann["image_id"] == image["id"]:
                seg = ann.get("segmentation")
                mask = coco_mask.decode(segmentation_to_rle(seg, *size)) if seg else None
                objects.append((names[ann["category_id"]], ann["bbox"], mask, ann["iscrowd"]))
        found[image["file_name"]] = (size, objects)
    return found


def assert_same(found, expected, masks=True, box_tolerance=1e-9):
    assert found.keys() == expected.keys()
    for name, (size, objects) in expected.items():
        assert found[name][0] == size
        assert len(found[name][1]) == len(objects), name
        for one, other in zip(found[name][1], objects, strict=True):
            assert one[0] == other[0]
            assert one[1] == pytest.approx(other[1], abs=box_tolerance)
            assert one[3] == other[3]
            if masks:
                assert (one[2] is None) == (other[2] is None)
                assert one[2] is None or (one[2] == other[2]).all()


def without_crowds(found):
    return {
        name: (size, [one for one in objects if not one[3]])
        for name, (size, objects) in found.items()
    }


def back(tmp_path, file, form):
    written = convert(file, tmp_path / form, form)
    convert(tmp_path / form, tmp_path / "back", "coco")
    return written, objects_of(tmp_path / "back")


def test_coco_to_labelme_and_back_keeps_boxes_masks_and_crowds(tmp_path, rich_content, write_set):
    file = write_set(rich_content)
    written, found = back(tmp_path, file, "labelme")
    assert_same(found, objects_of(file))
    assert written[0].notes == ()


def test_coco_to_yolo_and_back_keeps_boxes_and_masks(tmp_path, rich_content, write_set):
    file = write_set(rich_content)
    written, found = back(tmp_path, file, "yolo")
    assert_same(found, without_crowds(objects_of(file)), box_tolerance=1e-6)
    assert sorted(written[0].notes) == [
        "1 crowd (or ignored) regions are left out: a YOLO label is always an object",
        "1 masks become outlines along their pixels",
        "1 objects of several parts or with holes have these joined into one outline",
    ]


def test_coco_to_voc_and_back_keeps_boxes_and_crowds(tmp_path, rich_content, write_set):
    file = write_set(rich_content)
    written, found = back(tmp_path, file, "voc")
    assert_same(found, objects_of(file), masks=False)
    assert sorted(written[0].notes) == [
        "1 crowd (or ignored) regions are written as difficult",
        "4 objects lose their outline: VOC holds boxes",
    ]


def test_coco_to_coco_keeps_ids_names_and_everything_else(tmp_path, rich_content, write_set):
    file = write_set(rich_content)
    convert(file, tmp_path / "out", "coco")
    [one] = read_annotated(tmp_path / "out")
    content = copy.deepcopy(one.content)
    assert content["info"].pop("image_root")
    assert content == rich_content
    assert all((one.image_root / i["file_name"]).is_file() for i in content["images"])


@pytest.mark.parametrize("form", FORMS)
def test_the_order_of_the_classes_is_kept(tmp_path, rich_content, write_set, form):
    convert(write_set(rich_content), tmp_path / form, form)
    [one] = read_annotated(tmp_path / form)
    names = [category["name"] for category in one.content["categories"]]
    assert names == ["dog", "traffic light", "never seen"]


@pytest.mark.parametrize("first", MASK_FORMS)
@pytest.mark.parametrize("second", MASK_FORMS)
def test_masks_survive_any_two_forms_in_a_row(tmp_path, rich_content, write_set, first, second):
    file = write_set(rich_content)
    convert(file, tmp_path / "1", first)
    convert(tmp_path / "1", tmp_path / "2", second)
    convert(tmp_path / "2", tmp_path / "3", "coco")
    expected = objects_of(file)
    if "yolo" in (first, second):
        expected = without_crowds(expected)
    assert_same(objects_of(tmp_path / "3"), expected, box_tolerance=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_random_boxes_keep_all_decimals(tmp_path, write_set, form, seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(45, 120, (3, 2))
    content = {
        "images": [
            {"id": i, "file_name": f"{i}.jpg", "height": int(h), "width": int(w)}
            for i, (h, w) in enumerate(sizes, 1)
        ],
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
        "annotations": [],
    }
    for number in range(1, 40):
        x, y, w, h = rng.uniform(0.01, 20, 4).round(int(rng.integers(0, 6))).tolist()
        content["annotations"].append(
            {
                "id": number, "image_id": 1 + number % 3, "category_id": 1 + number % 2,
                "bbox": [x, y, w, h], "area": w * h, "iscrowd": 0, "segmentation": [],
            }
        )  # fmt: skip
    file = write_set(content)
    _, found = back(tmp_path, file, form)
    expected = objects_of(file)
    assert_same(found, expected, box_tolerance=2e-6 if form == "yolo" else 1e-9)


def test_voc_keeps_its_own_attributes_and_so_does_coco(tmp_path, rich_content, write_set):
    first = rich_content["annotations"][3]
    first.update(difficult=1, iscrowd=1, truncated=1, occluded=1, pose="Left")
    convert(write_set(rich_content), tmp_path / "voc", "voc")
    convert(tmp_path / "voc", tmp_path / "coco", "coco")
    convert(tmp_path / "coco", tmp_path / "voc2", "voc")
    [one] = read_annotated(tmp_path / "voc2")
    [found] = [a for a in one.content["annotations"] if a.get("pose")]
    for key in ("difficult", "iscrowd", "truncated", "occluded", "pose"):
        assert found[key] == first[key]
    for xml in (tmp_path / "voc" / "Annotations").rglob("*.xml"):
        again = tmp_path / "voc2" / xml.relative_to(tmp_path / "voc")
        assert again.read_text() == xml.read_text()


def test_a_labelme_mask_is_named_by_its_first_and_last_pixel(tmp_path, rich_content, write_set):
    convert(write_set(rich_content), tmp_path / "labelme", "labelme")
    content = json.loads((tmp_path / "labelme" / "train" / "sub" / "b.json").read_text())
    masks = [shape for shape in content["shapes"] if shape["shape_type"] == "mask"]
    assert [mask["points"] for mask in masks] == [[[5, 6], [26, 27]], [[40, 20], [44, 31]]]
    assert [mask["flags"] for mask in masks] == [{}, {"crowd": True}]


def test_labelme_keeps_the_flags(tmp_path, rich_content, write_set):
    rich_content["annotations"][0].update(ignore=1, truncated=1)
    file = write_set(rich_content)
    convert(file, tmp_path / "labelme", "labelme")
    [one] = read_annotated(tmp_path / "labelme")
    [found] = [a for a in one.content["annotations"] if a.get("ignore")]
    assert found["truncated"] == 1


def test_what_a_form_cannot_hold_is_counted(tmp_path, rich_content, write_set):
    rich_content["annotations"][0]["keypoints"] = [1, 2, 2]
    file = write_set(rich_content)
    for form, text in (
        ("voc", "1 objects lose 'keypoints'"),
        ("labelme", "1 objects lose 'keypoints'"),
        ("yolo", "1 objects lose their keypoints"),
    ):
        assert text in convert(file, tmp_path / form, form)[0].notes


@pytest.mark.parametrize("form", FORMS)
def test_a_set_without_objects_stays_one(tmp_path, write_set, form):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 10, "width": 12}],
        "categories": [{"id": 1, "name": "a"}],
        "annotations": [],
    }
    convert(write_set(content), tmp_path / form, form)
    assert objects_of(tmp_path / form) == {"a.jpg": ((10, 12), [])}


def test_arguments_are_not_changed(tmp_path, rich_content, write_set):
    sets = join_inputs([read_annotated(write_set(rich_content))], divided=False)
    before = copy.deepcopy(sets)
    for form in FORMS:
        write_sets(sets, tmp_path / form, form, "copy", {}, no_track)
    assert sets == before
