"""Small sets of annotated images without a mistake, to put one into."""

import copy
import json
from functools import cache

import cv2
import numpy as np

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.check import (
    Uses,
    annotated_set,
    check_before_training,
    check_sets,
    read_all_facts,
)

TRAIN_STEPS = [
    {"type": "LoadImageFromFile"},
    {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True, "poly2mask": False},
    {"type": "Resize", "scale": (320, 240), "keep_ratio": True},
    {"type": "RandomFlip", "prob": 0.5},
    {"type": "PackDetInputs"},
]
BOX_STEPS = [{**step, "with_mask": False} if "with_mask" in step else step for step in TRAIN_STEPS]
BOX_STEPS[1].pop("poly2mask")
WIDTH, HEIGHT = 200, 150


def drawn_content(num_images=8, first_id=1):
    """Images of 200x150 with three objects each, octagons of the classes cat and dog."""
    rng = np.random.default_rng(first_id)
    images = [
        {"id": first_id + i, "file_name": f"{first_id + i}.png", "width": WIDTH, "height": HEIGHT}
        for i in range(num_images)
    ]
    annotations = []
    for image in images:
        for left in (5, 70, 135):
            w, h = rng.uniform(20, 55), rng.uniform(30, 90)
            x, y = left + rng.uniform(0, 3), rng.uniform(5, 50)
            annotations.append(
                {
                    "id": 100 * first_id + len(annotations),
                    "image_id": image["id"],
                    "category_id": 1 + len(annotations) % 2,
                    **outlined(x, y, w, h),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    return {"images": images, "annotations": annotations, "categories": categories}


def outlined(x, y, w, h):
    """``bbox, segmentation, area`` of an octagon in a box."""
    corners = [(0.3, 0), (0.7, 0), (1, 0.3), (1, 0.7), (0.7, 1), (0.3, 1), (0, 0.7), (0, 0.3)]
    polygon = [round(float(v), 2) for u, t in corners for v in (x + u * w, y + t * h)]
    xs, ys = polygon[0::2], polygon[1::2]
    box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    return {"bbox": [round(v, 2) for v in box], "segmentation": [polygon], "area": 0.82 * w * h}


def draw_images(content, folder):
    """Write a different picture for each image; smooth, as photographs are."""
    folder.mkdir(parents=True, exist_ok=True)
    for image in content["images"]:
        rng = np.random.default_rng(image["id"])
        coarse = rng.integers(0, 256, (6, 8, 3), np.uint8)
        size = (image["width"], image["height"])
        pixels = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / image["file_name"]), pixels)


def photographs(shared, num_images=8):
    """The content of some photographs of COCO with their two most frequent classes, and a folder.

    Objects that COCO itself annotated oddly (crowds, slivers at the edge) are left out.
    """
    whole = _parsed(shared / "data/coco/annotations/instances_val2017.json")
    names = {"person", "chair"}
    ids = [c["id"] for c in whole["categories"] if c["name"] in names]
    chosen = [a for a in whole["annotations"] if a["category_id"] in ids and not a["iscrowd"]]
    chosen = [a for a in chosen if len(a["segmentation"]) == 1 and min(a["bbox"][2:]) > 20]
    by_image = {}
    for ann in chosen:
        by_image.setdefault(ann["image_id"], []).append(ann)
    kept = [id_ for id_, anns in by_image.items() if 2 <= len(anns) <= 8][:num_images]
    content = {
        "images": [image for image in whole["images"] if image["id"] in kept],
        "annotations": [ann for id_ in kept for ann in by_image[id_]],
        "categories": [c for c in whole["categories"] if c["name"] in names],
    }
    return copy.deepcopy(content), shared / "data/coco/val2017"


@cache
def _parsed(path):
    return json.loads(path.read_text())


class SpoiltSet:
    """A set in a folder: ``content`` may be changed, then it is checked and trained on."""

    def __init__(self, content, folder):
        self.content = content
        self.pictures = folder / "images"
        self.classes = tuple(category["name"] for category in content["categories"])
        self.with_mask = True
        self.as_bitmaps = False
        self.filter_cfg = {"filter_empty_gt": True, "min_size": 32}
        self.ann_file = folder / "ann.json"

    def path(self, index):
        """File of an image."""
        return self.pictures / self.content["images"][index]["file_name"]

    def uses(self):
        return Uses(
            classes=self.classes, with_mask=self.with_mask, filter_cfg=dict(self.filter_cfg)
        )

    def steps(self):
        load, annotations, *others = TRAIN_STEPS if self.with_mask else BOX_STEPS
        return [load, annotations | ({"poly2mask": True} if self.as_bitmaps else {}), *others]

    def checked(self, with_pictures=False):
        """The report of the check."""
        self.ann_file.write_text(json.dumps(self.content))
        args = ("train", str(self.ann_file), str(self.pictures), self.content, self.uses())
        data = annotated_set(*args)
        facts = read_all_facts(data.image_paths, {}) if with_pictures else None
        return check_sets("a set", [data], facts)

    def dataset(self, **changes):
        """The data set as a config would build it for training."""
        self.ann_file.write_text(json.dumps(self.content))
        arguments = {
            "ann_file": str(self.ann_file),
            "data_prefix": {"img": str(self.pictures)},
            "metainfo": {"classes": self.classes},
            "filter_cfg": self.filter_cfg,
            "pipeline": self.steps(),
            "serialize_data": False,  # which collects garbage, a second for each test
        }
        return CocoDataset(**{**arguments, **changes})

    def train(self):
        """What a training does with its data: builds it, looks at it, loads all of it."""
        dataset = self.dataset()
        check_before_training(dataset)
        return [dataset[i] for i in range(len(dataset))]
