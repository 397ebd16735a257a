"""dataset-stats: tables and charts of the sets of a config or of a file."""

import json
from pathlib import Path

import cv2
import pytest

from mmdet_lite.cli.dataset_stats import main, parse_args, subject_statistics

CONTENT = {
    "images": [{"id": n, "file_name": f"{n}.png", "height": 480, "width": 640} for n in range(4)],
    "categories": [{"id": 3, "name": "cat"}, {"id": 9, "name": "dog"}],
    "annotations": [
        {"id": n, "image_id": n // 2, "category_id": 3, "bbox": [5, 5, 20 + 40 * n, 30], "area": 9}
        for n in range(5)
    ],
}
CONFIG = """
train_dataloader = dict(batch_size=1, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='CocoDataset', ann_file='ann.json', pipeline=[]))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A json and a config of it; no picture is there, and none is needed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ann.json").write_text(json.dumps(CONTENT))
    (tmp_path / "c.py").write_text(CONFIG)
    return tmp_path


def test_config_and_file_give_the_same_numbers() -> None:
    (of_config,), (of_file,) = (
        subject_statistics(parse_args([subject])) for subject in ("c.py", "ann.json")
    )
    for one in (of_config, of_file):
        assert one.instances_per_class == {"cat": 5, "dog": 0}
        assert one.images_per_class == {"cat": 3, "dog": 0}
        assert one.num_images == 4 and one.num_empty_images == 1
    assert of_config.name == "train"


def test_tables_are_printed_and_a_picture_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["c.py"]) == 0
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines()]
    cells = [[cell.strip() for cell in row[1:-1]] for row in rows]
    assert ["cat", "5 (3)"] in cells and ["dog", "0 (0)"] in cells
    assert ["images without annotation", "1"] in cells
    drawn = cv2.imread("work_dirs/c/dataset_stats.png").astype(int)
    blue = (drawn[..., 0] - drawn[..., 2] > 80).sum()
    assert drawn.shape[1] > 1200 and blue > 5000


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["c.py", "--from", "coco"], "--from and --image-root go with annotations"),
        (["ann.json", "--cfg-options", "a=1"], "--cfg-options goes with a config"),
        (["none.json"], "none.json"),
        (["c.py", "--cfg-options", "train_dataloader.dataset.ann_file=no.json"], "does not exist"),
    ],
)
def test_what_cannot_be_counted_is_one_line(
    flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(flags) == 2
    assert message in capsys.readouterr().err
