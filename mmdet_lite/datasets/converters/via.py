"""Annotations of the VGG Image Annotator (VIA), the balloon set's form, turned into COCO json."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmdet_lite.datasets.converters.content import outlined, raise_all, without_progress
from mmdet_lite.datasets.converters.picture_files import add_sizes
from mmdet_lite.datasets.converters.via_shapes import via_outline
from mmdet_lite.ops.json_text import Json, parse_json
from mmdet_lite.ops.whole_files import write_json

CLASS_ATTRIBUTES = ("name", "class", "label", "category")
DEFAULT_CLASS = "balloon"


def convert_balloon_to_coco(
    ann_file: str | Path,
    out_file: str | Path,
    image_prefix: str | Path,
    class_name: str | None = None,
    class_attribute: str | None = None,
    class_names: Sequence[str] | None = None,
) -> Json:
    """Convert one VIA file to a COCO file; returns what was written.

    Args:
        ann_file: VIA 1 annotations, or a VIA 2 annotation export or project.
        out_file: Written in one step; its folder is made if absent.
        image_prefix: The folder of the images. Their sizes are read from the images as training
            loads them, that is, turned as their EXIF says.
        class_name: See :func:`via_to_coco`.
        class_attribute: See :func:`via_to_coco`.
        class_names: See :func:`via_to_coco`.

    Raises:
        FileNotFoundError: If ``ann_file`` is not there.
        ValueError: If it is not in VIA form, a region is unusable, or images are missing or
            unreadable; the message names files and regions.
    """
    via = load_via(ann_file)
    try:
        images: list[Json] = [{"file_name": e["filename"]} for e, _ in _annotated_images(via)]
        raise_all(add_sizes(images, Path(image_prefix), without_progress), str(image_prefix))
        sizes = {image["file_name"]: (image["height"], image["width"]) for image in images}
        coco = via_to_coco(via, sizes, class_name, class_attribute, class_names)
    except ValueError as error:
        raise ValueError(f"{ann_file}: {error}") from error
    write_json(out_file, coco)
    return coco


def via_to_coco(
    via: Mapping[str, Any],
    image_sizes: Mapping[str, tuple[int, int]],
    class_name: str | None = None,
    class_attribute: str | None = None,
    class_names: Sequence[str] | None = None,
) -> Json:
    """Convert VIA annotations to a COCO dict with ``images, annotations, categories``.

    VIA stores the pixel that was clicked; its centre lies half a pixel further, so 0.5 is added to
    every coordinate, and ``bbox`` is the box of the moved outline: (x, y, width, height) without
    the +1 of integer boxes. ``area`` is the outline's own. Image ids and category ids count from 0
    in the order of the names, annotation ids from 0; nothing is crowd. Images without regions stay.

    Args:
        via: What :func:`load_via` returns. An empty dict gives no images.
        image_sizes: (height, width) in pixels of every file name.
        class_name: The class of regions without a class attribute; 'balloon' if no region has one.
        class_attribute: The region attribute that names the class. By default the first of
            name, class, label, category that any region has.
        class_names: All classes in the order of their ids, to give two files the same ids.

    Raises:
        ValueError: For an unusable region, naming file and region, or a file without a size.

    Source: the balloon tutorial of MMDetection 3 for ids from 0 and the half pixel.
    """
    found = via_class_names(via, class_name, class_attribute)
    categories = list(found if class_names is None else class_names)
    if unknown := sorted(set(found) - set(categories)):
        raise ValueError(f"regions of the classes {unknown}, but class_names are {categories}")
    attribute = _class_attribute(via, class_attribute)
    images: list[Json] = []
    annotations: list[Json] = []
    for image_id, (entry, regions) in enumerate(_annotated_images(via)):
        name = entry["filename"]
        if name not in image_sizes:
            raise ValueError(f"no image size given for {name!r}")
        height, width = image_sizes[name]
        images.append(
            {"id": image_id, "file_name": name, "height": int(height), "width": int(width)}
        )
        for where, region in regions:
            category = categories.index(_class_of(region, where, class_name, attribute))
            annotation = _annotation(region, where)
            annotation.update(id=len(annotations), image_id=image_id, category_id=category)
            annotations.append(annotation)
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": i, "name": name} for i, name in enumerate(categories)],
    }


def via_class_names(
    via: Mapping[str, Any], class_name: str | None = None, class_attribute: str | None = None
) -> list[str]:
    """Return the sorted class names that the regions have; the default class without regions.

    Raises:
        ValueError: If ``class_attribute`` is not there, or only some regions have a class and no
            ``class_name`` says what the others are.
    """
    attribute = _class_attribute(via, class_attribute)
    names = {
        _class_of(region, where, class_name, attribute)
        for _, regions in _annotated_images(via)
        for where, region in regions
    }
    return sorted(names) or [class_name or DEFAULT_CLASS]


def load_via(ann_file: str | Path) -> Json:
    """Read a VIA file and return its images by key, whatever VIA version wrote it.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If it is no json or not in VIA form; says what it holds instead.
    """
    path = Path(ann_file)
    if not path.is_file():
        raise FileNotFoundError(f"VIA annotation file {path} does not exist")
    content = parse_json(path.read_bytes(), str(path))
    if isinstance(content, dict) and "_via_img_metadata" in content:
        content = content["_via_img_metadata"]
    expected = "expected VIA annotations, a dict of images each with 'filename' and 'regions'"
    if not isinstance(content, dict):
        raise ValueError(f"{path}: {expected}; got a {type(content).__name__}")
    if {"images", "annotations"} <= set(content):
        raise ValueError(f"{path}: {expected}; this is a COCO file already")
    for key, entry in content.items():
        if not isinstance(entry, dict) or not {"filename", "regions"} <= set(entry):
            held = sorted(entry) if isinstance(entry, dict) else type(entry).__name__
            raise ValueError(f"{path}: {expected}; got the key {key!r} with {held}")
        if not isinstance(entry["filename"], str):
            raise ValueError(
                f"{path}: filename of {key!r} is no text: {str(entry['filename'])[:60]}"
            )
    return content


def _annotated_images(via: Mapping[str, Any]) -> Iterator[tuple[Json, list[tuple[str, Json]]]]:
    """Yield every entry by file name with its regions, each after the words that name it."""
    entries = sorted(via.values(), key=lambda entry: str(entry["filename"]))
    previous = None
    for entry in entries:
        name, regions = entry["filename"], entry["regions"]
        if not isinstance(regions, dict | list):
            raise ValueError(f"regions of {name!r} are a {type(regions).__name__}, not a list")
        if name == previous:
            raise ValueError(f"image {name!r} is annotated twice; join its regions in one entry")
        pairs = list(regions.items() if isinstance(regions, dict) else enumerate(regions))
        named = [(f"region {index} of {name!r}", region) for index, region in pairs]
        for where, region in named:
            if not isinstance(region, dict) or "shape_attributes" not in region:
                raise ValueError(f"{where} has no shape_attributes")
            for key in ("shape_attributes", "region_attributes"):
                value = region.get(key)
                if not isinstance(value, dict) and (value or key == "shape_attributes"):
                    raise ValueError(f"{where}: expected {key} = {{...}}, got {str(value)[:60]}")
        yield entry, named
        previous = name


def _class_attribute(via: Mapping[str, Any], asked: str | None) -> str | None:
    """Return the region attribute that names classes, None where no region has one."""
    present: set[str] = set()
    for _, regions in _annotated_images(via):
        for _, region in regions:
            present |= set(region.get("region_attributes") or {})
    if asked is None:
        return next((name for name in CLASS_ATTRIBUTES if name in present), None)
    if asked not in present and any(regions for _, regions in _annotated_images(via)):
        raise ValueError(f"no region has the attribute {asked!r}; they have {sorted(present)}")
    return asked


def _class_of(region: Json, where: str, class_name: str | None, attribute: str | None) -> str:
    """Return a region's class; ``attribute`` None means that no region names one."""
    if attribute is None:
        return class_name or DEFAULT_CLASS
    value = (region.get("region_attributes") or {}).get(attribute)
    if isinstance(value, dict):  # check boxes of VIA: {'dent': true}
        chosen = [name for name, on in value.items() if on]
        if len(chosen) > 1:
            raise ValueError(f"{where} has several classes at once: {chosen}")
        value = chosen[0] if chosen else None
    if value is not None and str(value).strip():
        return str(value).strip()
    if class_name is None:
        raise ValueError(
            f"{where} has no {attribute!r}, which names the class of other regions; "
            "label it, or convert with 'mmdet-lite balloon2coco --class-name CLASS', which gives "
            "this class to all regions without"
        )
    return class_name


def _annotation(region: Json, where: str) -> Json:
    """Return a region's segmentation, bbox, area and iscrowd."""
    try:
        points = [(x + 0.5, y + 0.5) for x, y in via_outline(region["shape_attributes"])]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return {**outlined([[value for point in points for value in point]]), "iscrowd": 0}
