"""browse-dataset: pictures before and after the pipeline, and after every transform."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_lite.cli.browse_dataset import main
from mmdet_lite.cli.sample_pictures import steps_of
from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.pipeline_stages import PipelineWatch

CONFIG = """
default_scope = 'mmdet'
steps = [
    dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='Resize', scale=(120, 90), keep_ratio=True), dict(type='RandomFlip', prob=1.0),
    dict(type='PackDetInputs')]
test_steps = [
    dict(type='LoadImageFromFile'), dict(type='Resize', scale=(120, 90), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True), dict(type='PackDetInputs')]
common = dict(type='CocoDataset', data_root={root!r}, ann_file='ann.json',
    data_prefix=dict(img='img/'), metainfo=dict(classes=('cat',), palette=[(220, 20, 60)]))
train_dataloader = dict(batch_size=1, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True), dataset=dict(**common, pipeline=steps))
val_dataloader = dict(batch_size=1, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**common, test_mode=True, pipeline=test_steps))
val_evaluator = dict(type='CocoMetric', ann_file={root!r} + '/ann.json')
val_cfg = dict(type='ValLoop')
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six pictures with an object at the left and a crowd; the first has an odd name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "img").mkdir()
    images, annotations = [], []
    for n in range(6):
        name = "a b:ü.png" if n == 0 else f"{n}.png"
        cv2.imwrite(str(tmp_path / "img" / name), np.full((45, 60, 3), 90, np.uint8))
        images.append({"id": n, "file_name": name, "height": 45, "width": 60})
        for left, crowd in ((5, 0), (35, 1)):
            ring = [[left, 10, left + 20, 10, left + 20, 40, left, 40]]
            annotations.append(
                {
                    "id": 2 * n + crowd,
                    "image_id": n,
                    "category_id": 1,
                    "bbox": [left, 10, 20, 30],
                    "area": 600,
                    "iscrowd": crowd,
                    "segmentation": {"size": [45, 60], "counts": [0, 2700]} if crowd else ring,
                }
            )
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "ann.json").write_text(json.dumps(content))
    (tmp_path / "c.py").write_text(CONFIG.format(root=str(tmp_path)))
    return tmp_path / "c.py"


def red_columns(path: Path) -> tuple[float, float]:
    """Where red is in the left and in the right half, 0..1."""
    picture = cv2.imread(str(path)).astype(int)
    halves = np.array_split((picture[..., 2] - picture[..., 0] > 70), 2, axis=1)
    left, right = (np.nonzero(half)[1].mean() / half.shape[1] for half in halves)
    return float(left), float(right)


def test_a_picture_a_sample_and_a_sheet_are_written(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(config), "--num", "3"]) == 0
    out = Path("work_dirs/c/browse_train")
    assert capsys.readouterr().out.split() == [str(out / "sheet_01.png")]
    names = ["000000_a_b_ü.png", "000002_2.png", "000005_5.png", "sheet_01.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    left, right = red_columns(out / "000002_2.png")
    assert left < 0.4 and right > 0.6  # the object was mirrored


def test_every_transform_has_its_picture_in_a_row(config: Path) -> None:
    assert main([str(config), "--num", "2", "--stages", "--output-dir", "out"]) == 0
    sheet = cv2.imread("out/sheet_stages_01.png")
    one = cv2.imread("out/000005_5_stages.png")
    assert sheet.shape[0] > 2 * one.shape[0] - 20 and one.shape[1] > 5 * 300


def test_the_same_seed_draws_the_same(config: Path) -> None:
    flags = [
        str(config),
        "--num",
        "3",
        "--cfg-options",
        "train_dataloader.dataset.pipeline.3.prob=0.5",
    ]
    sheets = []
    for seed in ("1", "1", "2"):
        assert main([*flags, "--seed", seed, "--output-dir", "o"]) == 0
        sheets.append(Path("o/sheet_01.png").read_bytes())
    assert sheets[0] == sheets[1] and len(set(sheets)) > 1


def test_annotations_loaded_behind_resize_are_drawn_in_their_place(config: Path) -> None:
    assert main([str(config), "--set", "val", "--num", "1", "--output-dir", "o"]) == 0
    left, right = red_columns(Path("o/000000_a_b_ü.png"))
    assert abs(left - right) < 0.05


@pytest.mark.parametrize(("test_mode", "x1"), [(True, 10), (False, 5)])
def test_in_training_such_annotations_are_drawn_as_the_model_takes_them(
    config: Path, test_mode: bool, x1: int
) -> None:
    steps = [
        {"type": "LoadImageFromFile"},
        {"type": "Resize", "scale": (120, 90)},
        {"type": "LoadAnnotations", "with_mask": True},
        {"type": "PackDetInputs"},
    ]
    dataset = CocoDataset("ann.json", data_prefix={"img": "img/"}, pipeline=steps)
    shown = steps_of(PipelineWatch(dataset).sample(1), test_mode)
    assert shown[0].name == "file" and len(shown) == 5
    for step in shown[3:]:
        assert step.annotated.boxes[0, 0] == x1
        assert step.annotated.ignored.tolist() == [False, True]
        if test_mode:
            assert (step.annotated.masks.height, step.annotated.masks.width) == (90, 120)
        else:
            assert step.note == "masks are of 60x45"
    assert shown[0].text == "file: 60x45, 1 object + 1 ignored"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--set", "test"], "no test_dataloader; it has those of ['train', 'val']"),
        (["--cfg-options", "train_dataloader.dataset.pipeline=[]"], "no step that loads the image"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    config: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(config), *flags]) == 2
    assert message in capsys.readouterr().err


def test_show_without_a_display_says_so(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert main([str(config), "--show"]) == 2
    assert "--show needs a display" in capsys.readouterr().err
    for refused in (["--show", "--not-show"], ["--num", "0"]):
        with pytest.raises(SystemExit):
            main([str(config), *refused])
