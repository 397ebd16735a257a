"""YOLO labels: data.yaml, images/ and labels/, one line an object in shares of the picture."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from mmdet_lite.datasets.converters.content import (
    AnnotatedImages,
    Complain,
    Track,
    coco_contents,
    corners_to_box,
    counted,
    listed_names,
    outlined,
    with_objects,
)
from mmdet_lite.datasets.converters.forms.json_files import files_below
from mmdet_lite.datasets.converters.picture_files import (
    PictureStore,
    pictures_below,
)
from mmdet_lite.ops.annotation_forms import ALL
from mmdet_lite.ops.image_file import PICTURE_ENDINGS, image_size
from mmdet_lite.ops.json_text import Json
from mmdet_lite.ops.outlines import one_outline

LOOKS_LIKE = "data.yaml with names and train, or classes.txt (obj.names) with images and labels"
SPLIT_KEYS = ("train", "val", "test")
NAME_FILES = ("classes.txt", "obj.names")
CONFIDENCE = ". Is the last one a confidence, as in detections? Take it out, if these are labels"
FAR_OUTSIDE = 2.0  # shares beyond this are pixels, written by mistake


def evidence(path: Path) -> str | None:
    """Return which file says that it is YOLO; None if none does."""
    listed = _class_list(path)
    return None if listed is None else listed.name


def read(
    path: Path, image_root: Path | None, track: Track, complain: Complain
) -> list[AnnotatedImages]:
    """Read a data.yaml, or the folder of one.

    A line of a class and four numbers is a box (centre, size), one of six or more an outline; all
    are shares of the picture's size as its EXIF turns it, and become pixels, rounded to a
    millionth. A picture without label file or with an empty one has no objects; label files
    without picture are noted.

    Raises:
        ValueError: no list of classes; a line with a class beyond it or with numbers that are
            none; a folder that is not there; an unreadable picture. Files and lines are named.
    """
    listed = _class_list(path)
    if listed is None:
        raise ValueError(f"{path} has no list of classes: expected {LOOKS_LIKE}")
    if listed.suffix in (".yaml", ".yml"):
        config = _load_yaml(listed)
        names, splits = _names(config["names"], listed), _splits(config, listed)
        keypoints = config.get("kpt_shape") is not None
    else:
        names = listed_names(listed)
        splits, keypoints = {ALL: [image_root or listed.parent]}, False
    _check_names(names, listed)
    problems: list[str] = []
    images: dict[str, list[Json]] = {}
    roots: dict[str, Path] = {}
    poses = Counter[str]()
    for split, places in splits.items():
        roots[split] = places[0] if len(places) == 1 and places[0].is_dir() else listed.parent
        images[split] = []
        for picture in track(_pictures(places), f"pictures of {split}"):
            try:
                height, width = image_size(str(picture))
                objects = _objects(_label_file(picture), names, (height, width), keypoints, poses)
            except (ValueError, FileNotFoundError) as error:
                problems.append(str(error))
                continue
            name = Path(os.path.relpath(picture, roots[split])).as_posix()
            images[split].append(
                {"file_name": name, "height": height, "width": width, "objects": objects}
            )
    complain(problems, str(listed))
    notes = [f"{count} objects have keypoints, which are not read" for count in poses.values()]
    notes += _without_picture(splits, listed.parent)
    contents = coco_contents(images, names)
    sets = []
    for split in splits:
        one = AnnotatedImages(contents[split], roots[split], listed, "yolo", split, tuple(notes))
        sets.append(one)
        notes = []  # once is enough
    return sets


def write(sets: Sequence[AnnotatedImages], out: Path, store: PictureStore) -> list[str]:
    """Write data.yaml, images/SPLIT and labels/SPLIT; returns what the form cannot hold.

    Args:
        sets: with the same categories, file names of different stems.
        out: an empty folder.
        store: the pictures, by the sets' splits and file names.
    """
    lost = Counter[str]()
    splits = {}
    names = [category["name"] for category in sets[0].content["categories"]]
    for one in sets:
        split = "train" if one.split == ALL else one.split
        splits[split] = f"images/{split}"
        number = {c["id"]: i for i, c in enumerate(one.content["categories"])}
        for image, objects in with_objects(one, store.track):
            lines = []
            for annotation in objects:
                line = _line(annotation, image, lost)
                lines += [f"{number[annotation['category_id']]} {line}\n"] if line else []
            label = out / "labels" / split / PurePosixPath(image["file_name"]).with_suffix(".txt")
            label.parent.mkdir(parents=True, exist_ok=True)
            label.write_text("".join(lines))
            store.bring(one.split, image["file_name"], out / "images" / split / image["file_name"])
    config = {**splits, "names": dict(enumerate(names))}
    (out / "data.yaml").write_text(
        yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    return counted(lost)


def _line(annotation: Json, image: Json, lost: Counter[str]) -> str | None:
    """The numbers of an object's line; None for what would be learnt wrongly."""
    if annotation.get("iscrowd") or annotation.get("ignore"):
        lost["crowd (or ignored) regions are left out: a YOLO label is always an object"] += 1
        return None
    height, width = image["height"], image["width"]
    if annotation.get("keypoints"):
        lost["objects lose their keypoints"] += 1
    segmentation = annotation.get("segmentation")
    if segmentation:
        outline, changed = one_outline(segmentation, height, width)
        if changed:
            lost[changed] += 1
        if outline:
            return " ".join(
                f"{value / side:.12g}"
                for value, side in zip(outline, (width, height) * (len(outline) // 2), strict=True)
            )
    x, y, w, h = annotation["bbox"]
    shares = ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height)
    return " ".join(f"{share:.12g}" for share in shares)


def _objects(
    file: Path, names: Sequence[str], size_hw: tuple[int, int], keypoints: bool, poses: Counter[str]
) -> list[Json]:
    """Objects of a label file."""
    if not file.is_file():
        return []
    objects = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        where = f"{file}, line {number}"
        if not words[0].isdigit() or int(words[0]) >= len(names):
            raise ValueError(
                f"{where}: class {words[0]}, but the classes are 0 to {len(names) - 1} "
                f"({', '.join(names[:10])}{', ...' if len(names) > 10 else ''})"
            )
        shares = _shares(words[1:], where)
        if keypoints and len(shares) > 4:
            poses["keypoints"] += 1
            shares = shares[:4]
        objects.append({"name": names[int(words[0])], **_geometry(shares, size_hw, where)})
    return objects


def _shares(words: Sequence[str], where: str) -> list[float]:
    try:
        shares = [float(word) for word in words]
    except ValueError:
        shares = [float("nan")]
    if not all(abs(share) < float("inf") for share in shares):
        raise ValueError(f"{where}: {' '.join(words)[:60]!r} are not all numbers")
    if any(abs(share) > FAR_OUTSIDE for share in shares):
        raise ValueError(
            f"{where}: {' '.join(words)[:60]!r} has numbers beyond {FAR_OUTSIDE}; expected shares "
            "of the picture's width and height, 0 to 1. Are these pixels?"
        )
    return shares


def _geometry(shares: Sequence[float], size_hw: tuple[int, int], where: str) -> Json:
    """``bbox`` and, of an outline, ``segmentation`` in pixels."""
    height, width = size_hw
    if len(shares) == 4:
        x, y, w, h = shares
        corners = [(x - w / 2) * width, (y - h / 2) * height]
        corners += [(x + w / 2) * width, (y + h / 2) * height]
        return {"bbox": corners_to_box(*(round(value, 6) for value in corners))}
    if len(shares) < 6 or len(shares) % 2:
        raise ValueError(
            f"{where}: {len(shares)} numbers after the class; a box has 4 (centre x, y, width, "
            f"height), an outline 6 or more in pairs (x y){CONFIDENCE * (len(shares) == 5)}"
        )
    sides = (width, height) * (len(shares) // 2)
    return outlined([[round(s * side, 6) for s, side in zip(shares, sides, strict=True)]])


def _class_list(path: Path) -> Path | None:
    """The file that names the classes."""
    if path.is_file():
        fits = path.name in NAME_FILES or (path.suffix in (".yaml", ".yml") and _is_data(path))
        return path if fits else None
    yamls = [*files_below(path, ".yaml", 1), *files_below(path, ".yml", 1)]
    if found := [file for file in yamls if _is_data(file)]:
        shallow = min(len(file.parts) for file in found)
        return next(file for file in found if len(file.parts) == shallow)
    lists = (path / folder / name for folder in ("", "labels") for name in NAME_FILES)
    labelled = (one for one in lists if one.is_file() and _has_labels(path))
    return next(labelled, None)


def _has_labels(folder: Path) -> bool:
    """Whether there is a picture with a label file."""
    return any(_label_file(picture).is_file() for picture in pictures_below(folder))


def _is_data(file: Path) -> bool:
    try:
        config = _load_yaml(file)
    except ValueError:
        return False
    return isinstance(config, dict) and "names" in config and any(k in config for k in SPLIT_KEYS)


def _load_yaml(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is no valid YAML: {error}") from error


def _names(given: Any, file: Path) -> list[str]:
    """Names in the order of their numbers, from a list or a dict."""
    if isinstance(given, list):
        return [str(name) for name in given]
    if isinstance(given, dict) and all(isinstance(key, int) for key in given):
        highest = max(given, default=-1)
        if sorted(given) == list(range(highest + 1)):
            return [str(given[key]) for key in range(highest + 1)]
    raise ValueError(
        f"{file}: names must be a list, or a dict with the keys 0, 1, 2 ...; got {str(given)[:80]}"
    )


def _check_names(names: Sequence[str], file: Path) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or not names:
        what = f"the name {twice[0]!r} twice" if twice else "no name of a class"
        raise ValueError(f"{file} has {what}; expected one name for each number")


def _splits(config: Json, file: Path) -> dict[str, list[Path]]:
    """The places (folders, lists of pictures) of every split."""
    splits = {}
    for key in SPLIT_KEYS:
        entries = config.get(key)
        if entries:
            entries = entries if isinstance(entries, list) else [entries]
            splits[key] = [_place(str(entry), config.get("path"), file) for entry in entries]
    return splits


def _place(entry: str, root: Any, file: Path) -> Path:
    """Where a folder or list is: below ``path``, the yaml's folder, or as Roboflow writes it."""
    roots = [file.parent / str(root or ""), file.parent]
    tried = [folder / entry for folder in roots]
    tried.append(file.parent / entry.removeprefix("../"))
    for place in tried:
        if place.exists():
            return Path(os.path.normpath(place))
    shown = ", ".join(dict.fromkeys(str(Path(os.path.normpath(place))) for place in tried))
    raise ValueError(f"{file} names {entry!r}, which is at none of: {shown}")


def _pictures(places: Sequence[Path]) -> list[Path]:
    """Pictures in folders, and those that lists name."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += pictures_below(place)
        elif place.suffix == ".txt":
            lines = (line.strip() for line in place.read_text(encoding="utf-8-sig").splitlines())
            found += [Path(os.path.normpath(place.parent / line)) for line in lines if line]
        elif place.suffix.lower() in PICTURE_ENDINGS:
            found.append(place)
    return found


def _without_picture(splits: Mapping[str, Sequence[Path]], home: Path) -> list[str]:
    """A note on the label files of folders of pictures that no picture there belongs to."""
    folders = {place for places in splits.values() for place in places if place.is_dir()}
    pictures = (picture for folder in folders for picture in pictures_below(folder))
    known = {_label_file(picture) for picture in pictures}
    label_folders = {_label_file(folder / "any").parent for folder in folders}
    labels = {file for folder in label_folders for file in files_below(folder, ".txt")}
    left = sorted(file for file in labels - known if _is_label(file))
    if not left:
        return []
    shown = ", ".join(os.path.relpath(file, home) for file in left[:5])
    return [
        f"{len(left)} label files have no picture and are left out: {shown}"
        f"{', ...' if len(left) > 5 else ''}"
    ]


def _is_label(file: Path) -> bool:
    """Whether a text file begins like a label file: a list of classes or of pictures does not."""
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        words = lines.readline().split()
    try:
        return len(words) > 4 and words[0].isdigit() and bool([float(word) for word in words])
    except ValueError:
        return False


def _label_file(picture: Path) -> Path:
    """The label file: below labels/ where the picture is below images/, else beside it."""
    parts = list(picture.parts)
    if "images" in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index("images")
        parts[last] = "labels"
    return Path(*parts).with_suffix(".txt")
