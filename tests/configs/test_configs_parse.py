"""Every config file of ours reads, keeps its promises about depth, and says what it is."""

from pathlib import Path

import pytest

from mmdet_lite.config import load_config
from mmdet_lite.config.sources import _bases

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
LEAVES = sorted(p for p in CONFIGS.rglob("*.py") if "_base_" not in p.parts)
PROMISED = """
mask-rcnn_r50_fpn_1x_coco mask-rcnn_r50_fpn_2x_coco mask-rcnn_r101_fpn_1x_coco
mask-rcnn_r101_fpn_2x_coco mask-rcnn_x101-32x4d_fpn_1x_coco mask-rcnn_x101-32x4d_fpn_2x_coco
mask-rcnn_x101-64x4d_fpn_1x_coco mask-rcnn_x101-64x4d_fpn_2x_coco mask-rcnn_r50-caffe_fpn_1x_coco
mask-rcnn_r50-caffe_fpn_ms-1x_coco mask-rcnn_r50-caffe_fpn_ms-poly-1x_coco
mask-rcnn_r50-caffe_fpn_ms-poly-2x_coco mask-rcnn_r50-caffe_fpn_ms-poly-3x_coco
mask-rcnn_r50_fpn_amp-1x_coco mask-rcnn_r18_fpn_8xb8-amp-lsj-200e_coco
mask-rcnn_r50_fpn_8xb8-amp-lsj-200e_coco faster-rcnn_r50_fpn_1x_coco faster-rcnn_r101_fpn_1x_coco
mask-rcnn_r50-caffe_fpn_ms-poly-1x_balloon mask-rcnn_r18_fpn_balloon
"""


def depth(path: Path) -> int:
    bases = _bases(path)
    return 1 + max(depth((path.parent / base).resolve()) for base in bases) if bases else 0


def test_every_promised_config_is_there() -> None:
    assert set(PROMISED.split()) <= {path.stem for path in LEAVES}


@pytest.mark.parametrize("path", LEAVES, ids=lambda p: p.stem)
@pytest.mark.filterwarnings("error::UserWarning")
def test_config_reads_and_passes_the_checks_without_a_word(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cfg = load_config(path)
    assert cfg.default_scope == "mmdet_lite"
    assert cfg.model.type in ("MaskRCNN", "FasterRCNN")
    assert cfg.auto_scale_lr.base_batch_size > 0
    assert "translated" not in capfd.readouterr().err


@pytest.mark.parametrize("path", LEAVES, ids=lambda p: p.stem)
def test_config_is_at_most_two_levels_above_its_bases(path: Path) -> None:
    assert 1 <= depth(path) <= 2


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.py")), ids=lambda p: p.stem)
def test_config_says_on_top_what_it_is(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("balloon/*.py")), ids=lambda p: p.stem)
def test_balloon_configs_know_one_class_everywhere(path: Path) -> None:
    cfg = load_config(path, check=False)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.metainfo.classes == ("balloon",)
        assert loader.dataset.data_root == "data/balloon/"
        assert loader.dataset.ann_file.endswith("annotation_coco.json")
    assert cfg.model.roi_head.bbox_head.num_classes == 1
    assert cfg.model.roi_head.mask_head.num_classes == 1
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        assert evaluator.ann_file == "data/balloon/val/annotation_coco.json"
