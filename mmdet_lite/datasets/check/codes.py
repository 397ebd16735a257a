"""The kinds of findings: how bad each is, what it means, and what training does about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mmdet_lite.datasets.check.records import Finding, Severity

LISTED = 1000  # findings of one kind in one set; what goes beyond is counted in one of their own

REFUSES = "refuses"
STOPS = "stops when it loads the image"
LEAVES_OUT = "leaves the annotation out, with a warning"
WARNS = "unharmed, says so"
UNHARMED = "unharmed"
AS_IT_IS = "trained on as it is, with a warning"


@dataclass(frozen=True)
class Kind:
    """One kind of finding; ``training`` is what training does where it meets one."""

    severity: Severity
    meaning: str
    training: str = UNHARMED


KINDS = {
    # the file
    "file-unreadable": Kind("error", "no COCO content, or a form that cannot be read", REFUSES),
    "entry-broken": Kind("error", "an entry lacks what every entry needs", REFUSES),
    "image-id-twice": Kind("error", "two images have one id", REFUSES),
    "ann-id-twice": Kind("error", "two annotations have one id", REFUSES),
    "category-id-twice": Kind("error", "two categories have one id", REFUSES),
    "category-name-twice": Kind("error", "two categories have one name", REFUSES),
    "image-id-unknown": Kind("error", "an annotation of an image that is not listed", REFUSES),
    "category-id-unknown": Kind("error", "an annotation of a category that is not listed", REFUSES),
    "file-annotated-twice": Kind(
        "error", "one picture listed twice, annotated differently", REFUSES
    ),
    "file-name-twice": Kind("warning", "one picture listed twice, annotated alike"),
    "form-note": Kind("note", "what of the files was read, and what was not"),
    "set-empty": Kind("error", "no image has an object", REFUSES),
    "nothing-left": Kind("error", "no image is left to train on", REFUSES),
    "set-refused": Kind("error", "the data set itself refuses the file", REFUSES),
    # class names
    "class-not-in-file": Kind("error", "a name in metainfo.classes is no category", REFUSES),
    "category-not-in-classes": Kind(
        "warning", "a category that metainfo.classes does not list", LEAVES_OUT
    ),
    "category-names-alike": Kind("warning", "two names that differ in case, blanks or a letter"),
    "class-without-instances": Kind("warning", "a class without any instance", WARNS),
    "classes-differ": Kind("error", "sets with other class names, or in another order", REFUSES),
    "category-order": Kind("note", "sets whose files number the categories differently"),
    "head-classes": Kind("error", "a head with another number of classes", REFUSES),
    "checkpoint-classes": Kind("note", "the checkpoint was trained on other classes"),
    # boxes
    "box-missing": Kind("error", "no bbox of four numbers", REFUSES),
    "box-not-finite": Kind("error", "NaN or infinity in bbox", LEAVES_OUT),
    "box-huge": Kind("error", "larger than any image", LEAVES_OUT),
    "box-negative": Kind("error", "width or height below 0", LEAVES_OUT),
    "box-empty": Kind("warning", "width or height 0", LEAVES_OUT),
    "box-tiny": Kind("warning", "thinner than a pixel", LEAVES_OUT),
    "box-outside": Kind("error", "wholly outside of its image", LEAVES_OUT),
    "box-over-edge": Kind("warning", "reaches beyond its image", "unharmed: cut at the edge"),
    "box-twice": Kind("warning", "two boxes of one class, IoU above 0.99"),
    "boxes-look-xyxy": Kind("error", "bbox holds x1, y1, x2, y2", REFUSES),
    "boxes-look-centred": Kind("error", "bbox holds the centre, width, height", REFUSES),
    "boxes-look-normalised": Kind("error", "bbox in parts of the image, 0 to 1", REFUSES),
    "boxes-masks-disagree": Kind("error", "most boxes and outlines differ", REFUSES),
    "box-looks-xyxy": Kind("error", "a bbox that holds x1, y1, x2, y2 of its outline", AS_IT_IS),
    "box-mask-disagree": Kind("warning", "a box and its outline differ (IoU below 0.5)", AS_IT_IS),
    # outlines
    "mask-missing": Kind("error", "no segmentation, but the model wants masks", REFUSES),
    "mask-partly": Kind("warning", "some annotations have a segmentation, others none"),
    "polygon-malformed": Kind("error", "segmentation is no list of lists, nor RLE", REFUSES),
    "polygon-short": Kind("warning", "fewer than 6 numbers", "unharmed: the polygon is left out"),
    "polygon-odd": Kind("warning", "an odd number of numbers", "unharmed: the polygon is left out"),
    "polygon-not-finite": Kind("warning", "NaN or infinity", "unharmed: the polygon is left out"),
    "polygon-far": Kind("warning", "millions of pixels away", "unharmed: the polygon is left out"),
    "polygon-flat": Kind("warning", "an outline without area"),
    "polygon-open": Kind("warning", "not closed, where the file's outlines are"),
    "polygon-crossing": Kind("note", "an outline that crosses itself"),
    "polygon-outside": Kind("warning", "reaches beyond its image", "unharmed: cut at the edge"),
    "rle-size": Kind("error", "an RLE of another size than its image", REFUSES),
    "rle-counts": Kind("error", "the counts of an RLE do not fill its image", REFUSES),
    "rle-broken": Kind("error", "a compressed RLE that cannot be decoded", STOPS),
    # other keys
    "value-unreadable": Kind("error", "a value that is not what its key holds", REFUSES),
    "area-missing": Kind("note", "no area: the box's is taken"),
    "area-wrong": Kind("warning", "area 0 or negative, though box or outline has one", LEAVES_OUT),
    "area-not-finite": Kind("warning", "NaN or infinity in area"),
    "iscrowd-missing": Kind("note", "no iscrowd: 0 is taken"),
    "keypoints-length": Kind("error", "not three numbers for each joint", REFUSES),
    "keypoints-outside": Kind("warning", "labelled joints beyond the image"),
    "keypoints-visibility": Kind("warning", "visibility other than 0, 1, 2"),
    # pictures
    "image-missing": Kind("error", "not on disk", REFUSES),
    "image-broken": Kind("error", "empty, cut off, or no picture", STOPS),
    "image-size": Kind("error", "another size than the file says", STOPS),
    "image-size-swapped": Kind("error", "width and height swapped, as without EXIF", STOPS),
    "image-turned": Kind("note", "stored on its side, with EXIF; the file agrees with the EXIF"),
    "image-dark": Kind("warning", "16 bits, of which less than an eighth is used: almost black"),
    "image-mode": Kind("note", "16 bit, CMYK, palette, transparency, animation"),
    "image-unlisted": Kind("note", "on disk, but in no annotation file"),
    "content-twice": Kind("warning", "the same picture twice in a set"),
    "near-twice": Kind("warning", "almost the same picture twice in a set"),
    "leak": Kind("error", "the same picture in training and validation data", WARNS),
    "leak-near": Kind("warning", "almost the same picture in training and validation data"),
    "val-is-train": Kind("warning", "validated on the training data itself", WARNS),
}


def finding(code: str, message: str, source: str, **where: Any) -> Finding:
    """A finding with its kind's severity; ``where`` are further fields of ``Finding``."""
    return Finding(code, KINDS[code].severity, message, source, **where)


def capped(
    places: Sequence[Any] | Any, make: Callable[[Any], Finding], plural: str
) -> Iterator[Finding]:
    """Findings for the first places, and one that counts the rest.

    Args:
        places: whatever ``make`` takes, often the indices of annotations; may be empty.
        make: from a place to its finding.
        plural: what the places are, for the sentence about the rest.
    """
    first = None
    for place in places[:LISTED]:
        one = make(place)
        first = first or one
        yield one
    rest = len(places) - LISTED
    if first is not None and rest > 0:
        message = f"and {rest} more {plural}"
        yield Finding(first.code, first.severity, message, first.source, count=rest)
