"""print-config: the resolved config, origins, differences."""

from pathlib import Path

import pytest

from mmdet_lite.cli.print_config import main
from mmdet_lite.config import load_config


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(
        "work_dir = 'x'\ntrain_cfg = dict(max_epochs=12)\nhelper = 1\n"
        "train_dataloader = dict(dataset=dict(pipeline=[dict(type='Load'), dict(type='Pack')]))\n"
    )
    (tmp_path / "b.py").write_text(
        "_base_ = 'a.py'\ntrain_cfg = dict(max_epochs=24, val_interval=2)\nhelper = 2\n"
        "train_dataloader = dict(dataset=dict(\n"
        "    pipeline=[dict(type='Load'), dict(type='Flip', prob=.5), dict(type='Pack')]))\n"
    )
    return tmp_path


def test_the_printed_config_is_one(configs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["b.py", "--cfg-options", "train_cfg.max_epochs=3"]) == 0
    (configs / "again.py").write_text(capsys.readouterr().out)
    expected = load_config(configs / "b.py", {"train_cfg.max_epochs": 3}, check=False)
    assert load_config(configs / "again.py", check=False)._cfg_dict == expected._cfg_dict
    assert expected.train_cfg.max_epochs == 3


@pytest.mark.parametrize("name", ["out/new.py", "new.json", "new.yml"])
def test_it_is_saved_in_the_form_of_the_ending(configs: Path, name: str) -> None:
    assert main(["b.py", "--save-path", name]) == 0
    saved = load_config(configs / name, check=False)
    assert saved.train_cfg == {"max_epochs": 24, "val_interval": 2}


def test_origins_stand_beside_the_keys(configs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["b.py", "--origin", "--cfg-options", "work_dir=y"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["train_cfg.val_interval", "=", "2", "#", "b.py:2"] in lines
    assert ["work_dir", "=", "'y'", "#", "--cfg-options", "work_dir"] in lines
    prob = "train_dataloader.dataset.pipeline.1.prob"
    assert [prob, "=", "0.5", "#", "b.py:5"] in lines
    assert [] in lines  # between sections


def test_differences_by_dotted_key(configs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--diff", "a.py", "b.py"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "--- a.py",
        "+++ b.py",
        "  train_cfg.max_epochs: 12 -> 24",
        "+ train_cfg.val_interval = 2",
        "+ train_dataloader.dataset.pipeline.1.type = 'Flip'",
        "+ train_dataloader.dataset.pipeline.1.prob = 0.5",
        "variables of the files that differ too: helper",
    ]
    assert main(["--diff", "a.py", "a.py"]) == 0
    assert "no difference" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one CONFIG, or two with --diff"),
        (["a.py", "--diff", "a.py", "b.py"], "give one CONFIG"),
        (["--diff", "a.py", "b.py", "--origin"], "neither --origin nor --save-path"),
        (["a.py", "--save-path", "x.txt"], "must end with .py, .json"),
        (["a.py", "--origins"], "did you mean --origin"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    arguments: list[str], message: str, configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err


def test_a_config_that_is_not_there_is_one_line(
    configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["c.py"]) == 2
    assert "config file c.py does not exist" in capsys.readouterr().err
