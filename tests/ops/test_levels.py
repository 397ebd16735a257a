"""Order of flattened pyramids, and padding of ragged annotations."""

import torch

from mmdet_lite.ops.levels import flatten_levels, pad_boxes, pad_labels


def test_flattened_levels_run_by_level_row_column_anchor():
    levels = [torch.randn(2, 6, 3, 4), torch.randn(2, 6, 2, 1)]  # 2 anchors of 3 channels
    flat = flatten_levels(levels, 3)
    row = 0
    for level in levels:
        for y in range(level.shape[2]):
            for x in range(level.shape[3]):
                for anchor in range(2):
                    wanted = level[:, anchor * 3 : anchor * 3 + 3, y, x]
                    assert torch.equal(flat[:, row], wanted)
                    row += 1
    assert row == flat.shape[1]


def test_flattening_does_not_depend_on_the_memory_format():
    level = torch.randn(2, 6, 3, 4)
    last = level.contiguous(memory_format=torch.channels_last)
    assert torch.equal(flatten_levels([level], 3), flatten_levels([last], 3))


def test_padding_keeps_boxes_and_marks_the_rest():
    boxes = [torch.rand(3, 4), torch.zeros(0, 4), torch.rand(1, 4)]
    padded, valid = pad_boxes(boxes)
    assert padded.shape == (3, 3, 4)
    for i, own in enumerate(boxes):
        assert torch.equal(padded[i][valid[i]], own)
    assert padded[~valid].abs().sum() == 0


def test_a_batch_without_any_box_is_zero_wide():
    padded, valid = pad_boxes([torch.zeros(0, 4)] * 2)
    assert padded.shape == (2, 0, 4) and valid.shape == (2, 0)


def test_labels_are_padded_with_zero():
    labels = pad_labels([torch.tensor([3]), torch.tensor([1, 2])])
    assert labels.tolist() == [[3, 0], [1, 2]]
