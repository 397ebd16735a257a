"""Classes go by name: no order of names, categories or ids changes what an object is."""

import copy
import json
import math
from itertools import permutations

import numpy as np
import pytest
import torch

from mmdet_lite.datasets import CocoDataset, ConcatDataset
from mmdet_lite.evaluation import CocoMetric

NAMES = ("cat", "dog", "cow")
SIDE = 200


@pytest.fixture
def val_content():
    """20 images with 1 to 5 objects of three classes; ids and order that say nothing."""
    rng = np.random.default_rng(3)
    category_ids = {"cow": 1, "cat": 40, "dog": 7}
    images, annotations = [], []
    for image_id in rng.permutation(90)[:20].tolist():
        images.append(
            {"id": image_id, "file_name": f"{image_id}.jpg", "height": SIDE, "width": SIDE}
        )
        for _ in range(rng.integers(1, 6)):
            x, y = rng.uniform(0, 120, 2).tolist()
            w, h = rng.uniform(20, 80, 2).tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": category_ids[str(rng.choice(NAMES, p=[0.5, 0.3, 0.2]))],
                    "bbox": [x, y, w, h],
                    "area": w * h,
                    "iscrowd": 0,
                    "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]],
                }
            )
    categories = [{"id": id_, "name": name} for name, id_ in category_ids.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


@pytest.fixture
def write(tmp_path):
    """A function that writes a content and returns its path."""

    def write_content(content, name="val.json"):
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return str(path)

    return write_content


def renumbered(content, seed):
    """The same annotations with the categories in another order, under other ids."""
    rng = np.random.default_rng(seed)
    ids = [category["id"] for category in content["categories"]]
    new_ids = dict(zip(ids, rng.permutation(np.arange(1, 90))[: len(ids)].tolist(), strict=True))
    turned = copy.deepcopy(content)
    rng.shuffle(turned["categories"])
    for category in turned["categories"]:
        category["id"] = new_ids[category["id"]]
    for ann in turned["annotations"]:
        ann["category_id"] = new_ids[ann["category_id"]]
    return turned


def detections_by_name(content):
    """Fixed detections that say names: some right, some shifted, some of a wrong class."""
    rng = np.random.default_rng(5)
    names = {category["id"]: category["name"] for category in content["categories"]}
    found = {image["id"]: [] for image in content["images"]}
    for ann in content["annotations"]:
        x, y, w, h = ann["bbox"]
        shift = rng.normal(0, 4, 4)
        name = names[ann["category_id"]]
        if rng.random() < 0.2:
            name = str(rng.choice(NAMES))
        box = (np.array([x, y, x + w, y + h]) + shift).tolist()
        found[ann["image_id"]].append((box, name, float(rng.random())))
    return found


def evaluate(ann_file, dataset_meta, found):
    """AP by name of detections that were given by name."""
    classes = dataset_meta["classes"]
    metric = CocoMetric(ann_file, metric=["bbox", "segm"], classwise=True)
    metric.dataset_meta = dataset_meta
    for image_id, rows in found.items():
        boxes = torch.tensor([box for box, _, _ in rows], dtype=torch.float32).reshape(-1, 4)
        predictions = {
            "bboxes": boxes,
            "labels": torch.tensor([classes.index(name) for _, name, _ in rows]),
            "scores": torch.tensor([score for _, _, score in rows]),
            "masks": [drawn(box) for box, _, _ in rows],
        }
        sample = {"img_id": image_id, "ori_shape": (SIDE, SIDE), "pred_instances": predictions}
        metric.process(None, [sample])
    return metric.evaluate(len(found))


def drawn(box):
    """The RLE of a box."""
    from pycocotools import mask as coco_mask

    x1, y1, x2, y2 = box
    return coco_mask.frPyObjects([[x1, y1, x2, y1, x2, y2, x1, y2]], SIDE, SIDE)[0]


def test_reordering_classes_changes_no_ap_of_a_name(val_content, write):
    found, ann_file = detections_by_name(val_content), write(val_content)
    results = []
    for classes in permutations(NAMES):
        dataset = CocoDataset(ann_file, metainfo={"classes": classes}, test_mode=True)
        assert dataset.metainfo["classes"] == classes
        results.append(evaluate(ann_file, dataset.metainfo, found))
    by_name = {name: results[0][f"coco/segm_{name}_precision"] for name in NAMES}
    assert len(set(by_name.values())) == 3, "the classes must differ, or the test sees nothing"
    assert all(0.1 < value < 0.9 for value in by_name.values())
    assert all(result == pytest.approx(results[0], rel=1e-12) for result in results)


def test_reordering_categories_and_ids_of_the_file_changes_no_ap(val_content, write):
    found = detections_by_name(val_content)
    meta = {"classes": NAMES}
    expected = evaluate(write(val_content), meta, found)
    for seed in range(4):
        path = write(renumbered(val_content, seed), f"turned{seed}.json")
        # sums over the categories of the file round as their order has it
        assert evaluate(path, meta, found) == pytest.approx(expected, rel=1e-12)


def objects(dataset):
    """Name and box of every object of a data set."""
    classes = dataset.metainfo["classes"]
    return [
        (classes[instance["bbox_label"]], instance["bbox"])
        for n in range(len(dataset))
        for instance in dataset.get_data_info(n)["instances"]
    ]


@pytest.mark.parametrize("classes", permutations(NAMES))
def test_train_and_val_files_in_different_orders_give_the_same_labels(val_content, write, classes):
    train = CocoDataset(write(val_content, "train.json"), metainfo={"classes": classes})
    for seed in range(3):
        path = write(renumbered(val_content, seed), "val.json")
        val = CocoDataset(path, metainfo={"classes": classes})
        assert objects(val) == objects(train)
        labels = [
            [[i["bbox_label"] for i in one.get_data_info(n)["instances"]] for n in range(len(one))]
            for one in (train, val)
        ]
        assert labels[0] == labels[1]


def test_labels_learnt_on_one_file_score_perfectly_on_the_other(val_content, write):
    """A model that gives the training file's labels, evaluated on a file of another order."""
    train = CocoDataset(write(val_content, "train.json"), metainfo={"classes": NAMES})
    val_file = write(renumbered(val_content, 1), "val.json")
    metric = CocoMetric(val_file, classwise=True)
    metric.dataset_meta = train.metainfo
    for n in range(len(train)):
        info = train.get_data_info(n)
        boxes = [instance["bbox"] for instance in info["instances"]]
        labels = [instance["bbox_label"] for instance in info["instances"]]
        predictions = {
            "bboxes": torch.tensor(boxes),
            "labels": torch.tensor(labels),
            "scores": torch.ones(len(labels)),
        }
        metric.process(None, [{"img_id": info["img_id"], "pred_instances": predictions}])
    numbers = metric.evaluate(len(train))
    assert all(numbers[f"coco/{name}_precision"] == pytest.approx(1) for name in NAMES)


def test_joined_files_in_different_orders_keep_their_names(val_content, write):
    first, second = write(val_content, "one.json"), write(renumbered(val_content, 2), "two.json")
    joined = ConcatDataset(
        [CocoDataset(path, metainfo={"classes": NAMES}) for path in (first, second)]
    )
    half = len(joined) // 2
    for n in range(half):
        assert joined.get_data_info(n)["instances"] == joined.get_data_info(half + n)["instances"]
    with pytest.raises(ValueError, match="same class names in the same order") as error:
        ConcatDataset([CocoDataset(first), CocoDataset(second)])
    assert "2. data set" in str(error.value)


@pytest.mark.parametrize(
    ("written", "meant"), [("Cat", "cat"), ("cta", "cat"), ("dogs", "dog"), ("cow ", "cow")]
)
def test_a_misspelt_class_is_an_error_with_the_right_suggestion(val_content, write, written, meant):
    classes = tuple(written if name == meant else name for name in NAMES)
    path = write(val_content)
    with pytest.raises(ValueError, match=rf"{written!r} \(did you mean {meant!r}\?\)") as error:
        CocoDataset(path, metainfo={"classes": classes})
    message = str(error.value)
    assert path in message and "metainfo.classes" in message
    assert all(name in message for name in NAMES)  # both lists
    metric = CocoMetric(path)
    with pytest.raises(ValueError, match=f"did you mean {meant!r}"):
        metric.dataset_meta = {"classes": classes}


def test_a_category_that_classes_do_not_list_counts_nowhere(val_content, write):
    found, path = detections_by_name(val_content), write(val_content)
    expected = evaluate(path, {"classes": NAMES}, found)
    more = copy.deepcopy(val_content)
    more["categories"].insert(0, {"id": 3, "name": "sheep"})
    more["annotations"] += [
        {**ann, "id": ann["id"] + 1000, "category_id": 3} for ann in more["annotations"]
    ]
    wider = write(more, "wider.json")
    dataset = CocoDataset(wider, metainfo={"classes": NAMES})
    assert objects(dataset) == objects(CocoDataset(path, metainfo={"classes": NAMES}))
    assert evaluate(wider, dataset.metainfo, found) == pytest.approx(expected, rel=1e-12)


def test_a_class_without_objects_has_no_ap_and_moves_no_other(val_content, write):
    found, path = detections_by_name(val_content), write(val_content)
    expected = evaluate(path, {"classes": NAMES}, found)
    empty = copy.deepcopy(val_content)
    empty["categories"].insert(1, {"id": 2, "name": "ant"})
    classes = ("ant", *NAMES)
    numbers = evaluate(write(empty, "empty.json"), {"classes": classes}, found)
    without = numbers.pop("coco/ant_precision")
    assert math.isnan(without) or without == -1
    for name in NAMES:
        assert numbers[f"coco/segm_{name}_precision"] == expected[f"coco/segm_{name}_precision"]
    assert numbers["coco/bbox_mAP"] == expected["coco/bbox_mAP"]


def test_a_val_file_that_lacks_a_class_is_an_error_with_both_lists(val_content, write):
    lacking = copy.deepcopy(val_content)
    gone = lacking["categories"].pop()["id"]
    lacking["annotations"] = [a for a in lacking["annotations"] if a["category_id"] != gone]
    path = write(lacking)
    with pytest.raises(ValueError, match=r"metainfo.classes +\| categories of the file") as error:
        CocoDataset(path, metainfo={"classes": NAMES})
    assert "dog -" in str(error.value)
