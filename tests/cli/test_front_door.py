"""What all commands share."""

from pathlib import Path

import pytest

from mmdet_lite.cli.front_door import metric_setting, parse_overrides, short_path


def test_a_path_is_relative_only_inside_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert short_path(str(tmp_path / "runs" / "a.pth")) == "runs/a.pth"
    assert short_path(str(tmp_path.parent / "a.pth")) == str(tmp_path.parent / "a.pth")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18", 18),
        ("1e-3", 0.001),
        ("true", True),
        ("[a,b]", ["a", "b"]),
        ("(1,2)", (1, 2)),
        ("1,2", [1, 2]),
        ("runs/a.pth", "runs/a.pth"),
        ("'two words'", "two words"),
        ("[dict(type='A', n=[dict(b=1)])]", [{"type": "A", "n": [{"b": 1}]}]),
        ("dict(classes=('my cat',))", {"classes": ("my cat",)}),
        ("{'a': -1}", {"a": -1}),
    ],
)
def test_values_of_overrides_are_python_or_words(text: str, value: object) -> None:
    assert parse_overrides([f"a.b={text}"]) == {"a.b": value}


@pytest.mark.parametrize("text", ["[dict(type=A)]", "[dict(a=1]", "[1,2"])
def test_brackets_that_do_not_match_are_explained(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read: brackets or quotes do not match"):
        parse_overrides([f"a={text}"])


def test_nothing_is_run_to_read_an_override() -> None:
    assert parse_overrides(["a=[__import__('os').getcwd()]"]) != {"a": [str(Path.cwd())]}


def test_a_setting_is_that_of_the_first_metric_that_has_it() -> None:
    metrics = [{"type": "A"}, {"type": "B", "offset": 0.5}, {"type": "C", "offset": 1}]
    assert metric_setting(metrics, "offset", 0) == 0.5
    assert metric_setting(metrics[2], "offset") == 1
    assert metric_setting(None, "offset", 0) == 0
