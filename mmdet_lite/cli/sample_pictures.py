"""Pictures of a sample at every step of its pipeline."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from mmengine.structures import InstanceData

from mmdet_lite.datasets.pipeline_stages import SampleStages, Stage
from mmdet_lite.structures.masks import InstanceMasks
from mmdet_lite.visualization import AnnotatedPicture, annotated_entry, as_picture
from mmdet_lite.visualization.labels import Picture


@dataclass(frozen=True)
class Step:
    """A transform's name and what it gave; ``note`` says what could not be drawn."""

    name: str
    annotated: AnnotatedPicture
    note: str = ""

    @property
    def text(self) -> str:
        """Name, size and number of objects."""
        height, width = self.annotated.picture.shape[:2]
        ignored = self.annotated.ignored
        num_ignored = 0 if ignored is None else int(ignored.sum())
        num = len(self.annotated.boxes) - num_ignored
        text = f"{self.name}: {width}x{height}, {num} object{'' if num == 1 else 's'}"
        text += f" + {num_ignored} ignored" if num_ignored else ""
        return f"{text}, {self.note}" if self.note else text


def steps_of(sample: SampleStages, test_mode: bool) -> list[Step]:
    """The file with its annotations, then the sample after each transform.

    Args:
        sample: as PipelineWatch saw it.
        test_mode: of the data set. Annotations that are loaded behind a Resize are then in pixels
            of the file, as the metrics want them, and are drawn there; in training they would be
            taken as pixels of the resized picture, and are drawn so.

    Raises:
        ValueError: the pipeline loads no image.
    """
    loaded = next((stage for stage in sample.stages if "img" in stage.results), None)
    if loaded is None:
        raise ValueError(
            f"the pipeline of {sample.entry.get('img_path')} has no step that loads the image "
            f"(steps: {[stage.name for stage in sample.stages]}); it begins with LoadImageFromFile"
        )
    steps = [Step("file", annotated_entry(as_picture(loaded.results["img"]), sample.entry))]
    norm: Mapping[str, Any] | None = None
    frame: tuple[float, float] | None = None
    for stage in sample.stages:
        norm = stage.results.get("img_norm_cfg", norm)
        if "img" not in stage.results and "inputs" not in stage.results:
            steps.append(replace(steps[-1], name=stage.name))
        for name, image, objects in _views(stage):
            if frame is None and objects.loaded:
                frame = objects.frame if test_mode else (1.0, 1.0)
            steps.append(_step(name, as_picture(image, norm), objects, frame or (1.0, 1.0)))
    return steps


@dataclass(frozen=True)
class _Objects:
    """Annotations of a view.

    ``frame`` is the scale (x, y) from pixels of the file to pixels of the view, where
    annotations that were loaded behind a Resize need it; ``loaded`` whether there are any.
    """

    boxes: Any
    labels: Any
    ignored: Any
    masks: InstanceMasks | None
    joints: Any
    frame: tuple[float, float]
    loaded: bool


def _views(stage: Stage) -> Iterator[tuple[str, Any, _Objects]]:
    """Name, image and annotations: one, or of several views (TestTimeAug) one each."""
    results = stage.results
    if "img" in results:
        yield stage.name, results["img"], _objects_of(results)
    elif isinstance(results.get("inputs"), list):
        pairs = zip(results["inputs"], results["data_samples"], strict=True)
        for n, (image, sample) in enumerate(pairs):
            yield f"{stage.name} {n + 1}", image, _packed(sample)
    elif "inputs" in results:
        yield stage.name, results["inputs"], _packed(results["data_samples"])


def _objects_of(results: Mapping[str, Any]) -> _Objects:
    boxes = np.asarray(results.get("gt_bboxes", np.zeros((0, 4))), float).reshape(-1, 4)
    return _Objects(
        boxes,
        np.asarray(results.get("gt_bboxes_labels", np.zeros(len(boxes))), int),
        np.asarray(results.get("gt_ignore_flags", np.zeros(len(boxes))), bool),
        results.get("gt_masks"),
        results.get("gt_keypoints"),
        _frame(results),
        "gt_bboxes" in results,
    )


def _packed(sample: Any) -> _Objects:
    """The annotations of a data sample, the ignored ones last."""
    parts: list[InstanceData] = [sample.gt_instances, sample.ignored_instances]
    counts = [len(part) for part in parts]
    columns: dict[str, Any] = {}
    for name in ("bboxes", "labels", "keypoints"):
        if all(name in part for part in parts):
            columns[name] = np.concatenate([np.asarray(part[name]) for part in parts])
    masks = None
    if all("masks" in part for part in parts):
        masks = type(parts[0].masks).cat([part.masks for part in parts])
    num = sum(counts) if "bboxes" in columns else 0
    return _Objects(
        np.asarray(columns.get("bboxes", np.zeros((0, 4))), float).reshape(-1, 4),
        np.asarray(columns.get("labels", np.zeros(num)), int),
        np.arange(num) >= counts[0],
        masks,
        columns.get("keypoints"),
        _frame(sample.metainfo),
        "bboxes" in columns,
    )


def _frame(meta: Mapping[str, Any]) -> tuple[float, float]:
    shapes = [tuple(meta.get(name, ())[:2]) for name in ("img_shape", "ori_shape")]
    if shapes[0] == shapes[1]:
        return 1.0, 1.0
    x, y = meta.get("scale_factor", (1.0, 1.0))
    return float(x), float(y)


def _step(name: str, picture: Picture, objects: _Objects, frame: tuple[float, float]) -> Step:
    """Put objects onto their picture, as far as they fit it."""
    x, y = frame
    masks, note = objects.masks, ""
    if masks is not None and frame != (1.0, 1.0):
        masks = masks.resize((round(masks.height * y), round(masks.width * x)))
    if masks is not None and (masks.height, masks.width) != picture.shape[:2]:
        note, masks = f"masks are of {masks.width}x{masks.height}", None
    annotated = AnnotatedPicture(
        picture,
        objects.boxes * [x, y, x, y],
        objects.labels,
        objects.ignored,
        masks,
        None if objects.joints is None else np.asarray(objects.joints, float) * [x, y, 1],
    )
    return Step(name, annotated, note)
