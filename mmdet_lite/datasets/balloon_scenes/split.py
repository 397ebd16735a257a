"""Scenes on disk: JPEG pictures and a VIA 1 annotation file, laid out as the public balloon set."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2

from mmdet_lite.datasets.balloon_scenes.scene import Scene, draw_scene
from mmdet_lite.ops.whole_files import write_json

SPLITS = ("train", "val")
ANNOTATION_FILE = "via_region_data.json"


def existing_splits(root: Path) -> list[str]:
    """Return the splits of a folder that are annotated already."""
    return [split for split in SPLITS if (root / split / ANNOTATION_FILE).exists()]


def write_split(
    folder: Path,
    split: str,
    indices: Iterable[int],
    seed: int = 0,
    size_wh: tuple[int, int] = (640, 480),
) -> Path:
    """Draw the scenes ``indices`` of a split into a folder; returns the annotation file.

    The annotations are written last and in one step, so a folder that has them is complete. The
    same arguments write the same bytes. Without indices the annotations are an empty dict.

    Raises:
        ValueError: For a picture size that scenes cannot have.
        OSError: If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    annotations: dict[str, Any] = {}
    for index in indices:
        scene = draw_scene(seed, split, index, size_wh)
        name = f"{split}_{index:04d}_{scene.stage}.jpg"
        data = _encode_jpeg(scene)
        (folder / name).write_bytes(data)
        annotations[f"{name}{len(data)}"] = via_entry(name, len(data), scene)
    target = folder / ANNOTATION_FILE
    write_json(target, annotations)
    return target


def via_entry(filename: str, num_bytes: int, scene: Scene) -> dict[str, Any]:
    """Return one picture's annotation as VIA 1.0 writes it: regions are a dict of polygons."""
    regions = {
        str(i): {
            "shape_attributes": {
                "name": "polygon",
                "all_points_x": polygon[:, 0].tolist(),
                "all_points_y": polygon[:, 1].tolist(),
            },
            "region_attributes": {},
        }
        for i, polygon in enumerate(scene.polygons)
    }
    return {
        "fileref": "",
        "size": num_bytes,
        "filename": filename,
        "base64_img_data": "",
        "file_attributes": {},
        "regions": regions,
    }


def _encode_jpeg(scene: Scene) -> bytes:
    """Return the picture as a JPEG file."""
    _, data = cv2.imencode(".jpg", scene.image, [cv2.IMWRITE_JPEG_QUALITY, scene.jpeg_quality])
    return bytes(data)
