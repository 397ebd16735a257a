"""Every config file of ours reads, keeps its promises about depth, and says what it is."""

import io
import re
import tokenize
from pathlib import Path

import pytest

from mmdet_lite.config import load_config
from mmdet_lite.config.sources import _bases
from mmdet_lite.registry import DATASETS, METRICS

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
LEAVES = sorted(p for p in CONFIGS.rglob("*.py") if "_base_" not in p.parts)
NAMESAKES = """
    mask_rcnn faster_rcnn fast_rcnn rpn retinanet cascade_rcnn gn gn+ws scratch resnet_strikes_back
    pascal_voc cityscapes ssd"""
FLAT = [p for p in LEAVES if p.parent.name in NAMESAKES.split()]
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
A_DOZEN = 12


def depth(path: Path) -> int:
    bases = _bases(path)
    return 1 + max(depth((path.parent / base).resolve()) for base in bases) if bases else 0


def missing_components(path: Path) -> list[str]:
    """Data sets and metrics that the file names and nothing registers."""
    text = str(load_config(path, check=False).to_dict())
    named = set(re.findall(r"'type': '(\w+(?:Dataset|Metric))'", text))
    return sorted(n for n in named if DATASETS.get(n) is None and METRICS.get(n) is None)


def code_lines(path: Path) -> int:
    """Lines that hold more than a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER}
    return len({token.start[0] for token in tokens if token.type not in layout})


def test_every_promised_config_is_there() -> None:
    assert set(PROMISED.split()) <= {path.stem for path in LEAVES}


@pytest.mark.parametrize("path", LEAVES, ids=lambda p: p.stem)
@pytest.mark.filterwarnings("error::UserWarning")
def test_config_reads_and_passes_the_checks_without_a_word(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cfg = load_config(path)
    assert cfg.default_scope == "mmdet_lite"
    assert cfg.auto_scale_lr.base_batch_size > 0
    assert "translated" not in capfd.readouterr().err


def test_every_data_set_and_metric_named_is_there() -> None:
    assert not [path.name for path in LEAVES if missing_components(path)]


@pytest.mark.parametrize("path", FLAT, ids=lambda p: p.stem)
def test_namesake_of_a_config_of_mmdetection_is_at_most_two_levels_deep(path: Path) -> None:
    assert 1 <= depth(path) <= 2


@pytest.mark.parametrize("path", LEAVES, ids=lambda p: p.stem)
def test_config_is_at_most_a_dozen_lines(path: Path) -> None:
    assert code_lines(path) <= A_DOZEN


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.py")), ids=lambda p: p.stem)
def test_config_says_on_top_what_it_is(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_every_base_is_used() -> None:
    used = {
        (path.parent / base).resolve() for path in CONFIGS.rglob("*.py") for base in _bases(path)
    }
    assert set((CONFIGS / "_base_").rglob("*.py")) <= used


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
