import pytest
from mmengine.config import Config

from mmdet_lite.engine import plan_learning_rate, scaled_lr


def config(enable, base=16, lr=0.02, images=2, **wrapper):
    return Config(
        {
            "auto_scale_lr": {"enable": enable, "base_batch_size": base},
            "optim_wrapper": {"optimizer": {"lr": lr}, **wrapper},
            "train_dataloader": {"batch_size": images},
        }
    )


def test_tutorials_example_4x2_to_16x4():
    assert scaled_lr(0.01, base_batch=4 * 2, gpus=16, images=4) == pytest.approx(0.08)


def test_accumulated_iterations_count():
    assert scaled_lr(0.02, 16, gpus=1, images=2, accumulate=4) == pytest.approx(0.01)
    plan = plan_learning_rate(config(True, accumulative_counts=4), gpus=1)
    assert plan.lr == pytest.approx(0.01) and plan.batch == 8
    assert "LR 0.01 = 0.02 * 8/16" in plan.text and "1 x 2 x 4 accumulated" in plan.text


def test_arithmetic_is_said_and_the_config_unchanged():
    cfg = config(True)
    before = cfg.pretty_text
    plan = plan_learning_rate(cfg, gpus=1)
    assert plan.lr == pytest.approx(0.0025) and plan.scaled
    assert plan.text.startswith("LR 0.0025 = 0.02 * 2/16")
    assert cfg.pretty_text == before


def test_other_batch_without_scaling_is_warned_of_with_the_flag():
    plan = plan_learning_rate(config(False), gpus=1)
    assert plan.lr == 0.02 and not plan.scaled
    assert "--auto-scale-lr" in plan.text and "chosen for 16 images" in plan.text


def test_same_batch_says_nothing():
    assert plan_learning_rate(config(False), gpus=8).text == ""


def test_scaling_again_from_the_scaled_config_changes_nothing():
    plan = plan_learning_rate(config(True), gpus=1)
    again = plan_learning_rate(config(True, base=plan.batch, lr=plan.lr), gpus=1)
    assert again.lr == plan.lr and not again.scaled


def test_without_a_base_there_is_no_plan_or_an_error():
    cfg = config(False)
    cfg.pop("auto_scale_lr")
    assert plan_learning_rate(cfg, 1) is None
    cfg.auto_scale_lr = {"enable": True}
    with pytest.raises(ValueError, match=r"--auto-scale-lr needs auto_scale_lr=dict\(base_batch"):
        plan_learning_rate(cfg, 1)


def test_scaling_without_a_learning_rate_is_an_error():
    cfg = config(True)
    cfg.optim_wrapper.pop("optimizer")
    with pytest.raises(ValueError, match=r"needs optim_wrapper\.optimizer\.lr"):
        plan_learning_rate(cfg, 1)


def test_counts_below_one_are_refused():
    with pytest.raises(ValueError, match="images=0"):
        scaled_lr(0.02, 16, 1, 0)
