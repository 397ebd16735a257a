"""VIA annotations become COCO json: numbers, versions, classes, errors."""

import copy
import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from mmdet_lite.datasets.converters import (
    convert_balloon_to_coco,
    load_via,
    via_class_names,
    via_to_coco,
)


def region(shape: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": attributes}


def polygon(*points: tuple[float, float]) -> dict[str, Any]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return {"name": "polygon", "all_points_x": xs, "all_points_y": ys}


def via_of(*shapes: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {
        "a.jpg9": {
            "filename": "a.jpg",
            "regions": [region(shape, **attributes) for shape in shapes],
        }
    }


TRIANGLE = polygon((10, 20), (50, 20), (50, 50))
SIZES = {"a.jpg": (100, 200), "b.jpg": (50, 60)}


def test_polygon_moves_to_pixel_centres_and_area_is_its_own() -> None:
    coco = via_to_coco(via_of(TRIANGLE), SIZES)
    assert coco["images"] == [{"id": 0, "file_name": "a.jpg", "height": 100, "width": 200}]
    assert coco["categories"] == [{"id": 0, "name": "balloon"}]
    (annotation,) = coco["annotations"]
    assert annotation == {
        "id": 0, "image_id": 0, "category_id": 0, "iscrowd": 0, "area": 600.0,
        "segmentation": [[10.5, 20.5, 50.5, 20.5, 50.5, 50.5]], "bbox": [10.5, 20.5, 40, 30],
    }  # fmt: skip


def test_regions_as_dict_and_as_list_give_the_same() -> None:
    as_list = via_of(TRIANGLE, polygon((1, 1), (5, 1), (5, 9)))
    as_dict = copy.deepcopy(as_list)
    as_dict["a.jpg9"]["regions"] = dict(enumerate(as_list["a.jpg9"]["regions"]))
    assert via_to_coco(as_list, SIZES) == via_to_coco(as_dict, SIZES)


def test_images_are_numbered_by_name_and_kept_without_regions() -> None:
    via = {"x": {"filename": "b.jpg", "regions": {}}, **via_of(TRIANGLE)}
    coco = via_to_coco(via, SIZES)
    assert [(i["id"], i["file_name"]) for i in coco["images"]] == [(0, "a.jpg"), (1, "b.jpg")]
    assert len(coco["annotations"]) == 1


def test_no_images_give_empty_lists_and_the_default_class() -> None:
    assert via_to_coco({}, {}) == {
        "images": [], "annotations": [], "categories": [{"id": 0, "name": "balloon"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "bbox", "area"),
    [
        ({"name": "rect", "x": 4, "y": 5, "width": 20, "height": 10}, [4.5, 5.5, 20, 10], 200),
        ({"name": "circle", "cx": 30, "cy": 40, "r": 10}, [20.5, 30.5, 20, 20], math.pi * 100),
        (
            {"name": "ellipse", "cx": 30, "cy": 40, "rx": 10, "ry": 20, "theta": math.pi / 2},
            [10.5, 30.5, 40, 20],
            math.pi * 200,
        ),
    ],
)
def test_other_shapes_become_polygons(
    shape: dict[str, Any], bbox: list[float], area: float
) -> None:
    (annotation,) = via_to_coco(via_of(shape), SIZES)["annotations"]
    np.testing.assert_allclose(annotation["bbox"], bbox, atol=1e-9)
    assert annotation["area"] == pytest.approx(area, rel=0.01)


def test_classes_come_from_attributes_sorted_by_name() -> None:
    via = via_of(TRIANGLE, name="dent")
    via["a.jpg9"]["regions"].append(region(TRIANGLE, name="crack"))
    coco = via_to_coco(via, SIZES)
    assert [c["name"] for c in coco["categories"]] == ["crack", "dent"]
    assert [a["category_id"] for a in coco["annotations"]] == [1, 0]
    fixed = via_to_coco(via, SIZES, class_names=["scratch", "dent", "crack"])
    assert [a["category_id"] for a in fixed["annotations"]] == [1, 2]


def test_class_attribute_can_be_named_and_ticked_boxes_count() -> None:
    via = via_of(TRIANGLE, name="left", kind={"dent": True, "crack": False})
    assert via_class_names(via) == ["left"]
    assert via_class_names(via, class_attribute="kind") == ["dent"]
    with pytest.raises(ValueError, match=r"'sort'; they have \['kind', 'name'\]"):
        via_class_names(via, class_attribute="sort")


def test_class_name_is_for_regions_without_one() -> None:
    via = via_of(TRIANGLE, name="dent")
    via["a.jpg9"]["regions"].append(region(TRIANGLE))
    assert via_class_names(via, "other") == ["dent", "other"]
    assert via_class_names(via_of(TRIANGLE), "kite") == ["kite"]
    with pytest.raises(ValueError, match=r"region 1 of 'a.jpg' has no 'name'.*--class-name"):
        via_class_names(via)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (polygon((1, 1), (2, 2)), "region 0 of 'a.jpg': polygon of 2 points"),
        (polygon((1, 1), (2, 2), (3, 3)), "enclose no area"),
        ({"name": "point", "cx": 1, "cy": 2}, "shape 'point' has no area.*known are polygon"),
        ({"name": "circle", "cx": 1, "cy": 2}, "circle without 'r'"),
        ({"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]}, "3 x but 2 y"),
        (polygon((1, 1), ("2", 2), (3, 9)), "no number"),  # type: ignore[arg-type]
        (polygon((1, 1), (math.nan, 2), (3, 9)), "not finite"),
    ],
)
def test_unusable_regions_are_named(shape: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        via_to_coco(via_of(shape), SIZES)


def test_bad_entries_are_named() -> None:
    twice = {"a": via_of()["a.jpg9"], "b": via_of()["a.jpg9"]}
    with pytest.raises(ValueError, match=r"'a.jpg' is annotated twice"):
        via_to_coco(twice, SIZES)
    with pytest.raises(ValueError, match=r"no image size given for 'a\.jpg'"):
        via_to_coco(via_of(TRIANGLE), {})
    with pytest.raises(ValueError, match=r"classes \['dent'\], but class_names are \['kite'\]"):
        via_to_coco(via_of(TRIANGLE, name="dent"), SIZES, class_names=["kite"])
    with pytest.raises(ValueError, match=r"region 0 of 'a\.jpg' has no shape_attributes"):
        via_to_coco({"a": {"filename": "a.jpg", "regions": [{}]}}, SIZES)
    with pytest.raises(ValueError, match=r"regions of 'a\.jpg' are a str"):
        via_to_coco({"a": {"filename": "a.jpg", "regions": "none"}}, SIZES)


def test_arguments_stay_unchanged() -> None:
    via = via_of(TRIANGLE, name="dent")
    before = copy.deepcopy(via)
    via_to_coco(via, SIZES)
    assert via == before


def test_via_2_projects_are_unwrapped(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    path.write_text(json.dumps({"_via_settings": {}, "_via_img_metadata": via_of(TRIANGLE)}))
    assert load_via(path) == via_of(TRIANGLE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid json"),
        ("[]", "got a list"),
        ('{"images": [], "annotations": [], "categories": []}', "a COCO file already"),
        ('{"project": {"pname": "x"}}', r"got the key 'project' with \['pname'\]"),
    ],
)
def test_other_forms_say_what_was_found(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ann.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_via(path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_via(tmp_path / "absent.json")


def test_missing_and_unreadable_images_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    ann_file, out_file = tmp_path / "via.json", tmp_path / "out" / "coco.json"
    ann_file.write_text(json.dumps(via_of(TRIANGLE)))
    with pytest.raises(ValueError, match=r"via.json: .*1 problem:\n.*a\.jpg' does not exist"):
        convert_balloon_to_coco(ann_file, out_file, tmp_path)
    for content in (b"", b"no picture"):
        (tmp_path / "a.jpg").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.jpg' cannot be read"):
            convert_balloon_to_coco(ann_file, out_file, tmp_path)
    assert not out_file.exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_encodings_of_json_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "via.json").write_text(json.dumps(via_of(TRIANGLE)), encoding=encoding)
    assert load_via(tmp_path / "via.json") == via_of(TRIANGLE)


def test_image_size_is_the_one_that_training_sees(tmp_path: Path) -> None:
    _, jpeg = cv2.imencode(".jpg", np.zeros((40, 60, 3), np.uint8))
    # an APP1 block that says: turn by 90 degrees (orientation 6)
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    app1 = b"\xff\xe1" + (len(tiff) + 8).to_bytes(2, "big") + b"Exif\0\0" + tiff
    data = bytes(jpeg)
    (tmp_path / "a.jpg").write_bytes(data[:2] + app1 + data[2:])
    (tmp_path / "via.json").write_text(json.dumps(via_of(TRIANGLE)))
    coco = convert_balloon_to_coco(tmp_path / "via.json", tmp_path / "coco.json", tmp_path)
    assert (coco["images"][0]["height"], coco["images"][0]["width"]) == (60, 40)


@pytest.mark.parametrize(("split", "images", "polygons"), [("train", 62, 152), ("val", 8, 12)])
def test_real_damage_photos_convert(
    shared_dir: Path, tmp_path: Path, split: str, images: int, polygons: int
) -> None:
    folder = shared_dir / "data" / "damage_via" / split
    out_file = tmp_path / "coco.json"
    coco = convert_balloon_to_coco(folder / "via_region_data.json", out_file, folder)
    assert (len(coco["images"]), len(coco["annotations"])) == (images, polygons)
    assert coco["categories"] == [{"id": 0, "name": "damage"}]
    api = COCO(str(out_file))
    for annotation in coco["annotations"]:
        image = api.imgs[annotation["image_id"]]
        rles = coco_mask.frPyObjects(annotation["segmentation"], image["height"], image["width"])
        pixels = int(coco_mask.area(coco_mask.merge(rles)))
        assert annotation["area"] == pytest.approx(pixels, rel=0.12, abs=25)


def test_real_via_2_project_and_classes_convert(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "damage_via" / "val"
    project = load_via(folder / "car-damage-val.json")
    assert sum(len(entry["regions"]) for entry in project.values()) == 12
    classes = via_class_names(load_via(folder / "val_multiclass.json"))
    assert classes == ["door", "front_bumper", "headlamp", "hood", "rear_bumper"]
