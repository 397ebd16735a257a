"""Joined and repeated data sets, and the class names behind configs."""

import pytest
from mmengine.dataset import ClassBalancedDataset
from mmengine.registry import DATASETS as ENGINE_DATASETS

from mmdet_lite.datasets import CocoDataset, ConcatDataset, dataset_classes, read_class_names

PACKED = [{"type": "LoadImageFromFile"}, {"type": "PackDetInputs"}]


def cfg(coco_args, **more):
    return {"type": "CocoDataset", **coco_args, **more}


def test_repeat_dataset_repeats_and_keeps_metainfo(coco_args):
    repeated = ENGINE_DATASETS.build(
        {"type": "RepeatDataset", "times": 3, "dataset": cfg(coco_args, lazy_init=True)}
    )
    assert len(repeated) == 9
    assert repeated.metainfo["classes"] == ("dog", "cat")
    assert repeated.get_data_info(4)["img_id"] == 3


def test_class_balanced_dataset_works_on_ours(coco_args):
    balanced = ClassBalancedDataset(CocoDataset(**coco_args), oversample_thr=1.0)
    assert len(balanced) == 2 + 1 + 2  # dogs are in 2 of 3, cats in 1 of 3, one image has neither


def test_concat_dataset_joins_data_of_the_same_classes(coco_args):
    joined = ENGINE_DATASETS.build(
        {"type": "ConcatDataset", "datasets": [cfg(coco_args), cfg(coco_args, indices=2)]}
    )
    assert isinstance(joined, ConcatDataset)
    assert len(joined) == 5
    assert joined.get_data_info(3)["img_id"] == 7
    assert joined.metainfo["classes"] == ("dog", "cat")


def test_concat_dataset_allows_another_palette(coco_args):
    palette = {"classes": ("dog", "cat"), "palette": [(1, 2, 3), (4, 5, 6)]}
    joined = ConcatDataset([cfg(coco_args, metainfo=palette), cfg(coco_args)])
    assert joined.metainfo["palette"] == [(1, 2, 3), (4, 5, 6)]


@pytest.mark.parametrize("classes", [("cat", "dog"), ("cat",)])
def test_concat_dataset_refuses_other_classes_and_shows_both(coco_args, classes):
    other = cfg(coco_args, metainfo={"classes": classes})
    with pytest.raises(ValueError, match=r"1st data set \| 2. data set") as error:
        ConcatDataset([cfg(coco_args), other])
    assert "cat" in str(error.value) and "dog" in str(error.value)
    with pytest.raises(ValueError, match="1st data set"):
        dataset_classes({"type": "ConcatDataset", "datasets": [cfg(coco_args), other]})
    assert len(ConcatDataset([cfg(coco_args), other], ignore_keys="classes")) == 6


def test_concat_dataset_says_where_its_parts_end_and_what_is_their_own(coco_args):
    classes = ("dog", "cat")
    parts = [
        cfg(coco_args, metainfo={"classes": classes, "camera": year}, lazy_init=True)
        for year in (2007, 2012)
    ]
    joined = ConcatDataset(parts, ignore_keys="camera", lazy_init=True)
    assert set(joined.metainfo) == {"classes", "palette", "camera"}
    joined.full_init()
    assert joined.metainfo["cumulative_sizes"] == [3, 6]
    assert joined.metainfo["metainfo_of_parts"] == [{}, {"camera": 2012}]
    with pytest.raises(ValueError, match=r"'camera'.*2007.*the 2\. 2012.*ignore_keys="):
        ConcatDataset(parts)
    joined.metainfo["metainfo_of_parts"][1].clear()
    assert joined.metainfo["metainfo_of_parts"][1]


def test_packed_samples_know_their_index_in_the_joined_data_set(coco_args):
    parts = [cfg(coco_args, pipeline=PACKED), cfg(coco_args, pipeline=PACKED)]
    joined = ConcatDataset(parts)
    assert [joined[i]["data_samples"].joined_index for i in (0, 4, -1)] == [0, 4, 5]
    assert "joined_index" not in ConcatDataset([cfg(coco_args)] * 2)[0]


def test_views_of_test_time_augmentation_know_it_too(coco_args):
    views = [
        {"type": "LoadImageFromFile"},
        {
            "type": "TestTimeAug",
            "transforms": [
                [{"type": "Resize", "scale": (40, 40)}],
                [{"type": "RandomFlip", "prob": 1.0}, {"type": "RandomFlip", "prob": 0.0}],
                [{"type": "PackDetInputs"}],
            ],
        },
    ]
    joined = ConcatDataset([cfg(coco_args), cfg(coco_args, pipeline=views)])
    assert [sample.joined_index for sample in joined[4]["data_samples"]] == [4, 4]


def test_concat_dataset_joins_wrapped_and_joined_data(coco_args):
    repeated = {"type": "RepeatDataset", "times": 2, "dataset": cfg(coco_args)}
    inner = {"type": "ConcatDataset", "datasets": [repeated, cfg(coco_args)]}
    joined = ConcatDataset([inner, cfg(coco_args)])
    assert len(joined) == 12
    assert joined.metainfo["cumulative_sizes"] == [9, 12]
    assert joined.get_data_info(11)["img_id"] == 5


def test_class_balanced_dataset_works_on_joined_data(coco_args):
    joined = {"type": "ConcatDataset", "datasets": [cfg(coco_args), cfg(coco_args)]}
    balanced = ENGINE_DATASETS.build(
        {"type": "ClassBalancedDataset", "dataset": joined, "oversample_thr": 1.0}
    )
    assert len(balanced) == 2 * (2 + 1 + 2)
    assert balanced.get_cat_ids(1) == [1, 0]


def test_repeats_are_the_roots_of_threshold_by_frequency(coco_content, write_coco):
    # cats are in 1 of 8 images, dogs in 5: repeat sqrt(0.5 / 0.125) = 2 and, below the
    # threshold no more, 1
    coco_content["images"] = [
        {"id": i, "file_name": "a.jpg", "height": 40, "width": 40} for i in range(8)
    ]
    coco_content["annotations"] = [
        {"id": i, "image_id": i, "category_id": 2 if i == 3 else 9, "bbox": [2, 3, 10, 20]}
        for i in range(6)
    ]
    config = {"type": "CocoDataset", **write_coco(coco_content)}
    balanced = ENGINE_DATASETS.build(
        {"type": "ClassBalancedDataset", "dataset": config, "oversample_thr": 0.5}
    )
    assert balanced.repeat_indices == [0, 1, 2, 3, 3, 4, 5, 6, 7]
    assert dataset_classes({"type": "ClassBalancedDataset", "dataset": config}) == ("dog", "cat")


def test_concat_dataset_of_something_else_is_refused():
    with pytest.raises(TypeError, match=r"ConcatDataset takes data sets or their configs.*got str"):
        ConcatDataset(["CocoDataset"])


def test_concat_dataset_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one data set"):
        ConcatDataset([])


def test_classes_of_a_config_are_those_of_the_built_data_set(coco_args, tmp_path):
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    plain = cfg(coco_args)
    named = cfg(coco_args, metainfo={"classes": ("cat",)})
    listed = cfg(coco_args, metainfo={"classes": str(tmp_path / "names.txt")})
    wrapped = {"type": "RepeatDataset", "times": 2, "dataset": plain}
    joined = {"type": "ConcatDataset", "datasets": [named, named]}
    for config in (plain, named, listed, wrapped, joined):
        assert dataset_classes(config) == ENGINE_DATASETS.build(config).metainfo["classes"]


def test_absolute_annotation_file_needs_no_root(coco_args):
    path = f"{coco_args['data_root']}/ann.json"
    assert dataset_classes({"type": "CocoDataset", "ann_file": path}) == ("dog", "cat")
    assert read_class_names(path) == ("dog", "cat")


def test_config_that_names_no_classes_is_explained():
    with pytest.raises(ValueError, match="class names of data set 'CocoDataset' are unknown"):
        dataset_classes({"type": "CocoDataset"})
    with pytest.raises(ValueError, match="add a comma"):
        dataset_classes({"type": "CocoDataset", "metainfo": {"classes": "dog"}})
    with pytest.raises(FileNotFoundError, match=r"nowhere.json"):
        dataset_classes({"type": "CocoDataset", "ann_file": "nowhere.json"})
