"""The same picture twice: within a set, or in training and validation data."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.datasets.check.annotated_set import AnnotatedSet, Ints
from mmdet_lite.datasets.check.codes import capped, finding
from mmdet_lite.datasets.check.image_facts import THUMBNAIL, ImageFacts
from mmdet_lite.datasets.check.records import Finding

MOST_BITS = 4  # of 64, by which two pictures may look different
MOST_DIFFERENCE = 4.0  # mean of 255 grey values, between their thumbnails of like brightness
LEAST_CONTRAST = 8.0  # standard deviation of a thumbnail; plain ones look alike all
_BANDS = np.array_split(np.arange(64), MOST_BITS + 1)
_BITS_IN_BYTE = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


@dataclass(frozen=True)
class Listing:
    """A picture of a set."""

    data: AnnotatedSet
    index: int

    @property
    def path(self) -> str:
        """Its file."""
        return self.data.image_paths[self.index]

    @property
    def boxes(self) -> list[tuple[object, ...]]:
        """Its annotations, to be compared: labels and boxes, sorted."""
        rows = np.flatnonzero(self.data.image_index == self.index)
        names = [self.data.labels[row] for row in rows]
        return sorted(zip(names, map(tuple, self.data.xywh[rows].tolist()), strict=True))


def check_duplicates(
    sets: Sequence[AnnotatedSet], facts: Mapping[str, ImageFacts]
) -> Iterator[Finding]:
    """Pictures with equal files, and pictures that look equal, of all sets together."""
    listings = [
        Listing(data, i)
        for data in sets
        for i, path in enumerate(data.image_paths)
        if path in facts and not facts[path].problem
    ]
    yield from _equal(listings, facts)
    yield from _alike(listings, facts)


def check_same_set(sets: Sequence[AnnotatedSet]) -> Iterator[Finding]:
    """Validation on the training data itself."""
    for train, val in _train_and_other(sets):
        if _same_data(train, val):
            yield finding(
                "val-is-train",
                f"{val.name} is {train.ann_file}, which is also {train.name}: its AP says how well "
                "the data was learnt by heart, not how good the model is. Split the data "
                "(mmdet-lite convert-data --split)",
                f"{train.name} / {val.name}",
            )


def near_pairs(looks: NDArray[np.uint64], thumbnails: NDArray[np.uint8]) -> Ints:
    """(P, 2) pictures that look the same though their files differ.

    Two looks that differ in at most four of 64 bits are equal in one of five groups of bits: only
    such pairs are compared, first bit by bit, then by their thumbnails. Of many pictures that look
    the same (frames of a video) each is paired with an earlier one, not with all.

    Args:
        looks: (N,) difference hashes.
        thumbnails: (N, 256) grey values.
    """
    values = thumbnails.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    rows = np.flatnonzero(values.std(axis=1) >= LEAST_CONTRAST)
    found_pairs: set[tuple[int, int]] = set()
    matched = np.zeros(len(looks), bool)
    for band in _BANDS:
        mask = np.uint64(sum(1 << int(bit) for bit in band))
        order = rows[np.argsort(looks[rows] & mask, kind="stable")]
        key = looks[order] & mask
        active, step = np.arange(len(order) - 1), 1
        while len(active):
            active = active[key[active] == key[active + step]]
            one, other = order[active], order[active + step]
            near = _differing_bits(looks[one], looks[other]) <= MOST_BITS
            one, other = one[near], other[near]
            same = np.abs(values[one] - values[other]).mean(axis=1) <= MOST_DIFFERENCE
            pairs = np.sort(np.stack([one[same], other[same]], axis=1), axis=1)
            found_pairs.update((a, b) for a, b in pairs.tolist())
            matched[pairs[:, 1]] = True
            step += 1
            active = active[(active + step < len(order)) & ~matched[order[active]]]
    return np.array(sorted(found_pairs), np.int64).reshape(-1, 2)


def _equal(listings: Sequence[Listing], facts: Mapping[str, ImageFacts]) -> Iterator[Finding]:
    groups: dict[str, list[Listing]] = defaultdict(list)
    for listing in listings:
        groups[facts[listing.path].digest].append(listing)
    twice, leaks = [], []
    for group in groups.values():
        first_of: dict[str, Listing] = {}
        for listing in group:
            first = first_of.setdefault(listing.data.name, listing)
            if first.path != listing.path:  # one file listed twice is said elsewhere
                twice.append((first, listing))
        leaks += _leaks(list(first_of.values()))
    yield from capped(twice, _twice_finding, "pictures occur twice")
    yield from capped(leaks, _leak_finding, "pictures are in both")


def _alike(listings: Sequence[Listing], facts: Mapping[str, ImageFacts]) -> Iterator[Finding]:
    first_of: dict[tuple[str, str], Listing] = {}
    for listing in listings:
        first_of.setdefault((listing.data.name, facts[listing.path].digest), listing)
    kept = list(first_of.values())
    of_kept = [facts[listing.path] for listing in kept]
    looks = np.array([int(one.look, 16) for one in of_kept], np.uint64)
    raw = b"".join(bytes.fromhex(one.thumbnail) for one in of_kept)
    thumbnails = np.frombuffer(raw, np.uint8).reshape(-1, THUMBNAIL * THUMBNAIL)
    pairs = [
        (kept[a], kept[b])
        for a, b in near_pairs(looks, thumbnails).tolist()
        if of_kept[a].digest != of_kept[b].digest
    ]
    twice = [(a, b) for a, b in pairs if a.data is b.data]
    leaks = [leak for pair in pairs for leak in _leaks(pair)]

    def twice_finding(pair: tuple[Listing, Listing]) -> Finding:
        one, other = pair
        text = (
            f"{other.path} looks almost like {one.path} of the same set; of frames of a video, or "
            "copies of another size, one is enough"
        )
        return finding("near-twice", text, one.data.name, image=other.path)

    def leak_finding(pair: tuple[Listing, Listing]) -> Finding:
        one, other = pair
        text = (
            f"{other.path} in {other.data.name} looks almost like {one.path} in {one.data.name}: "
            "if it is the same scene, the AP is too good; put both into one set"
        )
        source = f"{one.data.name} / {other.data.name}"
        return finding("leak-near", text, source, image=other.path)

    yield from capped(twice, twice_finding, "pictures look like another one")
    yield from capped(leaks, leak_finding, "pictures look like one of the other set")


def _twice_finding(pair: tuple[Listing, Listing]) -> Finding:
    one, other = pair
    alike = one.boxes == other.boxes
    rows = np.flatnonzero(other.data.image_index == other.index)
    annotated = "annotated the same" if alike else "but annotated differently, so one is wrong"
    return finding(
        "content-twice",
        f"{other.path} is the same picture as {one.path}, {annotated}; remove one of them",
        one.data.name,
        image=other.path,
        boxes=other.data.boxes_to_draw(rows[:20].tolist()),
    )


def _leak_finding(pair: tuple[Listing, Listing]) -> Finding:
    one, other = pair
    return finding(
        "leak",
        f"{other.path} in {other.data.name} is the same picture as {one.path} in {one.data.name}: "
        "the AP would be too good; remove it from one of the two",
        f"{one.data.name} / {other.data.name}",
        image=other.path,
    )


def _leaks(listings: Sequence[Listing]) -> list[tuple[Listing, Listing]]:
    """Pairs of which one is trained on and the other evaluated on; the trained one first."""
    trained = [one for one in listings if not _is_evaluated(one.data)]
    evaluated = [one for one in listings if _is_evaluated(one.data)]
    return [
        (one, other)
        for one in trained
        for other in evaluated
        if not _same_data(one.data, other.data)
    ]


def _train_and_other(
    sets: Sequence[AnnotatedSet],
) -> Iterator[tuple[AnnotatedSet, AnnotatedSet]]:
    for one in sets:
        for other in sets:
            if not _is_evaluated(one) and _is_evaluated(other):
                yield one, other


def _same_data(one: AnnotatedSet, other: AnnotatedSet) -> bool:
    return one.ann_file == other.ann_file and one.image_paths == other.image_paths


def _is_evaluated(data: AnnotatedSet) -> bool:
    """Whether a set is for validation or test: said by the config, or by the set's name."""
    words = ("val", "valid", "test", "eval", "dev")
    return data.uses.test_mode or data.name.lower().startswith(words)


def _differing_bits(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> Ints:
    differing = np.bitwise_xor(one, other).view(np.uint8).reshape(-1, 8)
    return _BITS_IN_BYTE[differing].sum(axis=1, dtype=np.int64)
