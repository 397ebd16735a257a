"""Joined and repeated data sets, and the class names behind configs."""

import pytest
from mmengine.dataset import ClassBalancedDataset
from mmengine.registry import DATASETS as ENGINE_DATASETS

from mmdet_lite.datasets import CocoDataset, ConcatDataset, dataset_classes, read_class_names


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
