"""What all commands share."""

from pathlib import Path

import pytest

from mmdet_lite.cli.front_door import short_path


def test_a_path_is_relative_only_inside_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert short_path(str(tmp_path / "runs" / "a.pth")) == "runs/a.pth"
    assert short_path(str(tmp_path.parent / "a.pth")) == str(tmp_path.parent / "a.pth")
