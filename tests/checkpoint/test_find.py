import pytest
import torch

from mmdet_lite.checkpoint import find_resume_checkpoint, read_resume_meta


def write(folder, name, epoch, **more):
    content = {"state_dict": {}, "optimizer": {}, "meta": {"epoch": epoch, "iter": epoch}, **more}
    torch.save(content, folder / name)


def test_pointer_decides_even_if_a_higher_epoch_of_an_earlier_run_is_there(tmp_path):
    write(tmp_path, "epoch_2.pth", 2)
    write(tmp_path, "epoch_12.pth", 12)
    (tmp_path / "last_checkpoint").write_text("epoch_2.pth")
    path, meta, problems = find_resume_checkpoint(tmp_path)
    assert (path.name, meta["epoch"], problems) == ("epoch_2.pth", 2, [])


def test_unreadable_newest_falls_back_to_the_one_before_and_says_so(tmp_path):
    for epoch in (2, 9, 10):
        write(tmp_path, f"epoch_{epoch}.pth", epoch)
    newest = tmp_path / "epoch_10.pth"
    newest.write_bytes(newest.read_bytes()[:-40])
    (tmp_path / "last_checkpoint").write_text("epoch_10.pth")
    path, _, problems = find_resume_checkpoint(tmp_path)
    assert path.name == "epoch_9.pth"
    assert len(problems) == 1 and "epoch_10.pth" in problems[0]


def test_absolute_pointer_of_mmengine_works_in_a_moved_folder(tmp_path):
    write(tmp_path, "epoch_1.pth", 1)
    (tmp_path / "last_checkpoint").write_text("/somewhere/else/epoch_1.pth")
    assert find_resume_checkpoint(tmp_path)[0] == tmp_path / "epoch_1.pth"


def test_nothing_to_resume_is_an_error_that_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing to resume: no complete checkpoint in"):
        find_resume_checkpoint(tmp_path)
    with pytest.raises(FileNotFoundError, match="nothing to resume"):
        find_resume_checkpoint(tmp_path / "absent")


def test_best_checkpoint_is_not_resumed_from(tmp_path):
    torch.save({"state_dict": {}, "meta": {"epoch": 3, "iter": 3}}, tmp_path / "best_x.pth")
    with pytest.raises(FileNotFoundError, match="nothing to resume"):
        find_resume_checkpoint(tmp_path)
    with pytest.raises(ValueError, match=r"no optimizer: .*--load-from"):
        read_resume_meta(tmp_path / "best_x.pth")
