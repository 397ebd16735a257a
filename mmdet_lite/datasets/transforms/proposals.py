"""Proposals that come with the data: loading them, and keeping them where the image goes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_random_params

from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.registry import TRANSFORMS

GT_KEYS = ("gt_bboxes", "gt_bboxes_labels", "gt_ignore_flags", "gt_masks", "gt_keypoints")


@TRANSFORMS.register_module()
class LoadProposals(BaseTransform):
    """Take the proposals of the image, which the data set has read from its ``proposal_file``.

    Turns ``proposals`` (a dict of bboxes and scores) into ``proposals`` (P, 4) float32 in pixels of
    the file's image and ``proposals_scores`` (P,). ``num_max_proposals``: only so many, from the
    front (the file has the best first); None: all. P = 0 gives empty arrays.

    Raises:
        ValueError: the data set has no proposals.
    """

    def __init__(self, num_max_proposals: int | None = None) -> None:
        self.num_max_proposals = num_max_proposals

    def transform(self, results: Results) -> Results:
        """Load them."""
        if "proposals" not in results:
            raise ValueError(
                "LoadProposals: the data set has no proposals; give it proposal_file="
                "'proposals/NAME.pkl', a file that DumpProposals wrote"
            )
        given = results["proposals"]
        boxes = given["bboxes"][: self.num_max_proposals]
        scores = given["scores"][: self.num_max_proposals]
        return {
            **results,
            "proposals": boxes,
            "proposals_scores": scores,
            "proposals_frame": image_frame({}),
        }

    def __repr__(self) -> str:
        return f"LoadProposals(num_max_proposals={self.num_max_proposals})"


@TRANSFORMS.register_module()
class ProposalBroadcaster(BaseTransform):
    """Applies transforms to an image and its annotations, and the same ones to its proposals.

    The transforms run twice with the same random decisions: once as they are, once on the proposals
    in the place of the ground truths. Proposals outside of a crop are dropped; gives None, so that
    the data set takes another image, where a transform does.

    Args:
        transforms: transforms, or their configs, that move boxes: Resize, RandomFlip, RandomCrop.

    Raises:
        ValueError: there are no proposals, or the image was moved without them before.
    """

    def __init__(
        self, transforms: Sequence[dict[str, Any] | Callable[[Results], Results | None]] = ()
    ) -> None:
        self.transforms = [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in transforms]

    def transform(self, results: Results) -> Results | None:
        """Transform both."""
        if "proposals_scores" not in results:
            raise ValueError("ProposalBroadcaster: put LoadProposals before it")
        check_proposal_frame(results)
        twin = {key: value for key, value in results.items() if key not in GT_KEYS}
        boxes = results["proposals"]
        # labels carry the position of each proposal, to find out which ones remain
        twin.update(
            img=np.zeros_like(results["img"]),
            gt_bboxes=boxes,
            gt_bboxes_labels=np.arange(len(boxes)),
            gt_ignore_flags=np.zeros(len(boxes), bool),
        )
        with cache_random_params(self.transforms):
            moved, moved_twin = self._apply(results), self._apply(twin)
        if moved is None or moved_twin is None:
            return None
        return {
            **moved,
            "proposals": moved_twin["gt_bboxes"],
            "proposals_scores": results["proposals_scores"][moved_twin["gt_bboxes_labels"]],
            "proposals_frame": image_frame(moved),
        }

    def _apply(self, results: Results) -> Results | None:
        current: Results | None = dict(results)
        for transform in self.transforms:
            if current is not None:
                current = transform(current)
        return current

    def __repr__(self) -> str:
        return f"ProposalBroadcaster(transforms={self.transforms})"


def image_frame(results: Results) -> tuple[Any, Any]:
    """How the image was moved so far: scale factor (w, h) and direction of the flip or None."""
    return tuple(results.get("scale_factor", (1.0, 1.0))), results.get("flip_direction")


def check_proposal_frame(results: Results) -> None:
    """Raise ValueError if the image was resized or flipped, and its proposals were not."""
    if results["proposals_frame"] != image_frame(results):
        raise ValueError(
            "the image was resized or flipped without its proposals; put Resize and RandomFlip into"
            " dict(type='ProposalBroadcaster', transforms=[...]), after LoadProposals"
        )
