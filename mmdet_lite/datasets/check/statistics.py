"""The numbers of a set: how many, how large, how long, how crowded; and what training leaves out.

A annotations, I images, K classes.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, Floats, Mask
from mmdet_lite.datasets.check.codes import finding
from mmdet_lite.datasets.check.records import Finding, FunnelStep, Histogram, SetStatistics
from mmdet_lite.datasets.coco_annotation import is_number

SIZES = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, np.inf)}
MOST_IMAGE_SIZES = 50
_MOST_COUNTED = 50  # instances in one picture that have a bar of their own


def statistics_of(data: AnnotatedSet) -> SetStatistics:
    """Count a set. Instances are its annotations with box, image and listed class, no crowds."""
    instance = data.has_box & (data.labels >= 0) & (data.image_index >= 0) & ~data.crowd
    labels, wh = data.labels[instance], data.xywh[instance, 2:]
    areas = wh.prod(axis=1)
    on_image = np.bincount(data.image_index[instance], minlength=len(data.images))
    annotated = np.zeros(len(data.images), bool)
    annotated[data.image_index[data.image_index >= 0]] = True
    once_an_image = np.unique(labels * len(data.images) + data.image_index[instance])
    sizes = Counter((int(w), int(h)) for w, h in data.image_wh.tolist())
    size_of = {name: (areas >= low) & (areas < high) for name, (low, high) in SIZES.items()}
    by_size = {name: _by_class(data, labels[where]) for name, where in size_of.items()}
    return SetStatistics(
        name=data.name,
        ann_file=data.ann_file,
        image_root=data.image_root,
        num_images=len(data.images),
        num_empty_images=int((~annotated).sum()),
        num_annotations=len(data.annotations),
        num_crowds=int(data.crowd.sum()),
        instances_per_class=_by_class(data, labels),
        images_per_class=_by_class(data, once_an_image // max(len(data.images), 1)),
        sizes={name: int(where.sum()) for name, where in size_of.items()},
        sizes_per_class={
            name: {size: counts[name] for size, counts in by_size.items()} for name in data.classes
        },
        image_sizes=tuple((w, h, n) for (w, h), n in sizes.most_common(MOST_IMAGE_SIZES)),
        histograms=_histograms(data, wh, data.frame_wh[instance], on_image),
    )


def check_funnel(data: AnnotatedSet) -> Iterator[Finding]:
    """Whether an image is left."""
    steps = funnel_of(data)
    if steps[-1].left:
        if not data.broken and not data.uses.test_mode and not (data.used & ~data.crowd).any():
            yield finding(
                "set-empty",
                f"0 of {len(data.images)} images of {data.ann_file} have an object that can be "
                f"used, of {len(data.annotations)} annotations in the file: nothing can be learnt. "
                "Is it the right file, are the annotations in their place?",
                data.name,
            )
        return
    lost = [f"{step.dropped} {step.unit}: {step.reason}" for step in steps if step.dropped]
    yield finding(
        "nothing-left",
        f"no image of {data.ann_file} is left of {len(data.images)}; left out: "
        f"{', '.join(lost) or 'nothing'}. Correct the file, metainfo.classes or filter_cfg",
        data.name,
    )


def funnel_of(data: AnnotatedSet) -> tuple[FunnelStep, ...]:
    """What a CocoDataset with the set's ``uses`` leaves out, step by step.

    Annotations that the file itself makes impossible (unknown image or category, no four numbers)
    are the first step: there the data set stops.
    """
    steps = _dropped_annotations(data)
    filter_cfg = {} if data.uses.test_mode else data.uses.filter_cfg
    instances = np.bincount(data.image_index[data.used], minlength=len(data.images))
    left = np.ones(len(data.images), bool)
    steps.append(FunnelStep("images", "in the file", 0, len(left)))

    def keep(reason: str, kept: Mask) -> None:
        nonlocal left
        dropped, left = int((left & ~kept).sum()), left & kept
        steps.append(FunnelStep("images", reason, dropped, int(left.sum())))

    least_side = filter_cfg.get("min_size", 0)
    if least_side:
        keep(f"shorter side below min_size={least_side}", data.image_wh.min(axis=1) >= least_side)
    if filter_cfg.get("filter_empty_gt", False):
        keep("without an instance (filter_empty_gt)", instances > 0)
    least = filter_cfg.get("min_keypoints", 0)
    if least:
        keep(f"fewer labelled keypoints than {least}", _labelled_joints(data) >= least)
    return tuple(steps)


def _dropped_annotations(data: AnnotatedSet) -> list[FunnelStep]:
    """Steps of the annotations in the data set's order."""
    before = data.uses.dropped
    remaining = len(data.annotations) + sum(before.values())
    steps = [FunnelStep("annotations", "in the file", 0, remaining)]
    dropped = dict(before)
    for reason, where in data.left_out.items():
        dropped[reason] = dropped.get(reason, 0) + int(where.sum())
    for reason, number in dropped.items():
        remaining -= number
        if number:
            steps.append(FunnelStep("annotations", reason, number, remaining))
    crowds = int((data.used & data.crowd).sum())
    if crowds:
        text = "ignored, as crowds: neither object nor background"
        steps.append(FunnelStep("annotations", text, crowds, remaining - crowds))
    return steps


def _labelled_joints(data: AnnotatedSet) -> NDArray[np.int64]:
    """(I,) keypoints with visibility above 0 of each image's instances, crowds not counted."""
    counts = np.zeros(len(data.images), np.int64)
    for i in np.flatnonzero(data.used & ~data.crowd):
        points = data.annotations[i].get("keypoints")
        if isinstance(points, list):
            counts[data.image_index[i]] += sum(is_number(v) and v > 0 for v in points[2::3])
    return counts


def _by_class(data: AnnotatedSet, labels: NDArray[np.int64]) -> dict[str, int]:
    counts = np.bincount(labels, minlength=len(data.classes)).tolist()
    return dict(zip(data.classes, counts, strict=True))


def _histograms(
    data: AnnotatedSet, wh: Floats, frames: Floats, on_image: NDArray[np.int64]
) -> dict[str, Histogram]:
    areas, shares = wh.prod(axis=1), 100 * wh.prod(axis=1) / frames.prod(axis=1)
    most = int(min(on_image.max(initial=0), _MOST_COUNTED))
    bars = np.arange(most + 2) - 0.5
    width, height = data.image_wh.T
    return {
        "box_side": _logarithmic("box side (root of area)", "pixels", np.sqrt(areas)),
        "box_share": _logarithmic("box area in its image's", "%", shares),
        "aspect": _logarithmic("width / height of boxes", "", wh[:, 0] / wh[:, 1]),
        "instances_per_image": _histogram(
            "instances in an image", "", on_image.clip(max=most), bars
        ),
        "image_width": _histogram("width of images", "pixels", width, _even(width)),
        "image_height": _histogram("height of images", "pixels", height, _even(height)),
    }


def _logarithmic(label: str, unit: str, values: Floats) -> Histogram:
    """Four bars for each doubling, at most 60."""
    if not len(values):
        return Histogram(label, unit, (1.0, 2.0), (0,), log=True)
    low, high = np.floor(np.log2(values.min())), np.ceil(np.log2(values.max()))
    bars = int(min(max(high - low, 1) * 4, 60))
    edges = np.logspace(low, max(high, low + 1), bars + 1, base=2)
    counts, _ = np.histogram(values, edges)
    return Histogram(label, unit, tuple(edges.tolist()), tuple(counts.tolist()), log=True)


def _histogram(label: str, unit: str, values: NDArray[Any], edges: NDArray[Any]) -> Histogram:
    counts, _ = np.histogram(values, edges)
    return Histogram(label, unit, tuple(edges.tolist()), tuple(counts.tolist()))


def _even(values: Floats) -> NDArray[Any]:
    """Edges of 20 bars of whole pixels around all values."""
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    step = max(np.ceil((high - low + 1) / 20), 1)
    edges: NDArray[Any] = low - 0.5 + step * np.arange(21)
    return edges
