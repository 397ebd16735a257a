"""``check-data`` from the shell: what is printed, written, mended; the exit status."""

import json
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "datasets" / "check"))

from sets_to_spoil import draw_images, drawn_content

from mmdet_lite.apis.data_report import write_html_report
from mmdet_lite.cli import check_data
from mmdet_lite.cli.train import apply_flags, parse_args

REPORT_WRITER = "mmdet_lite.apis.data_report.write_html_report"
CONFIG = """
model = dict(type="FasterRCNN", roi_head=dict(
    type="StandardRoIHead", bbox_head=dict(type="Shared2FCBBoxHead", num_classes={num_classes})))
in_all = dict(type="CocoDataset", data_root="{root}", metainfo=dict(classes=("cat", "dog")))
steps = [dict(type="LoadImageFromFile"), dict(type="LoadAnnotations", with_bbox=True),
         dict(type="PackDetInputs")]
train_dataloader = dict(dataset=dict(type="RepeatDataset", times=2, dataset=dict(
    ann_file="train.json", data_prefix=dict(img="train"), pipeline=steps, **in_all)))
val_dataloader = dict(dataset=dict(
    ann_file="val.json", data_prefix=dict(img="val"), test_mode=True, pipeline=steps, **in_all))
test_dataloader = val_dataloader
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with train.json and val.json and their pictures; the cache lies in it too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMDET_LITE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(REPORT_WRITER, lambda report, path: None)  # it draws for a second
    for name, content in (("train", drawn_content(4)), ("val", drawn_content(3, 51))):
        draw_images(content, tmp_path / name)
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def change(path, spoil):
    content = json.loads(path.read_text())
    spoil(content)
    path.write_text(json.dumps(content))


def write_config(place, num_classes=2):
    text = CONFIG.format(root=place, num_classes=num_classes)
    (place / "config.py").write_text(text)
    return str(place / "config.py")


def run(*words):
    return check_data.main(["--workers", "0", *map(str, words)])


def report():
    (path,) = Path("work_dirs/check_data").glob("*/report.json")
    return json.loads(path.read_text())


def codes():
    return [finding["code"] for finding in report()["findings"]]


def test_good_file_has_status_0_and_both_reports(place, capsys, monkeypatch):
    monkeypatch.setattr(REPORT_WRITER, write_html_report)
    assert run(place / "train.json", "--image-root", place / "train") == 0
    out = capsys.readouterr().out
    assert "0 errors, 0 warnings, 0 notes" in out and "| cat " in out
    assert Path(f"work_dirs/check_data/{place.name}_train/report.html").is_file()
    assert report()["sets"][0]["num_images"] == 4


def test_errors_give_status_1_and_the_first_examples(place, capsys):
    change(place / "train.json", lambda c: c["annotations"][0].update(bbox=[5, 5, -3, 4]))
    assert run(place / "train.json", "--image-root", place / "train") == 1
    out = capsys.readouterr().out
    assert "ERROR   box-negative (1)" in out and "training: leaves the annotation out" in out
    assert "annotation 100 ('cat') of '1.png'" in out


def test_config_is_checked_through_wrappers_and_val_and_test_once(place, capsys):
    assert run(write_config(place)) == 0
    assert [one["name"] for one in report()["sets"]] == ["train", "val, test"]
    assert "config.py: 0 errors" in capsys.readouterr().out


def test_heads_are_compared_with_the_classes(place, capsys):
    assert run(write_config(place, num_classes=3)) == 1
    assert codes() == ["head-classes"]
    out = capsys.readouterr().out
    assert "model.roi_head.bbox_head.num_classes" in out and "'cat', 'dog'" in out


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("dog", "cat"), "the rows of 2 classes are taken by name"),
        (("wolf", "fox"), "they are as many, so the rows are loaded as they are"),
        (("a", "b", "c"), "the class rows of the heads start anew"),
        (("cat", "dog"), ""),
    ],
)
def test_checkpoint_is_compared_with_the_classes(place, classes, words):
    torch.save({"meta": {"dataset_meta": {"classes": classes}}, "state_dict": {}}, "c.pth")
    assert run(write_config(place), "--checkpoint", "c.pth") == 0
    assert codes() == (["checkpoint-classes"] if words else [])
    assert words in "".join(finding["message"] for finding in report()["findings"])


def test_what_only_the_data_set_refuses_is_found_too(place):
    option = "train_dataloader.dataset.dataset.proposal_file=none.pkl"
    assert run(write_config(place), "--cfg-options", option) == 1
    assert codes() == ["set-refused"]
    assert "none.pkl" in report()["findings"][0]["message"]


def test_filter_that_leaves_nothing_is_an_error_of_that_set(place):
    option = "train_dataloader.dataset.dataset.filter_cfg.min_size=5000"
    assert run(write_config(place), "--cfg-options", option) == 1
    (finding,) = report()["findings"]
    assert finding["code"] == "nothing-left" and finding["source"] == "train"
    assert "4 images: shorter side below min_size=5000" in finding["message"]


def test_plain_annotations_are_counted_without_a_filter_that_no_config_named(place):
    change(place / "train.json", lambda c: c.update(annotations=c["annotations"][:3]))
    run(place / "train.json", "--image-root", place / "train")
    (steps,) = report()["funnels"].values()
    assert [step["left"] for step in steps if step["unit"] == "images"] == [4]


def test_wrong_classes_of_one_set_are_an_error_of_that_set(place):
    change(place / "val.json", lambda c: c["categories"][1].update(name="dgo"))
    assert run(write_config(place)) == 1
    (finding,) = report()["findings"]
    assert finding["code"] == "class-not-in-file" and "did you mean 'dgo'?" in finding["message"]


def test_second_run_reads_no_picture_again(place, monkeypatch):
    command = (place / "train.json", "--image-root", place / "train")
    run(*command)
    monkeypatch.setattr(
        "mmdet_lite.datasets.check.image_facts.read_facts",
        lambda path: pytest.fail(f"{path} was read again"),
    )
    assert run(*command) == 0
    with pytest.raises(pytest.fail.Exception):
        run(*command, "--no-cache")


def test_without_images_missing_ones_are_still_found(place):
    (place / "train" / "1.png").unlink()
    (place / "train" / "2.png").write_text("no picture")
    assert run(place / "train.json", "--image-root", place / "train", "--no-images") == 1
    assert codes() == ["image-missing"]


def test_fix_writes_a_mended_copy_and_leaves_the_file(place, capsys):
    change(place / "train.json", lambda c: c["annotations"][0].update(bbox=[5, 5, -3, 4]))
    before = (place / "train.json").read_bytes()
    command = ("--image-root", place / "train")
    assert run(place / "train.json", *command, "--fix", "new/mended.json") == 1
    assert "1 x boxes taken from the outline  (box-negative)" in capsys.readouterr().out
    assert (place / "train.json").read_bytes() == before
    assert run("new/mended.json", *command, "--out-dir", "again") == 0


def test_fix_lists_what_only_pictures_show(place, capsys):
    change(place / "train.json", lambda c: c["images"][0].update(width=100, height=75))
    (place / "train" / "2.png").unlink()
    run(place / "train.json", "--image-root", place / "train", "--fix", "mended.json")
    left = capsys.readouterr().out.split("left in mended.json")[1]
    assert "image-size (1)" in left and "image-missing (1)" in left


def test_fix_writes_nothing_where_many_annotations_would_go(place, capsys):
    change(place / "train.json", lambda c: [a.update(image_id=99) for a in c["annotations"]])
    assert run(place / "train.json", "--image-root", place / "train", "--fix", "mended.json") == 1
    assert "mended.json is not written: 12 of 12 annotations" in capsys.readouterr().out
    assert not Path("mended.json").exists()


def test_reports_about_files_of_one_name_both_stay(place):
    for folder in ("a", "b"):
        (place / folder).mkdir()
        (place / folder / "train.json").write_text((place / "train.json").read_text())
        run(f"{folder}/train.json", "--image-root", place / "train")
    assert len(list(Path("work_dirs/check_data").glob("*/report.json"))) == 2


def test_fix_says_what_is_left(place, capsys):
    change(place / "train.json", lambda c: c["categories"][1].update(name="Cat "))
    run(place / "train.json", "--image-root", place / "train", "--fix", "mended.json")
    out = capsys.readouterr().out
    assert "left in mended.json, for a person to decide" in out
    assert out.count("category-names-alike") == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train.json", "--fix", "train.json"), "give it another name"),
        (("config.py", "--fix", "x.json"), "choose with --set one of 'train', 'val, test'"),
        (("train.json", "--checkpoint", "c.pth"), "goes with a config"),
        (("config.py", "--image-root", "train"), "go with annotations, not with a config"),
        (("gone.json",), "there is no config, file or folder 'gone.json'"),
        (("gone",), "there is no config, file or folder 'gone'"),
        (("train.json", "--fix", "x.json", "--no-images"), "leave out --no-images"),
    ],
)
def test_wrong_use_has_status_2_and_says_why(place, capsys, words, message):
    write_config(place)
    assert run(*words) == 2
    assert message in capsys.readouterr().err
    assert not Path("x.json").exists()


def test_training_checks_its_data_unless_told_not_to(place):
    from mmdet_lite.config import load_config

    cfg = load_config(write_config(place))
    cfg.optim_wrapper = {"type": "OptimWrapper"}

    def hooks(*flags):
        hooks = apply_flags(cfg, parse_args(["config.py", *flags])).custom_hooks
        return [hook["type"] for hook in hooks]

    assert "CheckDataHook" in hooks()
    assert "CheckDataHook" not in hooks("--no-check-data")
