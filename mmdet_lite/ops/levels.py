"""Feature levels of a pyramid, flattened once."""

from collections.abc import Sequence

import torch
from torch import Tensor


def flatten_levels(levels: Sequence[Tensor], channels: int) -> Tensor:
    """Dense predictions of all levels as one row of anchors.

    Shapes: each level (N, B*channels, H, W); returns (N, sum(H*W*B), channels), ordered by level,
    row, column, base anchor, as anchors are.
    """
    flat = [x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, channels) for x in levels]
    return torch.cat(flat, dim=1)


def pad_boxes(boxes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Boxes of N images as one tensor, and which entries are real.

    Shapes: each (G_i, 4); returns (N, max G, 4) with zeros as padding, and (N, max G) bool.

    >>> padded, valid = pad_boxes([torch.ones(1, 4), torch.ones(2, 4)])
    >>> padded.shape, valid.tolist()
    (torch.Size([2, 2, 4]), [[True, False], [True, True]])
    """
    padded = torch.nn.utils.rnn.pad_sequence(list(boxes), batch_first=True)
    counts = torch.tensor([len(b) for b in boxes], device=padded.device)
    valid = torch.arange(padded.shape[1], device=padded.device) < counts[:, None]
    return padded, valid


def pad_labels(labels: Sequence[Tensor]) -> Tensor:
    """Labels of N images, each (G_i,), as one tensor (N, max G); padding is 0."""
    return torch.nn.utils.rnn.pad_sequence(list(labels), batch_first=True)


def best_of_groups(scores: Tensor, groups: Tensor, num_groups: int, most: int) -> Tensor:
    """Positions of the ``most`` highest scores of each group (not positive: of all), best first.

    Shapes: scores (B,), groups (B,) long in 0..num_groups-1; returns (D,). B = 0 gives D = 0.

    >>> best_of_groups(torch.tensor([.1, .9, .8, .7]), torch.tensor([0, 1, 1, 1]), 2, 2).tolist()
    [1, 2, 0]
    """
    order = scores.argsort(descending=True, stable=True)
    if most <= 0:
        return order
    groups = groups[order]
    by_group = groups.argsort(stable=True)
    sorted_groups = groups[by_group]
    starts = torch.searchsorted(sorted_groups, torch.arange(num_groups, device=groups.device))
    places = torch.arange(len(groups), device=groups.device)
    rank = torch.empty_like(groups).scatter_(0, by_group, places - starts[sorted_groups])
    return order[rank < most]
