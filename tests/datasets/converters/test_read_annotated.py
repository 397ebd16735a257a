"""Forms as people have them, read right or refused with file and line."""

import base64
import json
import os

import cv2
import numpy as np
import pytest

from mmdet_lite.datasets.converters import guess_form, read_annotated


def picture(path, height=20, width=40):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return path


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def shapes(content, *keys):
    """Class and, of each key, the value of every annotation."""
    names = {category["id"]: category["name"] for category in content["categories"]}
    return [
        (names[a["category_id"]], *(a.get(key) for key in keys)) for a in content["annotations"]
    ]


def labelme(*entries, **more):
    return {
        "version": "5.5.0", "flags": {}, "shapes": list(entries), "imagePath": "a.jpg",
        "imageData": None, "imageHeight": 20, "imageWidth": 40, **more,
    }  # fmt: skip


def shape(label, points, kind="polygon", **more):
    return {"label": label, "points": points, "shape_type": kind, "flags": {}, **more}


PNG = base64.b64encode(cv2.imencode(".png", np.full((2, 4), 255, np.uint8))[1]).decode()


# ---- YOLO


def yolo(tmp_path, labels, names="[cat, dog]", **files):
    text(tmp_path / "data.yaml", f"train: images/train\nnames: {names}\n")
    for name, lines in labels.items():
        picture(tmp_path / "images" / "train" / f"{name}.jpg")
        if lines is not None:
            text(tmp_path / "labels" / "train" / f"{name}.txt", lines)
    return tmp_path


def test_yolo_boxes_and_polygons_become_pixels(tmp_path):
    yolo(tmp_path, {"a": "1 0.5 0.5 0.25 0.5\n0 0.1 0.1 0.2 0.1 0.2 0.4\n"})
    [one] = read_annotated(tmp_path)
    assert (one.form, one.split, one.image_root) == ("yolo", "train", tmp_path / "images/train")
    assert shapes(one.content, "bbox", "segmentation") == [
        ("dog", [15, 5, 10, 10], []),
        ("cat", [4, 2, 4, 6], [[4, 2, 8, 2, 8, 8]]),
    ]


def test_yolo_pictures_with_empty_or_without_label_files_have_no_objects(tmp_path):
    yolo(tmp_path, {"a": "0 0.5 0.5 0.1 0.1", "b": "", "c": None})
    [one] = read_annotated(tmp_path)
    assert [image["file_name"] for image in one.content["images"]] == ["a.jpg", "b.jpg", "c.jpg"]
    assert {a["image_id"] for a in one.content["annotations"]} == {1}


def test_yolo_names_may_be_a_dict_and_splits_lists_and_files(tmp_path):
    text(
        tmp_path / "data.yaml",
        "path: /not/on/this/machine\ntrain: [images/a, images/b]\nval: val.txt\ntest:\n"
        "names:\n  1: dog\n  0: cat\n",
    )
    for name in ("a/1", "b/2", "v/3"):
        picture(tmp_path / "images" / f"{name}.jpg")
        text(tmp_path / "labels" / f"{name}.txt", "1 0.5 0.5 0.5 0.5")
    text(tmp_path / "val.txt", "./images/v/3.jpg\n")
    train, val = read_annotated(tmp_path / "data.yaml")
    assert [i["file_name"] for i in train.content["images"]] == ["images/a/1.jpg", "images/b/2.jpg"]
    assert [i["file_name"] for i in val.content["images"]] == ["images/v/3.jpg"]
    assert all(name == "dog" for (name,) in shapes(train.content) + shapes(val.content))


def test_yolo_with_a_list_of_classes_beside_pictures(tmp_path):
    picture(tmp_path / "a.jpg")
    text(tmp_path / "a.txt", "0 0.5 0.5 0.5 0.5")
    text(tmp_path / "classes.txt", "cat\ndog\n")
    [one] = read_annotated(tmp_path)
    assert (one.split, shapes(one.content, "bbox")) == ("all", [("cat", [10, 5, 20, 10])])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2 0.5 0.5 0.1 0.1", "line 2: class 2, but the classes are 0 to 1 (cat, dog)"),
        ("cat 0.5 0.5 0.1 0.1", "class cat, but the classes are 0 to 1"),
        ("0 0.5 0.5 0.1", "3 numbers after the class; a box has 4"),
        ("0 0.5 0.5 0.1 0.1 0.9", "5 numbers after the class"),
        ("0 0.5 0.5 0.1 0.1 0.9", "Is the last one a confidence"),
        ("0 0.5 0.5 a 0.1", "are not all numbers"),
        ("0 nan 0.5 0.1 0.1", "are not all numbers"),
        ("0 120 80 30 20", "Are these pixels?"),
    ],
)
def test_a_wrong_yolo_line_is_named_with_its_file(tmp_path, line, words):
    yolo(tmp_path, {"a": f"0 0.5 0.5 0.1 0.1\n{line}\n"})
    with pytest.raises(ValueError, match=r"labels/train/a\.txt, line 2") as error:
        read_annotated(tmp_path)
    assert words in str(error.value)


def test_yolo_labels_without_picture_are_noted_and_lists_are_none(tmp_path):
    yolo(tmp_path, {"a": "0 0.5 0.5 0.1 0.1"})
    picture(tmp_path / "images" / "val" / "b.jpg")
    text(tmp_path / "data.yaml", "train: images/train\nval: images/val\nnames: [cat]\n")
    text(tmp_path / "labels" / "train" / "OTHER.txt", "0 0.5 0.5 0.1 0.1\n")
    text(tmp_path / "labels" / "train" / "classes.txt", "cat\n")
    train, val = read_annotated(tmp_path)
    name = os.path.join("labels", "train", "OTHER.txt")
    assert train.notes == (f"1 label files have no picture and are left out: {name}",)
    assert val.notes == ()


def test_yolo_labels_without_picture_are_noted_beside_pictures_too(tmp_path):
    for name in ("a", "b"):
        text(tmp_path / f"{name}.txt", "0 0.5 0.5 0.5 0.5")
    picture(tmp_path / "a.jpg")
    text(tmp_path / "classes.txt", "cat\n")
    text(tmp_path / "train.txt", "a.jpg\n")
    [one] = read_annotated(tmp_path)
    assert one.notes == ("1 label files have no picture and are left out: b.txt",)


def test_yolo_folders_that_are_not_there_are_named_with_all_places(tmp_path):
    text(tmp_path / "data.yaml", "train: ../x/images\nnames: [cat]\n")
    with pytest.raises(ValueError, match=r"names '../x/images', which is at none of: .*x/images"):
        read_annotated(tmp_path)


def test_a_yaml_without_any_pictures_is_refused(tmp_path):
    text(tmp_path / "data.yaml", "train:\nnames: [cat]\n")
    with pytest.raises(ValueError, match=r"has no set of yolo: expected data\.yaml"):
        read_annotated(tmp_path)


def test_roboflows_yaml_which_points_one_folder_too_high_is_understood(tmp_path):
    text(tmp_path / "data.yaml", "train: ../train/images\nnames: [cat]\n")
    picture(tmp_path / "train/images/a.jpg")
    text(tmp_path / "train/labels/a.txt", "0 0.5 0.5 0.5 0.5")
    [one] = read_annotated(tmp_path)
    assert len(one.content["annotations"]) == 1


# ---- LabelMe


def test_labelme_shapes_become_outlines_and_boxes(tmp_path):
    picture(tmp_path / "a.jpg")
    content = labelme(
        shape("dent", [[1, 2], [9, 2], [9, 8]]),
        shape("car", [[30, 15], [10, 5]], "rectangle"),
        shape("hole", [[10, 10], [14, 10]], "circle"),
        shape("line", [[1, 1], [5, 5]], "linestrip"),
        shape("line", [[1, 1]], "point"),
    )
    text(tmp_path / "a.json", content)
    [one] = read_annotated(tmp_path)
    found = shapes(one.content, "bbox", "segmentation")
    assert found[0] == ("dent", [1, 2, 8, 6], [[1, 2, 9, 2, 9, 8]])
    assert found[1] == ("car", [10, 5, 20, 10], [])
    assert found[2][1] == pytest.approx([6, 6, 8, 8])
    assert len(found[2][2][0]) == 64
    assert one.notes == ("2 shapes without area are left out: 1 linestrip, 1 point",)


def test_labelme_parts_of_one_group_and_label_are_one_object(tmp_path):
    picture(tmp_path / "a.jpg")
    first, second = [[0, 0], [4, 0], [4, 4]], [[10, 10], [14, 10], [14, 14]]
    text(
        tmp_path / "a.json",
        labelme(
            shape("cat", first, group_id=1),
            shape("dog", first, group_id=1),
            shape("cat", second, group_id=1),
            shape("cat", second, group_id=None),
        ),
    )
    [one] = read_annotated(tmp_path)
    assert shapes(one.content, "bbox", "area") == [
        ("cat", [0, 0, 14, 14], 16),
        ("dog", [0, 0, 4, 4], 8),
        ("cat", [10, 10, 4, 4], 8),
    ]


def test_labelme_masks_lie_where_their_corners_say(tmp_path):
    picture(tmp_path / "a.jpg")
    crop = np.array([[0, 255, 0], [255, 255, 255]], np.uint8)
    mask = base64.b64encode(cv2.imencode(".png", crop)[1]).decode()
    text(tmp_path / "a.json", labelme(shape("cat", [[5, 7], [7, 8]], "mask", mask=mask)))
    [one] = read_annotated(tmp_path)
    assert shapes(one.content, "bbox", "area") == [("cat", [5, 7, 3, 2], 4)]


def test_a_labelme_picture_is_found_where_the_path_says_else_beside_the_file(tmp_path):
    picture(tmp_path / "pictures" / "b.jpg")
    text(tmp_path / "labels" / "a.json", labelme(imagePath="..\\pictures\\b.jpg"))
    [one] = read_annotated(tmp_path)
    assert (one.image_root / one.content["images"][0]["file_name"]).is_file()
    picture(tmp_path / "labels" / "a.png")
    text(tmp_path / "labels" / "a.json", labelme(imagePath="C:\\Users\\me\\gone.jpg"))
    [one] = read_annotated(tmp_path / "labels")
    assert one.content["images"][0]["file_name"] == "a.png"


def test_a_picture_that_only_the_labelme_file_holds_is_listed(tmp_path):
    data = base64.b64encode(picture(tmp_path / "x" / "a.jpg").read_bytes()).decode()
    file = text(tmp_path / "y" / "a.json", labelme(imageData=data))
    [one] = read_annotated(tmp_path / "y")
    assert dict(one.embedded) == {"a.jpg": file}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (shape("cat", [[1, 1], [2, 2]]), "a polygon of 2 points; expected 3"),
        (shape("", [[1, 1], [2, 2], [3, 3]]), "has no label"),
        (shape("cat", "abc"), "expected points"),
        (shape("cat", [[1, 1], [2, float("nan")], [3, 3]]), "not finite"),
        (shape("cat", [[1, 1], [2, 2], [3, 3]], "cuboid"), "shape type 'cuboid' is not known"),
        (shape("cat", [[30, 15], [50, 25]], "mask", mask="!"), "its mask cannot be read"),
        (shape("cat", [[38, 15], [41, 16]], "mask", mask=PNG), "leaves the picture of 40 x 20"),
    ],
)
def test_a_broken_labelme_shape_is_named(tmp_path, entry, words):
    picture(tmp_path / "a.jpg")
    text(tmp_path / "a.json", labelme(entry))
    with pytest.raises(ValueError, match=r"a.json, shape 0") as error:
        read_annotated(tmp_path)
    assert words in str(error.value)


def test_folders_train_and_val_are_splits_with_the_same_categories(tmp_path):
    for split, name in (("train", "cat"), ("valid", "dog")):
        picture(tmp_path / split / "a.jpg")
        points = [[0, 0], [4, 0], [4, 4]]
        text(tmp_path / split / "a.json", labelme(shape(name, points)))
    train, val = read_annotated(tmp_path)
    assert (train.split, val.split) == ("train", "val")
    assert train.content["categories"] == val.content["categories"]
    assert [i["file_name"] for i in val.content["images"]] == ["a.jpg"]


# ---- VIA


def via(*regions):
    outlines = [
        {"shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 5, "height": 6}, **more}
        for more in regions
    ]
    return {"a.jpg10": {"filename": "a.jpg", "size": 10, "regions": outlines}}


def test_via_ids_count_from_one_and_other_files_are_noted(tmp_path):
    picture(tmp_path / "train" / "a.jpg")
    content = via({"region_attributes": {"name": "dent"}})
    text(tmp_path / "train" / "via_region_data.json", content)
    text(tmp_path / "train" / "project.json", {"_via_img_metadata": content})
    [one] = read_annotated(tmp_path)
    assert one.split == "train"
    assert shapes(one.content, "id", "image_id", "bbox") == [("dent", 1, 1, [1.5, 2.5, 5, 6])]
    assert "not project.json beside it" in one.notes[0]


def test_via_csv_is_read_as_its_json(tmp_path):
    picture(tmp_path / "a.jpg")
    rows = (
        "#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
        'region_attributes\na.jpg,10,"{}",1,0,"{""name"":""rect"",""x"":1,""y"":2,""width"":5,'
        '""height"":6}","{""name"":""dent""}"\n'
    )
    file = text(tmp_path / "via.csv", rows)
    [one] = read_annotated(file)
    assert one.form == "via"
    assert shapes(one.content, "bbox") == [("dent", [1.5, 2.5, 5, 6])]


def test_a_via_region_without_class_says_where_to_give_it(tmp_path):
    picture(tmp_path / "a.jpg")
    text(tmp_path / "via.json", via({"region_attributes": {"name": "dent"}}, {}))
    with pytest.raises(ValueError, match="balloon2coco"):
        read_annotated(tmp_path)


# ---- CSV


def test_csv_with_a_header_is_read_by_its_names(tmp_path):
    text(
        tmp_path / "train_labels.csv",
        "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        "a.jpg,40,20,cat,1,2,11,12\na.jpg,40,20,dog,3.5,4,9,8\nb.jpg,30,10,cat,1,1,2,2\n",
    )
    [one] = read_annotated(tmp_path)
    assert (one.split, one.form) == ("train", "csv")
    assert one.content["images"][1] == {"id": 2, "file_name": "b.jpg", "height": 10, "width": 30}
    assert shapes(one.content, "bbox")[:2] == [("cat", [1, 2, 10, 10]), ("dog", [3.5, 4, 5.5, 4])]


def test_csv_without_header_is_read_in_retinanets_order(tmp_path):
    picture(tmp_path / "img" / "a.jpg")
    picture(tmp_path / "img" / "b.jpg")
    file = text(tmp_path / "boxes.csv", "img/a.jpg,1,2,11,12,cat\nimg/b.jpg,,,,,\n")
    [one] = read_annotated(file)
    assert [image["width"] for image in one.content["images"]] == [40, 40]
    assert shapes(one.content, "bbox") == [("cat", [1, 2, 10, 10])]


def test_csv_with_semicolons_and_a_column_of_splits(tmp_path):
    file = text(
        tmp_path / "a.csv",
        "image;label;x1;y1;x2;y2;image_width;image_height;subset\n"
        "a.jpg;cat;1;2;3;4;40;20;train\nb.jpg;cat;1;2;3;4;40;20;validation\n",
    )
    assert [one.split for one in read_annotated(file)] == ["train", "val"]


@pytest.mark.parametrize("size", ["w,h", "width,height", "bbox_width,bbox_height"])
def test_csv_of_corners_and_sizes_is_read_as_such_and_noted(tmp_path, size):
    picture(tmp_path / "a.jpg")
    file = text(tmp_path / "a.csv", f"filename,class,x,y,{size}\na.jpg,cat,1,2,10,12\n")
    [one] = read_annotated(file)
    assert one.content["images"][0]["width"] == 40
    assert shapes(one.content, "bbox") == [("cat", [1, 2, 10, 12])]
    assert one.notes == (f"x and y of {file} are taken as the upper left corner of each box",)


def test_a_table_that_is_none_is_shown_with_what_is_understood_and_what_not(tmp_path):
    header = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax"
    file = text(tmp_path / "open.csv", f"{header}\n0001,x,/m/01,1,0.1,0.2,0.3,0.4\n")
    for path in (file, tmp_path):
        with pytest.raises(ValueError, match="no form of annotations") as error:
            guess_form(path)
        assert "lacks the columns ['filename', 'class']; its first line is ['Imag" in str(
            error.value
        )
        assert "['XMin', 'YMin', 'XMax', 'YMax'] are understood" in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}], "these are detections"),
        ([{"file": "a"}], "a list of 1 entries, the first with the keys ['file']"),
        ({"data": []}, "an object with the keys ['data']"),
        ("[1, ", "is not valid json"),
        ("7", "holds neither object nor list"),
    ],
)
def test_a_json_of_no_known_form_is_shown_with_what_it_holds(tmp_path, content, words):
    file = text(tmp_path / "a.json", content)
    for path in (file, tmp_path):
        with pytest.raises(ValueError, match="no form of annotations") as error:
            guess_form(path)
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("filename,class,x,y,w,h\na.jpg,cat,1,2,x,4\n", "line 2: expected x, y, width, height in"),
        ("filename,klass,xmin,ymin,xmax,ymax\n", "lacks the columns ['class']"),
        ("filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,x,4\n", "line 2: expected four corn"),
        ("filename,class,xmin,ymin,xmax,ymax\na.jpg,,1,2,3,4\n", "line 2: a box without class"),
        ("filename,class,xmin,ymin,xmax,ymax\na.jpg,cat\n", "line 2: 2 columns, expected 6"),
        ("filename,class,xmin,ymin,xmax,ymax\ngone.jpg,cat,1,2,3,4\n", "gone.jpg' does not exist"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path, table, words):
    picture(tmp_path / "a.jpg")
    with pytest.raises(ValueError) as error:
        read_annotated(text(tmp_path / "a.csv", table), "csv")
    assert words in str(error.value)


# ---- VOC

XML = """<annotation><filename>{0}.jpg</filename><size><width>40</width><height>20</height></size>
<object><name>cat</name><difficult>{1}</difficult><bndbox><xmin>11</xmin><ymin>3.5</ymin>
<xmax>21</xmax><ymax>13</ymax></bndbox></object></annotation>"""


def test_voc_lists_are_splits_and_trainval_is_left_out_beside_its_parts(tmp_path):
    year = tmp_path / "VOC2007"
    for name in "abc":
        picture(year / "JPEGImages" / f"{name}.jpg")
        text(year / "Annotations" / f"{name}.xml", XML.format(name, int(name == "b")))
    for split, names in {"train": "a", "val": "b", "trainval": "ab"}.items():
        text(year / "ImageSets" / "Main" / f"{split}.txt", "\n".join(names))
    train, val = read_annotated(tmp_path)
    assert (train.split, val.split) == ("train", "val")
    assert train.image_root == year / "JPEGImages"
    assert shapes(train.content, "bbox", "iscrowd") == [("cat", [10, 2.5, 10, 9.5], 0)]
    assert shapes(val.content, "iscrowd", "difficult") == [("cat", 1, 1)]
    assert train.notes == ("1 XML files are in no list of ImageSets/Main and left out",)


def test_xml_files_beside_pictures_are_voc_too(tmp_path):
    picture(tmp_path / "a.png")
    text(tmp_path / "a.xml", XML.format("a", 0))
    [one] = read_annotated(tmp_path)
    assert (one.split, one.content["images"][0]["file_name"]) == ("all", "a.png")


# ---- COCO


def test_of_several_coco_files_instances_is_taken_and_the_others_are_noted(tmp_path):
    content = {"images": [], "annotations": [], "categories": []}
    for name in ("instances_train2017", "person_keypoints_train2017", "instances_val2017"):
        text(tmp_path / "annotations" / f"{name}.json", content)
    text(tmp_path / "annotations" / "captions_train2017.json", {"images": [], "annotations": []})
    train, val = read_annotated(tmp_path)
    assert (train.split, val.split) == ("train", "val")
    assert train.source.name == "instances_train2017.json"
    assert "not annotations/person_keypoints_train2017.json" in train.notes[0]


def test_coco_pictures_are_found_in_the_folder_of_the_files_name(tmp_path):
    picture(tmp_path / "val2017" / "a.jpg")
    content = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": []}
    file = text(tmp_path / "annotations" / "instances_val2017.json", content)
    [one] = read_annotated(file)
    assert one.image_root == tmp_path / "val2017"


# ---- telling forms apart


def test_a_folder_in_two_forms_is_refused_with_both(tmp_path):
    yolo(tmp_path, {"a": "0 0.5 0.5 0.1 0.1"})
    text(tmp_path / "annotations" / "a.json", {"images": [], "annotations": [], "categories": []})
    with pytest.raises(ValueError, match=r"2 forms: coco \(annotations/a.json\); yolo \(data"):
        guess_form(tmp_path)
    assert read_annotated(tmp_path, "yolo")[0].form == "yolo"


def test_an_unknown_folder_is_refused_with_what_it_holds_and_what_was_looked_for(tmp_path):
    picture(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"1 x \.jpg") as error:
        guess_form(tmp_path)
    assert all(f"  {form}" in str(error.value) for form in ("coco", "voc", "yolo", "labelme"))


def test_a_form_that_is_none_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="did you mean 'yolo'"):
        read_annotated(tmp_path, "yola")


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone does not exist"):
        read_annotated(tmp_path / "gone")


@pytest.mark.parametrize("small", [10, 1000])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-be"])
def test_a_json_in_any_encoding_is_told_and_read(tmp_path, monkeypatch, encoding, small):
    from mmdet_lite.datasets.converters.forms import json_files

    monkeypatch.setattr(json_files, "SMALL", small)
    content = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "café"}]}
    file = tmp_path / "a.json"
    file.write_text(json.dumps(content, ensure_ascii=False), encoding=encoding)
    assert guess_form(file) == "coco"
    assert read_annotated(file)[0].content == content


@pytest.mark.parametrize("form", ["yolo", "voc", "labelme"])
def test_lists_of_classes_lose_byte_order_mark_blanks_and_empty_lines(tmp_path, form):
    picture(tmp_path / "a.jpg")
    name = "labels.txt" if form == "labelme" else "classes.txt"
    (tmp_path / name).write_text("dog \n\n\tcat\n", encoding="utf-8-sig")
    if form == "yolo":
        text(tmp_path / "a.txt", "1 0.5 0.5 0.25 0.5\n")
    elif form == "labelme":
        text(tmp_path / "a.json", labelme(shape("cat", [[1, 1], [9, 1], [9, 9]])))
    else:
        text(tmp_path / "a.xml", XML.format("a", 0))
    [one] = read_annotated(tmp_path)
    assert [c["name"] for c in one.content["categories"]] == ["dog", "cat"]
    assert shapes(one.content) == [("cat",)]


def test_a_large_file_is_told_by_its_ends(tmp_path, monkeypatch):
    from mmdet_lite.datasets.converters.forms import json_files

    monkeypatch.setattr(json_files, "SMALL", 10)
    content = {"images": [], "annotations": [], "categories": []}
    assert guess_form(text(tmp_path / "a.json", content)) == "coco"
    assert guess_form(text(tmp_path / "b.json", labelme())) == "labelme"
