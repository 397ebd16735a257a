"""Annotated pictures between reading and writing: joined, thinned, divided."""

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from mmdet_lite.datasets.base import box_outline
from mmdet_lite.datasets.coco_annotation import check_rle, unreadable
from mmdet_lite.datasets.coco_file import annotations_by_image, checked_content, shortened
from mmdet_lite.datasets.converters.content import AnnotatedImages
from mmdet_lite.datasets.converters.divide import stratified_split
from mmdet_lite.datasets.converters.picture_files import Picture, safe_name
from mmdet_lite.ops.annotation_forms import ALL
from mmdet_lite.ops.checks import did_you_mean
from mmdet_lite.ops.json_text import Json
from mmdet_lite.ops.rle import is_valid_polygon

TABLES = ("images", "annotations", "categories")


@dataclass(frozen=True)
class PictureSets:
    """Annotated pictures by split, between reading and writing.

    Args:
        splits: the pictures of train, val and so on.
        categories: COCO's entries of the classes, by name, in the order of the labels.
        notes: what was left out or changed on the way, each a sentence with a count.
        more: other keys of a COCO file (info, licenses).
    """

    splits: Mapping[str, Sequence[Picture]]
    categories: Mapping[str, Json]
    notes: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


def join_inputs(inputs: Sequence[Sequence[AnnotatedImages]], divided: bool) -> PictureSets:
    """Join what several inputs hold: sets of the same name, classes of the same name.

    A picture that two inputs annotate is one picture with the objects of both; the same object
    counts once.

    Args:
        inputs: what ``read_annotated`` returned for each.
        divided: whether they will be divided anew, so that their splits do not matter.

    Raises:
        ValueError: COCO content is broken, or the inputs are divided differently.
    """
    names = [sorted(one.split for one in sets) for sets in inputs]
    if not divided and any(other != names[0] and ALL in [*other, *names[0]] for other in names):
        raise ValueError(
            f"the inputs are divided differently, {' and '.join(map(str, names))}: give --split to "
            "divide all of it anew"
        )
    categories: dict[str, Json] = {}
    splits: dict[str, dict[Path, Picture]] = {}
    notes: list[str] = []
    twice = 0
    for one in (one for sets in inputs for one in sets):
        is_raw = one.form == "coco"
        content = checked_content(one.content, str(one.source)) if is_raw else one.content
        for category in content["categories"]:
            categories.setdefault(category["name"], dict(category))
        of_split = splits.setdefault(one.split, {})
        for picture in _pictures(one, content):
            key = Path(os.path.abspath(picture.path))
            if key in of_split:
                picture, same = _united(of_split[key], picture)
                twice += same
            of_split[key] = picture
        notes += one.notes
    if twice:
        notes.append(f"{twice} objects are annotated alike in two inputs and counted once")
    more = {k: v for k, v in inputs[0][0].content.items() if k not in TABLES}
    sets_of = {split: list(pictures.values()) for split, pictures in splits.items()}
    return PictureSets(sets_of, _distinct_ids(categories), tuple(notes), more)


def pick_classes(sets: PictureSets, names: Sequence[str], keep_empty: bool) -> PictureSets:
    """Keep the objects of some classes, which get the order of ``names``.

    Raises:
        ValueError: a class is not there.
    """
    for name in names:
        if name not in sets.categories:
            raise ValueError(
                f"--classes: no class {name!r}; {did_you_mean(name, list(sets.categories))}"
            )
    left: Counter[str] = Counter()
    splits: dict[str, list[Picture]] = {}
    for split, pictures in sets.splits.items():
        splits[split] = []
        for picture in pictures:
            objects = [obj for obj in picture.objects if obj["name"] in names]
            left["objects of other classes"] += len(picture.objects) - len(objects)
            if objects or keep_empty:
                splits[split].append(replace(picture, objects=objects))
            else:
                left["pictures without an object of these classes (--keep-empty keeps them)"] += 1
    notes = [f"{count} {what} are left out" for what, count in left.items() if count]
    categories = {name: sets.categories[name] for name in names}
    return replace(sets, splits=splits, categories=categories, notes=(*sets.notes, *notes))


def boxes_as_masks(sets: PictureSets) -> PictureSets:
    """Give objects without outline that of their box."""
    count = 0
    splits: dict[str, list[Picture]] = {}
    for split, pictures in sets.splits.items():
        splits[split] = []
        for picture in pictures:
            objects = [dict(obj) for obj in picture.objects]
            for obj in objects:
                if not obj.get("segmentation"):
                    x, y, w, h = obj["bbox"]
                    obj["segmentation"] = [box_outline(x, y, x + w, y + h)]
                    count += 1
            splits[split].append(replace(picture, objects=objects))
    notes = [f"{count} objects get their box as mask"] if count else []
    return replace(sets, splits=splits, notes=(*sets.notes, *notes))


def divide(sets: PictureSets, shares: Mapping[str, float], seed: int) -> PictureSets:
    """Divide all pictures anew, see ``divide.stratified_split``.

    Raises:
        ValueError: there are fewer pictures than splits.
    """
    pictures = [picture for split in sets.splits.values() for picture in split]
    if len(pictures) < len(shares):
        raise ValueError(f"{len(pictures)} pictures cannot be divided into {list(shares)}")
    names = list(shares)
    classes = [{obj["name"] for obj in picture.objects} for picture in pictures]
    places = stratified_split(classes, list(shares.values()), seed)
    splits: dict[str, list[Picture]] = {name: [] for name in names}
    for picture, place in zip(pictures, places, strict=True):
        splits[names[place]].append(picture)
    notes = list(sets.notes)
    if len(sets.splits) > 1:
        notes.append(f"the splits {', '.join(sets.splits)} are joined and divided anew")
    notes += _too_rare(sets.categories, splits)
    return replace(sets, splits=splits, notes=tuple(notes))


def _too_rare(names: Iterable[str], splits: Mapping[str, Sequence[Picture]]) -> list[str]:
    """One sentence about the classes that are in some splits and not in others."""
    found = {split: {n for picture in ps for n in _names(picture)} for split, ps in splits.items()}
    anywhere = set().union(*found.values())
    without = {
        name: [split for split, held in found.items() if name not in held]
        for name in names
        if name in anywhere
    }
    rare = {name: parts for name, parts in without.items() if parts}
    if not rare:
        return []
    shown = [f"{name!r} (not in {', '.join(parts)})" for name, parts in rare.items()]
    more = f" and {len(rare) - 10} more" if len(rare) > 10 else ""
    return [
        f"{len(rare)} classes are in too few pictures for every part: {', '.join(shown[:10])}{more}"
    ]


def _pictures(one: AnnotatedImages, content: Json) -> list[Picture]:
    """The pictures of a set, their objects with the name of their class."""
    names = {category["id"]: category["name"] for category in content["categories"]}
    objects = annotations_by_image(content, str(one.source))
    pictures = []
    for image in content["images"]:
        if not PurePosixPath(safe_name(image["file_name"])).name:
            raise ValueError(f"image {image['id']} in {one.source} has no file name")
        named = []
        for annotation in objects[image["id"]]:
            _check(annotation, image, one.source)
            kept = {k: v for k, v in annotation.items() if k not in ("image_id", "category_id")}
            named.append({"name": names[annotation["category_id"]], **kept})
        path = one.image_root / image["file_name"]
        pictures.append(Picture(path, image, named, one.embedded.get(image["file_name"])))
    return pictures


def _check(annotation: Mapping[str, Any], image: Mapping[str, Any], source: Path) -> None:
    """Raise ValueError if an annotation holds what no form could be given."""
    why = unreadable(annotation)
    if why is None and not all(map(math.isfinite, annotation["bbox"])):
        why = f"its box is not finite: {shortened(annotation['bbox'])}"
    outline = annotation.get("segmentation")
    try:
        if why is None and isinstance(outline, dict):
            check_rle(outline, image["height"], image["width"])
    except (ValueError, TypeError, KeyError):
        height, width = image["height"], image["width"]
        why = f"expected an RLE of size [{height}, {width}], got {shortened(outline)}"
    if why is None and isinstance(outline, list) and not all(map(is_valid_polygon, outline)):
        why = "a polygon has fewer than 3 points, or one that is not finite"
    if why is not None:
        raise ValueError(
            f"annotation {annotation.get('id')} in {source}: {why}; check-data --fix writes a "
            "mended copy"
        )


def _united(first: Picture, second: Picture) -> tuple[Picture, int]:
    """One picture with the objects of both, and how many were in both."""

    def looks(obj: Mapping[str, Any]) -> str:
        return json.dumps([obj["name"], obj["bbox"], obj.get("segmentation")], default=str)

    there = {looks(obj) for obj in first.objects}
    new = [obj for obj in second.objects if looks(obj) not in there]
    objects = [*first.objects, *new]
    return replace(first, objects=objects), len(second.objects) - len(new)


def _names(picture: Picture) -> set[str]:
    return {obj["name"] for obj in picture.objects}


def _distinct_ids(categories: Mapping[str, Json]) -> dict[str, Json]:
    """The categories; numbered anew, from 1, where two have the same id."""
    if len({category["id"] for category in categories.values()}) == len(categories):
        return dict(categories)
    return {
        name: {**category, "id": number}
        for number, (name, category) in enumerate(categories.items(), 1)
    }
