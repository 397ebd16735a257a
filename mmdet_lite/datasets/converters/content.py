"""What every form of annotations is read into, and how it is put together."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmdet_lite.datasets.coco_file import annotations_by_image
from mmdet_lite.ops.json_text import Json
from mmdet_lite.ops.outlines import signed_area

Track = Callable[[Sequence[Any], str], Iterable[Any]]
Complain = Callable[[Sequence[str], str], None]  # gets what is wrong with files, and where they are


@dataclass(frozen=True)
class AnnotatedImages:
    """One set (a split) of annotated images, whatever form it was written in.

    Args:
        content: COCO json content: ``images`` (``id, file_name, height, width``), ``annotations``
            (``id, image_id, category_id, bbox, segmentation, area, iscrowd``; ``segmentation`` is
            [] for an object without outline) and ``categories``. What a form says besides stays as
            extra keys, such as VOC's ``difficult, truncated, pose``. The sets of one input have
            the same categories, except for COCO files, which stay as they are, unchecked.
        image_root: the folder that ``file_name`` is relative to.
        source: the file or folder that was read.
        form: coco, voc, yolo, labelme, via or csv.
        split: the set's name, such as train or val; 'all' where the form divides nothing.
        notes: what the files hold and ``content`` does not, each a sentence with a count.
        embedded: by ``file_name``, the LabelMe file that holds a picture which is not on disk.
    """

    content: Json
    image_root: Path
    source: Path
    form: str
    split: str
    notes: tuple[str, ...] = ()
    embedded: Mapping[str, Path] = field(default_factory=dict)


def without_progress(items: Sequence[Any], what: str) -> Iterable[Any]:
    """Go through ``items`` and show nothing; what readers do unless they are given a bar."""
    return items


def coco_contents(
    splits: Mapping[str, Sequence[Mapping[str, Any]]], names: Sequence[str] = ()
) -> dict[str, Json]:
    """Return COCO contents of several sets, with the same categories in all.

    Category ids count from 1 in the order of ``names`` (classes that the form lists), then of the
    other names, sorted. Image and annotation ids count from 1 in each set.

    Args:
        splits: by name, the images: ``file_name, height, width`` and ``objects``, each with
            ``name``, ``bbox`` (x, y, width, height) and, if it has them, ``segmentation``,
            ``area``, ``iscrowd`` and more; both keep keys that are not named here.
        names: classes to begin with, also those without objects.
    """
    found = {obj["name"] for images in splits.values() for im in images for obj in im["objects"]}
    ordered = dict.fromkeys([*names, *sorted(found)])
    ids = {name: number for number, name in enumerate(ordered, 1)}
    return {split: _content(images, ids) for split, images in splits.items()}


def _content(images: Sequence[Mapping[str, Any]], category_ids: Mapping[str, int]) -> Json:
    """One set with its categories."""
    annotations: list[Json] = []
    entries: list[Json] = []
    for image_id, image in enumerate(images, 1):
        entries.append({"id": image_id, **{k: v for k, v in image.items() if k != "objects"}})
        for obj in image["objects"]:
            extra = {key: value for key, value in obj.items() if key != "name"}
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": category_ids[obj["name"]],
                    "segmentation": [],
                    "area": obj["bbox"][2] * obj["bbox"][3],
                    "iscrowd": 0,
                    **extra,
                }
            )
    categories = [{"id": number, "name": name} for name, number in category_ids.items()]
    return {"images": entries, "annotations": annotations, "categories": categories}


def outlined(polygons: Sequence[Sequence[float]]) -> Json:
    """Return ``segmentation``, ``bbox`` and ``area`` of an object that polygons outline.

    ``area`` is the sum of the polygons' own.

    >>> outlined([[0, 0, 4, 0, 4, 3]])["bbox"]
    [0, 0, 4, 3]
    """
    xs = [x for polygon in polygons for x in polygon[0::2]]
    ys = [y for polygon in polygons for y in polygon[1::2]]
    areas = [abs(signed_area(np.array(p, float).reshape(-1, 2))) for p in polygons]
    return {
        "segmentation": [list(polygon) for polygon in polygons],
        "bbox": corners_to_box(min(xs), min(ys), max(xs), max(ys)),
        "area": sum(areas),
    }


def corners_to_box(x1: float, y1: float, x2: float, y2: float) -> list[float]:
    """Return (x, y, width, height), the sizes without the dust of binary fractions.

    >>> corners_to_box(0.1, 0, 0.4, 1)
    [0.1, 0, 0.3, 1]
    """
    return [x1, y1, round(x2 - x1, 9), round(y2 - y1, 9)]


def listed_names(file: Path) -> list[str]:
    """Return the classes that a text file lists, one a line; empty lines are none.

    Raises:
        ValueError: it is no text.
    """
    try:
        lines = (line.strip() for line in file.read_text("utf-8-sig").splitlines())
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}, a list of classes, is no text in UTF-8: {error}") from error
    return [line for line in lines if line]


def with_objects(one: AnnotatedImages, track: Track) -> Iterator[tuple[Json, list[Json]]]:
    """Each image of a set, with its annotations, to be written.

    Raises:
        ValueError: as ``coco_file.check_references``.
    """
    objects = annotations_by_image(one.content, str(one.source))
    for image in track(one.content["images"], f"writing {one.split}"):
        yield image, objects[image["id"]]


def counted(lost: Counter[str]) -> list[str]:
    """What a form could not hold, as sentences with a count."""
    return [f"{count} {text}" for text, count in lost.items()]


def raise_all(problems: Sequence[str], where: str) -> None:
    """Raise ValueError with the first problems of many files; nothing where there are none."""
    if problems:
        more = len(problems) - 5
        shown = "\n  ".join([*problems[:5], *([f"and {more} more"] if more > 0 else [])])
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise ValueError(f"{where}: {count}:\n  {shown}")
