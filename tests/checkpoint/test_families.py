import pytest
import torch

from mmdet_lite.checkpoint import check_family
from mmdet_lite.checkpoint.families import (
    config_of_program,
    family_of,
    has_own_names,
)

BOX, MASK, RPN = "roi_head.bbox_head.fc_cls.weight", "roi_head.mask_head.w", "rpn_head.rpn_cls.bias"
NAMES = {
    "Keypoint R-CNN": ["roi_head.keypoint_head.w", BOX, RPN],
    "Mask R-CNN": [MASK, BOX, RPN],
    "Cascade Mask R-CNN": ["roi_head.bbox_head.0.fc_cls.bias", "roi_head.mask_head.0.w", RPN],
    "Cascade R-CNN": ["roi_head.bbox_head.0.fc_cls.bias", RPN],
    "Faster R-CNN": [BOX, RPN],
    "Fast R-CNN": [BOX],
    "RetinaNet": ["bbox_head.retina_cls.weight"],
    "SSD": ["bbox_head.cls_convs.0.0.weight", "neck.l2_norm.weight"],
    "RPN": ["bbox_head.rpn_cls.bias"],
}
MASK_RCNN = {
    "type": "MaskRCNN",
    "rpn_head": {"type": "RPNHead"},
    "roi_head": {"bbox_head": {"num_classes": 80}, "mask_head": {"num_classes": 80}},
}


def weights(*names):
    return {"state_dict": dict.fromkeys(names, torch.zeros(1))}


@pytest.mark.parametrize("family", NAMES)
def test_heads_say_the_family(family):
    found = family_of(["backbone.conv1.weight", *NAMES[family]])
    assert found is not None and found[0] == family


def test_no_family_of_unknown_heads_and_of_nothing():
    assert family_of(["backbone.conv1.weight"]) is None and family_of([]) is None
    assert family_of(["bbox_head.my_cls.weight"]) is None


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("Keypoint R-CNN", r"of a Keypoint R-CNN: none of roi_head.mask_head, which .* MaskRCNN"),
        ("RetinaNet", r"of a RetinaNet: none of roi_head.*, rpn_head.*configs/retinanet/"),
        ("RPN", "of an RPN"),
        ("SSD", r"of an SSD: none of roi_head.*, or one of configs/ssd/"),
    ],
)
def test_weights_of_another_family_are_refused_by_its_name(family, text):
    with pytest.raises(ValueError, match=rf"a\.pth holds weights {text}"):
        check_family(weights("backbone.conv1.weight", *NAMES[family]), MASK_RCNN, "a.pth")


@pytest.mark.parametrize(
    ("family", "head", "wanted"),
    [
        ("SSD", "RetinaHead", "RetinaNet"),
        ("RetinaNet", "SSDHead", "SSD"),
        ("RetinaNet", "FCOSHead", "FCOS"),
    ],
)
def test_weights_of_another_single_stage_detector_are_refused(family, head, wanted):
    given = weights("backbone.conv1.weight", *NAMES[family])
    text = rf"of an? {family}: the config's model\.bbox_head is {wanted}'s; take its config"
    with pytest.raises(ValueError, match=text):
        check_family(given, {"type": "SingleStageDetector", "bbox_head": {"type": head}}, "a.pth")


def test_weights_of_the_same_or_an_unknown_single_stage_head_pass():
    for names, head in (
        (NAMES["SSD"], "SSDHead"),
        (NAMES["RetinaNet"], "RetinaHead"),
        (NAMES["RetinaNet"], "MyHead"),
        (["bbox_head.my_cls.weight"], "RetinaHead"),
    ):
        check_family(weights("backbone.w", *names), {"bbox_head": {"type": head}}, "a.pth")


def test_config_of_an_imported_file_is_named():
    said = weights("backbone.w", *NAMES["RetinaNet"]) | {"meta": {"fitting_config": "configs/x.py"}}
    with pytest.raises(ValueError, match=r"of a RetinaNet.*; take configs/x\.py$"):
        check_family(said, MASK_RCNN, "a.pth")


def test_backbone_alone_is_named_and_more_heads_than_needed_pass():
    with pytest.raises(ValueError, match=r"of a backbone alone.*init_cfg"):
        check_family(weights("backbone.conv1.weight"), MASK_RCNN, "a.pth")
    check_family(weights("backbone.w", *NAMES["Mask R-CNN"]), MASK_RCNN, "a.pth")
    faster = {"type": "FasterRCNN", "rpn_head": {"a": 1}, "roi_head": {"bbox_head": {"a": 1}}}
    check_family(weights("backbone.w", *NAMES["Mask R-CNN"]), faster, "a.pth")
    check_family(
        weights("backbone.w", *NAMES["RPN"]), {"type": "RPN", "rpn_head": {"a": 1}}, "a.pth"
    )


def backbone(blocks, groups=1):
    conv = (
        torch.zeros(64 * groups, 64, 3, 3) if groups == 1 else torch.zeros(256, 256 // groups, 3, 3)
    )
    layers = {f"backbone.layer3.{i}.conv1.weight": torch.zeros(1) for i in range(blocks)}
    return {"backbone.layer1.0.conv2.weight": conv, **layers}


@pytest.mark.parametrize(
    ("program", "family", "blocks", "groups", "config"),
    [
        ("torchvision", "Mask R-CNN", 6, 1, "torchvision/mask-rcnn_r50_fpn_torchvision.py"),
        ("Detectron2", "Mask R-CNN", 6, 1, "detectron2/mask-rcnn_r50_fpn_detectron2.py"),
        ("Detectron2", "Faster R-CNN", 23, 32, "faster-rcnn_x101-32x8d_fpn"),
        ("Detectron (Caffe2)", "Mask R-CNN", 6, 1, "detectron/mask-rcnn_r50_fpn_detectron.py"),
        ("Detectron.pytorch", "Mask R-CNN", 6, 1, "detectron/mask-rcnn_r50_fpn_detectron.py"),
        ("Detectron2", "Mask R-CNN", 36, 1, "like those of configs/detectron2/"),
    ],
)
def test_config_of_another_programs_weights_is_the_zoos(program, family, blocks, groups, config):
    heads = dict.fromkeys([*NAMES[family], "neck.lateral_convs.0.conv.weight"])
    found = config_of_program(program, backbone(blocks, groups) | heads)
    assert found is not None and config in found


def test_backbones_and_unknown_programs_have_no_config():
    assert config_of_program("Detectron2", backbone(6)) is None
    assert config_of_program("MMDetection 1", dict.fromkeys(NAMES["Mask R-CNN"])) is None


def test_own_names_are_told_from_others():
    assert has_own_names(["backbone.layer1.0.conv1.weight"], {})
    assert not has_own_names(["backbone.conv1.weight", "head.regression_head.x.weight"], {})
    assert not has_own_names(["encoder.weight"], {})
    assert has_own_names(["encoder.weight"], {"mmengine_version": "0.10"})
