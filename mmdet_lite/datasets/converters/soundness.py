"""What training would refuse, refused before it is written in another form, which would hide it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmdet_lite.datasets.check import KINDS, AnnotatedSet, Finding, ImageFacts, Uses, annotated_set
from mmdet_lite.datasets.check.boxes import check_box_form
from mmdet_lite.datasets.check.codes import REFUSES, STOPS
from mmdet_lite.datasets.check.images import check_images, missing_files
from mmdet_lite.datasets.check.outlines import Survey, check_agreement
from mmdet_lite.datasets.converters.content import AnnotatedImages, Track, raise_all
from mmdet_lite.ops.image_file import BadImageError, MissingImageError, exif_orientation, image_size


def refuse_wrong(sets: Sequence[AnnotatedImages], track: Track) -> list[str]:
    """Refuse sets of which all that is written would be wrong: other sizes, other forms of boxes.

    Of each picture that is there the head is read.

    Returns:
        What else is to be known: pictures missing or unreadable, sets without objects, single boxes
        beside their outlines; each a sentence with a count.

    Raises:
        ValueError: pictures have another size than the annotations say, boxes look like corners,
            centres or shares, or most of them lie beside their outlines; in check-data's words.
    """
    notes: list[str] = []
    problems: list[str] = []
    for one in sets:
        uses = Uses(embedded=frozenset(one.embedded))
        data = annotated_set(one.split, str(one.source), str(one.image_root), one.content, uses)
        facts, unread = _facts(data, track)
        found = [*check_images(data, facts), *_wrong_boxes(data)]
        refused = [f for f in found if KINDS[f.code].training in (REFUSES, STOPS)]
        problems += [f"{f.code}: {f.message}" for f in refused]
        notes += _notes(data, unread)
        doubtful = [f for f in found if f.severity != "note" and f not in refused]
        counts: Counter[str] = Counter()
        for each in doubtful:
            counts[each.code] += each.count
        notes += [
            f"{count} x {KINDS[code].meaning}: check-data shows where"
            for code, count in counts.items()
        ]
    raise_all(problems, "this is trained on wrongly in any form (check-data shows all of it)")
    return notes


def _facts(data: AnnotatedSet, track: Track) -> tuple[dict[str, ImageFacts], list[str]]:
    """Size and orientation of the pictures that are there, and the paths of unreadable ones."""
    facts: dict[str, ImageFacts] = {}
    unread: list[str] = []
    said = dict(zip(data.image_paths, map(tuple, data.image_wh.tolist()), strict=True))
    for path in track(list(said), f"sizes of {data.name}"):
        try:
            height, width = image_size(path)
        except MissingImageError:
            continue
        except BadImageError:
            unread.append(path)
            continue
        turned = exif_orientation(Path(path).read_bytes()) if said[path] != (width, height) else 1
        facts[path] = ImageFacts(0, 0, width, height, turned)
    return facts, unread


def _wrong_boxes(data: AnnotatedSet) -> Iterator[Finding]:
    """As the check before a training; see ``check.training``."""
    other_form = list(check_box_form(data))
    yield from other_form
    if not other_form:
        yield from check_agreement(data, Survey(data, with_geometry=False).bounds)


def _notes(data: AnnotatedSet, unread: Sequence[str]) -> Iterator[str]:
    missing = sorted(missing_files(data.files_on_disk))
    for what, paths in (("are not on disk", missing), ("cannot be read", unread)):
        if paths:
            yield f"{len(paths)} of {len(data.images)} pictures {what}, such as {paths[0]}"
    if data.images and not data.annotations:
        yield (
            f"none of the {len(data.images)} pictures of {data.ann_file} ({data.name}) has an "
            "object: training refuses that"
        )
