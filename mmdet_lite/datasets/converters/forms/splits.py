"""Names of splits, as files and folders say them."""

import re
from pathlib import Path

SPLITS = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}


def split_of(name: str) -> str | None:
    """Return train, val or test if a file or folder is named after it; None otherwise.

    >>> split_of("instances_train2017"), split_of("valid"), split_of("annotation_coco")
    ('train', 'val', None)
    """
    words = re.findall(r"[a-z]+", name.lower())
    return next((SPLITS[word] for word in words if word in SPLITS), None)


def split_folder(file: Path, home: Path) -> tuple[str | None, Path]:
    """Return the split that a folder between ``home`` and a file is named after, and that folder.

    None and ``home`` where there is none, or the file is elsewhere.
    """
    parts = file.relative_to(home).parts[:-1] if home in file.parents else ()
    for depth, part in enumerate(parts, 1):
        if split := split_of(part):
            return split, home.joinpath(*parts[:depth])
    return None, home
