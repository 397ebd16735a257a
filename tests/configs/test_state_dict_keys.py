"""Names and shapes of all weights are MMDetection's, said here anew from the papers' tables.

``expected`` derives them from a config's numbers alone, without a line of the models. It is held
against the key lists kept from MMDetection 3.3, and then every config is held against it: a dozen
of ours quickly; all of ours, and all 173 files of MMDetection's folders, under the slow mark.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from mmdet_lite.config import load_config
from mmdet_lite.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
THEIR_FOLDERS = {  # MMDetection's folders whose every file is read here, and how many they hold
    "mask_rcnn": 30,
    "faster_rcnn": 40,
    "fast_rcnn": 6,
    "rpn": 11,
    "retinanet": 25,
    "cascade_rcnn": 30,
    "gn": 6,
    "gn+ws": 12,
    "scratch": 2,
    "resnet_strikes_back": 4,
    "pascal_voc": 6,
    "cityscapes": 2,
}
OURS = [
    path for folder in (*THEIR_FOLDERS, "ssd") for path in sorted((CONFIGS / folder).glob("*.py"))
]
DOZEN = """
    mask-rcnn_r50_fpn_1x_coco mask-rcnn_r50-caffe-c4_1x_coco mask-rcnn_x101-32x8d_fpn_1x_coco
    faster-rcnn_r50-caffe-dc5_1x_coco faster-rcnn_r50_fpn_fcos-rpn_1x_coco rpn_r50-caffe-c4_1x_coco
    fast-rcnn_r50_fpn_1x_coco retinanet_r18_fpn_1x_coco cascade-mask-rcnn_r50_fpn_1x_coco
    mask-rcnn_r50_fpn_gn-all_2x_coco faster-rcnn_x50-32x4d_fpn_gn-ws-all_1x_coco ssd512_voc0712
"""
KEPT = {
    "cascade-mask-rcnn_r50_fpn_1x_coco": "cascade_rcnn",
    "faster-rcnn_r50_fpn_1x_coco": "faster_rcnn",
    "mask-rcnn_r50-caffe-c4_1x_coco": "mask_rcnn",
    "mask-rcnn_r50_fpn_1x_coco": "mask_rcnn",
    "retinanet_r50_fpn_1x_coco": "retinanet",
}
Shapes = dict[str, tuple[int, ...]]
Key = tuple[str, tuple[int, ...]]
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
BLOCKS[152] = (3, 8, 36, 3)
VGG16 = {0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256, 17: 512, 19: 512, 21: 512}
VGG16 |= {24: 512, 26: 512, 28: 512, 31: 1024, 33: 1024}  # the last two are fc6 and fc7
FCOS_NORM = {"type": "GN", "num_groups": 32}


def layer(name: str, *shape: int, bias: bool = True) -> Iterator[Key]:
    """A convolution or linear layer."""
    yield f"{name}.weight", shape
    if bias:
        yield f"{name}.bias", shape[:1]


def norm(name: str, channels: int, cfg: Mapping[str, Any]) -> Iterator[Key]:
    learnt = ["weight", "bias"]
    kept = ["running_mean", "running_var"] if cfg["type"] == "BN" else []
    yield from ((f"{name}.{part}", (channels,)) for part in learnt + kept)
    if kept:
        yield f"{name}.num_batches_tracked", ()


def block(name: str, *shape: int, norm_cfg: Mapping[str, Any] | None) -> Iterator[Key]:
    """A convolution that a norm may follow, which then has the bias."""
    yield from layer(f"{name}.conv", *shape, bias=norm_cfg is None)
    if norm_cfg is not None:
        yield from norm(f"{name}.{norm_cfg['type'].lower()}", shape[0], norm_cfg)


def stage(name: str, index: int, cfg: Mapping[str, Any]) -> Iterator[Key]:
    """Stage ``index`` (0 to 3) of a ResNet or ResNeXt."""
    expansion = 1 if cfg["depth"] < 50 else 4
    planes = 64 * 2**index
    groups, width = cfg.get("groups", 1), planes
    if groups > 1:
        width = planes * cfg["base_width"] // 64 * groups
    norm_cfg = cfg["norm_cfg"]
    called = norm_cfg["type"].lower()
    before = 64 if index == 0 else planes // 2 * expansion
    for i in range(BLOCKS[cfg["depth"]][index]):
        at, after = f"{name}.{i}", planes * expansion
        shapes = [(planes, before, 3, 3), (planes, planes, 3, 3)]
        if expansion == 4:
            shapes = [(width, before, 1, 1), (width, width // groups, 3, 3), (after, width, 1, 1)]
        for n, shape in enumerate(shapes, 1):
            yield from layer(f"{at}.conv{n}", *shape, bias=False)
            yield from norm(f"{at}.{called}{n}", shape[0], norm_cfg)
        if i == 0 and (before != after or index > 0):
            yield from layer(f"{at}.downsample.0", after, before, 1, 1, bias=False)
            yield from norm(f"{at}.downsample.1", after, norm_cfg)
        before = after


def backbone(cfg: Mapping[str, Any]) -> Iterator[Key]:
    if cfg["type"] == "SSDVGG":
        before = 3
        for index, channels in VGG16.items():
            size = 1 if index == 33 else 3
            yield from layer(f"backbone.features.{index}", channels, before, size, size)
            before = channels
        return
    yield from layer("backbone.conv1", 64, 3, 7, 7, bias=False)
    yield from norm(f"backbone.{cfg['norm_cfg']['type'].lower()}1", 64, cfg["norm_cfg"])
    for index in range(cfg["num_stages"]):
        yield from stage(f"backbone.layer{index + 1}", index, cfg)


def neck(cfg: Mapping[str, Any]) -> Iterator[Key]:
    if cfg["type"] == "SSDNeck":
        yield "neck.l2_norm.weight", (cfg["in_channels"][0],)
        made = cfg["out_channels"][len(cfg["in_channels"]) :]
        before = cfg["in_channels"][-1]
        for i, channels in enumerate(made):
            size = cfg.get("last_kernel_size", 3) if i == len(made) - 1 else 3
            at = f"neck.extra_layers.{i}"
            yield from block(f"{at}.0", channels // 2, before, 1, 1, norm_cfg=None)
            yield from block(f"{at}.1", channels, channels // 2, size, size, norm_cfg=None)
            before = channels
        return
    norm_cfg, out = cfg.get("norm_cfg"), cfg["out_channels"]
    used = cfg["in_channels"][cfg.get("start_level", 0) :]
    for i, channels in enumerate(used):
        yield from block(f"neck.lateral_convs.{i}", out, channels, 1, 1, norm_cfg=norm_cfg)
    extra = cfg.get("add_extra_convs", False)
    for i in range(cfg["num_outs"] if extra else len(used)):
        before = used[-1] if i == len(used) and extra == "on_input" else out
        yield from block(f"neck.fpn_convs.{i}", out, before, 3, 3, norm_cfg=norm_cfg)


def dense_head(at: str, cfg: Mapping[str, Any]) -> Iterator[Key]:
    """The head on every place of the feature maps: RPN, RetinaNet, FCOS or SSD."""
    anchors, kind = cfg.get("anchor_generator"), cfg["type"]
    if kind == "SSDHead":
        for i, (channels, ratios) in enumerate(
            zip(cfg["in_channels"], anchors["ratios"], strict=True)
        ):
            number = 2 + 2 * len(ratios)
            yield from layer(
                f"{at}.cls_convs.{i}.0", number * (cfg["num_classes"] + 1), channels, 3, 3
            )
            yield from layer(f"{at}.reg_convs.{i}.0", number * 4, channels, 3, 3)
        return
    before, feat = cfg["in_channels"], cfg["feat_channels"]
    if kind == "RPNHead":
        number = len(anchors["scales"]) * len(anchors["ratios"])
        yield from layer(f"{at}.rpn_conv", feat, before, 3, 3)
        yield from layer(f"{at}.rpn_cls", number, feat, 1, 1)
        yield from layer(f"{at}.rpn_reg", number * 4, feat, 1, 1)
        return
    for i in range(cfg["stacked_convs"]):
        norm_cfg = FCOS_NORM if kind == "FCOSHead" else None
        for branch in ("cls_convs", "reg_convs"):
            at_conv = f"{at}.{branch}.{i}"
            yield from block(at_conv, feat, before if i == 0 else feat, 3, 3, norm_cfg=norm_cfg)
    if kind == "FCOSHead":
        for name, channels in (("cls", cfg["num_classes"]), ("reg", 4), ("centerness", 1)):
            yield from layer(f"{at}.conv_{name}", channels, feat, 3, 3)
        yield from ((f"{at}.scales.{i}.scale", ()) for i in range(len(cfg["strides"])))
        return
    number = anchors["scales_per_octave"] * len(anchors["ratios"])
    yield from layer(f"{at}.retina_cls", number * cfg["num_classes"], feat, 3, 3)
    yield from layer(f"{at}.retina_reg", number * 4, feat, 3, 3)


def box_head(at: str, cfg: Mapping[str, Any]) -> Iterator[Key]:
    kind, last, area = cfg["type"], cfg["in_channels"], cfg["roi_feat_size"] ** 2
    if kind == "Shared4Conv1FCBBoxHead":
        for i in range(4):
            out = cfg["conv_out_channels"]
            shape = (out, last, 3, 3)
            yield from block(f"{at}.shared_convs.{i}", *shape, norm_cfg=cfg.get("norm_cfg"))
            last = out
    for i in range({"Shared4Conv1FCBBoxHead": 1, "Shared2FCBBoxHead": 2, "BBoxHead": 0}[kind]):
        before = last * area if i == 0 else last
        last = cfg["fc_out_channels"]
        yield from layer(f"{at}.shared_fcs.{i}", last, before)
    yield from layer(f"{at}.fc_cls", cfg["num_classes"] + 1, last)
    yield from layer(
        f"{at}.fc_reg", 4 if cfg["reg_class_agnostic"] else 4 * cfg["num_classes"], last
    )


def mask_head(at: str, cfg: Mapping[str, Any]) -> Iterator[Key]:
    before, out = cfg["in_channels"], cfg["conv_out_channels"]
    for i in range(cfg["num_convs"]):
        shape = (out, before, 3, 3)
        yield from block(f"{at}.convs.{i}", *shape, norm_cfg=cfg.get("norm_cfg"))
        before = out
    yield f"{at}.upsample.weight", (before, out, 2, 2)
    yield f"{at}.upsample.bias", (out,)
    yield from layer(f"{at}.conv_logits", cfg["num_classes"], out, 1, 1)


def roi_head(cfg: Mapping[str, Any]) -> Iterator[Key]:
    shared = cfg.get("shared_head")
    if shared:
        yield from stage(
            f"roi_head.shared_head.layer{shared['stage'] + 1}", shared["stage"], shared
        )
    for name, keys in (("bbox_head", box_head), ("mask_head", mask_head)):
        head = cfg.get(name)
        if head and cfg["type"] == "CascadeRoIHead":
            stages = head if isinstance(head, list) else [head] * cfg["num_stages"]
            for i, one in enumerate(stages):
                yield from keys(f"roi_head.{name}.{i}", one)
        elif head:
            yield from keys(f"roi_head.{name}", head)


def expected(model: Mapping[str, Any]) -> Shapes:
    keys = list(backbone(model["backbone"]))
    if model.get("neck"):
        keys += neck(model["neck"])
    if model.get("rpn_head"):
        keys += dense_head("bbox_head" if model["type"] == "RPN" else "rpn_head", model["rpn_head"])
    if model.get("bbox_head"):
        keys += dense_head("bbox_head", model["bbox_head"])
    if model.get("roi_head"):
        keys += roi_head(model["roi_head"])
    assert len(keys) == len(dict(keys))
    return dict(keys)


def built(cfg: Config) -> Shapes:
    with torch.device("meta"):  # shapes without numbers
        model = MODELS.build(cfg.model)
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


@pytest.mark.parametrize("name", KEPT)
def test_expectation_is_what_mmdetection_has(name: str, shared_dir: Path) -> None:
    lines = (shared_dir / "reference" / "keys" / f"{name}.txt").read_text().splitlines()
    theirs = {line.split("\t")[0]: ast.literal_eval(line.split("\t")[1]) for line in lines}
    cfg = load_config(CONFIGS / KEPT[name] / f"{name}.py", check=False)
    assert expected(cfg.model) == theirs


def ours() -> Iterator[Any]:
    for path in OURS:
        marks = [] if path.stem in DOZEN.split() else [pytest.mark.slow]
        yield pytest.param(path, id=path.stem, marks=marks)


@pytest.mark.parametrize("path", ours())
def test_our_config_has_the_weights_of_its_namesake(path: Path) -> None:
    cfg = load_config(path)
    assert built(cfg) == expected(cfg.model)


def test_the_dozen_is_there() -> None:
    assert set(DOZEN.split()) <= {path.stem for path in OURS}


@pytest.mark.slow
@pytest.mark.parametrize("folder", THEIR_FOLDERS)
def test_every_file_of_mmdetection_loads_builds_and_has_its_weights(
    folder: str, mmdet_configs: Path
) -> None:
    files = sorted((mmdet_configs / folder).glob("*.py"))
    assert len(files) == THEIR_FOLDERS[folder]
    wrong = {}
    for file in files:
        try:
            cfg = load_config(file)
            if "model" in cfg and built(cfg) != expected(cfg.model):  # retinanet_tta has none
                wrong[file.name] = "other weights"
        except (KeyError, TypeError, ValueError) as error:
            wrong[file.name] = f"{type(error).__name__}: {error}"
    assert not wrong
