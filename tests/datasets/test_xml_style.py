"""XMLDataset: what it reads of VOC's form, what it leaves out and says, what it refuses."""

import logging

import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS as ENGINE_DATASETS

from mmdet_lite.datasets import CocoDataset, XMLDataset, dataset_classes, xml_style
from mmdet_lite.datasets.converters import read_devkit
from mmdet_lite.ops.whole_files import write_json

CAT = ("cat", (1, 1, 11, 21), 0)
DOG = ("dog", (5, 5, 30, 30), 0)
HARD = ("dog", (2, 3, 40, 40), 1)
NAMES = {"classes": ("dog", "cat")}
LOAD = [
    {"type": "LoadImageFromFile", "backend_args": None},
    {"type": "LoadAnnotations", "with_bbox": True},
    {"type": "PackDetInputs"},
]


@pytest.fixture
def logged(monkeypatch):
    """What the data set logs, as (level, text)."""
    lines = []

    def record(text, logger=None, level=logging.INFO):
        lines.append((level, text))

    for module in ("base", "xml_style"):
        monkeypatch.setattr(f"mmdet_lite.datasets.{module}.print_log", record)
    return lines


def instances(dataset, idx=0):
    return dataset.get_data_info(idx)["instances"]


def test_entries_hold_what_the_files_say(write_voc):
    args = write_voc({"a": [CAT, HARD], "b": []})
    dataset = XMLDataset(**args, metainfo=NAMES)
    entry = dataset.get_data_info(0)
    assert entry["img_path"] == f"{args['data_root']}/VOC2007/JPEGImages/a.jpg"
    assert (entry["img_id"], entry["height"], entry["width"]) == ("a", 40, 60)
    cat, hard = entry["instances"]
    assert cat == {"bbox": [0, 0, 10, 20], "bbox_label": 1, "ignore_flag": 0}
    assert hard == {"bbox": [1, 2, 39, 39], "bbox_label": 0, "ignore_flag": 1}
    assert instances(dataset, 1) == []


def test_a_sample_is_packed_with_difficult_objects_apart(write_voc):
    dataset = XMLDataset(**write_voc({"a": [CAT, HARD]}), metainfo=NAMES, pipeline=LOAD)
    sample = dataset[0]
    assert sample["inputs"].shape == (3, 40, 60)
    truth = sample["data_samples"]
    assert truth.gt_instances.bboxes.tolist() == [[0, 0, 10, 20]]
    assert truth.gt_instances.labels.tolist() == [1]
    assert truth.ignored_instances.bboxes.tolist() == [[1, 2, 39, 39]]


def test_folders_may_have_other_names(write_voc, tmp_path):
    args = write_voc({"a": [CAT]}, year="mine")
    (tmp_path / "mine/JPEGImages").rename(tmp_path / "mine/pictures")
    (tmp_path / "mine/Annotations").rename(tmp_path / "mine/xml")
    dataset = XMLDataset(**args, img_subdir="pictures", ann_subdir="xml", pipeline=LOAD)
    assert len(dataset[0]["data_samples"].gt_instances) == 1


def test_everything_may_lie_in_one_folder(write_voc, tmp_path):
    write_voc({"a": [CAT]})
    (tmp_path / "list.txt").write_text("a\n")
    for file in (tmp_path / "VOC2007").rglob("a.*"):
        file.rename(tmp_path / file.name)
    flat = XMLDataset("list.txt", data_root=str(tmp_path), img_subdir="", ann_subdir="")
    assert flat.get_data_info(0)["img_path"] == str(tmp_path / "a.jpg")


def test_pictures_may_have_other_endings(write_voc, tmp_path):
    args = write_voc({"a": [CAT]})
    jpg = tmp_path / "VOC2007/JPEGImages/a.jpg"
    cv2.imwrite(str(jpg.with_suffix(".png")), cv2.imread(str(jpg)))
    jpg.unlink()
    assert XMLDataset(**args).get_data_info(0)["img_path"] == str(jpg.with_suffix(".png"))


@pytest.mark.parametrize("size", ["", "<width>0</width><height>0</height>", "<depth>3</depth>"])
def test_a_picture_is_measured_where_its_file_has_no_size(write_voc, size):
    entry = XMLDataset(**write_voc({"a": [CAT]}, size=size)).get_data_info(0)
    assert (entry["height"], entry["width"]) == (40, 60)


def test_fractions_of_pixels_are_kept_and_whole_numbers_stay_whole(write_voc):
    boxes = [("cat", (1.5, 2, 10.25, 12.0), 0)]
    assert instances(XMLDataset(**write_voc({"a": boxes})))[0]["bbox"] == [0.5, 1, 9.25, 11]


def test_lists_of_one_class_and_names_with_spaces_are_read(write_voc, tmp_path):
    args = write_voc({"a": [CAT], "b": [DOG], "my cat 1": [CAT]})
    listed = tmp_path / "VOC2007/ImageSets/train.txt"
    listed.write_text("\ufeffa  1\nb -1\n\nmy cat 1\n", encoding="utf-8")
    dataset = XMLDataset(**args)
    assert [dataset.get_data_info(i)["img_id"] for i in range(3)] == ["a", "b", "my cat 1"]


def test_without_metainfo_names_come_from_the_files_sorted_and_are_logged(write_voc, logged):
    dataset = XMLDataset(**write_voc({"a": [DOG], "b": [CAT]}))
    assert dataset.metainfo["classes"] == ("cat", "dog")
    assert [i["bbox_label"] for i in instances(dataset, 0)] == [1]
    assert any("class names taken from the file: ['cat', 'dog']" in text for _, text in logged)


def test_labels_follow_the_names_of_metainfo_in_any_order(write_voc):
    args = write_voc({"a": [DOG, CAT]})
    for classes in (("cat", "dog"), ("dog", "cat")):
        dataset = XMLDataset(**args, metainfo={"classes": classes})
        assert [classes[i["bbox_label"]] for i in instances(dataset)] == ["dog", "cat"]


def test_objects_of_classes_that_were_not_chosen_are_left_out_and_counted(write_voc, logged):
    dataset = XMLDataset(**write_voc({"a": [DOG, DOG, CAT]}), metainfo={"classes": ("cat",)})
    assert [i["bbox_label"] for i in instances(dataset)] == [0]
    [text] = [text for level, text in logged if level == logging.WARNING]
    assert "annotations left out: 2 x class not in metainfo.classes" in text
    assert "not in metainfo.classes: 2 x dog" in text


def test_a_chosen_class_without_objects_is_said(write_voc, logged):
    XMLDataset(**write_voc({"a": [CAT]}), metainfo={"classes": ("cat", "horse")})
    assert any("no object of the classes ['horse']" in text for _, text in logged)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("raccon",), r"'raccoon' \(2 objects\) \(did you mean 'raccon'\?\)"),
        (("Raccoon", "kite"), r"did you mean 'Raccoon'\?"),
        (("zebra",), r"'raccoon' \(2 objects\)"),
    ],
)
def test_misspelt_class_names_show_both_lists(write_voc, classes, message):
    args = write_voc({"a": [("raccoon", (1, 1, 9, 9), 0)] * 2})
    with pytest.raises(ValueError, match=message) as error:
        XMLDataset(**args, metainfo={"classes": classes})
    assert "names in the files" in str(error.value) and "train.txt" in str(error.value)


def test_an_object_whose_name_differs_by_case_alone_is_no_other_class(write_voc):
    args = write_voc({"a": [CAT, ("Cat", (1, 1, 9, 9), 0)]})
    with pytest.raises(ValueError, match=r"'Cat' \(1 objects\) \(did you mean 'cat'"):
        XMLDataset(**args, metainfo={"classes": ("cat",)})


def test_boxes_that_cannot_be_used_are_left_out_and_counted(write_voc, logged):
    bad = [
        ("cat", (5, 5, 5, 9), 0),
        ("cat", (9, 5, 5, 9), 0),
        ("cat", ("nan", 5, 5, 9), 0),
        ("cat", (100, 5, 120, 9), 0),
    ]
    dataset = XMLDataset(**write_voc({"a": [CAT, *bad], "b": bad}))
    assert [len(instances(dataset, i)) for i in (0, 1)] == [1, 0]
    [text] = [text for level, text in logged if level == logging.WARNING]
    assert "4 x smaller than a pixel" in text
    assert "2 x box is not finite" in text and "2 x outside of the image" in text


def test_small_boxes_are_ignored_in_training_alone(write_voc):
    args = write_voc({"a": [CAT, DOG]})
    cfg = {"filter_cfg": {"bbox_min_size": 15}, "metainfo": NAMES}
    assert [i["ignore_flag"] for i in instances(XMLDataset(**args, **cfg))] == [1, 0]
    tested = XMLDataset(**args, **cfg, test_mode=True)
    assert [i["ignore_flag"] for i in instances(tested)] == [0, 0]


def test_images_without_objects_are_filtered_if_asked(write_voc):
    args = write_voc({"a": [CAT], "b": []})
    assert len(XMLDataset(**args)) == 2
    assert len(XMLDataset(**args, filter_cfg={"filter_empty_gt": True, "min_size": 32})) == 1


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("<annotation>", r"a\.xml is no XML file"),
        ("", r"a\.xml is no XML file"),
        ("<html></html>", r"a\.xml is no annotation .* got <html>"),
        ("<annotation><object/></annotation>", r"a\.xml: an object has no name"),
        (
            "<annotation><object><name>cat</name></object></annotation>",
            r"a\.xml: a 'cat' needs a bndbox with the numbers xmin",
        ),
        (
            "<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
            "<xmax>x</xmax><ymax>2</ymax></bndbox></object></annotation>",
            r"a\.xml: a 'cat' needs a bndbox with the numbers xmin",
        ),
        (
            "<annotation><size><width>big</width><height>4</height></size></annotation>",
            r"a\.xml: expected numbers as height and width",
        ),
    ],
)
def test_broken_files_are_named(write_voc, xml, message):
    with pytest.raises(ValueError, match=message):
        XMLDataset(**write_voc({"a": xml}))


def test_missing_files_are_named(write_voc, tmp_path):
    args = write_voc({"a": [CAT]}, listed=["a", "gone.jpg"])
    with pytest.raises(FileNotFoundError, match=r"gone\.jpg\.xml does not exist, .* and ending"):
        XMLDataset(**args)
    with pytest.raises(FileNotFoundError, match=r"list of images .*val\.txt' does not exist"):
        XMLDataset(**{**args, "ann_file": "val.txt"})
    args = write_voc({"a": [CAT]}, size="")
    (tmp_path / "VOC2007/JPEGImages/a.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.jpg' cannot be read .* its XML has no <size>"):
        XMLDataset(**args)
    (tmp_path / "VOC2007/JPEGImages/a.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.jpg' does not exist; its XML has no <size>"):
        XMLDataset(**args)


def test_lists_must_name_each_image_once_and_be_text(write_voc, tmp_path):
    with pytest.raises(ValueError, match=r"train\.txt' is empty"):
        XMLDataset(**write_voc({"a": [CAT]}, listed=[]))
    with pytest.raises(ValueError, match=r"image names of .*: \['a'\] occurs more than once"):
        XMLDataset(**write_voc({"a": [CAT]}, listed=["a", "a"]))
    args = write_voc({"a": [CAT]})
    (tmp_path / args["ann_file"]).write_bytes(b"\xff\xfe\x80")
    with pytest.raises(ValueError, match=r"train\.txt' is no text file"):
        XMLDataset(**args)


def test_a_picture_of_another_size_than_its_file_says_is_refused_when_it_is_loaded(write_voc):
    size = "<width>40</width><height>60</height>"
    dataset = XMLDataset(**write_voc({"a": [CAT]}, size=size), pipeline=LOAD)
    with pytest.raises(ValueError, match="the two are swapped"):
        dataset[0]


def test_boxes_serve_as_masks_if_asked(write_voc):
    args = write_voc({"a": [CAT]})
    with_mask = [LOAD[0], {**LOAD[1], "with_mask": True}, LOAD[2]]
    with pytest.raises(ValueError, match=r"1 annotations in .* have no segmentation .*\['a'\]"):
        XMLDataset(**args, pipeline=with_mask)
    masks = XMLDataset(**args, pipeline=with_mask, box_as_mask=True)[0]["data_samples"].gt_instances
    assert masks.masks.areas.tolist() == [200]


def test_classes_of_a_config_are_those_of_the_built_data_set(write_voc):
    cfg = {"type": "XMLDataset", **write_voc({"a": [DOG, CAT]}), "pipeline": LOAD}
    assert dataset_classes(cfg) == ("cat", "dog") == ENGINE_DATASETS.build(cfg).metainfo["classes"]
    assert cfg["pipeline"] is LOAD
    repeated = {"type": "RepeatDataset", "times": 2, "dataset": cfg}
    assert dataset_classes(repeated) == ("cat", "dog")


def test_names_are_asked_for_before_and_read_once(write_voc, monkeypatch):
    args = write_voc({"a": [DOG], "b": [CAT]})
    read = []
    original = xml_style.read_voc_xml
    monkeypatch.setattr(
        xml_style, "read_voc_xml", lambda path, backend: (read.append(path), original(path))[1]
    )
    dataset = XMLDataset(**args, lazy_init=True)
    assert dataset.metainfo["classes"] == ("cat", "dog")
    dataset.full_init()
    assert len(read) == 2


def test_the_converter_and_the_data_set_give_the_same_boxes(write_voc, tmp_path):
    objects = {"a": [CAT, HARD], "b": [("dog", (3.5, 4, 20, 21.25), 0)], "c": []}
    args = write_voc(objects)
    main = tmp_path / "VOC2007/ImageSets/Main"
    main.mkdir()
    (main / "train.txt").write_text("a\nb\nc\n")
    write_json(tmp_path / "x.json", read_devkit(tmp_path, ["dog", "cat"])["voc07_train"])
    converted = CocoDataset(ann_file=str(tmp_path / "x.json"), data_root=str(tmp_path))
    direct = XMLDataset(**args, metainfo=NAMES)
    keys = ("bbox", "bbox_label", "ignore_flag")
    for i in range(3):
        a, b = direct.get_data_info(i), converted.get_data_info(i)
        assert (a["height"], a["width"]) == (b["height"], b["width"])
        ours, theirs = ([[one[k] for k in keys] for one in e["instances"]] for e in (a, b))
        assert ours == theirs


def test_every_raccoon_box_is_that_of_the_converter(shared_dir, tmp_path):
    devkit = shared_dir / "data" / "raccoon_voc" / "VOCdevkit"
    contents = read_devkit(devkit)
    counted = 0
    for split in ("trainval", "test"):
        write_json(tmp_path / "x.json", contents[f"voc07_{split}"])
        converted = CocoDataset(ann_file=str(tmp_path / "x.json"), data_root=str(devkit))
        direct = XMLDataset(
            f"VOC2007/ImageSets/Main/{split}.txt",
            data_root=str(devkit),
            data_prefix={"sub_data_root": "VOC2007"},
        )
        assert len(direct) == len(converted)
        for i in range(len(direct)):
            a, b = direct.get_data_info(i), converted.get_data_info(i)
            assert a["img_path"] == b["img_path"]
            boxes = [[one["bbox"] for one in entry["instances"]] for entry in (a, b)]
            np.testing.assert_array_equal(*boxes)
            counted += len(boxes[0])
    assert counted == 217
