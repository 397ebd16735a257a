import pytest
import torch

from mmdet_lite.checkpoint.class_rows import rows_by_name


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
    mixed, note = rows_by_name(theirs, own, ("cat", "dog", "cow"), ("cow", "owl"))
    assert mixed["roi_head.bbox_head.fc_cls.weight"].flatten().tolist() == [102, 1, 150]
    assert mixed["roi_head.bbox_head.1.fc_reg.bias"].tolist() == [102] * 4 + [1] * 4
    assert mixed["roi_head.mask_head.conv_logits.weight"].flatten().tolist() == [102, 1]
    assert mixed["bbox_head.retina_cls.bias"].tolist() == [102, 1, 102, 1]
    assert mixed["bbox_head.cls_convs.1.0.bias"].tolist() == [102, 1, 150] * 4  # SSD, 4 anchors
    assert mixed["bbox_head.cls_convs.0.conv.bias"].tolist() == [100] * 2  # RetinaNet's tower
    assert mixed["backbone.conv1.weight"].tolist() == [100]
    assert "1 classes are taken by name; 1 start anew: owl" in note


def test_the_same_names_in_another_order_are_sorted_out():
    mixed, _ = rows_by_name(tensors(2, 100), tensors(2, 0), ("cat", "dog"), ("dog", "cat"))
    assert mixed["roi_head.mask_head.conv_logits.weight"].flatten().tolist() == [101, 100]


@pytest.mark.parametrize(
    ("trained", "classes"),
    [(None, ("a", "b")), (("a", "b", "c"), None), (("a", "b", "c"), ("x", "y")), (("a",), ("a",))],
)
def test_without_names_in_common_nothing_is_touched(trained, classes):
    theirs = tensors(3, 100)
    assert rows_by_name(theirs, tensors(2, 0), trained, classes) == (theirs, "")


def test_one_row_for_all_classes_stays_one():
    theirs = {"roi_head.bbox_head.fc_reg.bias": torch.ones(4)}
    own = {"roi_head.bbox_head.fc_reg.bias": torch.zeros(4)}
    mixed, _ = rows_by_name(theirs, own, ("a", "b"), ("b", "c", "d"))
    assert mixed["roi_head.bbox_head.fc_reg.bias"].tolist() == [1] * 4


def test_arguments_stay_unchanged():
    theirs, own = tensors(3, 100), tensors(2, 0)
    copies = [{k: v.clone() for k, v in one.items()} for one in (theirs, own)]
    rows_by_name(theirs, own, ("cat", "dog", "cow"), ("cow", "owl"))
    for one, copy in zip((theirs, own), copies, strict=True):
        assert all(torch.equal(one[key], copy[key]) for key in copy)
