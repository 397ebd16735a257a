"""Several views of one image for test-time augmentation."""

import copy
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from mmcv.transforms import BaseTransform, Compose
from mmcv.transforms import RandomFlip as CvRandomFlip

from mmdet_lite.datasets.transforms.packing import PackDetInputs
from mmdet_lite.registry import TRANSFORMS

FLIP_KEYS = ("flip", "flip_direction")


@TRANSFORMS.register_module()
class TestTimeAug(BaseTransform):
    """Every combination of one transform of each list, one after the other.

    Gives ``inputs`` and ``data_samples`` as lists with one entry a combination; the last list's
    transforms pack. Lists that follow each other belong together: [[Resize a, Resize b], [flip,
    no flip], [PackDetInputs]] gives four views. The sample that comes in is unchanged.

    Args:
        transforms: lists of transforms or of their configs.

    Raises:
        ValueError: nothing to combine, or views are flipped and PackDetInputs does not say so in
            ``flip`` and ``flip_direction``, so that predictions could not be turned back.
    """

    __test__ = False  # for pytest, which takes the name for a test's

    def __init__(self, transforms: Sequence[Sequence[Any]]) -> None:
        if not transforms or not all(transforms):
            raise ValueError(
                "TestTimeAug: transforms must be a list of lists that are not empty, such as "
                "[[dict(type='RandomFlip', prob=1.0), dict(type='RandomFlip', prob=0.0)], "
                "[dict(type='PackDetInputs')]]"
            )
        built = [[TRANSFORMS.build(t) if isinstance(t, dict) else t for t in s] for s in transforms]
        flipped = any(isinstance(t, CvRandomFlip) for t in _all(built))
        for packing in (t for t in _all(built) if isinstance(t, PackDetInputs)):
            if flipped and not set(FLIP_KEYS) <= set(packing.meta_keys):
                raise ValueError(
                    f"TestTimeAug: meta_keys of PackDetInputs lack some of {FLIP_KEYS}, which say "
                    f"how a view was flipped; got {tuple(packing.meta_keys)}"
                )
        self.views = [Compose(view) for view in product(*built)]

    def transform(self, results: dict[str, Any]) -> dict[str, list[Any]]:
        """Make the views.

        Raises:
            ValueError: a transform drops the image.
        """
        packed = [view(copy.deepcopy(results)) for view in self.views]
        if any(view is None for view in packed):
            raise ValueError(
                f"TestTimeAug: a view of {results.get('img_path')} was dropped by its transforms"
            )
        return {key: [view[key] for view in packed] for key in packed[0]}

    def __repr__(self) -> str:
        return f"TestTimeAug({len(self.views)} views)"


def _all(lists: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """All transforms, also those inside of others (ProposalBroadcaster, Compose)."""
    for transform in (t for one in lists for t in one):
        yield transform
        yield from _all([getattr(transform, "transforms", [])])
