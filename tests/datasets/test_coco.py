"""CocoDataset: classes by name, entries, filters, errors."""

import json
import logging
import pickle

import pytest
from mmengine.registry import DATASETS as ENGINE_DATASETS
from torch.utils.data import DataLoader

from mmdet_lite.datasets import CocoDataset

TRAIN = [
    {"type": "LoadImageFromFile", "backend_args": None},
    {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True},
    {"type": "Resize", "scale": (64, 48), "keep_ratio": True},
    {"type": "RandomFlip", "prob": 0.5},
    {"type": "PackDetInputs"},
]


@pytest.fixture
def logged(monkeypatch):
    """What the data set logs, as (level, text)."""
    lines = []

    def record(text, logger=None, level=logging.INFO):
        lines.append((level, text))

    for module in ("base", "coco"):
        monkeypatch.setattr(f"mmdet_lite.datasets.{module}.print_log", record)
    return lines


def labels_of(dataset):
    return [
        [i["bbox_label"] for i in dataset.get_data_info(n)["instances"]]
        for n in range(len(dataset))
    ]


def test_entries_hold_what_the_file_says(coco_args):
    dataset = CocoDataset(**coco_args)
    entry = dataset.get_data_info(0)
    assert entry["img_path"] == f"{coco_args['data_root']}/images/a.jpg"
    assert (entry["img_id"], entry["height"], entry["width"]) == (7, 40, 30)
    cat, dog = entry["instances"]
    assert cat["bbox"] == [2, 3, 12, 23] and dog["bbox"] == [15, 10, 25, 20]
    assert cat["mask"] == [[2, 3, 12, 3, 12, 23, 2, 23]]
    assert cat["ignore_flag"] == dog["ignore_flag"] == 0
    assert dataset.get_data_info(2)["instances"][0]["ignore_flag"] == 1


def test_without_metainfo_names_come_from_the_file_in_its_order(coco_args):
    dataset = CocoDataset(**coco_args)
    assert dataset.metainfo["classes"] == ("dog", "cat")
    assert labels_of(dataset) == [[1, 0], [], [0]]
    assert dataset.cat_ids == [9, 2]


@pytest.mark.parametrize("classes", [("cat", "dog"), ["dog", "cat"], ("cat",), ("dog",)])
def test_labels_follow_the_names_of_metainfo_in_any_order(coco_args, classes):
    dataset = CocoDataset(**coco_args, metainfo={"classes": classes})
    names = [[classes[label] for label in labels] for labels in labels_of(dataset)]
    expected = [[n for n in image if n in classes] for image in (["cat", "dog"], [], ["dog"])]
    assert names == expected
    assert dataset.metainfo["classes"] == tuple(classes)


def test_class_names_may_come_from_a_text_file(coco_args, tmp_path):
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    dataset = CocoDataset(**coco_args, metainfo={"classes": str(tmp_path / "names.txt")})
    assert dataset.metainfo["classes"] == ("cat", "dog")
    assert labels_of(dataset)[0] == [0, 1]


def test_palette_is_kept_or_made_up(coco_args):
    assert len(set(CocoDataset(**coco_args).metainfo["palette"])) == 2
    given = {"classes": ("cat", "dog"), "palette": [[1, 2, 3], [4, 5, 6]]}
    assert CocoDataset(**coco_args, metainfo=given).metainfo["palette"] == [(1, 2, 3), (4, 5, 6)]


def test_misspelt_class_name_shows_both_lists_and_the_nearest_name(coco_args):
    with pytest.raises(ValueError) as error:
        CocoDataset(**coco_args, metainfo={"classes": ("dgo", "cat")})
    message = str(error.value)
    assert "'dgo' (did you mean 'dog'?)" in message and "ann.json" in message
    assert "  dgo -            | dog -" in message
    assert "  cat              | cat" in message


def test_bare_string_as_classes_asks_for_a_comma(coco_args):
    with pytest.raises(ValueError, match=r"add a comma: classes=\('dog',\)"):
        CocoDataset(**coco_args, metainfo={"classes": "dog"})


@pytest.mark.parametrize(
    ("metainfo", "message"),
    [
        ({"classes": ("dog", "dog")}, r"metainfo.classes: \['dog'\] occurs more than once"),
        ({"classes": ("dog", 3)}, "must hold strings; got 3"),
        ({"CLASSES": ("dog",)}, "has the key 'CLASSES'; write it 'classes'"),
        ({"classes": ("dog", "cat"), "palette": [(0, 0, 0)]}, "1 colours for 2 classes"),
    ],
)
def test_wrong_metainfo_is_refused(coco_args, metainfo, message):
    with pytest.raises(ValueError, match=message):
        CocoDataset(**coco_args, metainfo=metainfo)


def test_annotations_of_unused_categories_are_counted_in_a_warning(coco_args, logged):
    dataset = CocoDataset(**coco_args, metainfo={"classes": ("cat",)})
    assert labels_of(dataset) == [[0], [], []]
    assert [level for level, text in logged if "2 x dog" in text] == [logging.WARNING]


def twice(content, key):
    content[key].append(dict(content[key][0]))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("images", r"image ids of .*ann.json: \[7\] occurs more than once"),
        ("annotations", r"annotation ids of .*ann.json: \[1\] occurs more than once"),
        ("categories", r"category names of .*ann.json: \['dog'\] occurs more than once"),
    ],
)
def test_what_must_be_unique_is_checked(coco_content, write_coco, key, message):
    twice(coco_content, key)
    with pytest.raises(ValueError, match=message):
        CocoDataset(**write_coco(coco_content))


def test_duplicate_category_id_is_refused(coco_content, write_coco):
    coco_content["categories"].append({"id": 9, "name": "cow"})
    with pytest.raises(ValueError, match=r"category ids of .*: \[9\] occurs more than once"):
        CocoDataset(**write_coco(coco_content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 99}, "annotation 1 in .*ann.json: image_id 99 is not among its images"),
        ({"category_id": 4}, r"category_id 4 is not among its categories \[2, 9\]"),
        ({"bbox": [1, 2, 3]}, r"expected bbox = \[x, y, width, height\], got \[1, 2, 3\]"),
        ({"bbox": None}, r"expected bbox = .*, got None"),
        ({"segmentation": [1, 1, 5, 1, 5, 5]}, r"annotation 1 in .*expected segmentation = \[\["),
    ],
)
def test_broken_annotation_is_named(coco_content, write_coco, change, message):
    coco_content["annotations"][0].update(change)
    with pytest.raises(ValueError, match=message):
        CocoDataset(**write_coco(coco_content))


def test_image_without_size_is_named(coco_content, write_coco):
    args = write_coco(coco_content)
    del coco_content["images"][0]["height"]
    with open(f"{args['data_root']}/ann.json", "w") as file:
        json.dump(coco_content, file)
    with pytest.raises(ValueError, match=r"image 7 in .*ann.json has no 'height'"):
        CocoDataset(**args)


def test_missing_and_foreign_files_are_explained(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"none.json' does not exist; check data_root.*here /"
    ):
        CocoDataset(data_root=str(tmp_path), ann_file="none.json")
    (tmp_path / "via.json").write_text('{"a.jpg123": {"filename": "a.jpg", "regions": []}}')
    with pytest.raises(ValueError, match=r"no COCO annotation file: .*got \['a.jpg123'\]"):
        CocoDataset(data_root=str(tmp_path), ann_file="via.json")
    (tmp_path / "cut.json").write_text('{"images": [')
    with pytest.raises(ValueError, match=r"cut.json' is not valid json"):
        CocoDataset(data_root=str(tmp_path), ann_file="cut.json")


@pytest.mark.parametrize(
    "change",
    [
        {"ignore": 1},
        {"bbox": [50, 3, 10, 20]},
        {"bbox": [2, 3, 0.5, 20]},
        {"area": 0},
        {"bbox": [float("nan"), 3, 5, 20]},
    ],
)
def test_unusable_annotations_are_left_out(coco_content, write_coco, change):
    coco_content["annotations"][0].update(change)
    assert labels_of(CocoDataset(**write_coco(coco_content)))[0] == [0]


def test_object_without_a_whole_polygon_stays_a_box(coco_content, write_coco, logged):
    coco_content["annotations"][0]["segmentation"] = [[1, 1, 5, 5], [1, 2, 3, 4, 5, 6, 7]]
    coco_content["annotations"][1]["segmentation"].append([1, 1])
    instances = CocoDataset(**write_coco(coco_content)).get_data_info(0)["instances"]
    assert [i["ignore_flag"] for i in instances] == [0, 0]
    assert [len(i["mask"]) for i in instances] == [0, 2]
    told = [level for level, text in logged if "1 annotations have no polygon" in text]
    assert told == [logging.WARNING]


@pytest.mark.parametrize("missing", [[], None])
def test_missing_masks_stop_before_training_only_where_masks_are_wanted(
    missing, coco_content, write_coco
):
    coco_content["annotations"][0]["segmentation"] = missing
    args = write_coco(coco_content)
    number = coco_content["annotations"][0]["id"]
    assert len(CocoDataset(**args, pipeline=[{"type": "LoadAnnotations"}]))
    with pytest.raises(ValueError, match=rf"1 annotations .* \(ids \[{number}\]\)"):
        CocoDataset(**args, pipeline=[{"type": "LoadAnnotations", "with_mask": True}])


def test_rle_of_another_size_and_box_of_text_are_named(coco_content, write_coco):
    rle = {"size": [10, 10], "counts": [100]}
    coco_content["annotations"][0]["segmentation"] = rle
    with pytest.raises(ValueError, match=r"RLE has size \[10, 10\]"):
        CocoDataset(**write_coco(coco_content))
    coco_content["annotations"][0] |= {"segmentation": [], "bbox": [1, 2, "3", 4]}
    with pytest.raises(ValueError, match=r"expected bbox = .* got \[1, 2, '3', 4\]"):
        CocoDataset(**write_coco(coco_content))


def test_filter_drops_empty_and_small_images_in_training_only(coco_args):
    filter_cfg = {"filter_empty_gt": True, "min_size": 32}
    for given, kept in [
        ({"filter_empty_gt": True}, [7, 5]),
        ({"min_size": 31}, []),
        ({"min_size": 30}, [7, 3, 5]),
    ]:
        if kept:
            dataset = CocoDataset(**coco_args, filter_cfg=given)
            assert [dataset.get_data_info(i)["img_id"] for i in range(len(dataset))] == kept
    assert len(CocoDataset(**coco_args, filter_cfg=filter_cfg, test_mode=True)) == 3


def test_empty_data_set_prints_the_funnel(coco_content, write_coco):
    coco_content["annotations"] = coco_content["annotations"][1:2]
    coco_content["annotations"][0]["ignore"] = 1
    with pytest.raises(ValueError) as error:
        CocoDataset(**write_coco(coco_content), filter_cfg={"filter_empty_gt": True})
    for line in (
        "images in the file: 3",
        "without annotation: 2",
        "all annotations dropped: 1 (annotations: 1 x marked ignore)",
        "kept: 0",
    ):
        assert line in str(error.value)
    with pytest.raises(ValueError, match="shorter side below min_size=1000: 3"):
        CocoDataset(**write_coco(coco_content), filter_cfg={"min_size": 1000})


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"filter_cfg": {"filter_empty_gts": True}}, "did you mean 'filter_empty_gt'"),
        ({"data_prefix": {"image": "images"}}, "data_prefix.image: no such key"),
        ({"indices": 0}, "indices=0 leaves no image"),
        ({"indices": []}, r"indices=\[\] leaves no image"),
    ],
)
def test_wrong_arguments_are_explained(coco_args, argument, message):
    with pytest.raises(ValueError, match=message):
        CocoDataset(**{**coco_args, **argument})
    with pytest.raises(TypeError, match="pipelines"):
        CocoDataset(**coco_args, pipelines=[])


@pytest.mark.parametrize("serialize", [True, False])
@pytest.mark.parametrize("lazy", [True, False])
@pytest.mark.parametrize(
    ("indices", "ids"), [(2, [7, 3]), (-1, [5]), ([2, 0], [5, 7]), (None, [7, 3, 5])]
)
def test_indices_choose_images_however_the_data_is_kept(coco_args, serialize, lazy, indices, ids):
    dataset = CocoDataset(**coco_args, serialize_data=serialize, lazy_init=lazy, indices=indices)
    assert [dataset.get_data_info(i)["img_id"] for i in range(len(dataset))] == ids


def test_lazy_data_set_knows_its_classes_before_it_is_read(coco_args):
    dataset = CocoDataset(**coco_args, lazy_init=True)
    assert dataset.metainfo["classes"] == ("dog", "cat")
    assert not dataset._fully_initialized


def test_labels_of_an_image_are_listed_for_class_balancing(coco_args):
    dataset = CocoDataset(**coco_args)
    assert [dataset.get_cat_ids(i) for i in range(3)] == [[1, 0], [], [0]]


def test_missing_image_stops_with_its_path(coco_args, tmp_path):
    dataset = CocoDataset(**coco_args, pipeline=TRAIN)
    (tmp_path / "images" / "a.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"image '.*images/a.jpg' does not exist"):
        dataset[0]


def test_pipeline_means_our_transforms_also_without_default_scope(coco_args):
    from mmengine.registry import DefaultScope

    DefaultScope._instance_dict.clear()
    sample = CocoDataset(**coco_args, pipeline=TRAIN)[0]
    assert len(sample["data_samples"].gt_instances.masks) == 2


def test_samples_travel_through_loader_workers(coco_args):
    from mmengine.dataset import pseudo_collate

    dataset = CocoDataset(**coco_args, pipeline=TRAIN)
    loader = DataLoader(dataset, batch_size=3, num_workers=1, collate_fn=pseudo_collate)
    (batch,) = list(loader)
    assert [tuple(image.shape) for image in batch["inputs"]] == [
        (3, 64, 48),
        (3, 48, 64),
        (3, 48, 64),
    ]
    counts = [(len(s.gt_instances), len(s.ignored_instances)) for s in batch["data_samples"]]
    assert counts == [(2, 0), (0, 0), (0, 1)]


def test_subset_and_pickle_keep_the_data(coco_args):
    dataset = CocoDataset(**coco_args, pipeline=TRAIN)
    assert len(dataset.get_subset(2)) == 2
    assert len(pickle.loads(pickle.dumps(dataset))) == 3


def test_test_set_without_annotations_loads(coco_content, write_coco):
    del coco_content["annotations"]
    dataset = CocoDataset(**write_coco(coco_content), test_mode=True)
    assert labels_of(dataset) == [[], [], []]


def test_arguments_stay_as_they_were(coco_args):
    metainfo = {"classes": ["cat", "dog"]}
    prefix = {"img": "images/"}
    CocoDataset(**{**coco_args, "data_prefix": prefix, "metainfo": metainfo})
    assert metainfo == {"classes": ["cat", "dog"]} and prefix == {"img": "images/"}


def test_runner_style_config_builds_from_the_root_registry(coco_args):
    dataset = ENGINE_DATASETS.build({"type": "CocoDataset", **coco_args, "pipeline": TRAIN})
    assert isinstance(dataset, CocoDataset)


def real(shared_dir, part, **kwargs):
    return CocoDataset(
        data_root=str(shared_dir / "data" / "coco"),
        ann_file=f"annotations/instances_{part}2017.json",
        data_prefix={"img": f"{part}2017/"},
        **kwargs,
    )


def test_real_coco_loads_in_the_order_of_its_80_classes(shared_dir):
    train, val = real(shared_dir, "train"), real(shared_dir, "val")
    assert len(train) + len(val) == 415
    assert train.metainfo == val.metainfo
    classes = train.metainfo["classes"]
    assert len(classes) == 80 and len(set(train.metainfo["palette"])) == 80
    assert classes[:3] == ("person", "bicycle", "car") and classes[-1] == "toothbrush"


def test_real_labels_keep_their_names_when_classes_are_reordered(shared_dir):
    plain = real(shared_dir, "val")
    classes = plain.metainfo["classes"][::-1]
    turned = real(shared_dir, "val", metainfo={"classes": classes})
    for first, second in zip(labels_of(plain), labels_of(turned), strict=True):
        assert [plain.metainfo["classes"][a] for a in first] == [classes[b] for b in second]


def test_real_masks_equal_pycocotools(shared_dir):
    from pycocotools.coco import COCO

    pipeline = [TRAIN[0], {**TRAIN[1]}]
    dataset = real(shared_dir, "val", pipeline=pipeline, indices=25)
    coco = COCO(str(shared_dir / "data/coco/annotations/instances_val2017.json"))
    for i in range(25):
        sample = dataset[i]
        anns = [coco.anns[instance["ann_id"]] for instance in sample["instances"]]
        assert sample["gt_masks"].to_rle() == [coco.annToRLE(ann) for ann in anns]
