import logging
import multiprocessing
import random
import shutil

import pytest
import torch
from toy_training import run

from mmdet_lite.checkpoint import find_resume_checkpoint, load_checkpoint_file

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def one_thread():
    """A forked process can only compute if this one has not started threads for that."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def same(one, other, skip=()):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return all(same(one[key], other[key]) for key in one if key not in skip)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def assert_same_training(one, other):
    one, other = torch.load(one), torch.load(other)
    for part in ("state_dict", "optimizer", "param_schedulers"):
        assert same(one[part], other[part]), part
    assert same(one["meta"]["random_states"], other["meta"]["random_states"])
    losses = [ckpt["message_hub"]["log_scalars"]["train/loss_fit"] for ckpt in (one, other)]
    assert same(*losses)


def test_training_twice_as_long_equals_training_resuming_training(tmp_path):
    run(tmp_path / "whole", epochs=4)
    run(tmp_path / "parts", epochs=2)
    run(tmp_path / "parts", epochs=4, resume=True)
    assert_same_training(tmp_path / "whole" / "epoch_4.pth", tmp_path / "parts" / "epoch_4.pth")


def test_accumulation_and_bf16_resume_to_the_same_weights(tmp_path):
    changes = {
        "optim_wrapper__type": "AmpOptimWrapper",
        "optim_wrapper__accumulative_counts": 2,
        "optim_wrapper__optimizer": {"type": "AdamW", "lr": 0.01, "_delete_": True},
    }
    run(tmp_path / "whole", epochs=4, **changes)
    run(tmp_path / "parts", epochs=2, **changes)
    run(tmp_path / "parts", epochs=4, resume=True, **changes)
    assert_same_training(tmp_path / "whole" / "epoch_4.pth", tmp_path / "parts" / "epoch_4.pth")


def test_validating_does_not_change_training(tmp_path):
    run(tmp_path / "with", epochs=3)
    nothing = {"val_dataloader": None, "val_cfg": None, "val_evaluator": None}
    run(tmp_path / "without", epochs=3, default_hooks__checkpoint__save_best=None, **nothing)
    with_val, without = (torch.load(tmp_path / d / "epoch_3.pth") for d in ("with", "without"))
    assert same(with_val["state_dict"], without["state_dict"])


def test_iteration_based_training_goes_on_with_the_data_not_yet_seen(tmp_path):
    loop = {"type": "IterBasedTrainLoop", "val_interval": 100}
    changes = {
        "train_dataloader__sampler": {"type": "InfiniteSampler", "shuffle": True},
        "default_hooks__checkpoint": {"type": "CheckpointHook", "by_epoch": False, "interval": 3},
        "param_scheduler": [{"type": "MultiStepLR", "by_epoch": False, "milestones": [4]}],
    }
    orders = []
    for name, lengths in (("whole", [6]), ("parts", [3, 6])):
        for length in lengths:
            log = tmp_path / f"{name}{length}.txt"
            run(
                tmp_path / name,
                resume=length != lengths[0],
                train_cfg={**loop, "max_iters": length, "_delete_": True},
                train_dataloader__dataset={"type": "ToyDataset", "log": str(log)},
                val_dataloader=None,
                val_cfg=None,
                val_evaluator=None,
                **changes,
            )
        orders.append(log.read_text().split())
    assert orders[0] == orders[1]  # the resumed one draws the seen data again, in the same order
    whole, parts = (torch.load(tmp_path / n / "iter_6.pth") for n in ("whole", "parts"))
    assert whole["param_schedulers"] == parts["param_schedulers"]
    assert whole["meta"]["iter"] == parts["meta"]["iter"] == 6


def test_checkpoint_from_within_an_epoch_starts_the_epoch_again_and_says_so(tmp_path, caplog):
    by_iter = {"type": "CheckpointHook", "by_epoch": False, "interval": 3, "save_last": False}
    run(tmp_path, epochs=1, default_hooks__checkpoint=by_iter)  # four iterations an epoch
    with caplog.at_level(logging.WARNING):
        runner = run(tmp_path, epochs=2, default_hooks__checkpoint=by_iter, resume=True)
    log = (tmp_path / runner.timestamp / f"{runner.timestamp}.log").read_text()
    assert "within epoch 1: its weights have seen 3 of 4 batches" in log
    assert runner.iter == 8


def test_moved_folder_resumes_and_knows_its_best(tmp_path):
    scores = {"type": "ToyMetric", "scores": [5.0, 1.0]}
    run(tmp_path / "a", epochs=2, val_evaluator=scores)
    shutil.move(tmp_path / "a", tmp_path / "b")
    runner = run(
        tmp_path / "b", epochs=4, resume=True, val_evaluator={"type": "ToyMetric", "scores": [9.0]}
    )
    assert runner.message_hub.get_info("best_score") == 9.0
    best = [path.name for path in (tmp_path / "b").glob("best_*")]
    assert best == ["best_toy_mAP_epoch_3.pth"]
    assert not (tmp_path / "a").exists()


def test_resuming_needs_the_same_classes_shapes_and_schedules(tmp_path):
    run(tmp_path, epochs=1)
    for message, changes in (
        (
            r"other classes\n  checkpoint: .*disc",
            {"train_dataloader__dataset__classes": ("a", "b")},
        ),
        ("does not fit this model", {"model__width": 5}),
        (
            "2 parameter schedulers, the config's param_scheduler 1",
            {"param_scheduler": [{"type": "MultiStepLR", "milestones": [1]}]},
        ),
    ):
        with pytest.raises(ValueError, match=message):
            run(tmp_path, epochs=2, resume=True, **changes)


def test_nothing_to_resume_and_unresumable_file_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing to resume"):
        run(tmp_path / "empty", resume=True)
    run(tmp_path / "a", epochs=1)
    best = next((tmp_path / "a").glob("best_*"))
    with pytest.raises(ValueError, match="cannot be resumed from, it has no optimizer"):
        run(tmp_path / "b", resume=True, load_from=str(best))


def test_load_from_starts_anew_with_another_head(tmp_path):
    run(tmp_path / "a", epochs=1)
    runner = run(
        tmp_path / "b", epochs=1, load_from=str(tmp_path / "a" / "epoch_1.pth"), model__width=4
    )
    assert runner.epoch == 1 and runner.message_hub.get_info("iter") == 3


def killed_run(seconds, *args, **kwargs):
    """Train in a child process that is killed after ``seconds``, or ends before."""
    child = FORK.Process(target=run, args=args, kwargs=kwargs)
    child.start()
    child.join(seconds)
    if child.is_alive():
        child.kill()
    child.join()
    return child.exitcode


def test_killed_at_random_moments_every_checkpoint_is_readable_and_the_end_is_the_same(
    tmp_path, one_thread
):
    changes = {
        "default_hooks__checkpoint__max_keep_ckpts": 1,
        "model__step_seconds": 0.02,
        "default_hooks__logger__interval": 100,
    }
    run(tmp_path / "whole", epochs=6, **changes)
    folder, dice, kills = tmp_path / "killed", random.Random(1), 0
    for attempt in range(11):
        resumable = bool(list(folder.glob("epoch_*.pth")))
        seconds = dice.uniform(0.15, 0.45) if attempt < 10 else 60
        code = killed_run(seconds, folder, epochs=6, resume=resumable, **changes)
        for path in folder.glob("*.pth"):
            load_checkpoint_file(str(path))
        if code == 0:
            break
        kills += 1
    assert code == 0 and kills >= 2
    names = sorted(path.name for path in folder.glob("*.pth*"))
    assert names == sorted(path.name for path in (tmp_path / "whole").glob("*.pth*"))
    assert_same_training(tmp_path / "whole" / "epoch_6.pth", folder / "epoch_6.pth")


def test_validation_that_was_killed_is_made_up_for(tmp_path, one_thread):
    kill = {"type": "ToyMetric", "kill_at": 1, "scores": [3.0]}
    assert killed_run(60, tmp_path, epochs=1, val_evaluator=kill) == -9
    path, _, _ = find_resume_checkpoint(tmp_path)
    assert path.name == "epoch_1.pth" and not list(tmp_path.glob("best_*"))
    runner = run(tmp_path, 1, resume=True, val_evaluator={"type": "ToyMetric", "scores": [3.0]})
    assert runner.message_hub.get_info("best_score") == 3.0
    assert [path.name for path in tmp_path.glob("best_*")] == ["best_toy_mAP_epoch_1.pth"]


def test_resuming_into_another_folder_brings_the_best_along(tmp_path):
    scores = {"type": "ToyMetric", "scores": [5.0, 1.0]}
    run(tmp_path / "a", epochs=1, val_evaluator=scores)
    resumed = {"resume": True, "load_from": str(tmp_path / "a" / "epoch_1.pth")}
    worse = {"type": "ToyMetric", "scores": [2.0]}
    runner = run(tmp_path / "b", epochs=2, val_evaluator=worse, **resumed)
    best = tmp_path / "b" / "best_toy_mAP_epoch_1.pth"
    assert runner.message_hub.get_info("best_ckpt") == str(best)
    assert torch.load(best)["meta"]["epoch"] == 1
    assert (tmp_path / "a" / best.name).is_file()


def test_best_that_is_lost_gives_way_to_the_best_from_now_on(tmp_path):
    run(tmp_path / "a", epochs=1, val_evaluator={"type": "ToyMetric", "scores": [5.0]})
    next((tmp_path / "a").glob("best_*")).unlink()
    resumed = {"resume": True, "load_from": str(tmp_path / "a" / "epoch_1.pth")}
    worse = {"type": "ToyMetric", "scores": [2.0, 1.0]}
    runner = run(tmp_path / "b", epochs=2, val_evaluator=worse, **resumed)
    assert runner.message_hub.get_info("best_score") == 2.0
    assert [path.name for path in (tmp_path / "b").glob("best_*")] == ["best_toy_mAP_epoch_1.pth"]
