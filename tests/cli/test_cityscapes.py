import json
import runpy
from pathlib import Path

import pytest

from mmdet_lite.cli.cityscapes import main

TOOL = Path(__file__).parents[2] / "tools" / "dataset_converters" / "cityscapes.py"
VAL = "instancesonly_filtered_gtFine_val.json"


def test_the_tool_writes_every_split_beside_the_folders(cityscapes_root, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [str(TOOL), str(cityscapes_root)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(TOOL), run_name="__main__")
    assert end.value.code == 0
    assert len(json.loads((cityscapes_root / VAL).read_text())["images"]) == 3
    shown = capsys.readouterr().out
    assert f"{VAL}: 3 images, 7 objects (3 groups)" in shown
    assert "instancesonly_filtered_gtFine_test.json: 1 images, 0 objects" in shown


def test_folders_and_processes_can_be_given(cityscapes_root, tmp_path):
    (cityscapes_root / "leftImg8bit").rename(cityscapes_root / "photos")
    out = tmp_path / "out"
    args = ["--img-dir", "photos", "--gt-dir", "gtFine", "--nproc", "2", "-o", str(out)]
    assert main([str(cityscapes_root), *args]) == 0
    assert (out / VAL).is_file()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--nproc", "0"], "--nproc 0: expected 1 or more"),
        (["--img-dir", "photos"], "photos has no {train,val,test}/CITY/"),
    ],
)
def test_wrong_arguments_are_explained(cityscapes_root, capsys, args, message):
    assert main([str(cityscapes_root), *args]) == 2
    assert message in capsys.readouterr().err
