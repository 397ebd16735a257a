import argparse
import sys

import pytest

from mmdet_lite.checkpoint import POINTER
from mmdet_lite.cli import stopped
from mmdet_lite.cli.stopped import go_on_text

ARGS = argparse.Namespace(
    config="my config.py",
    work_dir="run",
    amp=None,
    auto_scale_lr=False,
    no_validate=True,
    cfg_options=["a=1"],
    launcher="none",
)
WORDS = " 'my config.py' --work-dir run --no-validate --cfg-options a=1 --resume"


@pytest.mark.parametrize(
    ("started_as", "on_path", "said"),
    [
        ("tools/train.py", True, "{python} tools/train.py"),
        ("/usr/bin/mmdet-lite", True, "mmdet-lite train"),
        (".venv/bin/mmdet-lite", False, "{python} -m mmdet_lite.cli train"),
    ],
)
def test_the_command_to_go_on_can_be_typed_as_it_is(
    tmp_path, monkeypatch, started_as, on_path, said
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [started_as])
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    monkeypatch.setattr(stopped.shutil, "which", lambda name: name if on_path else None)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / POINTER).write_text("epoch_3.pth\n")
    expected = said.format(python=".venv/bin/python") + WORDS
    assert go_on_text(ARGS, "run") == f"epoch_3.pth in run stays; to go on: {expected}"


def test_without_a_checkpoint_the_same_command_starts_again(tmp_path):
    assert "no checkpoint was written" in go_on_text(ARGS, str(tmp_path))
