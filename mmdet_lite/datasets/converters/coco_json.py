"""Both ends of every converter: how large the images are, and the COCO file that is written."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import mmcv


def read_sizes(names: Sequence[str], folder: Path) -> dict[str, tuple[int, int]]:
    """Return (height, width) of the images of a folder by file name, as training loads them.

    Raises:
        ValueError: If images are missing or unreadable; names them.
    """
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise ValueError(f"{len(missing)} of {len(names)} images are not in {folder}: {shown}")
    sizes = {}
    for name in names:
        try:
            image = mmcv.imread(str(folder / name))
        except cv2.error:  # an empty file
            image = None
        if image is None:
            raise ValueError(f"image {folder / name} cannot be read; is it damaged?")
        sizes[name] = (int(image.shape[0]), int(image.shape[1]))
    return sizes


def write_coco(coco: Mapping[str, Any], out_file: str | Path) -> None:
    """Write a COCO file in one step; its folder is made if absent."""
    target = Path(out_file)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.write_text(json.dumps(coco))
    os.replace(partial, target)
