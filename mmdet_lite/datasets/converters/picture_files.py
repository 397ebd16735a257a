"""Pictures on disk: which are there, how large they are, where the annotated ones lie."""

import base64
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mmdet_lite.datasets.converters.content import Track
from mmdet_lite.ops.image_file import PICTURE_ENDINGS, image_size
from mmdet_lite.ops.json_text import parse_json

PLACES = ("{split}", "images/{split}", "{split}/images", "images", "JPEGImages", "")


def pictures_below(folder: Path) -> list[Path]:
    """Return the picture files in a folder and below it, sorted."""
    found = (Path(top, name) for top, _, names in os.walk(folder) for name in names)
    return sorted(p for p in found if p.suffix.lower() in PICTURE_ENDINGS and p.name[0] != ".")


def add_sizes(images: Sequence[dict[str, Any]], root: Path, track: Track) -> list[str]:
    """Add ``height`` and ``width``, as training sees them, to images that lack them.

    Returns:
        What went wrong, a sentence for each picture that is missing or unreadable.
    """
    problems = []
    for image in track([i for i in images if "height" not in i], "sizes of pictures"):
        try:
            image["height"], image["width"] = image_size(str(root / image["file_name"]))
        except (ValueError, FileNotFoundError) as error:
            problems.append(str(error))
    return problems


def below_common(pictures: Sequence[Path], roots: Sequence[Path]) -> tuple[Path, list[str]]:
    """Return a folder that all pictures lie in, and their names relative to it.

    The first of ``roots`` that holds all is taken, else the closest folder that does.
    """
    paths = [Path(os.path.abspath(picture)) for picture in pictures]
    wanted = (Path(os.path.abspath(root)) for root in roots)
    common = os.path.commonpath([path.parent for path in paths]) if paths else [*roots, Path()][0]
    root = next((r for r in wanted if all(r in p.parents for p in paths)), Path(common))
    return root, [path.relative_to(root).as_posix() for path in paths]


def find_image_root(names: Sequence[str], near: Iterable[Path], split: str) -> Path | None:
    """Return the folder in which pictures of these file names lie; None if nowhere near.

    In each folder of ``near`` and in its parts ``images``, ``{split}`` and the like, a few of the
    names are looked for; the folder with most of them is taken, of equal ones the first.
    """
    tried = list(dict.fromkeys(spot / p.format(split=split) for spot in near for p in PLACES))
    few = [*names[:3], *names[len(names) // 2 :][:1], *names[-2:]]
    counts = [sum(os.path.isfile(folder / name) for name in few) for folder in tried]
    best = max(counts, default=0)
    return tried[counts.index(best)] if best else None


@dataclass(frozen=True)
class Picture:
    """A picture to be written: where it is now, what COCO says of it, and its objects.

    Args:
        path: its file, there or not.
        image: its COCO entry, with the ``id`` it had.
        objects: its annotations with ``name`` of the class for ``category_id``.
        embedded: the LabelMe file that holds the picture, where ``path`` is not there.
    """

    path: Path
    image: Mapping[str, Any]
    objects: Sequence[Mapping[str, Any]]
    embedded: Path | None = None


class PictureStore:
    """The pictures of all sets by their new names, and how they come to where they have to be.

    Args:
        pictures: by (split, new file name).
        how: 'copy'; 'link', a hard link or else a copy; 'none', they stay where they are.
        track: shows how far the writing is.
    """

    def __init__(self, pictures: Mapping[tuple[str, str], Picture], how: str, track: Track) -> None:
        self.pictures = pictures
        self.how = how
        self.track = track

    def path(self, split: str, name: str) -> Path:
        """Where the picture is now, absolute."""
        return Path(os.path.abspath(self.pictures[split, name].path))

    def bring(self, split: str, name: str, target: Path) -> None:
        """Put the picture at ``target``, unless pictures stay where they are.

        Raises:
            FileNotFoundError: it is not there.
        """
        if self.how == "none":
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        picture = self.pictures[split, name]
        if picture.embedded is not None:
            target.write_bytes(embedded_picture(picture.embedded))
            return
        if not picture.path.is_file():
            raise FileNotFoundError(
                f"picture {picture.path} does not exist; the annotations name it. check-data "
                "lists all that are missing"
            )
        if self.how == "link":
            try:
                os.link(picture.path, target)
                return
            except OSError:  # another disk, or one without hard links
                pass
        shutil.copyfile(picture.path, target)


def embedded_picture(labelme_file: Path) -> bytes:
    """Return the bytes of the picture inside of a LabelMe file."""
    content = parse_json(labelme_file.read_bytes(), str(labelme_file))
    return base64.b64decode(content["imageData"])


def safe_name(file_name: str) -> str:
    r"""Return a file name that stays below its folder, in forward slashes.

    >>> safe_name("..\\data\\a.jpg"), safe_name("/home/me/a.jpg"), safe_name("a/b.jpg")
    ('data/a.jpg', 'home/me/a.jpg', 'a/b.jpg')
    """
    parts = PurePosixPath(file_name.replace("\\", "/")).parts
    return "/".join(part for part in parts if part not in ("/", "..", ".") and part[-1:] != ":")


def distinct_names(names: Sequence[str], by_stem: bool = True) -> list[str]:
    """Return a name for each file name such that no two are the same.

    Args:
        names: file names; one may occur twice and gets a number then.
        by_stem: names may not even differ in their ending only, for forms with one file of
            annotations a picture: of a.jpg and a.png the second becomes a_png.png.

    >>> distinct_names(["a.jpg", "a.png", "b/a.jpg", "a.jpg"])
    ['a.jpg', 'a_png.png', 'b/a.jpg', 'a_2.jpg']
    """
    taken: set[str] = set()
    whole: set[str] = set()
    given = []
    for name in names:
        path = PurePosixPath(safe_name(name))
        stem = first = str(path.with_suffix(""))
        ending = "" if by_stem else path.suffix.lower()
        if by_stem and stem.lower() in taken and (stem + path.suffix).lower() not in whole:
            stem = first = f"{first}_{path.suffix[1:].lower()}"
        number = 1
        while (stem + ending).lower() in taken:
            number += 1
            stem = f"{first}_{number}"
        whole.add((stem + path.suffix).lower())
        taken.add((stem + ending).lower())
        given.append(stem + path.suffix)
    return given
