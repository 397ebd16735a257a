"""Boxes in Pascal VOC's form (one XML file an image), turned into COCO json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mmdet_lite.datasets.converters.coco_json import read_sizes, write_coco
from mmdet_lite.datasets.voc_xml import (
    VOC_CLASSES,
    VocAnnotation,
    find_image,
    image_names,
    parse_voc_xml,
    read_voc_xml,
)

SPLITS = ("train", "val", "trainval", "test")
Json = dict[str, Any]


def voc_splits(devkit: str | Path) -> dict[str, list[tuple[str, str]]]:
    """Return the (year's folder, image name) pairs of every split of a VOCdevkit folder.

    Splits are named as MMDetection's converter names them: ``voc07_trainval`` and, where two years
    have the same split, ``voc0712_trainval`` as well.

    Raises:
        FileNotFoundError: If the folder has no VOC*/ImageSets/Main/{train,val,trainval,test}.txt.
    """
    splits: dict[str, list[tuple[str, str]]] = {}
    years: dict[str, list[str]] = {}
    for year in sorted(Path(devkit).glob("VOC*")):
        for split in SPLITS:
            listed = year / "ImageSets" / "Main" / f"{split}.txt"
            if listed.is_file():
                names = image_names(listed.open(), str(year / "Annotations"))
                short = year.name.removeprefix("VOC")[-2:]
                splits[f"voc{short}_{split}"] = [(year.name, name) for name in names]
                years.setdefault(split, []).append(short)
    if not splits:
        raise FileNotFoundError(
            f"{devkit} has no VOC*/ImageSets/Main/{{{','.join(SPLITS)}}}.txt; give the folder "
            "VOCdevkit, which holds VOC2007 or the like"
        )
    for split, of_split in years.items():
        if len(of_split) > 1:
            parts = [splits[f"voc{year}_{split}"] for year in of_split]
            splits[f"voc{''.join(of_split)}_{split}"] = [entry for part in parts for entry in part]
    return splits


def voc_class_names(devkit: str | Path, entries: Sequence[tuple[str, str]]) -> list[str]:
    """Return VOC's 20 classes in their order if no other occurs, else those that occur, sorted."""
    found = {
        one.name
        for entry in entries
        for one in read_voc_xml(_annotation_file(devkit, *entry)).objects
    }
    return list(VOC_CLASSES) if found <= set(VOC_CLASSES) else sorted(found)


def convert_voc_to_coco(
    devkit: str | Path,
    entries: Sequence[tuple[str, str]],
    out_file: str | Path,
    class_names: Sequence[str],
) -> Json:
    """Convert the images of a split to a COCO file; returns what was written.

    Args:
        devkit: The folder VOCdevkit. File names in the result are relative to it.
        entries: (year's folder, image name) pairs, see :func:`voc_splits`.
        out_file: Written in one step; its folder is made if absent.
        class_names: All classes in the order of their ids, which count from 0.

    Raises:
        FileNotFoundError: If an annotation file is missing.
        ValueError: If an annotation or an image is damaged or missing, or a class is unknown.
    """
    annotated = []
    for entry in entries:
        path = _annotation_file(devkit, *entry)
        annotated.append((_image_name(devkit, *entry), read_voc_xml(path), path))
    sizes = read_sizes([name for name, _, _ in annotated], Path(devkit))
    coco: Json = {
        "images": [],
        "annotations": [],
        "categories": [{"id": i, "name": name} for i, name in enumerate(class_names)],
    }
    for name, annotation, path in annotated:
        image_id = len(coco["images"])
        height, width = sizes[name]
        coco["images"].append({"id": image_id, "file_name": name, "height": height, "width": width})
        for row in _coco_annotations(annotation, class_names, path):
            row.update(id=len(coco["annotations"]), image_id=image_id)
            coco["annotations"].append(row)
    write_coco(coco, out_file)
    return coco


def voc_to_coco(
    xml: ElementTree.Element, class_names: Sequence[str], source: str | Path
) -> list[Json]:
    """Return the annotations of one image: bbox, area, category_id, iscrowd.

    ``bbox`` is (x, y, width, height), in the pixels of ``voc_xml.parse_voc_xml``. ``difficult``
    objects become ``iscrowd``: they are neither trained on nor missed. An image without objects
    gives [].

    Raises:
        ValueError: For an unknown class or a box that is none; names file and object.

    Source: MMDetection 3's converter for iscrowd.
    """
    return _coco_annotations(parse_voc_xml(xml, str(source)), class_names, str(source))


def _coco_annotations(
    annotation: VocAnnotation, class_names: Sequence[str], source: str
) -> list[Json]:
    rows = []
    for one in annotation.objects:
        if one.name not in class_names:
            raise ValueError(f"{source}: class {one.name!r} is none of {list(class_names)}")
        x1, y1, x2, y2 = one.box
        if not (x2 > x1 and y2 > y1):
            raise ValueError(
                f"{source}: the box of a {one.name!r} has no area: (xmin, ymin, xmax, ymax) = "
                f"{tuple(corner + 1 for corner in one.box)}"
            )
        rows.append(
            {
                "category_id": list(class_names).index(one.name),
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "segmentation": [],
                "iscrowd": int(one.difficult),
            }
        )
    return rows


def _annotation_file(root: str | Path, year: str, name: str) -> str:
    return str(Path(root) / year / "Annotations" / f"{name}.xml")


def _image_name(root: str | Path, year: str, name: str) -> str:
    """File name of an image relative to the devkit."""
    found = find_image(str(Path(root) / year / "JPEGImages"), name)
    return Path(found).relative_to(root).as_posix()


def describe(coco: Mapping[str, Any]) -> str:
    """Counts of a converted file for a person."""
    crowd = sum(annotation["iscrowd"] for annotation in coco["annotations"])
    return (
        f"{len(coco['images'])} images, {len(coco['annotations'])} boxes"
        f"{f' ({crowd} difficult)' if crowd else ''}"
    )
