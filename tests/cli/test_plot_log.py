"""plot_log: which values are read from a work_dir and what is drawn."""

import json
from pathlib import Path

import cv2
import pytest

from mmdet_lite.cli.plot_log import main, smoothed
from mmdet_lite.cli.training_log import read_run


def write_log(work_dir: Path, timestamp: str, first: int, last: int, loss: float) -> Path:
    """A training that logs every 5 iterations and validates every 10, an epoch."""
    path = work_dir / timestamp / "vis_data" / "scalars.json"
    path.parent.mkdir(parents=True)
    lines = []
    for step in range(first, last + 1, 5):
        lines.append({"lr": 0.01, "loss": loss, "loss_mask": 0.5, "epoch": 1, "iter": step})
        lines[-1] |= {"step": step, "time": 0.1, "memory": 3}
        if step % 10 == 0:
            lines.append({"coco/bbox_mAP": loss / 10, "coco/bbox_mAP_s": -1.0, "step": step // 10})
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return path


def test_resumed_runs_are_joined_by_step(tmp_path: Path) -> None:
    write_log(tmp_path, "20260101_000000", 5, 30, loss=2.0)
    write_log(tmp_path, "20260102_000000", 25, 40, loss=1.0)  # resumed at iteration 20
    run = read_run(tmp_path)
    assert run.train["loss"] == ([5, 10, 15, 20, 25, 30, 35, 40], [2.0] * 4 + [1.0] * 4)
    assert run.val["coco/bbox_mAP"] == ([1, 2, 3, 4], [0.2, 0.2, 0.1, 0.1])
    assert run.val_unit == "epoch"
    assert "time" not in run.train


def test_a_new_training_in_the_same_folder_replaces_the_old_one(tmp_path: Path) -> None:
    write_log(tmp_path, "20260101_000000", 5, 30, loss=2.0)
    write_log(tmp_path, "20260102_000000", 5, 10, loss=1.0)
    assert read_run(tmp_path).train["loss"] == ([5, 10], [1.0, 1.0])


def test_a_later_test_run_hides_no_training(tmp_path: Path) -> None:
    write_log(tmp_path, "20260101_000000", 5, 30, loss=2.0)
    tested = tmp_path / "20260103_000000/vis_data/scalars.json"
    tested.parent.mkdir(parents=True)
    tested.write_text('{"coco/bbox_mAP": 0.9, "step": 0}\n')
    assert read_run(tmp_path).val["coco/bbox_mAP"][1] == [0.2, 0.2, 0.2]


def test_default_picture_has_two_panels_and_its_path_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log(tmp_path, "20260101_000000", 5, 300, loss=2.0)
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "curves.png")
    picture = cv2.imread(str(tmp_path / "curves.png"))
    assert picture.shape[1] > 2 * picture.shape[0]


def test_one_panel_where_only_one_is_asked_for(tmp_path: Path) -> None:
    log = write_log(tmp_path, "20260101_000000", 5, 30, loss=2.0)
    out = tmp_path / "deep/c.png"
    arguments = ["--keys", "loss", "lr", "--title", "T", "--legend", "one", "--out", str(out)]
    assert main([str(log), *arguments]) == 0
    picture = cv2.imread(str(out))
    assert picture.shape[1] < 2 * picture.shape[0]


def test_several_runs_share_the_panels(tmp_path: Path) -> None:
    for name, loss in (("a", 1.0), ("b", 2.0)):
        write_log(tmp_path / name, "20260101_000000", 5, 30, loss)
    out = tmp_path / "both.png"
    assert main([str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(out)]) == 0
    assert out.is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--keys", "coco/box_mAP"], "nearest are coco/bbox_mAP"),
        (["--legend", "a", "b"], "a name a run: 1, got 2"),
    ],
)
def test_wrong_arguments_say_what_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    write_log(tmp_path, "20260101_000000", 5, 30, loss=2.0)
    assert main([str(tmp_path), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_folders_without_a_log_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "has no training log" in capsys.readouterr().err
    assert main([str(tmp_path / "no")]) == 2
    assert "does not exist" in capsys.readouterr().err
    (tmp_path / "x.json").write_text("{'a'")
    assert main([str(tmp_path / "x.json")]) == 2
    assert "x.json, line 1 is no json" in capsys.readouterr().err


def test_smoothing_keeps_constants_and_length_and_skips_nan() -> None:
    assert smoothed([3.0] * 100) == pytest.approx([3.0] * 100)
    noisy = [1.0, -1.0] * 50
    assert max(abs(v) for v in smoothed(noisy)[10:-10]) < 0.5
    assert smoothed([1.0] * 50 + [float("nan")] + [1.0] * 50) == pytest.approx([1.0] * 101)
