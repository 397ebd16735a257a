"""A COCO file: read once, checked, kept small, shared by workers."""

import gc
import json
import multiprocessing
import os
import pickle

import numpy as np
import pytest
from torch.utils.data import DataLoader

from mmdet_lite.datasets import CocoDataset, coco_file, read_class_names
from mmdet_lite.datasets.coco_annotation import pack_polygons, unpack_polygons


def test_class_names_are_read_without_parsing_the_rest(coco_content, write_coco, monkeypatch):
    args = write_coco(coco_content)
    path = f"{args['data_root']}/ann.json"

    def never(*_, **__):
        raise AssertionError("the whole file was parsed")

    monkeypatch.setattr(coco_file, "parse_json", never)
    assert read_class_names(path) == ("dog", "cat")
    with open(path, "w") as file:  # the categories first, and longer than one look
        long = [{"id": n, "name": f"Ünï {n} " + "x" * 50} for n in range(3000)]
        del coco_content["categories"]
        json.dump({"categories": long, **coco_content}, file, indent=2)
    assert read_class_names(path) == tuple(category["name"] for category in long)


@pytest.mark.parametrize(
    "text",
    [
        '{"info": {"categories": [1]}, "images": [], "categories": [{"id": 1, "name": "cat"}]}',
        '{"images": [], "categories" :\n [ {"id": 1, "name": "cat"} ] }',
    ],
)
def test_class_names_are_those_of_the_right_key(text, tmp_path):
    (tmp_path / "ann.json").write_text(text)
    assert read_class_names(str(tmp_path / "ann.json")) == ("cat",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": [], "categories": [{"id": 1, "name": "cat"}', "is not valid json"),
        ('{"images": [], "categories": {"cat": 1}}', r"expected categories = \[\{...\}, ...\]"),
        ('{"images": [], "categories": [{"id": 1}]}', "with a text as name"),
        ('{"images": [], "categories": ["cat"]}', "expected every one of its categories"),
    ],
)
def test_broken_categories_are_named_also_when_only_they_are_read(text, message, tmp_path):
    (tmp_path / "ann.json").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_class_names(str(tmp_path / "ann.json"))
    assert "ann.json" in str(error.value)


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("images", {"id": None}, "expected an id, a number or a text, for every one of its images"),
        ("images", {"id": [7]}, r"got \[7\] at position 0"),
        ("images", {"file_name": 3}, "expected a text as file_name, got 3"),
        ("images", {"height": "40"}, "expected height in whole pixels, got '40'"),
        ("images", {"width": 0}, "expected width in whole pixels, got 0"),
        ("images", {"width": 30.5}, "expected width in whole pixels, got 30.5"),
        ("annotations", {"image_id": "7"}, "7 is, as int: write both alike"),
        ("annotations", {"category_id": "2"}, "2 is, as int: write both alike"),
        ("annotations", {"iscrowd": "0"}, "annotation 1 .*expected iscrowd = 0 or 1, got '0'"),
        ("annotations", {"ignore": "no"}, "expected ignore = 0 or 1, got 'no'"),
        ("annotations", {"area": "200"}, "expected area = a number, got '200'"),
        ("annotations", {"segmentation": [[1, 2, "3", 4, 5, 6]]}, "expected segmentation = "),
        ("annotations", {"segmentation": {"size": [40, 30]}}, "expected segmentation = "),
        (
            "annotations",
            {"segmentation": {"size": [40, 30], "counts": [1, 2]}},
            r"counts of its RLE are 3 pixels, its size \[40, 30\] has 1200",
        ),
        ("annotations", {"keypoints": [1, 2]}, "three numbers a joint, got 2"),
        ("annotations", {"keypoints": [1, 2, float("nan")]}, "keypoints are not finite"),
    ],
)
def test_values_of_a_wrong_kind_are_named(table, change, message, coco_content, write_coco):
    args = write_coco(coco_content)
    coco_content[table][0].update(change)
    with open(f"{args['data_root']}/ann.json", "w") as file:
        json.dump(coco_content, file)
    with pytest.raises(ValueError, match=message) as error:
        CocoDataset(**args)
    assert "ann.json" in str(error.value)


def test_sizes_written_as_floats_are_whole_pixels(coco_content, write_coco):
    args = write_coco(coco_content)
    coco_content["images"][0].update(height=40.0, width=30.0)
    with open(f"{args['data_root']}/ann.json", "w") as file:
        json.dump(coco_content, file)
    entry = CocoDataset(**args).get_data_info(0)
    assert (entry["height"], entry["width"]) == (40, 30) and type(entry["height"]) is int


def test_polygons_travel_packed_and_come_back_number_for_number():
    polygons = [[1.25, 2, 3, 4, 5, 6.0625], list(np.random.default_rng(0).random(60))]
    ann = pack_polygons({"id": 1, "segmentation": [*polygons, [1, 2]]})
    assert unpack_polygons(ann["segmentation"]) == polygons
    assert ann["unusable"] == 1
    for left_alone in ([], None, {"size": [1, 1], "counts": [1]}, [["1"] * 6], [3], "x"):
        assert pack_polygons({"segmentation": left_alone}) == {"segmentation": left_alone}


@pytest.mark.parametrize("serialize", [True, False])
def test_an_entry_is_the_same_each_time_it_is_asked_for(coco_args, serialize):
    dataset = CocoDataset(**coco_args, serialize_data=serialize)
    first = dataset.get_data_info(0)
    assert first["instances"][0]["mask"] == [[2, 3, 12, 3, 12, 23, 2, 23]]
    first["instances"][0]["mask"][0][0] = -1
    assert dataset.get_data_info(0)["instances"][0]["mask"] == [[2, 3, 12, 3, 12, 23, 2, 23]]


def many_images(write_coco, coco_content, number):
    """Arguments of a set whose annotations are larger than all else that a worker makes."""
    polygon = np.arange(4000.0).tolist()
    coco_content["images"] = [
        {"id": n, "file_name": f"{n}.jpg", "height": 4000, "width": 4000} for n in range(number)
    ]
    coco_content["annotations"] = [
        {
            "id": n, "image_id": n, "category_id": 2, "bbox": [1, 1, 50, 50],
            "segmentation": [polygon],
        }
        for n in range(number)
    ]  # fmt: skip
    images = coco_content.pop("images")
    args = write_coco({**coco_content, "images": []})
    with open(f"{args['data_root']}/ann.json", "w") as file:
        json.dump({**coco_content, "images": images}, file)
    return args


def private_mib(pid):
    """Memory that a process shares with no other."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        rows = dict(line.split(":", 1) for line in file.read().splitlines()[1:])
    return sum(int(rows[key].split()[0]) for key in ("Private_Clean", "Private_Dirty")) / 1024


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="memory is read in /proc")
def test_workers_read_the_annotations_of_the_parent(coco_content, write_coco):
    """After two epochs no worker has made a copy of the block of annotations."""
    dataset = CocoDataset(**many_images(write_coco, coco_content, 1000))
    size = dataset.data_bytes.nbytes / 2**20
    assert size > 30 and not dataset.data_list
    gc.collect()
    loader = DataLoader(dataset, 25, num_workers=2, collate_fn=len, persistent_workers=True)
    assert sum(loader) == 1000
    children = [child.pid for child in multiprocessing.active_children()]
    before = [private_mib(pid) for pid in children]
    assert sum(loader) == 1000
    after = [private_mib(pid) for pid in children]
    assert len(children) >= 2
    assert all(b - a < 0.2 * size for a, b in zip(before, after, strict=True)), (before, after)
    assert all(mib < 0.75 * size for mib in after), (after, size)
    del loader


def test_entries_are_one_block_that_no_entry_outlives(coco_args):
    dataset = CocoDataset(**coco_args)
    assert dataset.data_bytes.dtype == np.uint8 and dataset.data_bytes.base is not None
    assert dataset.data_address[-1] == dataset.data_bytes.nbytes
    again = pickle.loads(pickle.dumps(dataset))
    for n in range(len(dataset)):
        assert again.get_data_info(n) == dataset.get_data_info(n)
    assert len(dataset.get_subset([2, 0])) == 2
    assert dataset.get_subset([2]).get_data_info(0)["img_id"] == 5
