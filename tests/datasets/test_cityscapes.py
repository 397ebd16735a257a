"""CityscapesDataset: classes, groups, filter."""

import json

import numpy as np
import pytest
from mmengine.registry import DATASETS as ENGINE_DATASETS

from mmdet_lite.datasets import CityscapesDataset, dataset_classes
from mmdet_lite.datasets.converters.cityscapes import convert_cityscapes

NAMES = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
PIPELINE = [
    {"type": "LoadImageFromFile"},
    {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True},
    {"type": "PackDetInputs"},
]


@pytest.fixture
def config(cityscapes_root):
    convert_cityscapes(cityscapes_root, cityscapes_root / "annotations")

    def of(split, **more):
        return {
            "type": "CityscapesDataset",
            "data_root": str(cityscapes_root),
            "ann_file": f"annotations/instancesonly_filtered_gtFine_{split}.json",
            "data_prefix": {"img": f"leftImg8bit/{split}/"},
            "filter_cfg": {"filter_empty_gt": True, "min_size": 32},
            **more,
        }

    return of


def built(config):
    dataset = ENGINE_DATASETS.build(config)
    assert isinstance(dataset, CityscapesDataset)
    return dataset


def test_classes_and_colours_are_those_of_cityscapes(config):
    dataset = built(config("val"))
    assert dataset.metainfo["classes"] == NAMES == dataset_classes(config("val"))
    assert dataset.metainfo["palette"][2] == (0, 0, 142)
    assert len(set(dataset.metainfo["palette"])) == 8


def test_an_image_with_groups_only_is_dropped_in_training(config):
    kept = [built(config("val")).get_data_info(i)["img_path"] for i in range(2)]
    assert len(built(config("val"))) == 2
    assert not any("lindau" in path for path in kept)
    assert len(built(config("val", test_mode=True))) == 3
    assert len(built(config("val", filter_cfg=None))) == 3


def test_groups_are_ignored_and_masks_are_those_of_the_pictures(config):
    dataset = built(config("val", pipeline=PIPELINE))
    sample = dataset[0]["data_samples"]
    assert [NAMES[label] for label in sample.gt_instances.labels] == ["person", "car", "car"]
    assert sample.gt_instances.bboxes[1].tolist() == [10, 20, 50, 50]
    assert [NAMES[label] for label in sample.ignored_instances.labels] == ["car"]
    mask = sample.gt_instances.masks.to_ndarray()[1]
    assert mask[20:50, 10:50].all() and mask.sum() == 1200


def test_fewer_classes_can_be_taken(config):
    dataset = built(config("val", metainfo={"classes": ("car", "bicycle")}))
    assert len(dataset) == 2
    assert dataset.get_cat_ids(0) == [0, 0, 0]
    assert dataset.get_cat_ids(1) == [1]


def test_nothing_but_groups_is_an_error_that_counts_them(config, cityscapes_root):
    path = cityscapes_root / "annotations/instancesonly_filtered_gtFine_val.json"
    coco = json.loads(path.read_text())
    for annotation in coco["annotations"]:
        annotation["iscrowd"] = 1
    path.write_text(json.dumps(coco))
    with pytest.raises(ValueError, match=r"with groups \(iscrowd\) only: 3"):
        built(config("val"))


def test_the_picture_is_loaded(config):
    pixels = built(config("train", pipeline=PIPELINE))[0]["inputs"].numpy()
    assert pixels.shape == (3, 120, 160)
    assert np.unique(pixels[0]).tolist() == [0, 90]
