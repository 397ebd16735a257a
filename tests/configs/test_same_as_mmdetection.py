"""Our configs resolve to MMDetection 3.3's values.

Its configs are not part of this project: unpack its wheel and say where they are, for example
``MMDET_CONFIGS=/tmp/mmdet/.mim/configs pytest -m slow tests/configs``.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmdet_lite.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
OURS = sorted([*CONFIGS.glob("mask_rcnn/*.py"), *CONFIGS.glob("faster_rcnn/*.py")])
SECTIONS = """
    model train_dataloader val_dataloader test_dataloader val_evaluator test_evaluator train_cfg
    val_cfg test_cfg optim_wrapper param_scheduler default_hooks env_cfg visualizer log_processor
    log_level load_from resume"""
# what we set on purpose and MMDetection does not, or otherwise
DELIBERATE = {
    "default_hooks.checkpoint.save_best",
    "default_hooks.checkpoint.max_keep_ckpts",
    # its end=24 lies before the milestones 28 and 34, so the rate never falls
    "mask-rcnn_r50-caffe_fpn_ms-poly-3x_coco.py:param_scheduler.1.end",
}


def flat(node: Any, where: str) -> dict[str, Any]:
    if isinstance(node, dict) and node:
        items = node.items()
    elif isinstance(node, (list, tuple)) and node:
        items = enumerate(node)
    else:
        return {where: node}
    return {k: v for key, value in items for k, v in flat(value, f"{where}.{key}").items()}


@pytest.fixture
def theirs_dir() -> Path:
    if "MMDET_CONFIGS" not in os.environ:
        pytest.skip("MMDET_CONFIGS does not name a folder of MMDetection's configs")
    return Path(os.environ["MMDET_CONFIGS"])


@pytest.mark.slow
@pytest.mark.parametrize("path", OURS, ids=lambda p: p.name)
def test_values_equal_those_of_the_file_of_the_same_name(path: Path, theirs_dir: Path) -> None:
    ours = load_config(path, check=False)
    theirs = Config.fromfile(str(theirs_dir / path.parent.name / path.name))
    differences = {}
    for section in SECTIONS.split():
        a, b = flat(ours.get(section), section), flat(theirs.get(section), section)
        for key in a.keys() | b.keys():
            if key in DELIBERATE or f"{path.name}:{key}" in DELIBERATE:
                continue
            if a.get(key, "absent") != b.get(key, "absent"):
                differences[key] = (a.get(key, "absent"), b.get(key, "absent"))
    base = theirs.auto_scale_lr.base_batch_size
    assert not differences
    assert ours.auto_scale_lr.base_batch_size == base


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["mask_rcnn", "faster_rcnn"])
def test_no_config_of_mmdetection_is_refused_at_reading(folder: str, theirs_dir: Path) -> None:
    files = sorted((theirs_dir / folder).glob("*.py"))
    assert len(files) >= 30
    for file in files:
        cfg = load_config(file, check=False)
        assert cfg.default_scope == "mmdet_lite"
