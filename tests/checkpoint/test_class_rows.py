import pytest
import torch

from mmdet_lite.checkpoint import class_rows
from mmdet_lite.checkpoint.class_rows import (
    class_layers_of,
    rows_by_name,
    warn_of_undeclared_rows,
)
from mmdet_lite.ops.class_rows import ClassRows
from mmdet_lite.registry import MODELS

LAYERS = {
    "roi_head.bbox_head.fc_cls": ClassRows(background=1),
    "roi_head.bbox_head.fc_reg": ClassRows(each=4),
    "roi_head.bbox_head.1.fc_reg": ClassRows(each=4),
    "roi_head.mask_head.conv_logits": ClassRows(),
    "bbox_head.retina_cls": ClassRows(by_anchor=True),
    "bbox_head.cls_convs.1.0": ClassRows(background=1, by_anchor=True),
}


def tensors(num_classes, value, anchors=2):
    """Heads whose entries say class and row: class c has value + c, background value + 50."""
    one = torch.arange(num_classes, dtype=torch.float32) + value
    return {
        "roi_head.bbox_head.fc_cls.weight": torch.cat([one, one.new_tensor([value + 50])])[:, None],
        "roi_head.bbox_head.1.fc_reg.bias": one.repeat_interleave(4),
        "roi_head.mask_head.conv_logits.weight": one.view(-1, 1, 1, 1),
        "bbox_head.retina_cls.bias": one.repeat(anchors),
        "bbox_head.cls_convs.1.0.bias": torch.cat([one, one.new_tensor([value + 50])]).repeat(4),
        "bbox_head.cls_convs.0.conv.bias": torch.full((2,), float(value)),
        "backbone.conv1.weight": torch.full((1,), float(value)),
    }


def test_rows_follow_their_names_and_new_classes_keep_the_models_values():
    theirs, own = tensors(3, 100), tensors(2, 0)
    mixed, note = rows_by_name(theirs, own, LAYERS, ("cat", "dog", "cow"), ("cow", "owl"))
    assert mixed["roi_head.bbox_head.fc_cls.weight"].flatten().tolist() == [102, 1, 150]
    assert mixed["roi_head.bbox_head.1.fc_reg.bias"].tolist() == [102] * 4 + [1] * 4
    assert mixed["roi_head.mask_head.conv_logits.weight"].flatten().tolist() == [102, 1]
    assert mixed["bbox_head.retina_cls.bias"].tolist() == [102, 1, 102, 1]
    assert mixed["bbox_head.cls_convs.1.0.bias"].tolist() == [102, 1, 150] * 4  # SSD, 4 anchors
    assert mixed["bbox_head.cls_convs.0.conv.bias"].tolist() == [100] * 2  # RetinaNet's tower
    assert mixed["backbone.conv1.weight"].tolist() == [100]
    assert "1 classes are taken by name; 1 start anew: owl" in note


def test_the_same_names_in_another_order_are_sorted_out():
    mixed, _ = rows_by_name(tensors(2, 100), tensors(2, 0), LAYERS, ("cat", "dog"), ("dog", "cat"))
    assert mixed["roi_head.mask_head.conv_logits.weight"].flatten().tolist() == [101, 100]


@pytest.mark.parametrize(
    ("trained", "classes"),
    [(None, ("a", "b")), (("a", "b", "c"), None), (("a", "b", "c"), ("x", "y")), (("a",), ("a",))],
)
def test_without_names_in_common_nothing_is_touched(trained, classes):
    theirs = tensors(3, 100)
    assert rows_by_name(theirs, tensors(2, 0), LAYERS, trained, classes) == (theirs, "")


def test_one_row_for_all_classes_stays_one():
    theirs = {"roi_head.bbox_head.fc_reg.bias": torch.ones(4)}
    own = {"roi_head.bbox_head.fc_reg.bias": torch.zeros(4)}
    mixed, _ = rows_by_name(theirs, own, LAYERS, ("a", "b"), ("b", "c", "d"))
    assert mixed["roi_head.bbox_head.fc_reg.bias"].tolist() == [1] * 4


def test_arguments_stay_unchanged():
    theirs, own = tensors(3, 100), tensors(2, 0)
    copies = [{k: v.clone() for k, v in one.items()} for one in (theirs, own)]
    rows_by_name(theirs, own, LAYERS, ("cat", "dog", "cow"), ("cow", "owl"))
    for one, copy in zip((theirs, own), copies, strict=True):
        assert all(torch.equal(one[key], copy[key]) for key in copy)


HEADS = {
    "BBoxHead": ({"fc_cls": 5, "fc_reg": 16}, {}),
    "FCNMaskHead": ({"conv_logits": 4}, {}),
    "RetinaHead": ({"retina_cls": 36}, {}),
    "FCOSHead": ({"conv_cls": 4}, {}),
    "SSDHead": (
        {"cls_convs.0.1": 20, "cls_convs.1.1": 20},
        {
            "stacked_convs": 1,
            "in_channels": [8, 8],
            "anchor_generator": {
                "type": "SSDAnchorGenerator",
                "strides": [8, 16],
                "ratios": [[2], [2]],
                "min_sizes": [10, 20],
                "max_sizes": [20, 40],
            },
        },
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_every_head_declares_the_layers_that_have_rows_of_classes(name):
    rows, more = HEADS[name]
    head = MODELS.build({"type": name, "num_classes": 4, **more})
    declared = class_layers_of(head)
    assert {layer: len(head.get_submodule(layer).weight) for layer in declared} == rows


def test_a_softmax_retina_head_has_a_background_row_for_each_anchor():
    head = MODELS.build(
        {"type": "RetinaHead", "num_classes": 2, "loss_cls": {"type": "CrossEntropyLoss"}}
    )
    own = head.state_dict()
    theirs = {"retina_cls.bias": torch.arange(27.0)}
    mixed, _ = rows_by_name(theirs, own, class_layers_of(head), ("a", "b"), ("b", "a"))
    assert mixed["retina_cls.bias"][:6].tolist() == [1, 0, 2, 4, 3, 5]


class GuestHead(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.num_classes = 3
        self.score = torch.nn.Linear(2, 3)


def test_rows_that_a_head_does_not_declare_are_warned_of(monkeypatch):
    said = []
    monkeypatch.setattr(class_rows, "print_log", lambda text, *_: said.append(text))
    model = torch.nn.ModuleDict({"head": GuestHead()})
    weights = model.state_dict()
    warn_of_undeclared_rows(model, weights, ("a", "b", "c"), ("a", "b", "c"))
    warn_of_undeclared_rows(model, weights, ("a", "b", "c"), ("a", "b", "c", "d"))
    assert said == []
    warn_of_undeclared_rows(model, weights, ("a", "b", "c"), ("c", "b", "a"))
    assert "head.score.weight, head.score.bias" in said[0] and "class_layers" in said[0]
    model["head"].class_layers = {"score": ClassRows()}
    warn_of_undeclared_rows(model, weights, ("a", "b", "c"), ("c", "b", "a"))
    assert len(said) == 1
