"""MultiImageMixDataset: transforms that make one picture of several."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mmdet_lite.datasets.wrappers import built_dataset
from mmdet_lite.ops.checks import did_you_mean
from mmdet_lite.registry import DATASETS, TRANSFORMS


@DATASETS.register_module()
class MultiImageMixDataset:
    """Runs a pipeline on images of another data set, with transforms that mix in further ones.

    A transform with a method ``get_indices(dataset)`` says by it, as one index or several, which
    further images it wants. It finds them in ``results['mix_results']``, a list of what
    ``dataset[index]`` gives, which is taken out again behind it. The inner data set's pipeline
    loads images and annotations; what packs them comes last in this one.

    Args:
        dataset: data set, or its config.
        pipeline: transforms, or their configs.
        skip_type_keys: names of transforms of the pipeline that are left out.
        max_refetch: how many images are tried where the pipeline gives None, the first included;
            each that follows is a random one.
        lazy_init: read the files at first use.

    Raises:
        ValueError: ``skip_type_keys`` names no transform of the pipeline, or ``max_refetch`` is
            below 1.
        RuntimeError: of ``max_refetch`` images in a row none can be used.

    Source: arguments and ``mix_results`` are MMDetection 3's, which tries the same image again.
    """

    def __init__(
        self,
        dataset: Any,
        pipeline: Sequence[dict[str, Any] | Callable[..., Any]],
        skip_type_keys: Sequence[str] | None = None,
        max_refetch: int = 15,
        lazy_init: bool = False,
    ) -> None:
        if max_refetch < 1:
            raise ValueError(f"MultiImageMixDataset: max_refetch={max_refetch}, expected 1 or more")
        self.dataset = built_dataset(dataset, "MultiImageMixDataset")
        self.pipeline = [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline]
        self.max_refetch = max_refetch
        self._skipped: set[str] = set()
        self.update_skip_type_keys(skip_type_keys or ())
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of the inner data set, as a copy."""
        return dict(self.dataset.metainfo)

    def full_init(self) -> None:
        """Read the files."""
        self.dataset.full_init()
        self._fully_initialized = True

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The entry of image ``idx``, before any transform."""
        return dict(self.dataset.get_data_info(idx))

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the labels in image ``idx``, before any is mixed in."""
        return list(self.dataset.get_cat_ids(idx))

    def update_skip_type_keys(self, skip_type_keys: Sequence[str]) -> None:
        """Leave out other transforms from now on, such as the mixing ones in the last epochs.

        Loader workers that are alive keep the pipeline that they started with.
        """
        names = [type(transform).__name__ for transform in self.pipeline]
        for key in skip_type_keys:
            if key not in names:
                raise ValueError(
                    f"skip_type_keys has {key!r}, which is no transform of the pipeline; "
                    f"{did_you_mean(key, names)}"
                )
        self._skipped = set(skip_type_keys)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, idx: int) -> Any:
        for attempt in range(self.max_refetch):
            results = self._mixed(idx if attempt == 0 else int(np.random.randint(len(self))))
            if results is not None:
                return results
        raise RuntimeError(
            f"the pipeline of MultiImageMixDataset gave None for {self.max_refetch} images in a "
            f"row, the first was number {idx}: {self.get_data_info(idx).get('img_path')}. Is every "
            "object cropped or filtered away?"
        )

    def _mixed(self, idx: int) -> Any:
        """Image ``idx`` after the pipeline, None where a transform gives None."""
        results = self.dataset[idx]
        for transform in self.pipeline:
            if results is None:
                return None
            if type(transform).__name__ in self._skipped:
                continue
            if hasattr(transform, "get_indices"):
                indices = np.atleast_1d(transform.get_indices(self.dataset)).tolist()
                results = {**results, "mix_results": [self.dataset[i] for i in indices]}
            results = transform(results)
            if isinstance(results, dict):
                results.pop("mix_results", None)
        return results
