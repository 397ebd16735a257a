"""One set under check: the content of its file, and its annotations as columns of numbers."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.datasets.check.codes import capped, finding
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.datasets.coco import NOT_LISTED
from mmdet_lite.datasets.coco_annotation import is_number
from mmdet_lite.datasets.coco_file import shortened
from mmdet_lite.ops.box_faults import BOX_FAULTS, MOST_PIXELS, TOO_SMALL, box_faults
from mmdet_lite.ops.boxes import Box
from mmdet_lite.ops.coco_form import coco_content
from mmdet_lite.ops.json_text import Json

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Files = tuple[str, ...]  # of one picture

_LONGEST_SIDE = 1e9
_ID_TYPES = (int, str, float)
NEEDED_KEYS = {
    "images": ("id", "file_name", "height", "width"),
    "annotations": ("image_id", "category_id"),
    "categories": ("id", "name"),
}


@dataclass(frozen=True)
class Uses:
    """What a config makes of a set; the defaults are those of a plain set without config.

    Args:
        classes: ``metainfo.classes``; None takes the names of the file.
        filter_cfg: of the data set.
        num_joints: of ``metainfo.keypoint_names``; None takes those of the file.
        test_mode: of the data set.
        with_mask: the pipeline loads masks, and boxes do not stand in for them.
        skips_bad_images: ``on_bad_image`` of the data set is 'skip'.
        turns_upright: pictures are loaded as their EXIF orientation says.
        on_disk: pictures are plain files, so that they can be looked for.
        embedded: names of pictures that an annotation file holds, and the disk need not.
        dropped: annotations by the reason for which the data set has left them out already.
    """

    classes: tuple[str, ...] | None = None
    filter_cfg: Mapping[str, Any] = field(default_factory=dict)
    num_joints: int | None = None
    test_mode: bool = False
    with_mask: bool = False
    skips_bad_images: bool = False
    turns_upright: bool = True
    on_disk: bool = True
    embedded: frozenset[str] = frozenset()
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class AnnotatedSet:
    """A set of annotated images: COCO content without its broken entries.

    ``images``, ``annotations`` and ``categories`` are the entries that have what every entry needs
    (see ``annotated_set``); A annotations, I images. ``broken`` are findings about the others,
    ``broken_entries`` these others by kind, ``extra`` what else the file holds.
    """

    name: str
    ann_file: str
    image_root: str
    images: tuple[Json, ...]
    annotations: tuple[Json, ...]
    categories: tuple[Json, ...]
    uses: Uses = Uses()
    broken: tuple[Finding, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    broken_entries: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels, in order."""
        if self.uses.classes is not None:
            return self.uses.classes
        return tuple(dict.fromkeys(category["name"] for category in self.categories))

    @cached_property
    def image_files(self) -> tuple[Files, ...]:
        """(I,) the files of each picture: ``file_name``, then any ``channel_file_names``."""
        return tuple(map(self.files_in_root, self.images))

    @cached_property
    def files_on_disk(self) -> tuple[Files, ...]:
        """Those of ``image_files`` that are there to be looked for."""
        if not self.uses.on_disk:
            return ()
        pairs = zip(self.images, self.image_files, strict=True)
        there = [files for image, files in pairs if image["file_name"] not in self.uses.embedded]
        return (*there, *(self.files_in_root(image) for image in self.sizeless))

    @cached_property
    def sizeless(self) -> tuple[Json, ...]:
        """The broken images that lack nothing but a usable width and height."""
        return tuple(
            image
            for image in self.broken_entries.get("images", ())
            if isinstance(image, dict)
            and _broken("images", {**image, "width": 1, "height": 1}) is None
        )

    @cached_property
    def broken_ids(self) -> frozenset[Any]:
        """Ids of the broken images, so that their annotations are not found to be lost too."""
        ids = [
            image.get("id")
            for image in self.broken_entries.get("images", ())
            if isinstance(image, dict)
        ]
        return frozenset(id_ for id_ in ids if type(id_) in _ID_TYPES)

    def files_in_root(self, image: Mapping[str, Any]) -> Files:
        """The files of an image with the folder they are in."""
        return tuple(os.path.join(self.image_root, name) for name in files_of(image))

    @cached_property
    def image_paths(self) -> tuple[str, ...]:
        """(I,) the first file of each picture."""
        return tuple(files[0] for files in self.image_files)

    @cached_property
    def image_index(self) -> Ints:
        """(A,) place of each annotation's image in ``images``; -1 where there is none."""
        places = {image["id"]: i for i, image in reversed(list(enumerate(self.images)))}
        return _ints(places.get(ann["image_id"], -1) for ann in self.annotations)

    @cached_property
    def category_index(self) -> Ints:
        """(A,) place of each annotation's category in ``categories``; -1 where there is none."""
        places = {c["id"]: i for i, c in reversed(list(enumerate(self.categories)))}
        return _ints(places.get(ann["category_id"], -1) for ann in self.annotations)

    @cached_property
    def labels(self) -> Ints:
        """(A,) label of each annotation; -1 where ``classes`` does not list its category."""
        label_of = {name: label for label, name in enumerate(self.classes)}
        of_category = [label_of.get(category["name"], -1) for category in self.categories]
        return np.array([*of_category, -1], np.int64)[self.category_index]

    @cached_property
    def image_wh(self) -> Floats:
        """(I, 2) width and height that the file says."""
        sizes = [(image["width"], image["height"]) for image in self.images]
        return np.array(sizes, np.float64).reshape(-1, 2)

    @cached_property
    def frame_wh(self) -> Floats:
        """(A, 2) width and height of each annotation's image; NaN where it has none."""
        return np.vstack([self.image_wh, np.full((1, 2), np.nan)])[self.image_index]

    @cached_property
    def xywh(self) -> Floats:
        """(A, 4) bbox of each annotation; NaN where there are no four numbers."""
        return box_column([ann.get("bbox") for ann in self.annotations])

    @cached_property
    def xyxy(self) -> Floats:
        """(A, 4) the same as x1 y1 x2 y2."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.hstack([self.xywh[:, :2], self.xywh[:, :2] + self.xywh[:, 2:]])

    @cached_property
    def box_faults(self) -> NDArray[np.object_]:
        """(A,) why each box cannot be used, None where it can; see ``ops.box_faults``."""
        return box_faults(self.xywh, self.frame_wh)

    @cached_property
    def left_out(self) -> dict[str, Mask]:
        """(A,) by reason, the annotations that a data set leaves out, each for the first reason.

        The first reason is one for which it stops: an unknown image or category.
        """
        areas = [ann.get("area") for ann in self.annotations]
        sizeless = [isinstance(area, int | float) and area <= 0 for area in areas]
        ignored = [bool(ann.get("ignore")) for ann in self.annotations]
        reasons = {
            "unknown image or category": (self.image_index < 0) | (self.category_index < 0),
            NOT_LISTED: self.labels < 0,
            "marked ignore": np.array(ignored, bool),
            **{fault: self.box_faults == fault for fault in BOX_FAULTS},
        }
        reasons[TOO_SMALL] |= np.array(sizeless, bool) & ~self.box_faults.astype(bool)
        left = np.ones(len(self.annotations), bool)
        for reason, where in reasons.items():
            reasons[reason] = where & left
            left &= ~where
        return reasons

    @cached_property
    def used(self) -> Mask:
        """(A,) the annotations that a data set keeps, crowds among them."""
        return ~np.logical_or.reduce(list(self.left_out.values()))

    @cached_property
    def has_place(self) -> Mask:
        """(A,) whether the box has four numbers that pixels can be counted with."""
        return np.asarray((np.abs(self.xywh) <= MOST_PIXELS).all(axis=1))

    @cached_property
    def has_box(self) -> Mask:
        """(A,) whether the box has a place, a width and a height."""
        return self.has_place & np.asarray((self.xywh[:, 2:] > 0).all(axis=1))

    @cached_property
    def crowd(self) -> Mask:
        """(A,) iscrowd of each annotation."""
        return np.array([bool(ann.get("iscrowd", 0)) for ann in self.annotations], bool)

    @property
    def num_joints(self) -> int | None:
        """Joints of an object, None where metainfo and file do not say it or not the same.

        See ``complete_keypoint_metainfo``.
        """
        if self.uses.num_joints is not None:
            return self.uses.num_joints
        lists = [c.get("keypoints") for c in self.categories if c["name"] in self.classes]
        named = {tuple(map(str, names)) for names in lists if isinstance(names, list) and names}
        return len(named.pop()) if len(named) == 1 else None

    def place(self, index: int) -> str:
        """Annotation ``index`` in words: its id, class and picture."""
        ann = self.annotations[index]
        image, category = self.image_index[index], self.category_index[index]
        name = repr(self.categories[category]["name"]) if category >= 0 else "unknown category"
        file = repr(self.images[image]["file_name"]) if image >= 0 else "unknown image"
        return f"annotation {ann.get('id')} ({name}) of {file}"

    def findings_at(
        self, code: str, indices: Any, message: Callable[[int], str]
    ) -> Iterator[Finding]:
        """Findings about annotations; each message begins with the place."""

        def make(index: Any) -> Finding:
            i = int(index)
            image = self.image_index[i]
            return finding(
                code,
                f"{self.place(i)}: {message(i)}",
                self.name,
                image=self.image_paths[image] if image >= 0 else None,
                ann_id=self.annotations[i].get("id"),
                boxes=self.boxes_to_draw([i]),
            )

        yield from capped(indices, make, "annotations")

    def boxes_to_draw(self, indices: Sequence[int]) -> tuple[Box, ...]:
        """Boxes of annotations, those that are finite."""
        boxes = self.xyxy[list(indices)]
        finite = boxes[np.isfinite(boxes).all(axis=1)].round(2).tolist()
        return tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in finite)


def annotated_set(
    name: str, ann_file: str, image_root: str, content: Any, uses: Uses | None = None
) -> AnnotatedSet:
    """A set from what a COCO json holds; entries that lack what each needs become findings.

    An image needs an id, a file name, and a positive width and height; an annotation the ids of
    its image and its category; a category an id and a name.

    Args:
        name: of the set, for the findings.
        ann_file: where the content comes from, for the findings.
        image_root: folder that file names start from.
        content: COCO content, as wrong as may be.
        uses: what the config makes of it.
    """
    broken: list[Finding] = []
    try:
        content = coco_content(content, ann_file)
    except ValueError as error:
        content, broken = {}, [finding("file-unreadable", str(error), name)]
    good: dict[str, list[Json]] = {}
    broken_entries: dict[str, tuple[Any, ...]] = {}
    for kind in NEEDED_KEYS:
        entries = content.get(kind, [])
        if not isinstance(entries, list):
            text = f"{kind!r} in {ann_file}: expected a list, got {type(entries).__name__}"
            broken.append(finding("file-unreadable", text, name))
            entries = []
        wrong = [(i, why) for i, entry in enumerate(entries) if (why := _broken(kind, entry))]
        broken += capped(wrong, _finding_of(kind, ann_file, name), f"broken {kind}")
        places = {i for i, _ in wrong}
        broken_entries[kind] = tuple(entries[i] for i in sorted(places))
        good[kind] = [e for i, e in enumerate(entries) if i not in places] if wrong else entries
    return AnnotatedSet(
        name,
        ann_file,
        image_root,
        tuple(good["images"]),
        tuple(good["annotations"]),
        tuple(good["categories"]),
        uses or Uses(),
        tuple(broken),
        {key: value for key, value in content.items() if key not in NEEDED_KEYS},
        broken_entries,
    )


def files_of(image: Mapping[str, Any]) -> Files:
    """Names of the files of an image: the one that is looked at, then those of its channels."""
    return (image["file_name"], *(image.get("channel_file_names") or ()))


def box_column(boxes: Sequence[Any]) -> Floats:
    """(A, 4) from what annotations hold as bbox; NaN where there are no four numbers."""
    try:
        column = np.array(boxes)
    except ValueError:  # boxes of different lengths
        column = np.empty(0)
    if column.shape == (len(boxes), 4) and column.dtype.kind in "if":
        return column.astype(np.float64)
    return np.array([_four_numbers(box) for box in boxes], np.float64).reshape(-1, 4)


def is_box(box: Any) -> bool:
    """Whether a bbox holds four numbers, finite or not."""
    return isinstance(box, list | tuple) and len(box) == 4 and all(map(is_number, box))


def _four_numbers(box: Any) -> list[float]:
    return [float(number) for number in box] if is_box(box) else [np.nan] * 4


def _broken(kind: str, entry: Any) -> str | None:
    """Why an entry cannot be used, None if it can."""
    if not isinstance(entry, dict):
        return f"expected {{...}}, got {shortened(entry)}"
    for key in NEEDED_KEYS[kind]:
        if key not in entry:
            return f"it has no {key!r}; it has {', '.join(map(str, list(entry)[:8]))}"
    for key in ("id", "image_id", "category_id"):
        value = entry.get(key, 0)
        infinite = type(value) is float and not np.isfinite(value)
        if type(value) not in _ID_TYPES or infinite:
            return f"{key} = {shortened(value)} is neither number nor text"
    if kind == "categories" and not isinstance(entry["name"], str):
        return f"name = {shortened(entry['name'])} is no text"
    if kind == "images":
        name, channels = entry["file_name"], entry.get("channel_file_names")
        if not isinstance(name, str) or not name:
            return f"file_name = {shortened(name)} is no name of a file"
        if channels is not None and not _are_names(channels):
            return f"channel_file_names = {shortened(channels)} are no names of files"
        for key in ("width", "height"):
            side = entry[key]
            if type(side) not in (int, float) or not 0 < side < _LONGEST_SIDE or side % 1:
                return f"{key} = {shortened(side)}: expected whole pixels, above 0"
    return None


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _finding_of(kind: str, ann_file: str, name: str) -> Callable[[tuple[int, str]], Finding]:
    def make(place: tuple[int, str]) -> Finding:
        index, why = place
        return finding("entry-broken", f"{kind}[{index}] in {ann_file}: {why}", name)

    return make


def _ints(numbers: Iterator[int] | Any) -> Ints:
    return np.fromiter(numbers, np.int64)
