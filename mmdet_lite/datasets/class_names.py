"""Class names of a data set: checked, matched with a file by name, given colours."""

import colorsys
import difflib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from mmdet_lite.ops.checks import nearest_name

Color = tuple[int, int, int]
GOLDEN_RATIO = 0.618033988749895
_MISSPELT = 0.8  # thing_classes, a key of panoptic data, is 0.7 like classes


def check_metainfo(metainfo: Mapping[str, Any]) -> None:
    """Refuse a metainfo whose class names would be misread.

    Raises:
        ValueError: ``classes`` is a bare string that names no file, holds something else than
            strings or one name twice; a key is misspelt, or spelt as in MMDetection 2; the palette
            is shorter than the class names.
    """
    for key in ("classes", "palette"):
        if key.upper() in metainfo:
            raise ValueError(f"metainfo has the key {key.upper()!r}; write it {key!r}")
    for key in set(metainfo) - {"classes", "palette"}:  # any other key is the user's own
        meant = nearest_name(key, ("classes", "palette"), _MISSPELT)
        if meant is not None:
            raise ValueError(f"metainfo has the key {key!r}; did you mean {meant!r}?")
    classes = metainfo.get("classes")
    if classes is None:
        return
    if isinstance(classes, str):
        if os.path.isfile(classes):  # mmengine reads one name from each line
            return
        raise ValueError(
            f"metainfo.classes is the string {classes!r}, expected a tuple of names; "
            f"add a comma: classes=({classes!r},)"
        )
    wrong = [name for name in classes if not isinstance(name, str)]
    if wrong:
        raise ValueError(f"metainfo.classes must hold strings; got {wrong[0]!r}")
    check_unique(classes, "metainfo.classes")
    palette = metainfo.get("palette")
    if palette is not None and len(palette) < len(classes):
        raise ValueError(
            f"metainfo.palette has {len(palette)} colours for {len(classes)} classes; "
            "give one for each, or leave palette out"
        )


def check_unique(names: Sequence[Any], where: str) -> None:
    """Raise ValueError if something occurs twice in ``names``; ``where`` says what they are."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{where}: {twice[:5]} occurs more than once; each must be unique")


def map_categories(
    categories: Sequence[Mapping[str, Any]], classes: Sequence[str], file: str
) -> dict[Any, int]:
    """Map category ids to labels, by name and never by position.

    Categories that ``classes`` does not list are left out.

    Raises:
        ValueError: a class name is not in the file.
    """
    in_file = [category["name"] for category in categories]
    missing = [name for name in classes if name not in in_file]
    if missing:
        hints = []
        for name in missing:
            near = difflib.get_close_matches(name, in_file, 1, cutoff=0.5)
            hints.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
        raise ValueError(
            f"metainfo.classes has names that are no categories of {file}: {', '.join(hints)}.\n"
            f"{side_by_side('metainfo.classes', classes, 'categories of the file', in_file)}\n"
            "Names must be equal, their order may differ. Correct metainfo.classes in every data "
            "set and evaluator, or leave it out to take all names from the file."
        )
    labels = {name: label for label, name in enumerate(classes)}
    return {
        category["id"]: labels[category["name"]]
        for category in categories
        if category["name"] in labels
    }


def side_by_side(
    left_title: str, left: Sequence[str], right_title: str, right: Sequence[str]
) -> str:
    """Write two lists of names beside each other; ``-`` marks those that the other lacks.

    >>> print(side_by_side('a', ['cat'], 'b', ['cat', 'dog']))
      a   | b
      cat | cat
          | dog -
    """
    marked = [
        [f"{n} -" if n not in other else n for n in own]
        for own, other in ((left, right), (right, left))
    ]
    width = max(map(len, [left_title, *marked[0]]))
    rows = [(left_title, right_title), *zip_longest(*marked, fillvalue="")]
    return "\n".join(f"  {a:{width}} | {b}".rstrip() for a, b in rows)


def generate_palette(num_classes: int) -> list[Color]:
    """Return distinct, strong RGB colours; the same for the same number.

    Hues step by the golden ratio, so that neighbours differ most, while saturation and brightness
    take turns of five and seven values.

    >>> generate_palette(2)
    [(230, 23, 60), (34, 108, 191)]
    """
    colors = []
    for i in range(num_classes):
        hue = (0.97 + i * GOLDEN_RATIO) % 1
        saturation = (0.9, 0.82, 0.7, 0.95, 0.6)[i % 5]
        value = (0.9, 0.75, 1.0, 0.6, 0.85, 0.95, 0.7)[i % 7]
        red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
        colors.append((round(red * 255), round(green * 255), round(blue * 255)))
    return colors


def complete_metainfo(metainfo: Mapping[str, Any], classes: Sequence[str]) -> dict[str, Any]:
    """Return a metainfo with ``classes`` as a tuple and one colour for each.

    Raises:
        ValueError: as ``check_metainfo``.
    """
    check_metainfo({**metainfo, "classes": classes})
    palette = metainfo.get("palette") or generate_palette(len(classes))
    colors = [tuple(int(channel) for channel in color) for color in palette]
    return {**metainfo, "classes": tuple(classes), "palette": colors}
