"""Annotation files in Pascal VOC's form: one XML an image, and the lists of image names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from xml.etree import ElementTree

from mmengine import fileio

from mmdet_lite.ops.image_file import PICTURE_ENDINGS, with_ending

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
CORNERS = ("xmin", "ymin", "xmax", "ymax")
_CLASS_FLAGS = ("-1", "0", "1")
BackendArgs = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class VocObject:
    """An object: its class, x1 y1 x2 y2 in continuous pixels, and whether it is difficult.

    The box may be of no size, turned round, or not finite, where the file's is.
    """

    name: str
    box: tuple[float, float, float, float]
    difficult: bool


@dataclass(frozen=True, slots=True)
class VocAnnotation:
    """What one XML says: ``size`` (height, width), None where it has none, and the objects."""

    size: tuple[int, int] | None
    objects: tuple[VocObject, ...]


def read_voc_xml(path: str, backend_args: BackendArgs = None) -> VocAnnotation:
    """Read the annotation of one image, see ``parse_voc_xml``.

    Raises:
        FileNotFoundError, ValueError: as ``voc_root`` and ``parse_voc_xml``.
    """
    return parse_voc_xml(voc_root(path, backend_args), path)


def voc_root(path: str, backend_args: BackendArgs = None) -> ElementTree.Element:
    """Return the element <annotation> of a file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no XML, or no annotation.
    """
    try:
        root = ElementTree.fromstring(fileio.get(path, backend_args))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"annotation file {path} does not exist, but its split lists the image "
            f"{PurePath(path).stem!r}; lists hold names without folder and ending"
        ) from error
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # also of its encoding
        raise ValueError(f"{path} is no XML file: {error}") from error
    if root.tag != "annotation":
        raise ValueError(
            f"{path} is no annotation in Pascal VOC's form: expected <annotation>, got <{root.tag}>"
        )
    return root


def parse_voc_xml(root: ElementTree.Element, source: str) -> VocAnnotation:
    """Return what an XML says.

    VOC counts pixels from 1 and names the first and the last pixel of a box. 1 is taken off all
    four numbers, so that a box starts at the left edge of its first pixel and ends at that of its
    last, and is (xmax - xmin) wide. Fractions of pixels are kept.

    Args:
        root: the element <annotation>.
        source: its file, for messages.

    Raises:
        ValueError: an object has no name, or no bndbox of four numbers.

    Source: MMDetection 3's VOC data set for the 1 (it cuts fractions off).
    """
    return VocAnnotation(
        size=_size(root, source),
        objects=tuple(_object(element, source) for element in root.iterfind("object")),
    )


def _object(element: ElementTree.Element, source: str) -> VocObject:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise ValueError(f"{source}: an object has no name")
    box = element.find("bndbox")
    try:
        corners = [float("none" if box is None else box.findtext(c) or "none") for c in CORNERS]
    except ValueError as error:
        raise ValueError(
            f"{source}: a {name!r} needs a bndbox with the numbers {', '.join(CORNERS)}"
        ) from error
    x1, y1, x2, y2 = (int(c) - 1 if c.is_integer() else c - 1 for c in corners)
    difficult = (element.findtext("difficult") or "").strip().lower() in ("1", "true")
    return VocObject(name, (x1, y1, x2, y2), difficult)


def _size(root: ElementTree.Element, source: str) -> tuple[int, int] | None:
    """(height, width) of the file, None where a number is missing or 0."""
    texts = [root.findtext(f"size/{side}") or "0" for side in ("height", "width")]
    try:
        height, width = (int(float(text)) for text in texts)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{source}: expected numbers as height and width in <size>, got {texts}; correct "
            "them, or leave <size> out to have the picture measured"
        ) from error
    return (height, width) if height > 0 and width > 0 else None


def read_image_names(
    list_file: str, ann_folder: str, backend_args: BackendArgs = None
) -> list[str]:
    """Return the image names in a list of a split, see ``image_names``.

    Raises:
        FileNotFoundError: there is no such list.
        ValueError: it holds no name, or is no text.
    """
    try:
        lines = fileio.get_text(list_file, "utf-8-sig", backend_args).splitlines()
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"list of images {list_file!r} does not exist; check data_root and ann_file of the "
            "data set: it is a text file such as ImageSets/Main/train.txt"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"list of images {list_file!r} is no text file: {error}") from error
    names = image_names(lines, ann_folder, backend_args)
    if not names:
        raise ValueError(f"list of images {list_file!r} is empty; expected one image name a line")
    return names


def image_names(
    lines: Iterable[str], ann_folder: str, backend_args: BackendArgs = None
) -> list[str]:
    """Return the names of images, one a line, without ending; empty lines are none.

    VOC's lists of one class have -1, 0 or 1 behind the name, which is left out unless the
    annotation of an image of that whole name exists.
    """
    return [_image_name(line.strip(), ann_folder, backend_args) for line in lines if line.strip()]


def _image_name(line: str, ann_folder: str, backend_args: BackendArgs) -> str:
    name, *flag = line.rsplit(maxsplit=1)
    if not flag or flag[0] not in _CLASS_FLAGS:
        return line
    whole = fileio.join_path(ann_folder, f"{line}.xml", backend_args=backend_args)
    return line if fileio.exists(whole, backend_args) else name


def find_image(folder: str, name: str, backend_args: BackendArgs = None) -> str:
    """Path of an image whose ending is not known; that with .jpg where there is none."""
    stem = str(fileio.join_path(folder, name, backend_args=backend_args))
    return with_ending(stem, backend_args) or stem + PICTURE_ENDINGS[0]
