"""Class names: those of the config against those of the file, and those of two sets."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import takewhile

import numpy as np

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet
from mmdet_lite.datasets.check.codes import finding
from mmdet_lite.datasets.check.records import Finding
from mmdet_lite.datasets.class_names import side_by_side
from mmdet_lite.ops.checks import nearest_name

OFTENER = 3  # times that a name must be more frequent than what is taken for its misspelling
SHORTEST = 5  # letters of names of which one letter may be a slip


def check_categories(data: AnnotatedSet) -> Iterator[Finding]:
    """Names of ``metainfo.classes`` and of the file that do not fit, classes without instances."""
    in_file = [category["name"] for category in data.categories]
    misspelt = _nearest_names(data, in_file)
    yield from _missing_classes(data, in_file, misspelt)
    yield from _unlisted_categories(data, in_file, set(misspelt.values()))
    yield from _names_alike(data, in_file)
    yield from _slips(data, in_file, misspelt)
    if not data.annotations:
        return  # a set without annotations, as COCO's test set, says nothing about its classes
    counted = (data.labels >= 0) & ~data.crowd & (data.image_index >= 0)
    counts = np.bincount(data.labels[counted], minlength=len(data.classes))
    for label in np.flatnonzero(counts == 0):
        name = data.classes[label]
        if name in in_file:
            what = "validated" if data.uses.test_mode else "trained"
            yield finding(
                "class-without-instances",
                f"{name!r} has no instance in {data.ann_file}: it cannot be {what}. Annotate some, "
                "leave the class out, or check that the file is the right one",
                data.name,
            )


def compare_sets(train: AnnotatedSet, other: AnnotatedSet) -> Iterator[Finding]:
    """Class names and category ids that differ between two sets of a config or folder."""
    source = f"{train.name} / {other.name}"
    if train.classes != other.classes:
        table = side_by_side(train.name, train.classes, other.name, other.classes)
        yield finding(
            "classes-differ",
            f"{train.name} and {other.name} have different class names, or another order, and a "
            f"label is the place of its name:\n{table}\nGive both the same metainfo.classes",
            source,
        )
        return
    names = {c["name"] for c in train.categories} & {c["name"] for c in other.categories}
    numbered = [
        {c["name"]: c["id"] for c in data.categories if c["name"] in names}
        for data in (train, other)
    ]
    if list(numbered[0].items()) != list(numbered[1].items()):
        lists = [[f"{id_}: {name}" for name, id_ in one.items()] for one in numbered]
        yield finding(
            "category-order",
            f"{train.ann_file} and {other.ann_file} list or number their categories differently; "
            "classes are matched by name, so labels are right:\n"
            f"{side_by_side(train.name, lists[0], other.name, lists[1])}",
            source,
        )


def checkpoint_classes(
    trained: Sequence[str] | None, classes: Sequence[str], checkpoint: str, source: str
) -> Iterator[Finding]:
    """What becomes of a checkpoint's classes; nothing where they are equal or unknown."""
    if trained is None or list(trained) == list(classes):
        return
    common = [name for name in classes if name in trained]
    if common:
        happens = f"the rows of {len(common)} classes are taken by name, the others start anew"
    elif len(trained) == len(classes):
        happens = "they are as many, so the rows are loaded as they are"
    else:
        happens = "the class rows of the heads start anew"
    yield finding(
        "checkpoint-classes",
        f"{checkpoint} was trained on other classes than the data's, or in another order; "
        f"{happens}:\n{side_by_side('checkpoint', trained, source, classes)}",
        source,
    )


def _nearest_names(data: AnnotatedSet, in_file: Sequence[str]) -> dict[str, str]:
    """Class names that are no category, with the category that was probably meant."""
    free = [name for name in in_file if name not in data.classes]
    missing = [name for name in data.classes if name not in in_file]
    near = {name: nearest_name(name, free or in_file, 0.5) for name in missing}
    return {name: meant for name, meant in near.items() if meant is not None}


def _missing_classes(
    data: AnnotatedSet, in_file: Sequence[str], misspelt: Mapping[str, str]
) -> Iterator[Finding]:
    missing = [name for name in data.classes if name not in in_file]
    if not missing or (data.broken and not in_file):
        return
    table = side_by_side("metainfo.classes", data.classes, "categories of the file", in_file)
    for name in missing:
        hint = f"; did you mean {misspelt[name]!r}?" if name in misspelt else ""
        yield finding(
            "class-not-in-file",
            f"metainfo.classes has {name!r}, which is no category of {data.ann_file}{hint}\n"
            f"{table}\nNames must be equal, their order may differ",
            data.name,
        )


def _unlisted_categories(
    data: AnnotatedSet, in_file: Sequence[str], meant: Collection[str]
) -> Iterator[Finding]:
    for place, name in enumerate(in_file):
        if name in data.classes or name in meant:
            continue
        count = int((data.category_index == place).sum())
        if not count:
            continue
        near = nearest_name(name, data.classes, 0.8)
        hint = f" (did you mean {near!r}?)" if near else ""
        yield finding(
            "category-not-in-classes",
            f"category {name!r} of {data.ann_file} is not in metainfo.classes{hint}: its {count} "
            "annotations are left out and their objects are background. Add the name to "
            "metainfo.classes and num_classes if it should be learnt",
            data.name,
        )


def _slips(
    data: AnnotatedSet, in_file: Sequence[str], misspelt: Mapping[str, str]
) -> Iterator[Finding]:
    """Rare names that are one slip away from frequent ones, as 'chiar' and 'chair'."""
    places = {name: place for place, name in enumerate(in_file)}
    known = np.bincount(data.category_index[data.category_index >= 0], minlength=len(in_file))
    counts = {name: int(known[place]) for name, place in places.items() if known[place]}
    for name, count in counts.items():
        meant = [m for m in counts if counts[m] >= OFTENER * count and _one_slip(name, m)]
        if meant and name not in misspelt.values():
            often = max(meant, key=lambda other: counts[other])
            yield finding(
                "category-names-alike",
                f"{name!r} has {count} annotations in {data.ann_file}, {often!r} has "
                f"{counts[often]}: did you mean {often!r}? They count as different classes",
                data.name,
            )


def _one_slip(name: str, other: str) -> bool:
    """Whether one letter is changed, missing or too many, or two neighbours are swapped.

    Short names differ so by nature (cat, car; cap, cape), as numbered ones do: of names below five
    letters only swaps count.
    """
    a, b = name.casefold(), other.casefold()
    start = _alike_from_start(a, b)
    end = _alike_from_start(a[start:][::-1], b[start:][::-1])
    left, right = a[start : len(a) - end], b[start : len(b) - end]
    if not (left + right).isalpha():
        return False
    swapped = len(left) == 2 and left == right[::-1]
    return swapped or (max(len(left), len(right)) == 1 and min(len(a), len(b)) >= SHORTEST)


def _alike_from_start(a: str, b: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _names_alike(data: AnnotatedSet, in_file: Sequence[str]) -> Iterator[Finding]:
    groups = defaultdict(list)
    for name in dict.fromkeys([*in_file, *data.classes]):
        groups["".join(name.casefold().replace("_", " ").replace("-", " ").split())].append(name)
    for names in groups.values():
        if len(names) > 1:
            yield finding(
                "category-names-alike",
                f"the names {', '.join(map(repr, names))} in {data.ann_file} differ only in case, "
                "blanks or dashes and count as different classes; give one thing one name",
                data.name,
            )
