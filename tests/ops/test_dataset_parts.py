"""The way through wrapped data sets."""

from types import SimpleNamespace

from mmdet_lite.ops.dataset_parts import innermost_datasets, parts_of, walk_datasets

A, B, C = ({"type": "CocoDataset", "ann_file": name} for name in "abc")
REPEATED = {"type": "RepeatDataset", "times": 2, "dataset": B}
MIXED = {"type": "MultiImageMixDataset", "dataset": {"datasets": [A, REPEATED]}, "pipeline": []}


def test_wrappers_come_before_what_is_in_them_with_their_dotted_keys():
    walked = list(walk_datasets({"dataset": MIXED, "batch_size": 2}, "train_dataloader"))
    assert [where for where, _ in walked] == [
        "train_dataloader",
        "train_dataloader.dataset",
        "train_dataloader.dataset.dataset",
        "train_dataloader.dataset.dataset.datasets.0",
        "train_dataloader.dataset.dataset.datasets.1",
        "train_dataloader.dataset.dataset.datasets.1.dataset",
    ]
    assert walked[1][1] is MIXED and walked[-1][1] is B


def test_innermost_are_those_that_read_files_in_order():
    assert list(innermost_datasets(MIXED)) == [A, B]
    assert list(innermost_datasets({"dataset": [A, REPEATED, C]})) == [A, B, C]
    assert list(innermost_datasets(A)) == [A]


def test_built_data_sets_are_walked_like_configs():
    first, second = SimpleNamespace(name="a"), SimpleNamespace(name="b", pipeline=None)
    joined = SimpleNamespace(datasets=[first, SimpleNamespace(dataset=second)])
    assert list(innermost_datasets(joined)) == [first, second]
    assert parts_of(second) == []


def test_no_data_set_has_no_parts():
    assert list(walk_datasets(None)) == [] == list(innermost_datasets(None))
    assert list(innermost_datasets({"dataset": None})) == [{"dataset": None}]
