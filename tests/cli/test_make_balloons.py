"""The command that draws the default data set."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mmdet_lite.cli.make_balloons import main

SMALL = ["--train", "2", "--val", "1", "--size", "320", "240"]


def files_of(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert main(["--out", str(tmp_path / name), *SMALL]) == 0
    first = files_of(tmp_path / "a")
    assert first == files_of(tmp_path / "b")
    assert len(first) == 3 + 2
    assert len(json.loads(first["train/via_region_data.json"])) == 2
    assert main(["--out", str(tmp_path / "c"), *SMALL, "--seed", "1"]) == 0
    assert files_of(tmp_path / "c") != first


def test_an_annotated_folder_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "via_region_data.json").write_text("{}")
    before = files_of(tmp_path)
    assert main(["--out", str(tmp_path), *SMALL]) == 0
    assert "nothing drawn" in capsys.readouterr().out
    assert files_of(tmp_path) == before
    assert main(["--out", str(tmp_path), *SMALL, "--force"]) == 0
    assert len(json.loads((tmp_path / "train" / "via_region_data.json").read_text())) == 2


def test_a_half_annotated_folder_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "via_region_data.json").write_text("{}")
    assert main(["--out", str(tmp_path), *SMALL]) == 2
    assert "--force" in capsys.readouterr().err
    assert not (tmp_path / "val").exists()


@pytest.mark.parametrize("option", [["--train", "0"], ["--seed", "-1"], ["--size", "640"]])
def test_bad_numbers_end_with_a_usage_message(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as info:
        main(option)
    assert info.value.code == 2
    assert option[0] in capsys.readouterr().err


def test_a_size_too_small_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path), "--size", "100", "100"]) == 2
    assert "at least 160x120" in capsys.readouterr().err


def test_help_of_the_tool_loads_nothing_heavy() -> None:
    tool = Path(__file__).parents[2] / "tools" / "misc" / "make_balloons.py"
    code = (
        "import runpy, sys; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_path({str(tool)!r}, run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert not {'torch', 'cv2', 'mmengine', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
