"""Ids of images, annotations and categories: each once, and none that leads nowhere."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet
from mmdet_lite.datasets.check.codes import capped, finding
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.ops.json_text import Json


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
    for i, files in enumerate(data.image_files):
        places[files].append(i)
    repeated = [indices for indices in places.values() if len(indices) > 1]
    if not repeated:
        return
    on_image = annotations_on_images(data)
    alike: list[list[int]] = []
    differing: list[list[int]] = []
    for indices in repeated:
        first, *others = [
            sorted(text_without(ann, "id", "image_id") for ann in on_image.get(i, []))
            for i in indices
        ]
        (alike if all(other == first for other in others) else differing).append(indices)

    def text_of(indices: Sequence[int]) -> str:
        image = data.images[indices[0]]
        ids = [data.images[i]["id"] for i in indices]
        counts = [len(on_image.get(i, [])) for i in indices]
        return (
            f"{image['file_name']!r} is listed {len(indices)} times in {data.ann_file}, with the "
            f"image ids {ids[:5]} and {counts[:5]} annotations"
        )

    yield from capped(
        differing,
        lambda indices: finding(
            "file-annotated-twice",
            f"{text_of(indices)}: in each the other's objects would be trained as background. Put "
            "all annotations of a picture under one image (--fix does)",
            data.name,
            image=data.image_paths[indices[0]],
        ),
        "pictures",
    )
    yield from capped(
        alike,
        lambda indices: finding(
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


def text_without(entry: Json, *keys: str) -> str:
    """An entry without some of its keys as text, to be compared with others."""
    kept = {key: value for key, value in entry.items() if key not in keys}
    return json.dumps(kept, sort_keys=True, default=str)


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
        return finding(
            code,
            f"{kind} of {data.ann_file}: {key} {one[key]!r} occurs more than once, in "
            f"{_short(one)} and in {_short(other)}; give each its own {key}",
            data.name,
        )

    yield from capped(again, make, kind)


def _dangling(data: AnnotatedSet) -> Iterator[Finding]:
    unknown = np.flatnonzero(data.image_index < 0).tolist()
    unknown = [i for i in unknown if data.annotations[i]["image_id"] not in data.broken_ids]
    mixed = mixed_ids(data.images, data.annotations, "image_id")
    yield from _mixed(data, "image-id-unknown", "image_id", unknown, mixed)
    unknown = [i for i in unknown if str(data.annotations[i]["image_id"]) not in mixed]
    yield from data.findings_at(
        "image-id-unknown",
        unknown,
        lambda i: (
            f"image_id {data.annotations[i]['image_id']!r} is not among the {len(data.images)} "
            f"images of {data.ann_file}; add the image or remove the annotation (--fix does)"
        ),
    )
    ids = [category["id"] for category in data.categories]
    lost = np.flatnonzero(data.category_index < 0).tolist()
    mixed = mixed_ids(data.categories, data.annotations, "category_id")
    yield from _mixed(data, "category-id-unknown", "category_id", lost, mixed)
    lost = [i for i in lost if str(data.annotations[i]["category_id"]) not in mixed]
    yield from data.findings_at(
        "category-id-unknown",
        lost,
        lambda i: (
            f"category_id {data.annotations[i]['category_id']!r} is not among the categories "
            f"{ids[:20]} of {data.ann_file}; do they count from 0 and from 1? Add the category, "
            "or remove the annotation (--fix does)"
        ),
    )


def mixed_ids(entries: Sequence[Json], annotations: Sequence[Json], key: str) -> dict[str, Any]:
    """Ids of entries by their text, those that an annotation names as text for number or so.

    Args:
        entries: images or categories.
        annotations: what refers to them.
        key: by which; ``image_id`` or ``category_id``.
    """
    ids = {entry["id"] for entry in entries}
    wanted = {str(ann[key]) for ann in annotations if ann[key] not in ids}
    texts = Counter(map(str, ids))
    return {str(id_): id_ for id_ in ids if str(id_) in wanted and texts[str(id_)] == 1}


def _mixed(
    data: AnnotatedSet, code: str, key: str, unknown: Sequence[int], mixed: Mapping[str, Any]
) -> Iterator[Finding]:
    """One finding for all references that are numbers where ids are texts, or the reverse."""
    rows = [i for i in unknown if str(data.annotations[i][key]) in mixed]
    if not rows:
        return
    named = data.annotations[rows[0]][key]
    yield finding(
        code,
        f"{len(rows)} annotations of {data.ann_file} have a {key} such as {named!r}, and the id is "
        f"{mixed[str(named)]!r}: one is a number, the other text. Write both alike (--fix does)",
        data.name,
        ann_id=data.annotations[rows[0]].get("id"),
        count=len(rows),
    )


def _short(entry: Json) -> str:
    shown = {k: v for k, v in entry.items() if k in ("id", "name", "file_name", "image_id", "bbox")}
    return str(shown)
