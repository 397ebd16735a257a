import copy

import pytest
import torch
from mmengine.model import BaseModule
from torch import nn

from mmdet_lite.checkpoint import (
    PretrainedInit,
    check_pretrained,
    load_weights,
    save_checkpoint,
    trained_classes,
)
from mmdet_lite.models import DetDataPreprocessor
from mmdet_lite.ops.class_rows import ClassRows


class Backbone(BaseModule):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 1)
        self.layer1 = nn.Conv2d(4, 4, 1)


class Detector(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.data_preprocessor = DetDataPreprocessor(mean=[0.0] * 3, std=[1.0] * 3)
        self.backbone = Backbone()
        self.roi_head = nn.ModuleDict({"bbox_head": nn.ModuleDict()})
        self.roi_head["bbox_head"]["fc_cls"] = nn.Linear(4, num_classes + 1)
        self.roi_head["bbox_head"].class_layers = {"fc_cls": ClassRows(background=1)}


def weights_of(model, value):
    return {key: torch.full_like(tensor, value) for key, tensor in model.state_dict().items()}


def test_detector_backbone_and_wrapped_weights_find_their_place():
    whole = weights_of(Detector(), 7.0)
    backbone = {k.removeprefix("backbone."): v for k, v in whole.items() if "backbone" in k}
    for given in (whole, {f"module.{k}": v for k, v in whole.items()}, backbone):
        model = Detector()
        load_weights(model, {"state_dict": given}, "a.pth")
        assert bool((model.backbone.layer1.weight == 7).all())
        filled = bool((model.roi_head["bbox_head"]["fc_cls"].weight == 7).all())
        assert filled == (given is not backbone)


def test_rpn_of_its_own_goes_into_a_detector_and_back():
    for ours, theirs in (("rpn_head", "bbox_head"), ("bbox_head", "rpn_head")):
        model = nn.ModuleDict({ours: nn.ModuleDict({"rpn_conv": nn.Linear(2, 2)})})
        given = {f"{theirs}.rpn_conv.{k}": torch.full((2, 2)[: 2 if k == "weight" else 1], 7.0)
                 for k in ("weight", "bias")}  # fmt: skip
        assert load_weights(model, {"state_dict": given}, "a.pth", strict=True).complete


def test_less_than_half_of_the_backbone_is_an_error():
    given = {k: v for k, v in weights_of(Detector(), 7.0).items() if "layer1" not in k}
    del given["backbone.conv1.bias"]
    with pytest.raises(ValueError, match=r"the backbone gets only 1 of its 4 tensors from a\.pth"):
        load_weights(Detector(), {"state_dict": given}, "a.pth")


def test_other_number_of_classes_keeps_the_rows_of_known_names():
    given = weights_of(Detector(3), 7.0)
    meta = {"dataset_meta": {"classes": ["cat", "dog", "cow"]}}
    model = Detector(2)
    load_weights(model, {"state_dict": given, "meta": meta}, "a.pth", ("owl", "dog"))
    rows = model.roi_head["bbox_head"]["fc_cls"].weight
    assert (rows == 7).all(dim=1).tolist() == [False, True, True]


def test_other_number_of_classes_without_names_is_initialised_and_said():
    model = Detector(2)
    report = load_weights(model, {"state_dict": weights_of(Detector(3), 7.0)}, "a.pth")
    assert "2 of another shape, kept as initialised" in report.text()
    assert bool((model.backbone.conv1.weight == 7).all())


def test_classes_are_found_in_each_versions_meta():
    for meta in (
        {"dataset_meta": {"classes": ["a", "b"]}},
        {"dataset_meta": {"CLASSES": ("a", "b")}},
        {"CLASSES": ["a", "b"]},
    ):
        assert trained_classes({"meta": meta}) == ("a", "b")
    assert trained_classes({"meta": {"CLASSES": "ball"}}) == ("ball",)
    assert trained_classes({}) is None


def test_preprocessing_of_a_pretrained_backbone_is_compared(tmp_path):
    path = str(tmp_path / "a.pth")
    state = weights_of(Backbone(), 7.0)
    rgb = {"order": "RGB", "mean": [1.0] * 3, "std": [1.0] * 3}
    save_checkpoint({"state_dict": state, "meta": {"preprocessing": rgb}}, path)
    model = Detector()
    check_pretrained(model)
    PretrainedInit(path)(model.backbone)
    with pytest.raises(ValueError, match=r"a\.pth was trained on images"):
        check_pretrained(model)
    with pytest.raises(ValueError, match="prepared otherwise"):
        check_pretrained(copy.deepcopy(model))  # what is noted travels with the model


def test_class_rows_that_init_cfg_took_in_another_order_are_refused(tmp_path):
    path = str(tmp_path / "whole.pth")
    meta = {"dataset_meta": {"classes": ("cat", "dog", "cow")}}
    save_checkpoint({"state_dict": weights_of(Detector(), 7.0), "meta": meta}, path)
    model = Detector()
    PretrainedInit(path)(model)
    with pytest.raises(ValueError, match=r"cat, dog, cow\n  data: dog, cat, owl\n.*--load-from"):
        check_pretrained(model, ("dog", "cat", "owl"))
    for classes in (("cat", "dog", "cow"), ("a", "b", "c"), ("dog", "cat"), None):
        check_pretrained(model, classes)  # equal; nothing in common; of other count; unknown
    backbone_alone = Detector()
    PretrainedInit(path)(backbone_alone.backbone)
    check_pretrained(backbone_alone, ("dog", "cat", "owl"))
