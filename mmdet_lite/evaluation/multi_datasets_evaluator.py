"""MultiDatasetsEvaluator: a metric of its own for each part of a joined data set."""

import bisect
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dist import broadcast_object_list, collect_results, get_world_size, is_main_process
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.evaluator.metric import _to_cpu
from mmengine.logging import MMLogger

from mmdet_lite.registry import EVALUATOR, METRICS
from mmdet_lite.structures.joined_data import ENDS_OF_PARTS, JOINED_INDEX, METAINFO_OF_PARTS


@EVALUATOR.register_module()
class MultiDatasetsEvaluator(Evaluator):
    """Gives every image of a ConcatDataset to the metric of the data set it comes from.

    The names of the numbers are ``{dataset_prefix}/{prefix of the metric}/{name}``. An image counts
    once, also where several processes were given it to fill up their last batch, and results are
    in the order of the data set.

    Args:
        metrics: one for each data set of ``ConcatDataset.datasets``, or their configs, in that
            order. Each is told the metainfo of its own data set.
        dataset_prefixes: a name for each, all different.
        joint_metrics: metrics of all images together, as without this evaluator.

    Raises:
        ValueError: the numbers of metrics, prefixes and data sets differ, a prefix occurs twice,
            or the data set evaluated is not a ConcatDataset.

    Source: name, the first two arguments and the names of the numbers are MMDetection 3's.
    """

    def __init__(
        self,
        metrics: BaseMetric | dict[str, Any] | Sequence[BaseMetric | dict[str, Any]],
        dataset_prefixes: Sequence[str],
        joint_metrics: Sequence[BaseMetric | dict[str, Any]] = (),
    ) -> None:
        given = list(metrics) if isinstance(metrics, Sequence) else [metrics]
        super().__init__([_built(metric) for metric in given])
        self.joint_metrics = [_built(metric) for metric in joint_metrics]
        prefixes = [dataset_prefixes] if isinstance(dataset_prefixes, str) else dataset_prefixes
        self.dataset_prefixes = list(prefixes)
        if len(self.metrics) != len(self.dataset_prefixes):
            raise ValueError(
                f"MultiDatasetsEvaluator has {len(self.metrics)} metrics and "
                f"{len(self.dataset_prefixes)} dataset_prefixes {self.dataset_prefixes}; give one "
                "of each for every data set of the ConcatDataset"
            )
        if len(set(self.dataset_prefixes)) < len(self.dataset_prefixes):
            raise ValueError(
                f"MultiDatasetsEvaluator: dataset_prefixes {self.dataset_prefixes} must differ, "
                "they tell the numbers apart"
            )
        self._ends: list[int] = []
        self._kept: list[list[tuple[int, list[Any]]]] = [[] for _ in self.metrics]

    @property
    def dataset_meta(self) -> dict[str, Any] | None:
        """Metainfo of the joined data set; setting it gives every metric that of its part."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict[str, Any]) -> None:
        if ENDS_OF_PARTS not in dataset_meta:
            raise ValueError(
                "MultiDatasetsEvaluator evaluates a ConcatDataset; the data set of its dataloader "
                "is none. For a single data set give val_evaluator the metric itself"
            )
        self._ends = list(dataset_meta[ENDS_OF_PARTS])
        if len(self._ends) != len(self.metrics):
            raise ValueError(
                f"MultiDatasetsEvaluator has {len(self.metrics)} metrics (dataset_prefixes "
                f"{self.dataset_prefixes}), but the ConcatDataset joins {len(self._ends)} data "
                "sets; give one metric and one prefix for each, in their order"
            )
        self._dataset_meta = dataset_meta
        parts = dataset_meta.get(METAINFO_OF_PARTS) or [{}] * len(self._ends)
        common = {
            k: v for k, v in dataset_meta.items() if k not in (ENDS_OF_PARTS, METAINFO_OF_PARTS)
        }
        for metric, part in zip(self.metrics, parts, strict=True):
            metric.dataset_meta = {**common, **part}
        for metric in self.joint_metrics:
            metric.dataset_meta = common

    def process(self, data_samples: Sequence[Any], data_batch: Any = None) -> None:
        """Let the metric of each image's data set keep what it needs of it."""
        samples = [s if isinstance(s, Mapping) else s.to_dict() for s in data_samples]
        for i, sample in enumerate(samples):
            if JOINED_INDEX not in sample:
                raise ValueError(
                    f"image {sample.get('img_id')!r} does not say which data set it is from "
                    f"({JOINED_INDEX!r}); MultiDatasetsEvaluator takes the samples of a "
                    "ConcatDataset"
                )
            source = bisect.bisect_right(self._ends, sample[JOINED_INDEX])
            metric = self.metrics[source]
            metric.process(_only(data_batch, i), [sample])
            self._kept[source].append((sample[JOINED_INDEX], metric.results[:]))
            metric.results.clear()
        for metric in self.joint_metrics:
            metric.process(data_batch, samples)

    def evaluate(self, size: int) -> dict[str, Any]:
        """Return the numbers of all data sets; called by all processes, ``size`` is their sum."""
        numbers: dict[str, Any] = {}
        for source in range(len(self.metrics)):
            numbers |= self._evaluate_source(source)
        for metric in self.joint_metrics:
            numbers |= metric.evaluate(size)
        return numbers

    def result_names(self) -> list[str] | None:
        """Names of the numbers, as ``save_best`` takes them; None if a metric cannot tell its."""
        starts = [f"{prefix}/" for prefix in self.dataset_prefixes] + [""] * len(self.joint_metrics)
        metrics: list[Any] = [*self.metrics, *self.joint_metrics]
        if not all(hasattr(metric, "result_names") for metric in metrics):
            return None
        pairs = zip(starts, metrics, strict=True)
        return [start + name for start, metric in pairs for name in metric.result_names()]

    def _evaluate_source(self, source: int) -> dict[str, Any]:
        metric, prefix = self.metrics[source], self.dataset_prefixes[source]
        # one element a process, so that uneven numbers of images cannot lose any
        collected = collect_results(
            [self._kept[source]], get_world_size(), metric.collect_device, metric.collect_dir
        )
        self._kept[source] = []
        numbers: list[Any] = [None]
        if is_main_process():
            first: dict[int, list[Any]] = {}
            for index, results in itertools.chain.from_iterable(collected or []):
                first.setdefault(index, results)
            ordered = [result for index in sorted(first) for result in first[index]]
            MMLogger.get_current_instance().info(f"{prefix}: {len(first)} images")
            found = metric.compute_metrics(_to_cpu(ordered))
            start = f"{prefix}/{metric.prefix}" if metric.prefix else prefix
            numbers = [{f"{start}/{name}": value for name, value in found.items()}]
        broadcast_object_list(numbers)
        return dict(numbers[0])


def _built(metric: BaseMetric | dict[str, Any]) -> Any:
    return METRICS.build(metric) if isinstance(metric, dict) else metric


def _only(data_batch: Any, i: int) -> Any:
    """The part of a batch that belongs to its image ``i``; None where it cannot be told."""
    if not isinstance(data_batch, Mapping):
        return None
    return {k: v[i : i + 1] for k, v in data_batch.items() if isinstance(v, list)}
