"""Pascal VOC: one XML a picture, boxes only, lists of names as splits."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from mmdet_lite.datasets.converters.content import (
    AnnotatedImages,
    Complain,
    Track,
    coco_contents,
    corners_to_box,
    counted,
    listed_names,
    with_objects,
)
from mmdet_lite.datasets.converters.forms.json_files import files_below
from mmdet_lite.datasets.converters.forms.splits import split_folder
from mmdet_lite.datasets.converters.picture_files import (
    PictureStore,
    add_sizes,
    below_common,
)
from mmdet_lite.datasets.voc_xml import CORNERS, image_names, parse_voc_xml, voc_root
from mmdet_lite.ops.annotation_forms import ALL
from mmdet_lite.ops.image_file import with_ending
from mmdet_lite.ops.json_text import Json

LOOKS_LIKE = "Annotations/*.xml (a VOCdevkit or a year of it), or .xml files beside pictures"
LISTS = {"train": "train", "val": "val", "trainval": "train", "test": "test"}
PICTURE_FOLDERS = ("JPEGImages", "images", "")
CLASSES = "classes.txt"
FLAGS = ("truncated", "occluded")
SPECIFIC = {"pose", "truncated", "difficult", "occluded"}
STANDARD = {"id", "image_id", "category_id", "bbox", "segmentation", "area", "iscrowd", "ignore"}


def evidence(path: Path) -> str | None:
    """Return which file says that it is VOC; None if none does."""
    found = [path] if path.suffix == ".xml" else files_below(path, ".xml") * path.is_dir()
    for file in found[:5]:
        try:
            if ElementTree.parse(file).getroot().tag == "annotation":
                return file.name if file == path else file.relative_to(path).as_posix()
        except ElementTree.ParseError:
            continue
    return None


def read(
    path: Path, image_root: Path | None, track: Track, complain: Complain
) -> list[AnnotatedImages]:
    """Read a VOCdevkit, a year of it, any folder of XML files, or one such file.

    Boxes are those of ``voc_xml.parse_voc_xml``. A ``difficult`` object gets ``iscrowd`` 1 and
    keeps ``difficult``; ``truncated``, ``occluded`` and ``pose`` stay as keys. Lists in
    ImageSets/Main are the splits; where train and val are there trainval is left out. Without
    lists a folder train, val or test is a split. ``classes.txt`` gives the order of the classes.

    Raises:
        ValueError: an XML is none or lacks a name or box, a list names an image without XML, or
            a picture is unreadable whose size no file says. Files are named.
    """
    files = [path] if path.is_file() else files_below(path, ".xml")
    home = path.parent if path.is_file() else path
    problems: list[str] = []
    splits, notes = _splits(files, home, problems)
    images: dict[str, list[Json]] = {}
    roots: dict[str, Path] = {}
    for split, names in splits.items():
        likely = [*(file.parent.parent / "JPEGImages" for file in names[:1]), home]
        roots[split], images[split] = read_images(names, likely, image_root, track, problems)
    complain(problems, str(path))
    listed = home / CLASSES
    contents = coco_contents(images, listed_names(listed) if listed.is_file() else [])
    return [
        AnnotatedImages(contents[split], roots[split], path, "voc", split, tuple(notes))
        for split in splits
    ]


def read_images(
    files: Sequence[Path],
    likely: Sequence[Path],
    image_root: Path | None,
    track: Track,
    problems: list[str],
) -> tuple[Path, list[Json]]:
    """Read XML files; returns the folder of their pictures, and the images with ``objects``.

    Args:
        files: one a picture.
        likely: the first of these folders that holds all pictures is theirs.
        image_root: where they are; by default in JPEGImages, images or beside the files.
        track: shows how far it is.
        problems: gets a sentence for each file that is missing, broken or without a size.
    """
    root, names = below_common([_picture(file, image_root) for file in files], likely)
    images = []
    for file, name in track(list(zip(files, names, strict=True)), "XML files"):
        try:
            images.append({"file_name": name, **_image(file)})
        except (ValueError, FileNotFoundError) as error:
            problems.append(str(error))
    problems += add_sizes(images, root, track)
    return root, images


def listed_files(list_file: Path) -> list[Path]:
    """XML files of the images that ImageSets/Main/NAME.txt lists, there or not."""
    annotations = list_file.parents[2] / "Annotations"
    lines = list_file.read_text(encoding="utf-8-sig").splitlines()
    return [annotations / f"{name}.xml" for name in image_names(lines, str(annotations))]


def write(sets: Sequence[AnnotatedImages], out: Path, store: PictureStore) -> list[str]:
    """Write Annotations, JPEGImages, ImageSets/Main, classes.txt; returns what is lost.

    Args:
        sets: with the same categories, file names of different stems.
        out: an empty folder.
        store: the pictures, by the sets' splits and file names.
    """
    lost = Counter[str]()
    names = {c["id"]: c["name"] for c in sets[0].content["categories"]}
    for one in sets:
        stems = []
        for image, objects in with_objects(one, store.track):
            stem = PurePosixPath(image["file_name"]).with_suffix("")
            stems.append(f"{stem}\n")
            xml = _xml(image, objects, names, lost)
            file = out / "Annotations" / f"{stem}.xml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(ElementTree.tostring(xml, encoding="utf-8") + b"\n")
            store.bring(one.split, image["file_name"], out / "JPEGImages" / image["file_name"])
        split = "train" if one.split == ALL else one.split
        listed = out / "ImageSets" / "Main" / f"{split}.txt"
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_text("".join(stems), encoding="utf-8")
    (out / CLASSES).write_text("".join(f"{name}\n" for name in names.values()), encoding="utf-8")
    return counted(lost)


def _xml(
    image: Json, annotations: Iterable[Json], names: dict[int, str], lost: Counter[str]
) -> ElementTree.Element:
    root = ElementTree.Element("annotation")
    _add(root, "folder", "JPEGImages")
    _add(root, "filename", PurePosixPath(image["file_name"]).name)
    size = ElementTree.SubElement(root, "size")
    for side in ("width", "height"):
        _add(size, side, image[side])
    _add(size, "depth", 3)
    _add(root, "segmented", 0)
    for annotation in annotations:
        obj = ElementTree.SubElement(root, "object")
        _add(obj, "name", names[annotation["category_id"]])
        _add(obj, "pose", annotation.get("pose", "Unspecified"))
        _add(obj, "truncated", int(annotation.get("truncated", 0)))
        hard = [key for key in ("difficult", "iscrowd", "ignore") if annotation.get(key)]
        _add(obj, "difficult", int(bool(hard)))
        if "occluded" in annotation:
            _add(obj, "occluded", int(annotation["occluded"]))
        x, y, w, h = annotation["bbox"]
        box = ElementTree.SubElement(obj, "bndbox")
        for corner, value in zip(CORNERS, (x, y, x + w, y + h), strict=True):
            _add(box, corner, f"{round(value + 1, 9):.15g}")
        if hard and "difficult" not in hard:
            lost["crowd (or ignored) regions are written as difficult"] += 1
        if annotation.get("segmentation"):
            lost["objects lose their outline: VOC holds boxes"] += 1
        for key in {k for k, v in annotation.items() if v} - STANDARD - SPECIFIC:
            lost[f"objects lose {key!r}"] += 1
    ElementTree.indent(root)
    return root


def _add(parent: ElementTree.Element, tag: str, value: object) -> None:
    ElementTree.SubElement(parent, tag).text = str(value)


def _image(file: Path) -> Json:
    """``objects`` of an XML, and ``height`` and ``width`` if it has them."""
    root = voc_root(str(file))
    parsed = parse_voc_xml(root, str(file))
    objects = []
    for element, one in zip(root.iterfind("object"), parsed.objects, strict=True):
        corners = [round(corner, 9) for corner in one.box]
        if not all(abs(corner) < float("inf") for corner in corners):
            raise ValueError(f"{file}: the box of a {one.name!r} is not finite: {corners}")
        obj: Json = {"name": one.name, "bbox": corners_to_box(*corners), "iscrowd": 0}
        if one.difficult:
            obj.update(iscrowd=1, difficult=1)
        for flag in FLAGS:
            if (element.findtext(flag) or "").strip().lower() in ("1", "true"):
                obj[flag] = 1
        pose = (element.findtext("pose") or "").strip()
        if pose not in ("", "Unspecified"):
            obj["pose"] = pose
        objects.append(obj)
    size = {} if parsed.size is None else {"height": parsed.size[0], "width": parsed.size[1]}
    return {**size, "objects": objects}


def _splits(
    files: Sequence[Path], home: Path, problems: list[str]
) -> tuple[dict[str, list[Path]], list[str]]:
    """XML files of each split, and notes about those in none."""
    years: dict[Path, list[Path]] = {}
    for file in files:
        years.setdefault(_annotation_root(file).parent, []).append(file)
    splits: dict[str, list[Path]] = {}
    left = 0
    for year, of_year in years.items():
        lists = {s: year / "ImageSets" / "Main" / f"{s}.txt" for s in LISTS}
        there = {split: file for split, file in lists.items() if file.is_file()}
        if {"train", "val"} <= there.keys():
            there.pop("trainval", None)
        listed: set[Path] = set()
        for split, file in there.items():
            found = listed_files(file)
            problems += [
                f"{xml} does not exist, {file} lists it" for xml in found if not xml.is_file()
            ]
            splits.setdefault(LISTS[split], []).extend(xml for xml in found if xml.is_file())
            listed |= set(found)
        if there:
            left += len(set(of_year) - listed)
            continue
        for file in of_year:
            splits.setdefault(split_folder(file, home)[0] or ALL, []).append(file)
    notes = [f"{left} XML files are in no list of ImageSets/Main and left out"] if left else []
    return splits, notes


def _annotation_root(file: Path) -> Path:
    """The folder Annotations above a file, else the file's own."""
    return next((p for p in file.parents if p.name == "Annotations"), file.parent)


def _picture(file: Path, image_root: Path | None) -> Path:
    """Where the picture of an XML is, or would be."""
    annotations = _annotation_root(file)
    name = file.relative_to(annotations).with_suffix("").as_posix()
    home = annotations.parent if annotations.name == "Annotations" else annotations
    folders = [image_root] if image_root else [home / part for part in PICTURE_FOLDERS]
    for folder in [*folders, file.parent]:
        if found := with_ending(str(folder / name)):
            return Path(found)
    try:
        said = (ElementTree.parse(file).findtext("filename") or "").strip()
    except (ElementTree.ParseError, FileNotFoundError):  # told of when it is read
        said = ""
    said = PurePosixPath(said.replace("\\", "/")).name or f"{name}.jpg"
    there = (folder / said for folder in [*folders, file.parent] if (folder / said).is_file())
    return next(there, folders[0] / said)
