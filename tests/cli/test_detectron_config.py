import subprocess
import sys
from pathlib import Path

import pytest

from mmdet_lite.cli.detectron_config import main
from mmdet_lite.config import load_config

ROOT = Path(__file__).resolve().parents[2]
YAML = """
MODEL: {TYPE: generalized_rcnn, CONV_BODY: FPN.add_fpn_ResNet101_conv5_body, NUM_CLASSES: 81,
        FASTER_RCNN: True}
FPN: {FPN_ON: True}
FAST_RCNN: {ROI_BOX_HEAD: fast_rcnn_heads.add_roi_2mlp_head, ROI_XFORM_METHOD: RoIAlign,
            ROI_XFORM_RESOLUTION: 7}
TRAIN: {WEIGTHS: a.pkl, DATASETS: "('coco_2014_train',)"}
"""


@pytest.fixture
def yaml(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(YAML)
    return path


def test_config_is_written_beside_others_and_loads(yaml, tmp_path, capsys):
    out = tmp_path / "configs" / "my.py"
    assert main([str(yaml), str(out)]) == 0
    cfg = load_config(out)
    assert cfg.model.backbone.depth == 101 and cfg.train_cfg.max_iters == 40000
    err = capsys.readouterr().err
    assert f"{yaml}: TRAIN.WEIGTHS = 'a.pkl': not a key of Detectron, did you mean" in err
    assert f"config: {out}" in err


def test_without_a_file_the_config_goes_to_standard_output(yaml, tmp_path):
    tool = ROOT / "tools" / "model_converters" / "detectron_config.py"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(
        [sys.executable, tool, yaml], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert run.returncode == 0, run.stderr
    (tmp_path / "printed.py").write_text(run.stdout)
    assert load_config(tmp_path / "printed.py").model.backbone.depth == 101


def test_errors_are_text_with_status_2(yaml, tmp_path, capsys):
    yaml.write_text(YAML.replace("ResNet101_conv5", "VGG_conv5"))
    assert main([str(yaml), str(tmp_path / "a.py")]) == 2
    assert "MODEL.CONV_BODY='FPN.add_fpn_VGG_conv5_body'" in capsys.readouterr().err
    assert not (tmp_path / "a.py").exists()
    with pytest.raises(SystemExit):
        main([str(yaml), "a.yaml"])
    assert "ends with .py" in capsys.readouterr().err
