"""Annotation files that cannot be read are findings; the others are checked without them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_lite.cli import check_data, dataset_stats

BOX = "0 0.5 0.5 0.5 0.5\n"
XML = """<annotation><filename>{0}.jpg</filename><size><width>40</width><height>40</height></size>
<object>{1}<bndbox><xmin>11</xmin><ymin>4</ymin><xmax>21</xmax><ymax>13</ymax></bndbox></object>
</annotation>"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMDET_LITE_HOME", str(tmp_path / "home"))
    (tmp_path / "data").mkdir()
    for i, name in enumerate("abc"):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 40, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "data" / f"{name}.jpg"), pixels)
    return tmp_path / "data"


def yolo(folder):
    (folder / "classes.txt").write_text("cat\n")
    for name, text in (("a", "99 0.5 0.5 0.5 0.5\n"), ("b", "0 0.95 0.5 0.4 0.5\n"), ("c", BOX)):
        (folder / f"{name}.txt").write_text(text)
    return "line 1: class 99"


def voc(folder):
    for name, label in (("a", ""), ("b", "<name>cat</name>"), ("c", "<name>cat</name>")):
        (folder / f"{name}.xml").write_text(XML.format(name, label))
    return "a.xml"


def labelme(folder):
    for name, label in (("a", ""), ("b", "cat"), ("c", "cat")):
        shape = {"label": label, "points": [[3, 4], [20, 15]], "shape_type": "rectangle"}
        size = {"imageHeight": 40, "imageWidth": 40}
        content = {"shapes": [shape], "imagePath": f"{name}.jpg", **size}
        (folder / f"{name}.json").write_text(json.dumps(content))
    return "a.json, shape 0 has no label"


def run(*words):
    return check_data.main(["--workers", "0", *map(str, words)])


def findings():
    (path,) = Path("work_dirs/check_data").rglob("report.json")
    return json.loads(path.read_text())["findings"]


@pytest.mark.parametrize("write", [yolo, voc, labelme])
def test_one_bad_file_hides_nothing(folder, write, capsys):
    words = write(folder)
    assert run(folder) == 1
    [bad] = [f for f in findings() if f["code"] == "file-unreadable"]
    assert words in bad["message"]
    said = capsys.readouterr().out
    assert "file-unreadable" in said
    if write is yolo:
        assert "box-over-edge" in {f["code"] for f in findings()}


def test_a_report_is_written_where_no_file_can_be_read(folder):
    voc(folder)
    for name in "abc":
        (folder / f"{name}.xml").write_text(XML.format(name, ""))
    assert run(folder) == 1
    assert len([f for f in findings() if f["code"] == "file-unreadable"]) == 3


def test_nothing_is_mended_or_counted_without_the_bad_files(folder, capsys):
    words = yolo(folder)
    assert run(folder, "--fix", folder / "out.json") == 2
    assert words in capsys.readouterr().err
    assert not (folder / "out.json").exists()
    assert dataset_stats.main([str(folder)]) == 2


def test_what_is_in_no_form_is_still_refused(folder, capsys):
    assert run(folder) == 2
    assert "is in no form of annotations" in capsys.readouterr().err
