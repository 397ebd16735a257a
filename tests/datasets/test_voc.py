"""VOCDataset: VOC's classes, the year, years joined and repeated."""

import pytest
from mmengine.registry import DATASETS as ENGINE_DATASETS

from mmdet_lite.datasets import VOCDataset, dataset_classes

CAT = ("cat", (1, 1, 11, 21), 0)
DOG = ("dog", (5, 5, 30, 30), 0)


def cfg(args, **more):
    return {"type": "VOCDataset", **args, **more}


def test_labels_are_those_of_the_twenty_classes(write_voc):
    dataset = VOCDataset(**write_voc({"a": [CAT, DOG]}))
    assert len(dataset.metainfo["classes"]) == len(dataset.metainfo["palette"]) == 20
    assert [i["bbox_label"] for i in dataset.get_data_info(0)["instances"]] == [7, 11]


@pytest.mark.parametrize(
    ("year", "kind"), [("VOC2007", "VOC2007"), ("VOC2012", "VOC2012"), ("mine", None)]
)
def test_the_year_is_told_from_the_folder(write_voc, year, kind):
    assert VOCDataset(**write_voc({"a": [CAT]}, year=year)).metainfo["dataset_type"] == kind


def test_another_class_is_refused_unless_classes_are_given(write_voc):
    args = write_voc({"a": [("raccoon", (1, 1, 9, 9), 0)]})
    with pytest.raises(ValueError, match=r"'raccoon' \(1 objects\), which are no classes") as error:
        VOCDataset(**args)
    assert "classes of VOCDataset" in str(error.value)
    own = VOCDataset(**args, metainfo={"classes": ("raccoon",)})
    assert own.metainfo["classes"] == ("raccoon",)


def test_a_misspelt_object_shows_the_class_that_was_meant(write_voc):
    args = write_voc({"a": [CAT, ("motorbyke", (1, 1, 9, 9), 0)]})
    with pytest.raises(ValueError, match=r"'motorbyke' \(1 objects\) \(did you mean 'motorbike'"):
        VOCDataset(**args)


def test_two_years_are_joined_and_repeated(write_voc):
    parts = [write_voc({"a": [CAT]}), write_voc({"b": [DOG], "c": [CAT]}, year="VOC2012")]
    joined = {"type": "ConcatDataset", "datasets": [cfg(part) for part in parts]}
    joined["ignore_keys"] = ["dataset_type"]
    repeated = ENGINE_DATASETS.build({"type": "RepeatDataset", "times": 3, "dataset": joined})
    assert len(repeated) == 9
    assert [repeated.get_data_info(i)["img_id"] for i in range(4)] == ["a", "b", "c", "a"]
    assert repeated.metainfo["classes"] == dataset_classes(joined)
    assert repeated.metainfo["classes"][7] == "cat"


def test_years_are_joined_without_a_word(write_voc):
    parts = [write_voc({"a": [CAT]}), write_voc({"b": [DOG]}, year="VOC2012")]
    joined = ENGINE_DATASETS.build({"type": "ConcatDataset", "datasets": [cfg(p) for p in parts]})
    assert len(joined) == 2
