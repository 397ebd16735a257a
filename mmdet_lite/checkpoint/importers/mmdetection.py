"""Older MMDetection: what was renamed between 1.x, 2.x and 3.x. Names of 3.x are ours.

Source: MMDetection's model converters. 2.x before 2.14 had SSD's extra layers in its backbone;
1.x had the RoI heads at the top, and background in row 0.
"""

from collections.abc import Collection

from mmdet_lite.checkpoint.importers.renaming import (
    TORCH_SUFFIXES,
    Imported,
    Rule,
    Weights,
    background_last,
    rename,
)

SSD_RULES: list[Rule] = [
    (
        r"backbone\.extra\.(\d+)",
        lambda m: f"neck.extra_layers.{int(m[1]) // 2}.{int(m[1]) % 2}.conv",
    ),
    (r"backbone\.l2_norm", "neck.l2_norm"),
    (r"bbox_head\.(cls|reg)_convs\.(\d)", r"bbox_head.\1_convs.\2.0"),
    (r"(.+)", r"\1"),
]
ROI_RULES: list[Rule] = [
    (r"((?:bbox|mask|shared|keypoint)_head\..+)", r"roi_head.\1"),
    (r"(.+)", r"\1"),
]


def is_old_ssd(names: Collection[str]) -> bool:
    """Whether these are names of SSD before its neck existed."""
    return "backbone.l2_norm.weight" in names and "backbone.extra.0.weight" in names


def refuse_ssd_of_one(version: str) -> None:
    """Refuse the SSD of MMDetection 1, whose rows begin with background at every anchor.

    Raises:
        ValueError: ``version`` (``meta.mmdet_version``) is below 2.
    """
    if version.split(".")[0] in ("0", "1"):
        raise ValueError(
            f"an SSD of MMDetection {version} is not read here, of versions before 2 only "
            "two-stage detectors: convert it first with MMDetection 2's "
            "tools/model_converters/upgrade_model_version.py"
        )


def convert_old_ssd(weights: Weights) -> Imported:
    """SSD's weights with its extra layers in the neck."""
    ours, left = rename(weights, SSD_RULES, TORCH_SUFFIXES)
    return Imported("MMDetection 2 (SSD before 2.14)", ours, tuple(left))


def is_one(names: Collection[str]) -> bool:
    """Whether these are names of a two-stage detector of MMDetection 1."""
    return "rpn_head.rpn_conv.weight" in names and any(
        name.startswith(("bbox_head.fc_cls", "bbox_head.0.fc_cls")) for name in names
    )


def convert_one(weights: Weights) -> Imported:
    """A two-stage detector's weights below ``roi_head``, background last."""
    ours, left = rename(weights, ROI_RULES, TORCH_SUFFIXES)
    note = "MMDetection 1 counted a box's width as x2 - x1 + 1: results are near, not equal"
    return Imported("MMDetection 1", background_last(ours), tuple(left), notes=(note,))
