import pickle
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmdet_lite.cli import test as test_command
from mmdet_lite.cli import train

ENGINE_TESTS = Path(__file__).resolve().parents[1] / "engine"


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A toy config and a checkpoint trained with it, in the current folder."""
    monkeypatch.syspath_prepend(str(ENGINE_TESTS))
    monkeypatch.chdir(tmp_path)
    from toy_training import write_toy_config

    config = write_toy_config(tmp_path / "toy.py", tmp_path / "run", epochs=1)
    assert train.main([config]) == 0
    return config


def test_results_are_written_where_out_says(trained, capsys):
    assert test_command.main([trained, "run/epoch_1.pth", "--out", "new/out.pkl"]) == 0
    assert "predictions: new/out.pkl" in capsys.readouterr().err
    with open("new/out.pkl", "rb") as file:
        results = pickle.load(file)
    assert [result["img_id"] for result in results] == list(range(8))


def test_checkpoint_of_other_names_or_order_is_refused_with_both(trained, capsys):
    for names in ("('ring','disc')", "('disc','ring','square')"):
        options = ["--cfg-options", f"test_dataloader.dataset.metainfo.classes={names}"]
        assert test_command.main([trained, "run/epoch_1.pth", *options]) == 2
    err = capsys.readouterr().err
    assert "0: 'disc' 'ring'" in err and "2: '-' 'square'" in err


def test_checkpoint_that_does_not_fill_the_model_is_refused(trained, capsys):
    content = torch.load("run/epoch_1.pth")
    del content["state_dict"]["linear.bias"]
    torch.save(content, "part.pth")
    assert test_command.main([trained, "part.pth"]) == 2
    assert "linear.bias" in capsys.readouterr().err


def test_missing_checkpoint_is_named_with_the_nearest(trained, capsys):
    assert test_command.main([trained, "run/epoch_2.pth"]) == 2
    assert "nearest names there: epoch_1.pth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        (["d.pth", "e.pth"], "one checkpoint is expected; choose one, d.pth e.pth came"),
        (["--ttta"], "did you mean --tta?"),
        (["--out", "a.txt"], ".pkl or .json"),
    ],
)
def test_what_is_not_done_is_refused(flags, part, capsys):
    with pytest.raises(SystemExit) as caught:
        test_command.main(["c.py", "c.pth", *flags])
    assert caught.value.code == 2 and part in capsys.readouterr().err


def apply(cfg, *flags):
    return test_command.apply_flags(Config(cfg), test_command.parse_args(["c.py", "c", *flags]))


TESTABLE = {"test_dataloader": {}, "test_cfg": {}, "test_evaluator": {"ann_file": "a.json"}}


def test_json_takes_category_ids_from_the_metrics_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert apply(TESTABLE, "--out", "o.json").test_evaluator[1] == {
        "type": "DumpDetResults",
        "out_file_path": "o.json",
        "ann_file": "a.json",
    }


def test_an_evaluator_by_source_writes_the_predictions_of_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metrics = [{"type": "CocoMetric", "ann_file": f"{name}.json"} for name in "ab"]
    by_source = {
        "type": "MultiDatasetsEvaluator",
        "metrics": metrics,
        "dataset_prefixes": ["a", "b"],
    }
    evaluator = apply(TESTABLE | {"test_evaluator": by_source}, "--out", "o.pkl").test_evaluator
    assert evaluator.metrics == metrics
    assert evaluator.joint_metrics == [{"type": "DumpDetResults", "out_file_path": "o.pkl"}]
    plain = {"type": "Evaluator", "metrics": metrics[:1]}
    evaluator = apply(TESTABLE | {"test_evaluator": plain}, "--out", "o.pkl").test_evaluator
    assert [metric.type for metric in evaluator.metrics] == ["CocoMetric", "DumpDetResults"]


def test_pictures_go_to_the_folder_that_was_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hooks = {"default_hooks": {"visualization": {"type": "DetVisualizationHook", "score_thr": 0.5}}}
    hook = apply(TESTABLE | hooks, "--show-dir", "pics").default_hooks.visualization
    assert hook == {
        "type": "DetVisualizationHook",
        "score_thr": 0.5,
        "draw": True,
        "show": False,
        "wait_time": 2,
        "test_out_dir": str(tmp_path / "pics"),
    }
    with pytest.raises(ValueError, match=r"need default_hooks\.visualization"):
        apply(TESTABLE, "--show-dir", "pics")


def test_config_without_a_test_set_is_refused():
    with pytest.raises(ValueError, match=r"c\.py has no test_dataloader, test_evaluator, test_cfg"):
        apply({})


def test_other_classes_are_answered_with_the_whole_list_to_paste():
    trained = ("a", "b", "c", "d", "e", "f", "g")
    dataset = {"type": "CocoDataset", "metainfo": {"classes": trained[::-1]}}
    cfg = Config({"test_dataloader": {"dataset": dataset}})
    checkpoint = {"meta": {"dataset_meta": {"classes": trained}}}
    with pytest.raises(ValueError) as error:
        test_command.with_test_classes(cfg, checkpoint, "a.pth")
    assert str(error.value).endswith(f"test_dataloader.dataset.metainfo=dict(classes={trained})")
