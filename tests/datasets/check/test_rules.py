"""All rules on several sets: what lies between them, the order of the report, odd content."""

import copy
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from sets_to_spoil import draw_images, drawn_content

from mmdet_lite.datasets.check import (
    KINDS,
    DataReport,
    Finding,
    Kind,
    Uses,
    annotated_set,
    check_sets,
    read_all_facts,
)


def set_of(name, content, folder, **uses):
    return annotated_set(name, f"{name}.json", str(folder), content, Uses(**uses))


@pytest.fixture
def two_sets(tmp_path):
    """A function from changed content to the report of a training and a validation set."""
    train, val = drawn_content(4), drawn_content(4, first_id=51)
    draw_images(train, tmp_path / "train")
    draw_images(val, tmp_path / "val")

    def report(val_file="val", pictures=True):
        sets = [
            set_of("train", train, tmp_path / "train"),
            set_of(val_file, val, tmp_path / val_file, test_mode=True),
        ]
        if val_file == "train":
            sets[1] = annotated_set(
                "val", "train.json", str(tmp_path / "train"), train, Uses(test_mode=True)
            )
        paths = [path for data in sets for path in data.image_paths]
        return check_sets("both", sets, read_all_facts(paths, {}) if pictures else None)

    report.train, report.val, report.folder = train, val, tmp_path
    return report


def messages(report, code):
    return [f.message for f in report.findings if f.code == code]


def test_two_good_sets_have_no_finding(two_sets):
    assert two_sets().findings == ()


def test_picture_in_both_sets_is_an_error(two_sets):
    source = two_sets.folder / "train" / "1.png"
    (two_sets.folder / "val" / "52.png").write_bytes(source.read_bytes())
    report = two_sets()
    (leak,) = report.findings
    assert (leak.code, leak.severity, leak.source) == ("leak", "error", "train / val")
    assert str(source) in leak.message and "52.png" in leak.message


def test_same_picture_saved_smaller_and_as_jpeg_is_a_near_leak(two_sets):
    pixels = cv2.imread(str(two_sets.folder / "train" / "1.png"))
    small = cv2.resize(pixels, (120, 90), interpolation=cv2.INTER_AREA)
    two_sets.val["images"][1].update(file_name="52.jpg", width=120, height=90)
    two_sets.val["annotations"] = [a for a in two_sets.val["annotations"] if a["image_id"] != 52]
    (two_sets.folder / "val" / "52.png").unlink()
    cv2.imwrite(str(two_sets.folder / "val" / "52.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 60])
    (leak,) = two_sets().findings
    assert (leak.code, leak.severity) == ("leak-near", "warning")


def test_validation_on_the_training_data_is_one_warning(two_sets):
    (finding,) = two_sets("train").findings
    assert finding.code == "val-is-train"
    assert "--split" in finding.message


def test_other_order_of_categories_is_a_note_with_both_lists(two_sets):
    two_sets.val["categories"].reverse()
    two_sets.train["categories"] = copy.deepcopy(two_sets.train["categories"])
    report = two_sets(pictures=False)
    assert [f.code for f in report.findings] == ["classes-differ"]  # no metainfo: order is meaning
    sets = [
        set_of(name, content, two_sets.folder / name, classes=("cat", "dog"))
        for name, content in (("train", two_sets.train), ("val", two_sets.val))
    ]
    (note,) = check_sets("both", sets).findings
    assert (note.code, note.severity) == ("category-order", "note")
    assert "1: cat" in note.message and "2: dog" in note.message


def test_other_classes_in_the_second_set_are_an_error_with_both_lists(two_sets):
    two_sets.val["categories"][1]["name"] = "wolf"
    report = two_sets(pictures=False)
    assert [f.code for f in report.findings] == ["classes-differ"]
    assert "- dog" in report.findings[0].message.replace("dog -", "- dog")
    assert "wolf" in report.findings[0].message


def test_errors_come_first_and_many_places_are_counted(tmp_path):
    content = drawn_content(400)
    for ann in content["annotations"]:
        ann["bbox"][2] = 0
        del ann["area"]
    content["annotations"][0]["image_id"] = 99_999
    report = check_sets("s", [set_of("all", content, tmp_path)])
    severities = [f.severity for f in report.findings]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    by_code = report.by_code()
    assert len(by_code["box-empty"]) == 1001  # the first thousand, and one for the rest
    assert sum(f.count for f in by_code["box-empty"]) == 1200
    assert report.count("note") == 1200


def test_report_is_strict_json_without_nan(tmp_path):
    content = drawn_content(2)
    content["annotations"][0]["bbox"][1] = float("nan")
    report = check_sets("s", [set_of("all", content, tmp_path)])
    text = json.dumps(report.as_dict(), allow_nan=False)
    assert json.loads(text)["counts"]["error"] >= 1
    assert json.loads(text)["sets"][0]["num_images"] == 2


def test_empty_report_is_json_too():
    assert DataReport("nothing").as_dict()["counts"] == {"error": 0, "warning": 0, "note": 0}


def test_severities_of_findings_are_those_of_their_kinds():
    assert all(kind.severity in ("error", "warning", "note") for kind in KINDS.values())
    with pytest.raises(AttributeError):
        Finding("a", "note", "b", "c").code = "d"


@pytest.mark.parametrize(
    "content",
    [
        [],
        None,
        {},
        {"images": {}, "categories": []},
        {"images": [], "categories": [], "annotations": None},
        {"images": [None, 3, {"id": []}], "categories": [{"id": 1}], "annotations": ["x"]},
        {"images": [], "categories": [], "annotations": []},
    ],
    ids=str,
)
def test_any_content_ends_in_a_report(content, tmp_path):
    report = check_sets("odd", [set_of("all", content, tmp_path)], {})
    assert report.count("error") > 0  # without images there is nothing to train on either


@pytest.mark.parametrize("value", [None, "x", [], {}, True, 10**400, [[[]]], float("inf"), -1])
@pytest.mark.parametrize("key", ["bbox", "segmentation", "area", "iscrowd", "keypoints", "id"])
def test_any_value_of_any_key_ends_in_a_report(key, value, tmp_path):
    content = drawn_content(2)
    content["annotations"][0][key] = value
    check_sets("odd", [set_of("all", content, tmp_path)], {}).as_dict()


def test_arguments_are_unchanged(tmp_path):
    content = drawn_content(3)
    content["annotations"][0]["bbox"] = [1, 2]
    before = copy.deepcopy(content)
    check_sets("s", [set_of("all", content, tmp_path)])
    assert content == before


def test_plain_pictures_are_not_taken_for_copies(tmp_path):
    content = drawn_content(3)
    for image in content["images"]:
        shade = np.full((image["height"], image["width"], 3), 90 + image["id"], np.uint8)
        cv2.imwrite(str(tmp_path / image["file_name"]), shade)
    data = set_of("all", content, tmp_path)
    assert check_sets("s", [data], read_all_facts(data.image_paths, {})).findings == ()


def test_table_of_the_docs_lists_the_kinds():
    text = (Path(__file__).resolve().parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| (error|warning|note) \| (.*) \| (.*) \|$", text, re.M)
    assert {code: Kind(*rest) for code, *rest in rows} == KINDS
