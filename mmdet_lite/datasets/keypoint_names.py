"""The joints of a data set: their names, partners in a mirror, and the lines between them.

In a metainfo: ``keypoint_names`` (J names), ``flip_indices`` (J, the joint that each becomes in a
mirror), ``skeleton_links`` (pairs of joints, counted from 0), ``sigmas`` (J, how exactly each joint
can be marked, for OKS). Letters: J joints.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmdet_lite.datasets.class_names import check_unique
from mmdet_lite.ops.checks import did_you_mean

KEYPOINT_KEYS = ("keypoint_names", "flip_indices", "flip_pairs", "skeleton_links", "sigmas")
SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))


def complete_keypoint_metainfo(
    metainfo: Mapping[str, Any], categories: Sequence[Mapping[str, Any]], source: str
) -> dict[str, Any]:
    """Return the metainfo with all keys of joints, from what was given and what the file says.

    What was given counts more than the file. ``flip_pairs`` and ``skeleton_links`` may name joints
    by name or by number. Without ``flip_indices`` and ``flip_pairs`` names that differ in left and
    right are partners. Without names, or where categories have different ones, nothing is added.

    Args:
        metainfo: of the data set; unchanged.
        categories: those of the file that are used, with ``keypoints`` (names) and ``skeleton``
            (pairs, counted from 1) where they have joints.
        source: the file, for messages.

    Raises:
        ValueError: numbers of joints disagree, or a joint does not exist.
    """
    with_joints = [category for category in categories if category.get("keypoints")]
    in_file = {tuple(category["keypoints"]) for category in with_joints}
    names = metainfo.get("keypoint_names") or (in_file.pop() if len(in_file) == 1 else None)
    if names is None:
        given = [key for key in KEYPOINT_KEYS if key in metainfo]
        if given:
            raise ValueError(f"metainfo.{given[0]} needs metainfo.keypoint_names beside it")
        return dict(metainfo)
    names = tuple(names)
    check_unique(names, f"keypoint names of {source}")
    links = metainfo.get("skeleton_links")
    if links is None:
        from_one = with_joints[0].get("skeleton", ()) if with_joints else ()
        links = [(first - 1, second - 1) for first, second in from_one]
    complete = {key: value for key, value in metainfo.items() if key != "flip_pairs"}
    complete["keypoint_names"] = names
    complete["flip_indices"] = _flip_indices(metainfo, names)
    complete["skeleton_links"] = _pairs(links, names, "skeleton_links")
    if "sigmas" in metainfo:
        complete["sigmas"] = tuple(float(sigma) for sigma in metainfo["sigmas"])
        _check_number(complete["sigmas"], names, "sigmas")
    return complete


def flip_indices_by_name(names: Sequence[str]) -> tuple[int, ...]:
    """The joint that each joint becomes in a mirror: left and right change places.

    >>> flip_indices_by_name(["nose", "left_eye", "right_eye"])
    (0, 2, 1)
    """
    return tuple(
        names.index(partner) if (partner := _other_side(name)) in names else i
        for i, name in enumerate(names)
    )


def _other_side(name: str) -> str:
    for left, right in SIDES:
        if left in name:
            return name.replace(left, right)
        if right in name:
            return name.replace(right, left)
    return name


def _flip_indices(metainfo: Mapping[str, Any], names: Sequence[str]) -> tuple[int, ...]:
    """From ``flip_indices``, else ``flip_pairs``, else the names."""
    if metainfo.get("flip_indices") is not None:
        indices = tuple(int(i) for i in metainfo["flip_indices"])
        _check_number(indices, names, "flip_indices")
    elif metainfo.get("flip_pairs") is not None:
        partner = list(range(len(names)))
        for first, second in _pairs(metainfo["flip_pairs"], names, "flip_pairs"):
            partner[first], partner[second] = second, first
        indices = tuple(partner)
    else:
        indices = flip_indices_by_name(names)
    known = range(len(names))
    wrong = [i for i in known if indices[i] not in known or indices[indices[i]] != i]
    if wrong:
        raise ValueError(
            f"metainfo.flip_indices={indices}: joint {wrong[0]} ({names[wrong[0]]!r}) becomes "
            f"{indices[wrong[0]]}, which does not become {wrong[0]} again; a joint without "
            "partner names itself"
        )
    return indices


def _pairs(given: Sequence[Any], names: Sequence[str], key: str) -> tuple[tuple[int, int], ...]:
    """Pairs of joints as numbers."""
    pairs = [tuple(_joint(joint, names, key) for joint in pair) for pair in given]
    for pair in pairs:
        if len(pair) != 2:
            raise ValueError(f"metainfo.{key}: expected pairs of joints, got {pair}")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _joint(joint: Any, names: Sequence[str], key: str) -> int:
    if isinstance(joint, str):
        if joint not in names:
            raise ValueError(f"metainfo.{key}: no joint {joint!r}; {did_you_mean(joint, names)}")
        return names.index(joint)
    if not 0 <= int(joint) < len(names):
        raise ValueError(f"metainfo.{key}: joint {joint} is not in 0..{len(names) - 1}")
    return int(joint)


def _check_number(values: Sequence[Any], names: Sequence[str], key: str) -> None:
    if len(values) != len(names):
        raise ValueError(
            f"metainfo.{key} has {len(values)} entries for {len(names)} joints; give one for each"
        )
