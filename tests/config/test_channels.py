from pathlib import Path

import pytest

from mmdet_lite.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
MASK = CONFIGS / "mask_rcnn" / "mask-rcnn_r50_fpn_1x_coco.py"
GREY = {
    "model.backbone.in_channels": 1,
    "model.data_preprocessor.mean": [110.0],
    "model.data_preprocessor.std": [60.0],
    **{
        f"{part}_dataloader.dataset.pipeline.0.color_type": "grayscale"
        for part in ("train", "val", "test")
    },
}


def test_pictures_of_one_channel_pass_where_all_agree():
    cfg = load_config(MASK, GREY)
    assert cfg.model.backbone.in_channels == 1


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (
            "model.backbone.in_channels",
            "train_dataloader.dataset.pipeline.0: gives pictures of 1 channels, model.backbone "
            "takes 3",
        ),
        (
            "model.data_preprocessor.mean",
            "model.data_preprocessor.mean: has 3 numbers, model.backbone takes pictures of 1 "
            "channels; give one number a channel",
        ),
        (
            "test_dataloader.dataset.pipeline.0.color_type",
            "test_dataloader.dataset.pipeline.0: gives pictures of 3 channels, model.backbone "
            "takes 1; set color_type ('grayscale' gives 1",
        ),
    ],
)
def test_what_was_forgotten_is_an_error_with_its_key(left_out, said):
    with pytest.raises(ValueError) as error:
        load_config(MASK, {name: value for name, value in GREY.items() if name != left_out})
    assert str(error.value).startswith(said)


def test_channels_that_cannot_be_ordered_are_an_error():
    changes = {
        "model.backbone.in_channels": 5,
        "model.data_preprocessor.mean": [1.0] * 5,
        "model.data_preprocessor.std": [1.0] * 5,
    }
    with pytest.raises(ValueError, match=r"bgr_to_rgb: orders 3 channels, .* takes 5; set it to F"):
        load_config(MASK, changes)


def test_unchanged_pictures_and_other_backbones_are_not_judged():
    changes = {
        "model.backbone.in_channels": 5,
        "model.data_preprocessor.mean": [1.0] * 5,
        "model.data_preprocessor.std": [1.0] * 5,
        "model.data_preprocessor.bgr_to_rgb": False,
        **{
            f"{part}_dataloader.dataset.pipeline.0.color_type": "unchanged"
            for part in ("train", "val", "test")
        },
    }
    load_config(MASK, changes)
