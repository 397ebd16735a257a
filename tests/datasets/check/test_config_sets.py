"""Which sets a config consists of, and what of them is read."""

import json

import pytest
from sets_to_spoil import draw_images, drawn_content

from mmdet_lite.datasets.check import check_content, check_sets, dataset_cfgs, read_sets

XML = """<annotation><filename>1.png</filename><size><width>200</width><height>150</height></size>
<object><name>cat</name><difficult>{difficult}</difficult>
<bndbox><xmin>10</xmin><ymin>10</ymin><xmax>60</xmax><ymax>50</ymax></bndbox></object>
<object><name>bird</name><difficult>0</difficult>
<bndbox><xmin>10</xmin><ymin>10</ymin><xmax>60</xmax><ymax>50</ymax></bndbox></object></annotation>
"""


def coco(folder, name, **arguments):
    return {"type": "CocoDataset", "data_root": str(folder), "ann_file": name, **arguments}


def test_wrappers_are_opened_and_parts_named():
    one, other, third = ({"ann_file": name} for name in "abc")
    joined = {"type": "ConcatDataset", "datasets": [one, {"type": "R", "dataset": other}]}
    cfg = {"train_dataloader": {"dataset": joined}, "val_dataloader": {"dataset": third}}
    assert dataset_cfgs(cfg) == {"train.0": one, "train.1": other, "val": third}
    assert dataset_cfgs({"val_dataloader": None}) == {}


def test_what_a_config_makes_of_a_set_is_taken_along(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(drawn_content(2)))
    steps = [
        {"type": "LoadImageFromFile", "color_type": "color_ignore_orientation"},
        {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True},
    ]
    arguments = {"metainfo": {"classes": ("dog", "cat")}, "filter_cfg": {"min_size": 9}}
    cfg = coco(tmp_path, "a.json", pipeline=steps, on_bad_image="skip", **arguments)
    (data,) = read_sets({"train": cfg})
    assert data.classes == ("dog", "cat") and len(data.annotations) == 6
    uses = data.uses
    assert (uses.with_mask, uses.turns_upright, uses.skips_bad_images) == (True, False, True)
    assert uses.filter_cfg == {"min_size": 9} and not uses.test_mode


def test_boxes_that_stand_in_for_masks_leave_none_missing(tmp_path):
    content = drawn_content(2)
    for ann in content["annotations"]:
        del ann["segmentation"]
    (tmp_path / "a.json").write_text(json.dumps(content))
    steps = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations", "with_mask": True}]
    for box_as_mask, expected in ((False, ["mask-missing"] * 6), (True, [])):
        cfg = coco(tmp_path, "a.json", pipeline=steps, box_as_mask=box_as_mask)
        findings = check_content(read_sets({"train": cfg})[0])
        assert [finding.code for finding in findings] == expected


def test_sets_named_twice_are_read_once(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(drawn_content(2)))
    cfg = coco(tmp_path, "a.json", test_mode=True)
    assert [data.name for data in read_sets({"val": cfg, "test": dict(cfg)})] == ["val, test"]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, "file-unreadable", "does not exist; check data_root and ann_file"),
        ("{", "file-unreadable", "is not valid json"),
        ("[]", "file-unreadable", "no COCO annotation file"),
    ],
)
def test_files_that_cannot_be_read_are_findings(tmp_path, content, code, words):
    if content is not None:
        (tmp_path / "a.json").write_text(content)
    report = check_sets("c", read_sets({"train": coco(tmp_path, "a.json")}))
    (finding,) = report.findings
    assert finding.code == code and words in finding.message and finding.source == "train"


def test_arguments_that_a_data_set_refuses_are_a_finding(tmp_path):
    cfg = coco(tmp_path, "a.json", metainfo={"classes": "cat"})
    (finding,) = check_sets("c", read_sets({"train": cfg})).findings
    assert finding.code == "set-refused" and "add a comma" in finding.message


def test_forms_without_coco_json_are_read_by_their_data_set(tmp_path):
    for folder in ("Annotations", "ImageSets/Main"):
        (tmp_path / folder).mkdir(parents=True)
    draw_images(drawn_content(1), tmp_path / "JPEGImages")
    (tmp_path / "JPEGImages/1.png").rename(tmp_path / "JPEGImages/1.jpg")
    (tmp_path / "Annotations/1.xml").write_text(XML.format(difficult=1))
    (tmp_path / "ImageSets/Main/train.txt").write_text("1\n")
    cfg = {
        "type": "XMLDataset",
        "data_root": str(tmp_path),
        "ann_file": "ImageSets/Main/train.txt",
        "data_prefix": {"sub_data_root": ""},
        "metainfo": {"classes": ("cat",)},
    }
    report = check_sets("c", read_sets({"train": cfg}))
    assert [f.code for f in report.findings] == ["set-empty", "class-without-instances"]
    assert report.sets[0].num_crowds == 1
    left = [step.left for step in report.funnels["train"] if step.unit == "annotations"]
    assert left == [2, 1, 0]  # the bird is not listed, the difficult cat is ignored
