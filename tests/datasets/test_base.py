"""DetDataset: what every form of files gets from it."""

import pickle

import numpy as np
import pytest

from mmdet_lite.datasets import CocoDataset, DetDataset, VOCDataset, XMLDataset

CAT = ("cat", (1, 1, 11, 21), 0)
DOG = ("dog", (5, 5, 30, 30), 0)


class InMemory(DetDataset):
    """A form of one's own: no files, two images."""

    def names_in_files(self):
        return ["cat", "dog"]

    def load_data_list(self):
        self.take_class_names(self.names_in_files())
        self.drop("too blurred")
        self.count_empty(had_annotations=True)
        one = {"bbox": [0, 0, 5, 5], "bbox_label": 1, "ignore_flag": 0}
        entry = {"img_path": "a.jpg", "img_id": 0, "height": 10, "width": 20, "instances": [one]}
        return [entry, {**entry, "img_id": 1, "instances": []}]


def test_a_form_of_ones_own_needs_its_names_and_its_entries():
    dataset = InMemory(pipeline=[lambda info: info["img_id"]])
    assert dataset.metainfo["classes"] == ("cat", "dog")
    assert len(dataset.metainfo["palette"]) == 2
    assert [dataset[0], dataset[1]] == [0, 1]
    assert dataset.get_cat_ids(0) == [1] and dataset.get_cat_ids(1) == []


def test_filters_apply_in_training_alone_and_an_empty_set_lists_where_images_went():
    filled = InMemory(filter_cfg={"filter_empty_gt": True})
    assert [filled.get_data_info(i)["img_id"] for i in range(len(filled))] == [0]
    assert len(InMemory(filter_cfg={"min_size": 11}, test_mode=True)) == 2
    with pytest.raises(ValueError, match=r"no image of .* is left") as error:
        InMemory(filter_cfg={"min_size": 11})
    assert "shorter side below min_size=11: 2" in str(error.value)
    assert "all annotations dropped: 1 (annotations: 1 x too blurred)" in str(error.value)


def test_names_may_be_asked_for_before_anything_is_read():
    dataset = InMemory(lazy_init=True)
    assert dataset.metainfo["classes"] == ("cat", "dog")
    assert not dataset._fully_initialized


def test_a_form_that_reads_no_names_says_what_it_must_define():
    with pytest.raises(TypeError, match="DetDataset must define names_in_files"):
        _ = DetDataset(lazy_init=True).metainfo


@pytest.mark.parametrize(
    ("kind", "filter_key", "prefix_key"),
    [(CocoDataset, "min_keypoints", "img"), (XMLDataset, "bbox_min_size", "sub_data_root")],
)
def test_each_form_has_filters_and_prefixes_of_its_own(kind, filter_key, prefix_key):
    kind(filter_cfg={filter_key: 1}, data_prefix={prefix_key: ""}, lazy_init=True)
    with pytest.raises(ValueError, match=f"filter_cfg.{filter_key}s: no such key.*'{filter_key}'"):
        kind(filter_cfg={filter_key + "s": 1}, lazy_init=True)
    with pytest.raises(ValueError, match=f"data_prefix.{prefix_key}_: no such key.*'{prefix_key}'"):
        kind(data_prefix={prefix_key + "_": ""}, lazy_init=True)


def test_colours_of_fixed_classes_stay_with_these_classes():
    assert VOCDataset(lazy_init=True).metainfo["palette"][0] == (106, 0, 228)
    own = VOCDataset(metainfo={"classes": ("cat", "dog")}, lazy_init=True).metainfo["palette"]
    assert len(own) == 2 and own[0] != (106, 0, 228)


def test_every_form_reads_proposals(write_voc, tmp_path):
    args = write_voc({"a": [CAT], "b": [DOG]})
    boxes = np.array([[0, 0, 9, 9]], np.float32)
    stored = {f"JPEGImages/{n}.jpg": {"bboxes": boxes, "scores": np.ones(1)} for n in "ab"}
    (tmp_path / "proposals.pkl").write_bytes(pickle.dumps(stored))
    dataset = XMLDataset(**args, proposal_file="proposals.pkl")
    assert dataset.get_data_info(1)["proposals"]["bboxes"].tolist() == boxes.tolist()
