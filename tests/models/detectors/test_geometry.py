"""Parts that do not fit each other are refused when the detector is built."""

import pytest
import torch

from mmdet_lite.config import load_config
from mmdet_lite.models.detectors.geometry import check_geometry
from mmdet_lite.registry import MODELS

MASK = "configs/mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py"
RETINA = "configs/retinanet/retinanet_r50_fpn_1x_coco.py"
C4 = "configs/faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py"


def build(path, root, **overrides):
    keys = {f"model.{key.replace('__', '.')}": value for key, value in overrides.items()}
    with torch.device("meta"):
        return MODELS.build(load_config(str(root / path), keys).model)


@pytest.fixture
def root(request):
    return request.config.rootpath


def test_a_backbone_of_other_widths_is_refused_with_the_list_to_write(root):
    with pytest.raises(ValueError, match=r"write in_channels=\[64, 128, 256, 512\]"):
        build(MASK, root, backbone__depth=18)


def test_other_levels_of_the_backbone_name_every_list_to_write(root):
    with pytest.raises(ValueError) as error:
        build(MASK, root, backbone__out_indices=[1, 2, 3], neck__in_channels=[512, 1024, 2048])
    assert (
        "model.rpn_head.anchor_generator.strides=[4, 8, 16, 32, 64], but 5 maps come in, of"
        " strides [8, 16, 32, 64, 128]: write strides=[8, 16, 32, 64, 128]"
    ) in str(error.value)
    for branch in ("bbox", "mask"):
        where = f"model.roi_head.{branch}_roi_extractor.featmap_strides=[4, 8, 16, 32]"
        assert where in str(error.value)
    assert "write featmap_strides=[8, 16, 32, 64]" in str(error.value)


def test_a_level_without_anchors_is_refused(root):
    with pytest.raises(ValueError, match=r"write strides=\[8, 16, 32, 64, 128\]"):
        build(RETINA, root, bbox_head__anchor_generator__strides=[8, 16, 32, 64])


def test_without_a_neck_heads_are_compared_with_the_backbone(root):
    with pytest.raises(ValueError) as error:
        build(C4, root, backbone__depth=18)
    assert "model.rpn_head.in_channels=1024, but the maps have [256] channels" in str(error.value)
    assert "bbox_roi_extractor.out_channels=1024" in str(error.value)


def test_an_rpn_names_the_key_of_its_config(root):
    with pytest.raises(ValueError, match=r"model\.rpn_head\.anchor_generator\.strides"):
        path = "configs/rpn/rpn_r50_fpn_1x_coco.py"
        build(path, root, rpn_head__anchor_generator__strides=[4, 8, 16, 32])


def test_the_levels_of_ssd_are_counted_and_its_first_two_compared(root):
    path = "configs/pascal_voc/ssd300_voc0712.py"
    if not (root / path).exists():
        path = str(next((root / "configs").glob("*/ssd300*.py")).relative_to(root))
    build(path, root)
    with pytest.raises(ValueError, match=r"strides=\[4, 16.*of strides \[8, 16, None"):
        strides = [4, 16, 32, 64, 100, 300]
        build(path, root, bbox_head__anchor_generator__strides=strides)


def test_a_backbone_that_says_nothing_is_not_judged(tiny_cfg):
    detector = MODELS.build(tiny_cfg)
    silent = torch.nn.Conv2d(3, 8, 1)
    check_geometry(silent, None, {"rpn_head": detector.rpn_head})
    detector.rpn_head.strides = detector.rpn_head.strides[:4]
    with pytest.raises(ValueError, match=r"but 5 maps come in$"):
        check_geometry(silent, detector.neck, {"rpn_head": detector.rpn_head})


@pytest.mark.parametrize(
    "cfg",
    [
        {"type": "ResNet", "depth": 18, "base_channels": 8, "out_indices": (3, 1)},
        {"type": "ResNet", "depth": 50, "base_channels": 8, "strides": (1, 2, 2, 1),
         "dilations": (1, 1, 1, 2)},
        {"type": "ResNeXt", "depth": 50, "base_channels": 8, "groups": 2, "num_stages": 2,
         "out_indices": (1,)},
        {"type": "SSDVGG", "depth": 16},
        {"type": "SSDVGG", "depth": 16, "with_last_pool": True, "out_feature_indices": (10, 30)},
    ],
)  # fmt: skip
def test_backbones_give_the_maps_that_they_say(cfg):
    net = MODELS.build(cfg).eval()
    with torch.no_grad():
        maps = net(torch.zeros(1, 3, 64, 64))
    assert net.out_channels == [m.shape[1] for m in maps]
    assert net.out_strides == [64 // m.shape[2] for m in maps]


def test_necks_give_the_strides_that_they_say():
    neck = MODELS.build(
        {"type": "FPN", "in_channels": [4, 4, 4], "out_channels": 4, "num_outs": 4,
         "start_level": 1, "add_extra_convs": "on_output"}
    )  # fmt: skip
    maps = neck([torch.zeros(1, 4, 64 // s, 64 // s) for s in (2, 4, 8)])
    assert neck.strides_from([2, 4, 8]) == [64 // m.shape[2] for m in maps] == [4, 8, 16, 32]
    assert neck.strides_from([None] * 3) == [None] * 4
