"""Pictures of predictions."""

import os

import pytest

from mmdet_lite.visualization import spare_pictures


def test_a_drawing_never_replaces_its_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spare_pictures([], [])
    spare_pictures(["in/a.jpg", "in/b.jpg"], ["out/a.jpg"])
    os.mkdir("in")
    os.symlink("in", "linked")
    for out_file in ("in/b.jpg", tmp_path / "in" / "b.jpg", "linked/b.jpg"):
        with pytest.raises(ValueError, match=r"b\.jpg would overwrite"):
            spare_pictures(["in/a.jpg", "in/b.jpg"], [out_file])
