"""Cross entropies against torch.nn.functional."""

import pytest
import torch
import torch.nn.functional as F

from mmdet_lite.models.losses import CrossEntropyLoss


def test_softmax_mean_equals_torch():
    logits, labels = torch.randn(9, 4), torch.randint(4, (9,))
    assert torch.allclose(CrossEntropyLoss()(logits, labels), F.cross_entropy(logits, labels))


def test_weights_average_factor_and_loss_weight():
    logits, labels, weight = torch.randn(9, 4), torch.randint(4, (9,)), torch.rand(9)
    each = F.cross_entropy(logits, labels, reduction="none") * weight
    loss = CrossEntropyLoss(loss_weight=0.5)
    assert torch.allclose(loss(logits, labels, weight, avg_factor=7), each.sum() / 7 / 2)
    assert torch.allclose(loss(logits, labels, weight), each.mean() / 2)
    tensor_factor = loss(logits, labels, weight, avg_factor=torch.tensor(7.0))
    assert torch.allclose(tensor_factor, each.sum() / 14)


@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_other_reductions_equal_torch(reduction):
    logits, labels = torch.randn(9, 4), torch.randint(4, (9,))
    wanted = F.cross_entropy(logits, labels, reduction=reduction)
    assert torch.allclose(CrossEntropyLoss(reduction=reduction)(logits, labels), wanted)


def test_class_weights_equal_torch():
    logits, labels, factor = torch.randn(9, 3), torch.randint(3, (9,)), [1.0, 2.0, 0.5]
    wanted = F.cross_entropy(logits, labels, torch.tensor(factor), reduction="sum") / 9
    assert torch.allclose(CrossEntropyLoss(class_weight=factor)(logits, labels), wanted)


def test_ignored_labels_count_nothing():
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 255, 2, 255, 0])
    counted = labels != 255
    total = F.cross_entropy(logits[counted], labels[counted], reduction="sum")
    plain = CrossEntropyLoss(ignore_index=255)
    assert torch.allclose(plain(logits, labels), total / 6)
    non_ignore = CrossEntropyLoss(ignore_index=255, avg_non_ignore=True)
    assert torch.allclose(non_ignore(logits, labels), total / 4)


def test_sigmoid_of_class_labels_is_one_problem_a_class():
    logits, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, 3, 3])  # 3 is background
    target = F.one_hot(labels, 4)[:, :3].float()
    wanted = F.binary_cross_entropy_with_logits(logits, target)
    loss = CrossEntropyLoss(use_sigmoid=True)
    assert torch.allclose(loss(logits, labels), wanted)
    assert torch.allclose(loss(logits, target), wanted)
    weight = torch.rand(5)
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight[:, None]
    assert torch.allclose(loss(logits, labels, weight, avg_factor=2.0), each.sum() / 2)


def test_sigmoid_of_one_logit_an_anchor_takes_label_zero_as_object():
    logits, labels = torch.randn(8, 1), torch.tensor([0, 1] * 4)
    wanted = F.binary_cross_entropy_with_logits(logits[:, 0], (labels == 0).float())
    assert torch.allclose(CrossEntropyLoss(use_sigmoid=True)(logits, labels), wanted)


def test_sigmoid_leaves_out_ignored_labels():
    logits, labels = torch.randn(4, 2), torch.tensor([0, -1, 1, 2])
    kept = labels >= 0
    target = F.one_hot(labels[kept], 3)[:, :2].float()
    total = F.binary_cross_entropy_with_logits(logits[kept], target, reduction="sum")
    loss = CrossEntropyLoss(use_sigmoid=True, ignore_index=-1, avg_non_ignore=True)
    assert torch.allclose(loss(logits, labels), total / 6)


def test_mask_loss_reads_the_true_class_alone():
    logits, labels = torch.randn(5, 3, 4, 4), torch.tensor([0, 2, 1, 1, 0])
    targets = (torch.rand(5, 4, 4) > 0.5).float()
    own = torch.stack([logits[i, k] for i, k in enumerate(labels)])
    wanted = F.binary_cross_entropy_with_logits(own, targets) * 2
    loss = CrossEntropyLoss(use_mask=True, loss_weight=2.0)
    assert torch.allclose(loss.mask_loss(logits, targets, labels), wanted)
    assert torch.allclose(loss(logits, targets, labels), wanted)  # as MMDetection's heads call it


def test_a_mask_loss_called_as_a_class_loss_is_refused():
    logits, labels = torch.randn(5, 3, 4, 4), torch.zeros(5, 4, 4)
    loss = CrossEntropyLoss(use_mask=True)
    with pytest.raises(ValueError, match=r"use_mask takes \(mask_logits, targets, labels\)"):
        loss(logits, labels)
    with pytest.raises(ValueError, match="no avg_factor"):
        loss(logits, labels, torch.zeros(5, dtype=torch.long), avg_factor=5)


@pytest.mark.parametrize("use_sigmoid", [False, True])
def test_no_samples_give_zero_with_a_gradient(use_sigmoid):
    logits = torch.zeros(0, 4, requires_grad=True)
    loss = CrossEntropyLoss(use_sigmoid=use_sigmoid)(logits, torch.zeros(0, dtype=torch.long))
    loss.backward()
    assert loss == 0 and logits.grad is not None


def test_no_masks_give_zero_with_a_gradient():
    logits = torch.zeros(0, 4, 7, 7, requires_grad=True)
    labels = torch.zeros(0, dtype=torch.long)
    loss = CrossEntropyLoss(use_mask=True).mask_loss(logits, torch.zeros(0, 7, 7), labels)
    loss.backward()
    assert loss == 0 and logits.grad is not None


def test_half_precision_logits_are_summed_in_float():
    logits, labels = torch.randn(9, 4).bfloat16(), torch.randint(4, (9,))
    loss = CrossEntropyLoss()(logits, labels)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, F.cross_entropy(logits.float(), labels))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"use_sigmoid": True, "use_mask": True}, "exclude each other"),
        ({"use_mask": True, "ignore_index": 3}, "no ignore_index"),
        ({"reduction": "avg"}, "one of .*'mean'.* got 'avg'"),
    ],
)
def test_contradictions_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        CrossEntropyLoss(**args)


def test_average_factor_needs_the_mean():
    with pytest.raises(ValueError, match="avg_factor is only used with reduction='mean'"):
        CrossEntropyLoss(reduction="sum")(
            torch.randn(2, 3), torch.zeros(2, dtype=torch.long), avg_factor=3
        )
