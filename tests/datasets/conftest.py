"""A small data set on disk in COCO's format."""

import json

import cv2
import numpy as np
import pytest


@pytest.fixture
def coco_content():
    """Three images, ids and categories in an order that only names can sort out.

    Image 7 is upright with a cat and a dog, image 3 has nothing, image 5 a crowd of dogs (RLE).
    """
    return {
        "images": [
            {"id": 7, "file_name": "a.jpg", "height": 40, "width": 30},
            {"id": 3, "file_name": "b.jpg", "height": 30, "width": 40},
            {"id": 5, "file_name": "c.jpg", "height": 30, "width": 40},
        ],
        "categories": [{"id": 9, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 7,
                "category_id": 2,
                "bbox": [2, 3, 10, 20],
                "area": 200,
                "iscrowd": 0,
                "segmentation": [[2, 3, 12, 3, 12, 23, 2, 23]],
            },
            {
                "id": 2,
                "image_id": 7,
                "category_id": 9,
                "bbox": [15, 10, 10, 10],
                "segmentation": [[15, 10, 25, 10, 25, 20], [15, 10, 25, 20, 15, 20]],
            },
            {
                "id": 3,
                "image_id": 5,
                "category_id": 9,
                "bbox": [0, 0, 20, 30],
                "iscrowd": 1,
                "segmentation": {"size": [30, 40], "counts": [0, 600, 600]},
            },
        ],
    }


@pytest.fixture
def write_coco(tmp_path):
    """A function that writes images and a json, and returns the arguments of CocoDataset."""

    def write(content):
        (tmp_path / "images").mkdir(exist_ok=True)
        rng = np.random.default_rng(0)
        for image in content["images"]:
            pixels = rng.integers(0, 256, (image["height"], image["width"], 3), np.uint8)
            cv2.imwrite(str(tmp_path / "images" / image["file_name"]), pixels)
        (tmp_path / "ann.json").write_text(json.dumps(content))
        return {
            "data_root": str(tmp_path),
            "ann_file": "ann.json",
            "data_prefix": {"img": "images/"},
        }

    return write


@pytest.fixture
def coco_args(coco_content, write_coco):
    """Arguments of CocoDataset for the small set."""
    return write_coco(coco_content)


VOC_OBJECT = """<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>
<xmin>{box[0]}</xmin><ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax>
</bndbox></object>"""


@pytest.fixture
def write_voc(tmp_path):
    """A function that writes a set in VOC's form, and returns the arguments of XMLDataset.

    Images are 60 x 40 (width x height); ``objects`` maps image names to (name, box, difficult), or
    to the text of the XML.
    """

    def write(objects, year="VOC2007", listed=None, size="<width>60</width><height>40</height>"):
        folders = [tmp_path / year / part for part in ("JPEGImages", "Annotations", "ImageSets")]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        for name, content in objects.items():
            picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
            cv2.imwrite(str(folders[0] / f"{name}.jpg"), picture)
            text = content
            if not isinstance(content, str):
                found = [VOC_OBJECT.format(name=n, box=b, difficult=d) for n, b, d in content]
                text = f"<annotation><size>{size}</size>{''.join(found)}</annotation>"
            (folders[1] / f"{name}.xml").write_text(text)
        lines = [f"{name}\n" for name in (objects if listed is None else listed)]
        (folders[2] / "train.txt").write_text("".join(lines))
        return {
            "data_root": str(tmp_path),
            "ann_file": f"{year}/ImageSets/train.txt",
            "data_prefix": {"sub_data_root": f"{year}/"},
        }

    return write
