"""What one annotation of a COCO file may hold."""

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmdet_lite.datasets.coco_file import shortened
from mmdet_lite.ops.box_faults import MOST_PIXELS
from mmdet_lite.ops.rle import is_valid_polygon

FLAGS = (0, 1, None)


def pack_polygons(ann: dict[str, Any]) -> dict[str, Any]:
    """Turn the polygons of an annotation into bytes, which are a third as large, and return it.

    ``unusable`` says how many polygons were left out. From here to ``unpack_polygons``, which data
    sets call where an image is taken, ``segmentation`` (in instances: ``mask``) is one of

    - a tuple of bytes: the usable polygons, each as its numbers in float64;
    - (): there were polygons, none of use, so that the object is kept without outline;
    - a dict: an RLE, as it was;
    - nothing, None or []: no outline was given;
    - a list: what cannot be read, which ``unreadable`` explains.
    """
    segmentation = ann.get("segmentation")
    if type(segmentation) is not list or not segmentation:
        return ann
    try:
        usable = [polygon for polygon in segmentation if is_valid_polygon(polygon)]
        packed = tuple([array("d", polygon).tobytes() for polygon in usable])
    except (TypeError, ArithmeticError):
        return ann
    unusable = len(segmentation) - len(packed)
    if unusable:
        if not _is_segmentation(segmentation):
            return ann
        ann["unusable"] = unusable
    ann["segmentation"] = packed
    return ann


def unpack_polygons(packed: tuple[bytes, ...]) -> list[list[float]]:
    """Return the polygons of a packed segmentation."""
    return [array("d", polygon).tolist() for polygon in packed]


def check_rle(rle: Mapping[str, Any], height: int, width: int) -> None:
    """Raise ValueError unless an RLE is of that size; a list of counts must fill it exactly.

    Compressed counts are checked where they are decoded.
    """
    if list(rle["size"]) != [height, width]:
        raise ValueError(
            f"its RLE has size {shortened(rle['size'])}, its image is [{height}, {width}] (height, "
            "width)"
        )
    counts = rle["counts"]
    if isinstance(counts, str):
        return
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError(f"expected whole numbers as counts of its RLE, got {shortened(counts)}")
    if sum(counts) != height * width:
        raise ValueError(
            f"the counts of its RLE are {sum(counts)} pixels, its size [{height}, {width}] has "
            f"{height * width}"
        )


def check_keypoints(keypoints: Sequence[float], num_joints: int | None) -> None:
    """Raise ValueError unless there are three finite numbers for each joint.

    ``num_joints`` is None where the data set does not say how many.
    """
    expected = len(keypoints) // 3 * 3 if num_joints is None else 3 * num_joints
    if len(keypoints) != expected:
        number = "three numbers a joint" if num_joints is None else f"{expected} numbers"
        raise ValueError(
            f"expected keypoints = [x1, y1, v1, ...] with {number}, got {len(keypoints)}"
        )
    if not all(-MOST_PIXELS < number < MOST_PIXELS for number in keypoints):
        raise ValueError(f"its keypoints are not finite, or far away: {shortened(keypoints)}")


def unreadable(ann: Mapping[str, Any], keys: Sequence[str] = ()) -> str | None:
    """Say which value of an annotation is not what it should be, None if all are.

    ``keys`` are those to look at, all if empty.
    """
    for key in keys or _EXPECTED:
        expected, fits = _EXPECTED[key]
        if key in ann and not fits(ann[key]):
            return f"expected {key} = {expected}, got {shortened(ann[key])}"
    return None


def is_number(value: Any) -> bool:
    """Whether a json holds a number there that a float can hold, finite or not."""
    if not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) <= sys.float_info.max


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(is_number(one) for one in value)


def _is_segmentation(value: Any) -> bool:
    if isinstance(value, list):
        return all(_are_numbers(polygon) for polygon in value)
    if isinstance(value, tuple):  # packed, so it was read
        return True
    if not isinstance(value, dict) or not value:
        return not value
    counts = value.get("counts")
    return _are_numbers(value.get("size")) and (isinstance(counts, str) or _are_numbers(counts))


_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "bbox": ("[x, y, width, height] in numbers", _are_numbers),
    "area": ("a number", lambda value: value is None or isinstance(value, int | float)),
    "iscrowd": ("0 or 1", lambda value: value in FLAGS),
    "ignore": ("0 or 1", lambda value: value in FLAGS),
    "segmentation": ("[[x1, y1, x2, y2, ...], ...] or an RLE", _is_segmentation),
    "keypoints": ("[x1, y1, v1, ...] in numbers", lambda value: not value or _are_numbers(value)),
}
