"""Pipelines on several images of a data set."""

import numpy as np
import pytest
from mmengine.registry import DATASETS as ENGINE_DATASETS

from mmdet_lite.datasets import MultiImageMixDataset, dataset_classes

LOADED = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations", "with_bbox": True}]


class Mix:
    """Notes the ids of the images that it was given."""

    def __init__(self, indices):
        self.indices = indices
        self.asked = None

    def get_indices(self, dataset):
        self.asked = dataset
        return self.indices

    def __call__(self, results):
        mixed = [other["img_id"] for other in results["mix_results"]]
        return {**results, "mixed": mixed, "pixels": [o["img"] for o in results["mix_results"]]}


class Drop:
    """Gives None for some images."""

    def __init__(self, *ids):
        self.ids = ids

    def __call__(self, results):
        return None if results["img_id"] in self.ids else results


@pytest.fixture
def inner(coco_args):
    return {"type": "CocoDataset", **coco_args, "pipeline": LOADED}


@pytest.mark.parametrize("indices", [[2, 0, 2], (2, 0, 2), np.array([2, 0, 2])])
def test_a_mixing_transform_gets_the_images_it_asks_for(inner, indices):
    mix = Mix(indices)
    dataset = MultiImageMixDataset(inner, [mix])
    results = dataset[1]
    assert results["img_id"] == 3
    assert results["mixed"] == [5, 7, 5]
    assert "mix_results" not in results
    assert mix.asked is dataset.dataset
    assert results["pixels"][0].shape == (30, 40, 3)
    assert results["pixels"][0] is not results["pixels"][2]


def test_one_index_may_be_a_plain_number(inner):
    assert MultiImageMixDataset(inner, [Mix(0)])[1]["mixed"] == [7]


def test_each_mixing_transform_asks_anew(inner):
    pipeline = [Mix(0), Mix([1, 2]), {"type": "PackDetInputs"}]
    packed = MultiImageMixDataset(inner, pipeline)[0]
    assert packed["inputs"].shape == (3, 40, 30)
    assert packed["data_samples"].gt_instances.labels.tolist() == [1, 0]


def test_it_stands_for_its_data_set(inner):
    config = {"type": "MultiImageMixDataset", "dataset": inner, "pipeline": [], "lazy_init": True}
    dataset = ENGINE_DATASETS.build(config)
    dataset.full_init()
    assert len(dataset) == 3
    assert dataset.metainfo["classes"] == ("dog", "cat") == dataset_classes(config)
    assert dataset.get_data_info(0)["width"] == 30
    assert dataset.get_cat_ids(0) == [1, 0]


def test_transforms_can_be_left_out_by_name_and_later(inner):
    dataset = MultiImageMixDataset(inner, [Mix(0), Drop()], skip_type_keys=["Mix"])
    assert "mixed" not in dataset[1]
    dataset.update_skip_type_keys([])
    assert "mixed" in dataset[1]
    with pytest.raises(ValueError, match=r"'Mixx', which is no transform.*did you mean 'Mix'"):
        dataset.update_skip_type_keys(["Mixx"])


def test_another_image_takes_the_place_of_one_that_gives_none(inner):
    dataset = MultiImageMixDataset(inner, [Drop(7, 3)], max_refetch=50)
    assert {dataset[i]["img_id"] for i in range(3)} == {5}


def test_no_usable_image_at_all_is_an_error_that_names_the_first(inner):
    dataset = MultiImageMixDataset(inner, [Drop(7, 3, 5)], max_refetch=4)
    with pytest.raises(RuntimeError, match=r"None for 4 images in a row.*number 1: .*b\.jpg"):
        dataset[1]


def test_wrong_arguments_are_explained(inner):
    with pytest.raises(ValueError, match="max_refetch=0, expected 1 or more"):
        MultiImageMixDataset(inner, [], max_refetch=0)
    with pytest.raises(TypeError, match="MultiImageMixDataset takes data sets"):
        MultiImageMixDataset("CocoDataset", [])
