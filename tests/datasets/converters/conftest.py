"""A set that holds what COCO can hold, and pictures to go with it."""

import json

import cv2
import numpy as np
import pytest

from mmdet_lite.ops.rle import encode_crop


def ring_rle(height, width):
    """An RLE with a hole, away from the middle."""
    rows, cols = np.mgrid[:height, :width]
    distance = np.hypot(cols - width / 3, rows - height / 2)
    crop = ((distance < height / 3) & (distance > height / 6)).astype(np.uint8)
    rle = encode_crop(crop, 0, 0, (height, width))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


@pytest.fixture
def rich_content():
    """Polygon, two parts, RLE with a hole, box alone, crowd; fractions; an empty image."""
    return {
        "info": {"description": "drawn"},
        "images": [
            {"id": 30, "file_name": "a.jpg", "height": 40, "width": 60, "license": 3},
            {"id": 10, "file_name": "sub/b.png", "height": 33, "width": 47},
            {"id": 20, "file_name": "c.jpg", "height": 20, "width": 20},
        ],
        "categories": [
            {"id": 18, "name": "dog", "supercategory": "animal"},
            {"id": 3, "name": "traffic light"},
            {"id": 7, "name": "never seen"},
        ],
        "annotations": [
            {
                "id": 5, "image_id": 30, "category_id": 18, "iscrowd": 0, "area": 150.0,
                "bbox": [10.25, 5.5, 20.0, 15.0],
                "segmentation": [[10.25, 5.5, 30.25, 5.5, 30.25, 20.5]],
            },
            {
                "id": 6, "image_id": 30, "category_id": 3, "iscrowd": 0, "area": 62.0,
                "bbox": [2, 22, 38, 16],
                "segmentation": [[2, 22, 8, 22, 8, 27, 2, 27], [36, 30, 40, 30, 40, 38, 36, 38]],
            },
            {
                "id": 9, "image_id": 10, "category_id": 18, "iscrowd": 0, "area": 240,
                "bbox": [5, 6, 22, 22], "segmentation": ring_rle(33, 47),
            },
            {
                "id": 11, "image_id": 10, "category_id": 3, "iscrowd": 0, "area": 35.7,
                "bbox": [30.1, 3.2, 10.2, 3.5], "segmentation": [],
            },
            {
                "id": 12, "image_id": 10, "category_id": 3, "iscrowd": 1, "area": 60,
                "bbox": [40, 20, 5, 12],
                "segmentation": {"size": [33, 47], "counts": [1340, 12, 21, 12, 21, 12, 21, 12,
                                                              21, 12, 67]},
            },
        ],
    }  # fmt: skip


def write_pictures(folder, content):
    rng = np.random.default_rng(0)
    for image in content["images"]:
        path = folder / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (image["height"], image["width"], 3), np.uint8)
        cv2.imwrite(str(path), pixels)


@pytest.fixture
def write_set(tmp_path):
    """A function that writes ``content`` and its pictures, and returns the json's path."""

    def write(content, name="set", split="train"):
        folder = tmp_path / name
        write_pictures(folder / split, content)
        (folder / "annotations").mkdir(exist_ok=True)
        file = folder / "annotations" / f"{split}.json"
        file.write_text(json.dumps(content))
        return file

    return write
