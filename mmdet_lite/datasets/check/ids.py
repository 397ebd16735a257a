"""Ids of images, annotations and categories: each once, and none that leads nowhere."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, Json
from mmdet_lite.datasets.check.codes import found, listed
from mmdet_lite.datasets.check.records import Finding


def check_ids(data: AnnotatedSet) -> Iterator[Finding]:
    """Ids and category names that occur twice, and annotations of unknown images and categories."""
    yield from _twice(data, "image-id-twice", "images", data.images, "id")
    yield from _twice(data, "ann-id-twice", "annotations", data.annotations, "id")
    yield from _twice(data, "category-id-twice", "categories", data.categories, "id")
    yield from _twice(data, "category-name-twice", "categories", data.categories, "name")
    yield from _dangling(data)


def check_file_names(data: AnnotatedSet) -> Iterator[Finding]:
    """Pictures that are listed more than once, under one id or several."""
    places = defaultdict(list)
    for i, path in enumerate(data.image_paths):
        places[path].append(i)
    repeated = [indices for indices in places.values() if len(indices) > 1]
    if not repeated:
        return
    on_image = annotations_on_images(data)
    alike: list[list[int]] = []
    differing: list[list[int]] = []
    for indices in repeated:
        first, *others = [_without_ids(on_image.get(i, [])) for i in indices]
        (alike if all(other == first for other in others) else differing).append(indices)

    def text_of(indices: Sequence[int]) -> str:
        image = data.images[indices[0]]
        ids = [data.images[i]["id"] for i in indices]
        counts = [len(on_image.get(i, [])) for i in indices]
        return (
            f"{image['file_name']!r} is listed {len(indices)} times in {data.ann_file}, with the "
            f"image ids {ids[:5]} and {counts[:5]} annotations"
        )

    yield from listed(
        differing,
        lambda indices: found(
            "file-annotated-twice",
            f"{text_of(indices)}: in each the other's objects would be trained as background. Put "
            "all annotations of a picture under one image (--fix does)",
            data.name,
            image=data.image_paths[indices[0]],
        ),
        "pictures",
    )
    yield from listed(
        alike,
        lambda indices: found(
            "file-name-twice",
            f"{text_of(indices)}, the same: it counts as often. Remove the copies (--fix does)",
            data.name,
            image=data.image_paths[indices[0]],
        ),
        "pictures",
    )


def annotations_on_images(data: AnnotatedSet) -> dict[int, list[Json]]:
    """Annotations by the place of their image in ``data.images``."""
    groups: dict[int, list[Json]] = defaultdict(list)
    for ann, image in zip(data.annotations, data.image_index.tolist(), strict=True):
        groups[image].append(ann)
    return groups


def _without_ids(annotations: Sequence[Json]) -> list[str]:
    """Annotations as sorted texts without their own and their image's id, to be compared."""
    ids = ("id", "image_id")
    kept = [{k: v for k, v in ann.items() if k not in ids} for ann in annotations]
    return sorted(json.dumps(ann, sort_keys=True, default=str) for ann in kept)


def _twice(
    data: AnnotatedSet, code: str, kind: str, entries: Sequence[Json], key: str
) -> Iterator[Finding]:
    """Entries whose ``key`` an earlier entry has too; without the key (annotations) they pass."""
    values = [entry[key] for entry in entries if key in entry]
    if len(set(values)) == len(values):
        return
    first: dict[Any, Json] = {}
    again = []
    for entry in entries:
        if key in entry and first.setdefault(entry[key], entry) is not entry:
            again.append((first[entry[key]], entry))

    def make(pair: tuple[Json, Json]) -> Finding:
        one, other = pair
        return found(
            code,
            f"{kind} of {data.ann_file}: {key} {one[key]!r} occurs more than once, in "
            f"{_short(one)} and in {_short(other)}; give each its own {key}",
            data.name,
        )

    yield from listed(again, make, kind)


def _dangling(data: AnnotatedSet) -> Iterator[Finding]:
    yield from data.found_at(
        "image-id-unknown",
        np.flatnonzero(data.image_index < 0),
        lambda i: (
            f"image_id {data.annotations[i]['image_id']!r} is not among the {len(data.images)} "
            f"images of {data.ann_file}; add the image or remove the annotation (--fix does)"
        ),
    )
    ids = [category["id"] for category in data.categories]
    yield from data.found_at(
        "category-id-unknown",
        np.flatnonzero(data.category_index < 0),
        lambda i: (
            f"category_id {data.annotations[i]['category_id']!r} is not among the categories "
            f"{ids[:20]} of {data.ann_file}; do they count from 0 and from 1? Add the category, "
            "or remove the annotation (--fix does)"
        ),
    )


def _short(entry: Json) -> str:
    shown = {k: v for k, v in entry.items() if k in ("id", "name", "file_name", "image_id", "bbox")}
    return str(shown)
