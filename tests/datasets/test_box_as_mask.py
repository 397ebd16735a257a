"""Boxes serve a mask head if, and only if, the config asks for it."""

import cv2
import numpy as np
import pytest

from mmdet_lite.datasets import CocoDataset, XMLDataset

PIPELINE = [
    {"type": "LoadImageFromFile"},
    {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True, "poly2mask": False},
    {"type": "PackDetInputs"},
]
XML = """<annotation><size><width>40</width><height>30</height></size><object><name>cat</name>
<bndbox><xmin>3</xmin><ymin>5</ymin><xmax>13</xmax><ymax>25</ymax></bndbox></object></annotation>"""


@pytest.fixture
def boxes_alone(coco_content, write_coco):
    for annotation in coco_content["annotations"][:2]:
        annotation["segmentation"] = []
    return write_coco(coco_content)


@pytest.fixture
def voc_args(tmp_path):
    for folder in ("Annotations", "JPEGImages"):
        (tmp_path / folder).mkdir()
    (tmp_path / "Annotations" / "a.xml").write_text(XML)
    cv2.imwrite(str(tmp_path / "JPEGImages" / "a.jpg"), np.zeros((30, 40, 3), np.uint8))
    (tmp_path / "train.txt").write_text("a\n")
    return {"data_root": str(tmp_path), "ann_file": "train.txt"}


def test_a_coco_box_becomes_its_mask(boxes_alone):
    dataset = CocoDataset(**boxes_alone, pipeline=PIPELINE, box_as_mask=True)
    instances = dataset[0]["data_samples"].gt_instances
    for box, polygons in zip(instances.bboxes, instances.masks.masks, strict=True):
        x1, y1, x2, y2 = box.tolist()
        assert polygons[0].tolist() == [x1, y1, x2, y1, x2, y2, x1, y2]


def test_a_coco_mask_that_is_there_stays(coco_content, write_coco):
    coco_content["annotations"][0]["segmentation"] = []
    dataset = CocoDataset(**write_coco(coco_content), pipeline=PIPELINE, box_as_mask=True)
    masks = dataset[0]["data_samples"].gt_instances.masks.masks
    assert sorted(len(polygons) for polygons in masks) == [1, 2]


def test_without_it_the_error_names_it(boxes_alone):
    with pytest.raises(ValueError, match="box_as_mask=True in the data set, or convert-data"):
        CocoDataset(**boxes_alone, pipeline=PIPELINE)


def test_a_voc_box_becomes_its_mask(voc_args):
    dataset = XMLDataset(**voc_args, pipeline=PIPELINE, box_as_mask=True)
    masks = dataset[0]["data_samples"].gt_instances.masks.masks
    assert masks[0][0].tolist() == [2, 4, 12, 4, 12, 24, 2, 24]


def test_voc_without_it_is_refused_before_training(voc_args):
    with pytest.raises(ValueError, match=r"1 annotations .* have no segmentation.*box_as_mask"):
        XMLDataset(**voc_args, pipeline=PIPELINE)


def test_it_changes_nothing_where_no_masks_are_loaded(boxes_alone):
    pipeline = [PIPELINE[0], {"type": "LoadAnnotations"}, PIPELINE[2]]
    dataset = CocoDataset(**boxes_alone, pipeline=pipeline, box_as_mask=True)
    assert "masks" not in dataset[0]["data_samples"].gt_instances
