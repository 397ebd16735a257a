"""What every transform of a data set's pipelines makes of a sample."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mmdet_lite.ops.dataset_parts import parts_of

KEPT_KEYS = (
    "img",
    "img_path",
    "img_shape",
    "ori_shape",
    "scale_factor",
    "img_norm_cfg",
    "gt_bboxes",
    "gt_bboxes_labels",
    "gt_ignore_flags",
    "gt_masks",
    "gt_keypoints",
    "inputs",
    "data_samples",
)


@dataclass(frozen=True)
class Stage:
    """What one transform gave: its class, and copies of those ``KEPT_KEYS`` that were there."""

    name: str
    results: dict[str, Any]


@dataclass
class SampleStages:
    """The way of one sample.

    Args:
        entry: the data set's entry that went into the first transform; ``instances`` are its
            annotations.
        stages: one for each transform, in the order in which they ran. Where samples are mixed
            those of the first picture come first, then those that mix.
        skipped: how many samples a transform found of no use before this one.
    """

    entry: dict[str, Any] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    skipped: int = 0


class PipelineWatch:
    """Watches the pipelines of a data set, and those of the data sets that it is made of.

    The transforms of ``dataset`` are replaced by ones that do the same and report it.

    Args:
        dataset: any data set of this program or a wrapper of such, with its pipelines.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._sample = SampleStages()
        self._finished: set[int] = set()
        self._seen: list[_Watched] = []
        for transforms, level in _transform_lists(dataset):
            last = len(transforms) - 1
            for n, transform in enumerate(transforms):
                if not isinstance(transform, _Watched):
                    # of the same name, by which a data set may leave it out
                    kind = type(type(transform).__name__, (_Watched,), {})
                    transforms[n] = kind(transform, self, level, n == last)

    def sample(self, idx: int) -> SampleStages:
        """Load sample ``idx`` and return its way; no stages where the data set has no pipeline."""
        self._sample, self._finished, self._seen = SampleStages(), set(), []
        self.dataset[idx]
        return self._sample

    def enter(self, results: dict[str, Any]) -> None:
        """Take note of what goes into the first transform."""
        if not self._seen:
            entry = {key: value for key, value in results.items() if key != "img"}
            self._sample.entry = copy.deepcopy(entry)

    def leave(self, watched: "_Watched", results: dict[str, Any] | None) -> None:
        """Take note of what a transform gave; what came of a sample of no use is forgotten.

        Of pictures that are loaded to be mixed in, nothing is noted: a pipeline of their level
        has already given the first picture.
        """
        if watched.level in self._finished:
            return
        if results is None:
            kept = [n for n, one in enumerate(self._seen) if one.level < watched.level]
            self._finished = {level for level in self._finished if level < watched.level}
            self._sample.stages = [self._sample.stages[n] for n in kept]
            self._seen = [self._seen[n] for n in kept]
            self._sample.skipped += 1
            return
        kept_results = {key: results[key] for key in KEPT_KEYS if key in results}
        self._sample.stages.append(Stage(watched.name, copy.deepcopy(kept_results)))
        self._seen.append(watched)
        if watched.is_last:
            self._finished.add(watched.level)


class _Watched:
    """A transform that reports what goes in and comes out; in all else it is the transform."""

    def __init__(
        self, transform: Callable[..., Any], watch: PipelineWatch, level: int, is_last: bool
    ) -> None:
        self.transform = transform
        self.watch = watch
        self.level = level
        self.is_last = is_last
        self.name = getattr(transform, "__name__", type(transform).__name__)

    def __call__(self, results: dict[str, Any]) -> Any:
        self.watch.enter(results)
        given = self.transform(results)
        self.watch.leave(self, given)
        return given

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["transform"], name)


def _transform_lists(dataset: Any, level: int = 0) -> Iterator[tuple[list[Any], int]]:
    """The lists of transforms of a data set and of those inside it, and how deep inside."""
    pipeline = getattr(dataset, "pipeline", None)
    transforms = getattr(pipeline, "transforms", pipeline)
    if isinstance(transforms, list):
        yield transforms, level
        level += 1
    for _, part in parts_of(dataset):
        yield from _transform_lists(part, level)
