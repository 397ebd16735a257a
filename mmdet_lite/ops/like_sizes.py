"""Things of like size, worked on together: in one tensor all become as large as the largest."""

from collections.abc import Sequence


def stretches_of_like_size(sizes: Sequence[Sequence[int]], most: int) -> list[tuple[int, int]]:
    """Cut a row of sizes into stretches (start, end) that, all made as large, have so many pixels.

    ``sizes`` are pairs of sides, best in the order of their area. One that is larger than ``most``
    is a stretch of its own; no sizes give no stretch.

    >>> stretches_of_like_size([(2, 2), (2, 2), (1, 90), (90, 1)], 200)
    [(0, 2), (2, 3), (3, 4)]
    """
    stretches: list[tuple[int, int]] = []
    start, longest, widest = 0, 0, 0
    for i, (length, width) in enumerate(sizes):
        longest, widest = max(longest, length), max(widest, width)
        if i > start and (i + 1 - start) * longest * widest > most:
            stretches.append((start, i))
            start, longest, widest = i, length, width
    return [*stretches, (start, len(sizes))] if sizes else []
