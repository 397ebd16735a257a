"""config_table: what it says of a config is so."""

import json
from pathlib import Path

import pytest

from mmdet_lite.cli import config_table
from mmdet_lite.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def row(name: str) -> config_table.Row:
    return config_table.describe(CONFIGS / f"{name}.py", CONFIGS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mask_rcnn/mask-rcnn_r50_fpn_1x_coco", "ResNet-50, FPN"),
        ("mask_rcnn/mask-rcnn_x101-32x8d_fpn_1x_coco", "ResNeXt-101 32x8d, FPN"),
        ("faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco", "ResNet-50, Caffe style, C4"),
        ("faster_rcnn/faster-rcnn_r50-caffe-dc5_1x_coco", "ResNet-50, Caffe style, DC5"),
        ("gn+ws/mask-rcnn_r50_fpn_gn-ws-all_2x_coco", "ResNet-50, GN+WS, FPN"),
        ("pascal_voc/ssd300_voc0712", "VGG-16, SSD"),
    ],
)
def test_backbone_is_told_in_words(name: str, text: str) -> None:
    assert (
        config_table.backbone_text(load_config(CONFIGS / f"{name}.py", check=False).model) == text
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mask_rcnn/mask-rcnn_r50_fpn_1x_coco", "12 epochs"),
        ("mask_rcnn/mask-rcnn_r50_fpn_ms-poly-3x_coco", "36 epochs"),  # 12 of a set thrice
        ("retinanet/retinanet_r50_fpn_90k_coco", "90,000 iterations"),
    ],
)
def test_schedule_counts_repeated_sets(name: str, text: str) -> None:
    assert config_table.schedule_text(load_config(CONFIGS / f"{name}.py", check=False)) == text


def test_cost_of_ssd_is_that_of_its_own_size() -> None:
    ssd = row("pascal_voc/ssd300_voc0712")
    assert 26.2e6 < ssd.parameters < 26.4e6  # 26.3 million in the paper's VGG-16 with 20 classes
    assert 30e9 < ssd.multiply_adds < 32e9
    assert ssd.ap == {"box AP50": 76.5}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "giga"),  # as MMDetection's own counter says for 1280 x 800, within its rounding
    [
        ("faster_rcnn/faster-rcnn_r50_fpn_1x_coco", 207),
        ("mask_rcnn/mask-rcnn_r50_fpn_1x_coco", 260),
        ("retinanet/retinanet_r50_fpn_1x_coco", 239),
    ],
)
def test_cost_is_what_mmdetection_counts(name: str, giga: float) -> None:
    assert row(name).multiply_adds / 1e9 == pytest.approx(giga, rel=0.01)


def test_published_numbers_without_weights_come_from_the_folders_file() -> None:
    listed = json.loads((CONFIGS / "published.json").read_text())["results"]
    assert listed
    for entry in listed:
        assert (CONFIGS / entry["config"]).is_file()
        assert config_table.published_ap(entry["config"], CONFIGS)[0]
    assert config_table.published_ap("mine/mine.py", CONFIGS) == ({}, "-")


def test_command_writes_one_line_for_each_config(tmp_path: Path) -> None:
    config = tmp_path / "configs" / "mine" / "mine.py"
    config.parent.mkdir(parents=True)
    base = CONFIGS / "pascal_voc" / "ssd300_voc0712.py"
    config.write_text(f"# mine\n_base_ = {str(base)!r}\n")
    out = tmp_path / "docs" / "configs.md"
    assert config_table.main(["--configs", str(tmp_path / "configs"), "--out", str(out)]) == 0
    rows = [line for line in out.read_text().splitlines() if line.startswith("| `")]
    assert rows == [
        "| `configs/mine/mine.py` | VGG-16, SSD | 240 epochs | 26.3 | 31 | - | - | - | - | - |"
        " not measured |"
    ]


def test_folder_without_configs_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert config_table.main(["--configs", str(tmp_path)]) == 2
    assert "--configs" in capsys.readouterr().err
