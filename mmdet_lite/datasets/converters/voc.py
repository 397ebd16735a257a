"""Boxes in Pascal VOC's form (one XML file an image), turned into COCO json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mmdet_lite.datasets.converters.coco_json import read_sizes, write_coco

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
SPLITS = ("train", "val", "trainval", "test")
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
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
                names = [words[0] for line in listed.open() if (words := line.split())]
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
        _text(obj, "name", path)
        for path in (_annotation_file(Path(devkit), *entry) for entry in entries)
        for obj in _root(path).findall("object")
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
    root = Path(devkit)
    annotated = []
    for entry in entries:
        path = _annotation_file(root, *entry)
        annotated.append((_image_name(root, *entry), _root(path), path))
    sizes = read_sizes([name for name, _, _ in annotated], root)
    coco: Json = {
        "images": [],
        "annotations": [],
        "categories": [{"id": i, "name": name} for i, name in enumerate(class_names)],
    }
    for name, xml, path in annotated:
        image_id = len(coco["images"])
        height, width = sizes[name]
        coco["images"].append({"id": image_id, "file_name": name, "height": height, "width": width})
        for annotation in voc_to_coco(xml, class_names, path):
            annotation.update(id=len(coco["annotations"]), image_id=image_id)
            coco["annotations"].append(annotation)
    write_coco(coco, out_file)
    return coco


def voc_to_coco(
    xml: ElementTree.Element, class_names: Sequence[str], source: str | Path
) -> list[Json]:
    """Return the annotations of one image: bbox, area, category_id, iscrowd.

    VOC counts pixels from 1, so 1 is taken off all four numbers of a box, as MMDetection does;
    ``bbox`` is (x, y, width, height). ``difficult`` objects become ``iscrowd``: they are neither
    trained on nor missed. An image without objects gives [].

    Raises:
        ValueError: For an unknown class or a box that is none; names file and object.

    Source: MMDetection 3's VOC data set for the -1, its converter for iscrowd.
    """
    annotations = []
    for obj in xml.findall("object"):
        name = _text(obj, "name", source)
        if name not in class_names:
            raise ValueError(f"{source}: class {name!r} is none of {list(class_names)}")
        x1, y1, x2, y2 = _corners(obj, name, source)
        difficult = int((obj.findtext("difficult") or "0").strip() == "1")
        annotations.append(
            {
                "category_id": list(class_names).index(name),
                "bbox": [x1 - 1, y1 - 1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "segmentation": [],
                "iscrowd": difficult,
            }
        )
    return annotations


def _corners(obj: ElementTree.Element, name: str, source: str | Path) -> Sequence[float]:
    """Corners of an object as VOC counts them."""
    box = obj.find("bndbox")
    try:
        corners = [float("none" if box is None else box.findtext(c) or "none") for c in CORNERS]
    except ValueError as error:
        raise ValueError(
            f"{source}: a {name!r} needs a bndbox with the numbers {', '.join(CORNERS)}"
        ) from error
    if not (corners[2] > corners[0] and corners[3] > corners[1]):
        raise ValueError(f"{source}: the box of a {name!r} has no area: {CORNERS} = {corners}")
    return [int(c) if c.is_integer() else c for c in corners]


def _annotation_file(root: Path, year: str, name: str) -> Path:
    return root / year / "Annotations" / f"{name}.xml"


def _image_name(root: Path, year: str, name: str) -> str:
    """File name of an image relative to the devkit; .jpg where it is not found at all."""
    names = [f"{year}/JPEGImages/{name}{ending}" for ending in IMAGE_ENDINGS]
    return next((name for name in names if (root / name).is_file()), names[0])


def _root(path: Path) -> ElementTree.Element:
    if not path.is_file():
        raise FileNotFoundError(f"annotation file {path} does not exist, its split lists it")
    try:
        return ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{path} is no XML file: {error}") from error


def _text(obj: ElementTree.Element, key: str, source: str | Path) -> str:
    text = obj.findtext(key)
    if not text or not text.strip():
        raise ValueError(f"{source}: an object has no {key}")
    return text.strip()


def describe(coco: Mapping[str, Any]) -> str:
    """Counts of a converted file for a person."""
    crowd = sum(annotation["iscrowd"] for annotation in coco["annotations"])
    return (
        f"{len(coco['images'])} images, {len(coco['annotations'])} boxes"
        f"{f' ({crowd} difficult)' if crowd else ''}"
    )
