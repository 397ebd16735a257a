"""Cityscapes' pictures of instance ids to COCO json."""

import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from mmdet_lite.datasets.converters.cityscapes import (
    cityscapes_to_coco,
    convert_cityscapes,
    image_pairs,
    instance_annotations,
)


@pytest.fixture
def converted(cityscapes_root):
    out = cityscapes_root / "annotations"
    convert_cityscapes(cityscapes_root, out)
    files = {path.name: json.loads(path.read_text()) for path in out.iterdir()}
    return {
        split: files[f"instancesonly_filtered_gtFine_{split}.json"] for split in files_of(files)
    }


def files_of(files):
    return [name.removesuffix(".json").rsplit("_", 1)[1] for name in sorted(files)]


def test_a_file_is_written_for_every_split(converted):
    assert list(converted) == ["test", "train", "val"]
    assert [len(converted[split]["images"]) for split in converted] == [1, 1, 3]


def test_categories_are_the_eight_classes_under_their_label_ids(converted):
    names = ["person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"]
    ids = [24, 25, 26, 27, 28, 31, 32, 33]
    for coco in converted.values():
        assert coco["categories"] == [{"id": i, "name": n} for i, n in zip(ids, names, strict=True)]


def test_objects_groups_and_nothing_else_become_annotations(converted):
    val = converted["val"]
    frankfurt = next(i["id"] for i in val["images"] if "frankfurt" in i["file_name"])
    found = [
        (a["category_id"], a["bbox"], a["area"], a["iscrowd"])
        for a in val["annotations"]
        if a["image_id"] == frankfurt
    ]
    assert found == [
        (26, [10, 70, 40, 30], 1200, 1),
        (24, [110, 30, 20, 60], 1200, 0),
        (26, [10, 20, 40, 30], 1200, 0),
        (26, [60, 20, 40, 30], 1200, 0),
    ]


def test_the_test_set_has_images_and_no_annotations(converted):
    assert "annotations" not in converted["test"]


def test_names_are_below_the_folder_of_the_split(converted, cityscapes_root):
    image = converted["train"]["images"][0]
    assert image["file_name"] == "aachen/aachen_000000_000019_leftImg8bit.png"
    assert image["segm_file"] == "aachen/aachen_000000_000019_gtFine_labelIds.png"
    assert (image["height"], image["width"]) == (120, 160)
    assert (cityscapes_root / "leftImg8bit/train" / image["file_name"]).is_file()


def test_masks_are_those_of_the_picture_also_of_odd_shapes():
    rng = np.random.default_rng(0)
    ids = rng.choice([7, 24001, 26003, 33], (40, 30)).astype(np.uint16)
    ids[:, 0] = 26003
    annotations = instance_annotations(ids)
    assert [a["category_id"] for a in annotations] == [33, 24, 26]
    for inst_id, ann in zip([33, 24001, 26003], annotations, strict=True):
        mask = (ids == inst_id).astype(np.uint8)
        rle = coco_mask.encode(np.asfortranarray(mask))
        assert ann["segmentation"] == {"size": [40, 30], "counts": rle["counts"].decode()}
        assert ann["bbox"] == coco_mask.toBbox(rle).tolist()
        assert ann["area"] == mask.sum()


def test_pycocotools_reads_the_file(cityscapes_root, converted, capsys):
    coco = COCO(str(cityscapes_root / "annotations/instancesonly_filtered_gtFine_val.json"))
    assert coco.annToMask(coco.anns[1]).sum() == coco.anns[1]["area"]


def test_several_processes_give_the_same(cityscapes_root):
    pairs = image_pairs(cityscapes_root, "val")
    root = cityscapes_root / "leftImg8bit/val"
    assert cityscapes_to_coco(pairs, root, nproc=2) == cityscapes_to_coco(pairs, root)


def test_nothing_gives_empty_lists(tmp_path):
    coco = cityscapes_to_coco([], tmp_path)
    assert coco["images"] == coco["annotations"] == []
    assert instance_annotations(np.full((4, 4), 7, np.uint16)) == []


def test_missing_instance_ids_are_listed(cityscapes_root):
    ids = next((cityscapes_root / "gtFine/val/munster").iterdir())
    ids.unlink()
    with pytest.raises(FileNotFoundError, match=rf"1 of 3 images .*{ids.name}.*gtFine_trainval"):
        convert_cityscapes(cityscapes_root, cityscapes_root)
    assert not list(cityscapes_root.glob("*.json"))


def test_a_picture_with_colours_is_no_picture_of_ids(cityscapes_root):
    ids = next((cityscapes_root / "gtFine/train/aachen").iterdir())
    cv2.imwrite(str(ids), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="expected one channel"):
        convert_cityscapes(cityscapes_root, cityscapes_root)


def test_an_empty_folder_is_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="give the folder that leftImg8bit and gtFine"):
        convert_cityscapes(tmp_path, tmp_path)
