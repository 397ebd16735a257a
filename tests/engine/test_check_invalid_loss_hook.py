from types import SimpleNamespace

import pytest
import torch
from toy_training import run

from mmdet_lite.engine import CheckInvalidLossHook


def test_training_stops_naming_loss_iteration_and_images(tmp_path):
    with pytest.raises(FloatingPointError) as caught:
        run(tmp_path, epochs=3, model__spoil_at=6)
    text = str(caught.value)
    assert "loss_fit = nan" in text and "iteration 6 (epoch 2)" in text
    assert text.count("image: images/") == 2 and "--auto-scale-lr" in text
    assert sorted(path.name for path in tmp_path.glob("epoch_*")) == ["epoch_1.pth"]


def runner_at(iteration):
    wrapper = SimpleNamespace(get_lr=lambda: {"lr": [0.02]})
    return SimpleNamespace(iter=iteration, epoch=0, optim_wrapper=wrapper)


class OnDevice(torch.Tensor):
    """A CPU tensor that says it is on a GPU."""

    is_cuda = True


def test_on_a_gpu_the_first_bad_of_several_iterations_is_named(monkeypatch):
    hook = CheckInvalidLossHook(interval=3)
    stack = torch.stack

    def on_device(values):
        stacked = stack(values)
        return stacked.as_subclass(OnDevice) if stacked.dtype is torch.float32 else stacked

    monkeypatch.setattr(torch, "stack", on_device)
    hook.after_train_iter(runner_at(0), 0, {}, {"loss": torch.tensor(1.0)})
    hook.after_train_iter(runner_at(1), 1, {}, {"loss": torch.tensor(float("inf"))})
    with pytest.raises(FloatingPointError, match=r"loss = inf at iteration 2 "):
        hook.after_train_iter(runner_at(2), 2, {}, {"loss": torch.tensor(float("nan"))})


def test_losses_not_yet_looked_at_are_before_a_checkpoint_and_a_validation(monkeypatch):
    for moment in ("after_train_epoch", "before_val", "before_save_checkpoint"):
        hook = CheckInvalidLossHook()
        bad = torch.tensor([float("nan")])
        hook._pending = [("iteration 1", ["loss"], bad)]
        arguments = {"checkpoint": {}} if moment == "before_save_checkpoint" else {}
        with pytest.raises(FloatingPointError):
            getattr(hook, moment)(runner_at(1), **arguments)


def test_finite_losses_empty_outputs_and_accuracies_pass():
    hook = CheckInvalidLossHook()
    hook.after_train_iter(runner_at(0), 0, {}, {"loss": torch.tensor(1.0)})
    hook.after_train_iter(runner_at(0), 0, {}, {"acc": torch.tensor(float("nan"))})
    hook.after_train_iter(runner_at(0), 0, {}, {})
    hook.after_train_iter(runner_at(0), 0, None, None)


def test_interval_below_one_is_refused():
    with pytest.raises(ValueError, match="must be >= 1, got 0"):
        CheckInvalidLossHook(interval=0)
