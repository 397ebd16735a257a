"""The command that converts VIA annotations."""

import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_lite.cli.balloon2coco import main
from mmdet_lite.datasets.balloon_scenes import write_split

TOOL = Path(__file__).parents[2] / "tools" / "dataset_converters" / "balloon2coco.py"


def write_via(folder: Path, class_name: str) -> None:
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "a.jpg"), np.zeros((40, 60, 3), np.uint8))
    shape = {"name": "rect", "x": 1, "y": 2, "width": 10, "height": 20}
    region = {"shape_attributes": shape, "region_attributes": {"kind": class_name}}
    entry = {"filename": "a.jpg", "size": 1, "regions": [region]}
    (folder / "via_region_data.json").write_text(json.dumps({"a.jpg1": entry}))


def test_a_drawn_set_converts_by_the_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split, count in (("train", 2), ("val", 1)):
        write_split(tmp_path / split, split, range(count), 0, (320, 240))
    monkeypatch.setattr("sys.argv", [str(TOOL), str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(TOOL), run_name="__main__")
    assert end.value.code == 0
    for split, count in (("train", 2), ("val", 1)):
        via = json.loads((tmp_path / split / "via_region_data.json").read_text())
        coco = json.loads((tmp_path / split / "annotation_coco.json").read_text())
        assert set(coco) == {"images", "annotations", "categories"}
        assert [image["height"] for image in coco["images"]] == [240] * count
        assert len(coco["annotations"]) == sum(len(entry["regions"]) for entry in via.values())
        assert coco["categories"] == [{"id": 0, "name": "balloon"}]


def test_both_splits_give_a_class_the_same_id(tmp_path: Path) -> None:
    write_via(tmp_path / "train", "dent")
    write_via(tmp_path / "val", "crack")
    assert main([str(tmp_path), "--class-attribute", "kind"]) == 0
    for split, category_id in (("train", 1), ("val", 0)):
        coco = json.loads((tmp_path / split / "annotation_coco.json").read_text())
        assert [c["name"] for c in coco["categories"]] == ["crack", "dent"]
        assert coco["annotations"][0]["category_id"] == category_id


def test_one_file_is_converted_with_three_paths(tmp_path: Path) -> None:
    write_via(tmp_path / "in", "dent")
    out_file = tmp_path / "new" / "out.json"
    paths = [tmp_path / "in" / "via_region_data.json", out_file, tmp_path / "in"]
    assert main([*map(str, paths), "--class-name", "kite"]) == 0
    assert json.loads(out_file.read_text())["categories"] == [{"id": 0, "name": "kite"}]
    assert [p.name for p in out_file.parent.iterdir()] == ["out.json"]


def test_errors_name_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert str(tmp_path / "train" / "via_region_data.json") in capsys.readouterr().err
    write_via(tmp_path / "train", "dent")
    write_via(tmp_path / "val", "dent")
    assert main([str(tmp_path), "--class-attribute", "colour"]) == 2
    assert "via_region_data.json: no region has the attribute" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["one", "two"])
    assert "VIA_JSON OUT_JSON IMAGE_DIR" in capsys.readouterr().err


def test_one_split_or_one_file_instead_of_the_folder_is_explained(tmp_path, capsys):
    (tmp_path / "via_region_data.json").write_text("{}")
    for path in (tmp_path, tmp_path / "via_region_data.json"):
        assert main([str(path)]) == 2
        assert "the folder that holds train and val" in capsys.readouterr().err
