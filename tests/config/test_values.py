from pathlib import Path

import pytest

from mmdet_lite.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
MASK = CONFIGS / "mask_rcnn" / "mask-rcnn_r50_fpn_1x_coco.py"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("optim_wrapper.optimizer.lr", "fast", "a number of at least 0, got 'fast'"),
        ("optim_wrapper.optimizer.lr", -0.1, "a number of at least 0, got -0.1"),
        ("train_cfg.max_epochs", "abc", "a whole number of at least 1, got 'abc'"),
        ("train_cfg.max_epochs", 0, "a whole number of at least 1, got 0"),
        ("train_cfg.max_epochs", True, "a whole number of at least 1, got True"),
        ("train_cfg.val_interval", 0, "a whole number of at least 1, got 0"),
        ("train_dataloader.batch_size", 0, "a whole number of at least 1, got 0"),
        ("val_dataloader.num_workers", -1, "a whole number of at least 0, got -1"),
        ("default_hooks.checkpoint.interval", 0, "a whole number of at least 1, or -1 for never"),
    ],
)
def test_number_that_cannot_be_used_is_an_error_with_its_key(
    key: str, value: object, expected: str
) -> None:
    with pytest.raises(ValueError) as error:
        load_config(MASK, {key: value}, check=False)
    assert str(error.value).startswith(f"{key}: expected {expected}")


def test_usual_numbers_absent_keys_and_none_pass() -> None:
    fine = {
        "optim_wrapper.optimizer.lr": 0,
        "randomness.seed": None,
        "default_hooks.checkpoint.interval": -1,
        "train_dataloader": None,
    }
    load_config(MASK, fine, check=False)
