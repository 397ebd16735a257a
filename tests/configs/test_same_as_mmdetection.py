"""Our configs resolve to MMDetection 3.3's values.

Its configs are not part of this project: its wheel is downloaded, or the variable MMDET_CONFIGS
says where they are, for example ``MMDET_CONFIGS=/tmp/mmdet/.mim/configs``.
"""

from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmdet_lite.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
FOLDERS = """
    mask_rcnn faster_rcnn fast_rcnn rpn retinanet cascade_rcnn gn gn+ws scratch resnet_strikes_back
    pascal_voc cityscapes ssd"""
OURS = [path for folder in FOLDERS.split() for path in sorted((CONFIGS / folder).glob("*.py"))]
SECTIONS = """
    model train_dataloader val_dataloader test_dataloader val_evaluator test_evaluator train_cfg
    val_cfg test_cfg optim_wrapper param_scheduler default_hooks env_cfg visualizer log_processor
    log_level load_from resume custom_hooks"""
CASCADES = ["r50", "r101", "r50-caffe", "r101-caffe", "x101-32x4d", "x101-64x4d", "x101-32x8d"]
# what we set on purpose and MMDetection does not, or otherwise; file name first where only there
DELIBERATE = {
    "default_hooks.checkpoint.save_best",
    "default_hooks.checkpoint.max_keep_ckpts",
    # it ends these schedules before both milestones, so that the rate never falls
    "mask-rcnn_r50-caffe_fpn_ms-poly-3x_coco.py:param_scheduler.1.end",
    "faster-rcnn_r50-caffe_fpn_ms-2x_coco.py:param_scheduler.1.end",
    "faster-rcnn_r50-caffe-dc5_ms-3x_coco.py:param_scheduler.1.end",
    # it trains masks there and evaluates boxes alone
    *(
        f"cascade-mask-rcnn_{model}_fpn_ms-3x_coco.py:{evaluator}.metric{part}"
        for model in CASCADES
        for evaluator in ("val_evaluator", "test_evaluator")
        for part in ("", ".0", ".1")
    ),
    # without it the two years, which differ in the name of their set, cannot be joined
    "faster-rcnn_r50-caffe-c4_ms-18k_voc0712.py:train_dataloader.dataset.ignore_keys.0",
    # left over there from the set in VOC's own form that it inherits
    *(
        f"faster-rcnn_r50_fpn_1x_voc0712-cocofmt.py:{key}"
        for split in ("val", "test")
        for key in (
            f"{split}_dataloader.dataset.data_prefix.sub_data_root",
            f"{split}_evaluator.eval_mode",
        )
    ),
    # it leaves the stage that works on each region unpretrained
    "mask-rcnn_r50-caffe-c4_1x_coco.py:model.roi_head.shared_head.init_cfg.type",
    "mask-rcnn_r50-caffe-c4_1x_coco.py:model.roi_head.shared_head.init_cfg.checkpoint",
}
# what leaving a key out means
DEFAULTS = {"backend_args": None, "format_only": False, "match_low_quality": True}
# it says that lr is set for a batch of 8 and leaves 16
BATCHES = {"faster-rcnn_r50_fpn_1x_cityscapes.py": 8, "mask-rcnn_r50_fpn_1x_cityscapes.py": 8}


def flat(node: Any, where: str) -> dict[str, Any]:
    if isinstance(node, dict) and node:
        items = node.items()
    elif isinstance(node, (list, tuple)) and node:
        items = enumerate(node)
    else:
        return {where: node}
    return {k: v for key, value in items for k, v in flat(value, f"{where}.{key}").items()}


@pytest.mark.slow
@pytest.mark.parametrize("path", OURS, ids=lambda p: p.name)
def test_values_equal_those_of_the_file_of_the_same_name(path: Path, mmdet_configs: Path) -> None:
    ours = load_config(path, check=False)
    theirs = Config.fromfile(str(mmdet_configs / path.parent.name / path.name))
    differences = {}
    for section in SECTIONS.split():
        a, b = flat(ours.get(section), section), flat(theirs.get(section), section)
        for key in a.keys() | b.keys():
            default = DEFAULTS.get(key.rsplit(".", 1)[-1], "absent")
            if key in DELIBERATE or f"{path.name}:{key}" in DELIBERATE:
                continue
            if a.get(key, default) != b.get(key, default):
                differences[key] = (a.get(key, default), b.get(key, default))
    assert not differences
    batch = BATCHES.get(path.name, theirs.auto_scale_lr.base_batch_size)
    assert ours.auto_scale_lr.base_batch_size == batch


@pytest.mark.slow
def test_test_time_augmentation_of_retinanet_is_the_same(mmdet_configs: Path) -> None:
    name = "retinanet/retinanet_r50_fpn_1x_coco.py"
    ours = load_config(CONFIGS / name, check=False)
    theirs = Config.fromfile(str(mmdet_configs / name))
    assert flat(ours.tta_model, "tta_model") == flat(theirs.tta_model, "tta_model")
    assert flat(ours.tta_pipeline, "pipeline") == flat(theirs.tta_pipeline, "pipeline")


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS.split())
def test_no_config_of_mmdetection_is_refused_at_reading(folder: str, mmdet_configs: Path) -> None:
    files = sorted((mmdet_configs / folder).glob("*.py"))
    assert files
    for file in files:
        cfg = load_config(file, check=False)
        assert cfg.default_scope == "mmdet_lite"


@pytest.mark.slow
def test_every_config_of_mmdetection_has_its_namesake(mmdet_configs: Path) -> None:
    theirs = {f"{d}/{p.name}" for d in FOLDERS.split() for p in (mmdet_configs / d).glob("*.py")}
    ours = {f"{path.parent.name}/{path.name}" for path in OURS}
    ssdlite = "ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py"  # depthwise SSD is not here
    # the augmentation of RetinaNet at test time is _base_/tta_multiscale.py here
    assert theirs - ours == {"retinanet/retinanet_tta.py", ssdlite}
    assert not ours - theirs
