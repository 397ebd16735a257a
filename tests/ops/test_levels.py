"""Order of flattened pyramids, and padding of ragged annotations."""

import torch

from mmdet_lite.ops.levels import best_of_groups, flatten_levels, pad_boxes, pad_labels


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


def test_the_best_of_each_group_are_those_of_a_loop():
    scores, groups = torch.rand(200).round(decimals=1), torch.randint(0, 7, (200,))
    copies = scores.clone(), groups.clone()
    for most in (1, 5, 1000, 0, -1):
        best = best_of_groups(scores, groups, 8, most)
        assert (scores[best].diff() <= 0).all()
        for group in range(8):
            rows = best[groups[best] == group]
            own = scores[groups == group].sort(descending=True).values
            assert torch.equal(scores[rows], own[:most] if most > 0 else own)
        assert len(set(best.tolist())) == len(best)
    nothing = torch.zeros(0), torch.zeros(0, dtype=torch.long)
    assert best_of_groups(*nothing, 3, 5).shape == (0,)
    assert torch.equal(copies[0], scores) and torch.equal(copies[1], groups)
