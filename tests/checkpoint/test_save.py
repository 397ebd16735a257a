import os

import numpy as np
import pytest
import torch

from mmdet_lite.checkpoint import (
    atomic_path,
    load_checkpoint_file,
    remove_temporary_files,
    save_checkpoint,
)


def test_saved_file_loads_with_torchs_defaults(tmp_path):
    path = tmp_path / "new" / "a.pth"
    save_checkpoint({"state_dict": {"w": torch.ones(2)}, "meta": {"lr": np.float32(1)}}, path)
    assert torch.load(path)["meta"] == {"lr": 1.0}
    assert load_checkpoint_file(str(path))["state_dict"]["w"].tolist() == [1, 1]
    assert [item.name for item in path.parent.iterdir()] == ["a.pth"]


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.pth"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.pth"]


def test_what_cannot_be_written_is_an_error_with_file_folder_and_free_space(tmp_path):
    path = tmp_path / "a.pth"
    said = r"cannot write .*a\.pth: No space left .*MB free"
    with pytest.raises(OSError, match=said), atomic_path(path):
        raise OSError(28, "No space left on device")
    path, said = tmp_path / "gone" / "a.pth", r"cannot write .*gone/a\.pth: No such file"
    with pytest.raises(OSError, match=said), atomic_path(path) as temporary:
        temporary.write_text("x")


def test_old_file_is_there_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "a.pth"
    path.write_text("old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old" and temporary.suffix != ".pth"
    assert path.read_text() == "new"


def test_content_that_cannot_be_plain_touches_no_file(tmp_path):
    with pytest.raises(TypeError, match=r"meta\.model"):
        save_checkpoint({"meta": {"model": torch.nn.Linear(1, 1)}}, tmp_path / "a.pth")
    assert os.listdir(tmp_path) == []


def test_leftovers_of_killed_processes_are_removed_and_nothing_else(tmp_path):
    for name in ("a.pth", "b.pth.writing", "c.txt"):
        (tmp_path / name).write_text("x")
    assert [path.name for path in remove_temporary_files(tmp_path)] == ["b.pth.writing"]
    assert sorted(os.listdir(tmp_path)) == ["a.pth", "c.txt"]
