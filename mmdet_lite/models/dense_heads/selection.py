"""From dense scores to the few positions that count.

Letters: N images, A positions (anchors or points) of an image, K classes, B candidates.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmdet_lite.ops.checks import check_keys
from mmdet_lite.ops.levels import best_of_groups
from mmdet_lite.ops.nms import check_nms_cfg

DETECTION_KEYS = ("nms_pre", "min_bbox_size", "score_thr", "nms", "max_per_img")


@dataclass(frozen=True)
class Candidates:
    """Scores that passed the threshold: ``image``, ``position``, ``label``, ``score``, each (B,).

    ``position`` is in 0..A-1, ``label`` in 0..K-1; the best score comes first.
    """

    image: Tensor
    position: Tensor
    label: Tensor
    score: Tensor


def check_detection_cfg(cfg: Mapping[str, Any], where: str) -> None:
    """Refuse unknown or missing keys of a config that says which dense predictions count."""
    check_keys(cfg, DETECTION_KEYS, where)
    for key in ("nms", "max_per_img"):
        if key not in cfg:
            raise ValueError(f"{where}.{key} is missing; keys there: {DETECTION_KEYS}")
    check_nms_cfg(cfg["nms"], f"{where}.nms")


def find_candidates(
    logits: Tensor, use_sigmoid: bool, level_counts: Sequence[int], cfg: Mapping[str, Any]
) -> Candidates:
    """The best scores of each level of each image.

    Shapes: logits (N, A, K), or (N, A, K+1) with background last where the classes share a
    softmax; ``level_counts`` adds up to A. ``cfg``: ``score_thr`` (default 0) must be exceeded;
    ``nms_pre`` of them remain for each level of an image (default, or not positive: all).
    """
    threshold = cfg.get("score_thr", 0.0)
    if use_sigmoid:
        # logits are compared first, generously, so that only few need their sigmoid
        image, position, label = torch.nonzero(logits > _logit(threshold) - 1e-2, as_tuple=True)
        score = logits[image, position, label].float().sigmoid()
        above = score > threshold
        image, position, label, score = image[above], position[above], label[above], score[above]
    else:
        scores = logits.float().softmax(dim=-1)[..., :-1]
        image, position, label = torch.nonzero(scores > threshold, as_tuple=True)
        score = scores[image, position, label]
    ends = torch.tensor(level_counts).cumsum(0).to(position.device, non_blocking=True)
    group = image * len(level_counts) + torch.searchsorted(ends, position, right=True)
    best = best_of_groups(score, group, len(logits) * len(level_counts), cfg.get("nms_pre", -1))
    return Candidates(image[best], position[best], label[best], score[best])


def _logit(probability: float) -> float:
    """The number whose sigmoid ``probability`` is; infinite at 0 and below, at 1 and above."""
    if not 0 < probability < 1:
        return -math.inf if probability <= 0 else math.inf
    return math.log(probability / (1 - probability))
