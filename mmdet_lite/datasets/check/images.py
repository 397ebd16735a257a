"""Picture files: missing, unreadable, of another size or kind, listed nowhere."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet
from mmdet_lite.datasets.check.codes import capped, finding
from mmdet_lite.datasets.check.image_facts import ImageFacts
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.ops.image_file import PICTURE_ENDINGS, SIDEWAYS

DARK = 1 / 8  # of the range of 16 bits; a 12-bit camera reaches 1/16
ORDINARY_MODES = ("", "RGB", "L")
MODES = {
    "P": "a palette",
    "PA": "a palette with transparency",
    "1": "black and white",
    "LA": "grey with transparency",
    "RGBA": "colours with transparency, which is dropped",
    "CMYK": "print colours (CMYK)",
    "YCbCr": "YCbCr",
    "F": "floating point: read it with color_type='unchanged'",
}


def check_missing(data: AnnotatedSet) -> Iterator[Finding]:
    """Pictures that are not on disk, by one listing of each folder."""
    missing = missing_files(data.files_on_disk)
    names = sorted(missing)
    total = sum(map(len, data.files_on_disk))

    def make(path: str) -> Finding:
        return finding(
            "image-missing",
            f"{path} does not exist ({len(missing)} of {total} pictures of {data.ann_file} are "
            "missing); check data_root, data_prefix.img and file_name, or fetch the picture",
            data.name,
            image=path,
        )

    yield from capped(names, make, "pictures are not on disk")


def missing_files(pictures: Iterable[Sequence[str]]) -> set[str]:
    """Those of the files that are not there; each folder is listed once."""
    wanted: dict[str, set[str]] = {}
    for files in pictures:
        for path in files:
            folder, name = os.path.split(path)
            wanted.setdefault(folder, set()).add(name)
    missing = set()
    for folder, names in wanted.items():
        try:
            there = set(os.listdir(folder or "."))
        except (FileNotFoundError, NotADirectoryError):
            there = set()
        # a listing may lack what is there all the same: other cases, composed letters
        missing |= {
            path for name in names - there if not os.path.isfile(path := os.path.join(folder, name))
        }
    return missing


def check_images(data: AnnotatedSet, facts: Mapping[str, ImageFacts]) -> Iterator[Finding]:
    """Pictures that cannot be read, have another size than the file says, or are of odd kinds."""
    rows = [
        (i, path, facts[path])
        for i, files in enumerate(data.image_files)
        for path in files
        if path in facts
    ]
    bad = [(path, one.problem) for _, path, one in rows if one.problem]

    def unreadable(place: tuple[str, str]) -> Finding:
        path, why = place
        text = f"{path}: {why}; fetch it again, or remove it from {data.ann_file}"
        return finding("image-broken", text, data.name, image=path)

    yield from capped(bad, unreadable, "pictures cannot be read")
    good = [(i, path, one) for i, path, one in rows if not one.problem]
    yield from _other_sizes(data, good)
    yield from _odd_kinds(data, good)


def check_unlisted(sets: Sequence[AnnotatedSet]) -> Iterator[Finding]:
    """Pictures beside those of a set that no set mentions."""
    mentioned = {
        os.path.realpath(path) for data in sets for files in data.files_on_disk for path in files
    }
    seen: set[str] = set()
    for data in sets:
        folders = {os.path.dirname(path) for files in data.files_on_disk for path in files}
        unlisted = [
            path
            for folder in sorted(folders)
            for path in _pictures_in(folder)
            if os.path.realpath(path) not in mentioned and path not in seen
        ]
        seen.update(unlisted)
        if unlisted:
            names = ", ".join(Path(path).name for path in unlisted[:5])
            yield finding(
                "image-unlisted",
                f"{len(unlisted)} pictures beside those of {data.ann_file} are in no annotation "
                f"file that was checked: {names}{', ...' if len(unlisted) > 5 else ''}",
                data.name,
                image=unlisted[0],
                count=len(unlisted),
            )


def loaded_wh(one: ImageFacts, turns_upright: bool) -> tuple[int, int]:
    """Width and height of a picture as training loads it."""
    if turns_upright or one.orientation < SIDEWAYS:
        return one.width, one.height
    return one.height, one.width


def _other_sizes(
    data: AnnotatedSet, rows: Sequence[tuple[int, str, ImageFacts]]
) -> Iterator[Finding]:
    differing = [
        (i, path, one)
        for i, path, one in rows
        if _said_wh(data, i) != loaded_wh(one, data.uses.turns_upright)
    ]

    def make(row: tuple[int, str, ImageFacts]) -> Finding:
        i, path, one = row
        said = _said_wh(data, i)
        width, height = loaded_wh(one, data.uses.turns_upright)
        text = f"{path} measures {width}x{height}, {data.ann_file} says {said[0]}x{said[1]}"
        if said != (height, width):
            code, out = "image-size", "was it resized after it was annotated? Its boxes lie wrong"
        elif one.orientation >= SIDEWAYS:
            code = "image-size-swapped"
            out = (
                f"it is stored lying (EXIF orientation {one.orientation}) and was annotated so. "
                "If all were: LoadImageFromFile(color_type='color_ignore_orientation'). Else save "
                "it upright, and turn its annotations"
            )
        else:
            code, out = "image-size-swapped", "correct width and height in the annotation file"
        boxes = data.boxes_to_draw(_annotations_of(data, i))
        return finding(code, f"{text}: {out}", data.name, image=path, boxes=boxes)

    yield from capped(differing, make, "pictures have another size than the file says")


def _odd_kinds(
    data: AnnotatedSet, rows: Sequence[tuple[int, str, ImageFacts]]
) -> Iterator[Finding]:
    turned = [
        path
        for i, path, one in rows
        if one.orientation > 1 and _said_wh(data, i) == loaded_wh(one, data.uses.turns_upright)
    ]
    if turned:
        yield finding(
            "image-turned",
            f"{len(turned)} pictures of {data.ann_file} are stored turned or mirrored, with an "
            f"EXIF orientation; that fits the sizes in the file: {_names(turned)}",
            data.name,
            image=turned[0],
            count=len(turned),
        )
    dark: list[str] = []
    kinds: dict[str, list[str]] = {}
    for _, path, one in rows:
        if one.frames > 1:
            kinds.setdefault("animated, the first frame is taken", []).append(path)
        elif one.mode.startswith("I"):
            kinds.setdefault("16 bit, loaded as 8", []).append(path)
            if 0 < one.brightest < DARK:
                dark.append(path)
        elif one.mode not in ORDINARY_MODES:
            kinds.setdefault(MODES.get(one.mode, one.mode), []).append(path)
    for kind, paths in kinds.items():
        yield finding(
            "image-mode",
            f"{len(paths)} pictures of {data.ann_file} are {kind}: {_names(paths)}",
            data.name,
            image=paths[0],
            count=len(paths),
        )

    if dark:
        yield finding(
            "image-dark",
            f"{len(dark)} pictures of {data.ann_file} have 16 bits of which their brightest pixel "
            f"fills less than an eighth, as those of a 12-bit camera: as 8 bits they are almost "
            f"black. Multiply their pixels (by 16 for 12 bits) and save them: {_names(dark)}",
            data.name,
            image=dark[0],
            count=len(dark),
        )


def _said_wh(data: AnnotatedSet, image: int) -> tuple[int, int]:
    return data.images[image]["width"], data.images[image]["height"]


def _annotations_of(data: AnnotatedSet, image: int, most: int = 20) -> list[int]:
    return [int(i) for i in (data.image_index == image).nonzero()[0][:most]]


def _names(paths: Sequence[str]) -> str:
    return ", ".join(Path(path).name for path in paths[:5]) + (", ..." if len(paths) > 5 else "")


def _pictures_in(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder or "."))
    except OSError:
        return []
    return [
        os.path.join(folder, name)
        for name in names
        if os.path.splitext(name)[1].lower() in PICTURE_ENDINGS
    ]
