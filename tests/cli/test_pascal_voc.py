import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_lite.cli.pascal_voc import main

TOOL = Path(__file__).parents[2] / "tools" / "dataset_converters" / "pascal_voc.py"
XML = """<annotation><object><name>kite</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax>
<ymax>9</ymax></bndbox></object></annotation>"""


@pytest.fixture
def devkit(tmp_path):
    year = tmp_path / "VOCdevkit" / "VOC2007"
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (year / part).mkdir(parents=True)
    (year / "Annotations/a.xml").write_text(XML)
    cv2.imwrite(str(year / "JPEGImages/a.jpg"), np.zeros((40, 60, 3), np.uint8))
    (year / "ImageSets/Main/test.txt").write_text("a\n")
    return year.parent


def test_the_tool_writes_every_split_beside_the_years(devkit, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [str(TOOL), str(devkit), "--out-format", "coco"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(TOOL), run_name="__main__")
    assert end.value.code == 0
    coco = json.loads((devkit / "voc07_test.json").read_text())
    assert coco["categories"] == [{"id": 1, "name": "kite"}]
    assert "voc07_test.json: 1 images, 1 boxes" in capsys.readouterr().out


def test_classes_and_folder_can_be_given(devkit, tmp_path):
    args = [str(devkit), "-o", str(tmp_path / "out"), "--classes", "dent", "kite"]
    assert main(args) == 0
    coco = json.loads((tmp_path / "out" / "voc07_test.json").read_text())
    assert coco["annotations"][0]["category_id"] == 2


def test_a_class_that_is_not_named_is_an_error(devkit, capsys):
    assert main([str(devkit), "--classes", "dent"]) == 2
    assert "class 'kite' is none of ['dent']" in capsys.readouterr().err


def test_another_folder_is_an_error(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "give the folder VOCdevkit" in capsys.readouterr().err
