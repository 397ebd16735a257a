"""The newcomer's path of docs/data.md, run as it stands there, on fewer and smaller pictures."""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from mmdet_lite.cli import __main__

PAGE = Path(__file__).resolve().parents[1] / "docs" / "data.md"
TINY = {  # what is added to a command, so that the path takes seconds and no network
    "make_balloons.py": "--train 8 --val 2 --size 160 120",
    "train": "--cfg-options model.backbone.init_cfg=None train_cfg.max_epochs=1 "
    "train_cfg.val_interval=1 train_dataloader.num_workers=0 val_dataloader.num_workers=0 "
    "train_dataloader.persistent_workers=False val_dataloader.persistent_workers=False",
    "test": "--cfg-options test_dataloader.num_workers=0 test_dataloader.persistent_workers=False",
}


def section() -> str:
    text = PAGE.read_text(encoding="utf-8")
    return text.split("## From LabelMe files to a model, step by step")[1].split("\n## ")[0]


def commands() -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", section(), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def run(line: str) -> int:
    """Run a line of the page in this process, its wildcards replaced as a shell does."""
    words = []
    for word in shlex.split(line):
        found = sorted(str(path) for path in Path.cwd().glob(word)) if "*" in word else []
        assert found or "*" not in word, f"{word} of {line!r} matches no file"
        words += found or [word]
    name = words[1] if words[0] == "mmdet-lite" else Path(words[1]).name
    words += shlex.split(TINY.get(name, ""))
    command: Callable[[list[str]], int] = __main__.main
    if words[0] == "python":
        words[1] = Path(words[1]).stem.replace("_", "-")
    return command(words[1:])


@pytest.mark.slow
def test_the_path_leads_from_labelme_files_to_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in commands():
        assert run(line) == 0, line
    assert list(Path("data/mine").rglob("*.json"))
    assert list(Path("work_dirs/mine").glob("best_*.pth"))
    assert list(Path("found").rglob("*.jpg"))
    assert list(Path("work_dirs").rglob("report.html"))


def test_the_config_on_the_page_is_the_one_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in commands():
        if re.search("make_balloons|convert-data", line):
            assert run(line) == 0, line
    [shown] = re.findall(r"```python\n(.*?)```", section(), flags=re.DOTALL)
    written = Path("mine.py").read_text(encoding="utf-8")
    configs = os.path.relpath(PAGE.parents[1] / "configs")
    shown = shown.replace('"configs/', f'"{Path(configs).as_posix()}/')
    assert written.startswith(shown)
