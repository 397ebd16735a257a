"""Fixtures of the tests that compare with MMDetection's own config files."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WHEEL = "mmdet==3.3.0"


@pytest.fixture(scope="session")
def mmdet_configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MMDetection's configs: the folder MMDET_CONFIGS names, or those of its wheel, downloaded."""
    if "MMDET_CONFIGS" in os.environ:
        return Path(os.environ["MMDET_CONFIGS"])
    folder = tmp_path_factory.mktemp("mmdet")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{WHEEL} cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder, [n for n in wheel.namelist() if "/.mim/configs/" in n])
    return folder / "mmdet" / ".mim" / "configs"
