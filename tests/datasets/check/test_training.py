"""The cheap part before the first step: what it refuses, what it only says, what it lets pass."""

import copy
import json
import logging
import subprocess
import sys
from types import SimpleNamespace

import pytest
from sets_to_spoil import draw_images, drawn_content

from mmdet_lite.datasets import CocoDataset, ConcatDataset
from mmdet_lite.datasets.check import CheckDataHook, check_before_training
from mmdet_lite.registry import HOOKS


@pytest.fixture
def build(tmp_path):
    """A function that writes a set and builds its data set."""

    def dataset(content, name="train", **arguments):
        draw_images(content, tmp_path / name)
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        return CocoDataset(
            f"{name}.json", data_root=str(tmp_path), data_prefix={"img": name}, **arguments
        )

    return dataset


@pytest.fixture
def warnings_of(monkeypatch):
    """A function from data sets to the lines that the check logs."""

    def lines(*datasets):
        said = []
        monkeypatch.setattr(
            "mmdet_lite.datasets.check.training.print_log",
            lambda text, logger, level: said.append((level, text)),
        )
        check_before_training(*datasets)
        assert all(level == logging.WARNING for level, _ in said)
        return [text for _, text in said]

    return lines


def test_good_data_pass_without_a_word(build, warnings_of):
    assert warnings_of(build(drawn_content()), build(drawn_content(4, 51), "val")) == []


def test_missing_pictures_are_refused_with_names_and_way_out(build, tmp_path):
    dataset = build(drawn_content())
    for name in ("2.png", "3.png"):
        (tmp_path / "train" / name).unlink()
    with pytest.raises(ValueError, match="2 of 8 images") as refusal:
        check_before_training(dataset)
    text = str(refusal.value)
    assert "2.png" in text and "data_prefix.img" in text and "--no-check-data" in text
    assert "check-data CONFIG" in text and "on_bad_image='skip'" in text


def test_missing_pictures_pass_where_they_are_skipped(build, tmp_path, warnings_of):
    dataset = build(drawn_content(), on_bad_image="skip")
    (tmp_path / "train" / "2.png").unlink()
    assert warnings_of(dataset) == []


def test_missing_pictures_of_validation_are_refused_before_training(build, tmp_path):
    train, val = build(drawn_content()), build(drawn_content(4, 51), "val", test_mode=True)
    (tmp_path / "val" / "52.png").unlink()
    with pytest.raises(ValueError, match=r"val: image-missing: 1 of 4"):
        check_before_training(train, val)


def test_parts_of_wrapped_sets_are_checked_and_named(build, tmp_path):
    parts = [build(drawn_content()), build(drawn_content(4, 51), "more")]
    (tmp_path / "more" / "52.png").unlink()
    with pytest.raises(ValueError, match=r"train\.1: image-missing"):
        check_before_training(ConcatDataset(parts))


def test_shared_pictures_and_empty_classes_are_one_line(build, tmp_path, warnings_of):
    content = drawn_content()
    for ann in content["annotations"]:
        ann["category_id"] = 1
    train = build(content)
    (tmp_path / "copy.json").write_text((tmp_path / "train.json").read_text())
    val = CocoDataset("copy.json", data_root=str(tmp_path), data_prefix={"img": "train"})
    (line,) = warnings_of(train, val)
    assert "8 x the same picture in training and validation data" in line
    assert "1 x a class without any instance" in line and "mmdet-lite check-data" in line
    (line,) = warnings_of(train, train)
    assert "1 x validated on the training data itself" in line


def test_a_few_odd_boxes_do_not_stop_a_training(build, warnings_of):
    content = drawn_content()
    content["annotations"][0]["bbox"] = [0, 0, 5, 5]
    (line,) = warnings_of(build(content))
    assert "1 x a box and its outline differ" in line


def test_data_sets_of_other_kinds_pass():
    check_before_training([1, 2, 3], SimpleNamespace(metainfo={}))


def test_hook_checks_what_the_runner_was_built_with(build, tmp_path):
    dataset = build(drawn_content())
    (tmp_path / "train" / "2.png").unlink()
    loader = SimpleNamespace(dataset=dataset)
    runner = SimpleNamespace(train_dataloader=loader, val_loop=None)
    hook = HOOKS.build({"type": "CheckDataHook"})
    assert isinstance(hook, CheckDataHook)
    with pytest.raises(ValueError, match="training refuses this data"):
        hook.before_train(runner)


def test_hook_is_known_by_its_name_alone():
    code = "from mmdet_lite.registry import HOOKS; assert HOOKS.get('CheckDataHook')"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_argument_is_unchanged(build):
    dataset = build(drawn_content(3))
    before = [copy.deepcopy(dataset.get_data_info(i)) for i in range(3)]
    check_before_training(dataset)
    assert [dataset.get_data_info(i) for i in range(3)] == before
