"""A metric of its own for each part of a joined data set."""

from pathlib import Path

import pytest
from joined_sets import NUM_IMAGES, config, evaluated, joined, predicted, write_sets
from mmengine.evaluator import BaseMetric
from mmengine.registry import EVALUATOR as ENGINE_EVALUATOR

from mmdet_lite.config import load_config
from mmdet_lite.datasets import CocoDataset, ConcatDataset
from mmdet_lite.evaluation import CocoMetric, MultiDatasetsEvaluator

WORKER = Path(__file__).with_name("distributed_sources_worker.py")


class ImageList(BaseMetric):
    """Keeps two results an image and returns them in their order."""

    default_prefix = "list"

    def process(self, data_batch, data_samples):
        self.batch = data_batch
        for sample in data_samples:
            self.results += [sample["img_id"], sample["img_path"]]

    def compute_metrics(self, results):
        return {"ids": results[::2]}


@pytest.fixture
def folder(tmp_path):
    write_sets(tmp_path)
    return tmp_path


def evaluator_of(folder, **more):
    metrics = [{"type": "CocoMetric", "ann_file": f"{folder}/{name}.json"} for name in NUM_IMAGES]
    built = ENGINE_EVALUATOR.build(
        {
            "type": "MultiDatasetsEvaluator",
            "metrics": metrics,
            "dataset_prefixes": list(NUM_IMAGES),
            **more,
        }
    )
    assert isinstance(built, MultiDatasetsEvaluator)
    return built


def test_numbers_are_those_of_each_data_set_alone(folder):
    dataset = joined(folder)
    evaluator = evaluator_of(folder)
    evaluator.dataset_meta = dataset.metainfo
    for index in [6, 0, 3, 2, 5, 4, 1]:
        evaluator.process([predicted(dataset, index, seed=index)])
    numbers = evaluator.evaluate(len(dataset))
    start = 0
    for name, num in NUM_IMAGES.items():
        alone = CocoDataset(**{k: v for k, v in config(folder, name).items() if k != "type"})
        metric = CocoMetric(f"{folder}/{name}.json")
        metric.dataset_meta = alone.metainfo
        samples = [predicted(alone, i, seed=start + i).to_dict() for i in range(num)]
        metric.process(None, samples)
        expected = {f"{name}/{key}": value for key, value in metric.evaluate(num).items()}
        assert {k: v for k, v in numbers.items() if k.startswith(name)} == expected
        assert 0.1 < numbers[f"{name}/coco/bbox_mAP"] < 0.9
        start += num
    assert numbers["first/coco/bbox_mAP"] != numbers["second/coco/bbox_mAP"]
    assert set(numbers) <= set(evaluator.result_names())


def test_two_processes_with_uneven_data_give_the_numbers_of_one(folder, run_processes):
    single = evaluated(folder)
    first, second = run_processes(WORKER, world_size=2)
    assert first == second == single
    assert len(single) == 12


def test_results_come_in_the_order_of_the_data_set_and_once_each(folder):
    dataset = joined(folder)
    evaluator = MultiDatasetsEvaluator([ImageList(), ImageList()], ["a", "b"])
    evaluator.dataset_meta = dataset.metainfo
    samples = [predicted(dataset, i, seed=0) for i in [6, 0, 3, 2, 5, 4, 1, 0]]
    batch = {"inputs": list(range(8)), "data_samples": samples}
    evaluator.process(samples, batch)
    assert evaluator.metrics[0].batch["inputs"] == [7]
    expected = {"a/list/ids": [0, 1, 2], "b/list/ids": [0, 1, 2, 3]}
    assert evaluator.evaluate(7) == expected
    evaluator.process(samples[:1])  # nothing is left of the evaluation before
    assert evaluator.evaluate(1) == {"a/list/ids": [], "b/list/ids": [3]}


def test_joint_metrics_see_all_images_together(folder):
    dataset = joined(folder)
    evaluator = MultiDatasetsEvaluator([ImageList(), ImageList()], ["a", "b"], [ImageList()])
    evaluator.dataset_meta = dataset.metainfo
    evaluator.process([predicted(dataset, i, seed=0) for i in (0, 3, 1)])
    numbers = evaluator.evaluate(6)  # two results an image
    assert numbers["list/ids"] == [0, 0, 1]
    assert numbers["a/list/ids"] == [0, 1]


def test_each_metric_is_told_what_its_data_set_says(folder):
    parts = [
        config(folder, name, metainfo={"classes": ("cat", "dog"), "dataset_type": name})
        for name in NUM_IMAGES
    ]
    dataset = ConcatDataset(parts, ignore_keys=["dataset_type"])
    evaluator = evaluator_of(folder)
    evaluator.dataset_meta = dataset.metainfo
    told = [metric.dataset_meta for metric in evaluator.metrics]
    assert [meta["dataset_type"] for meta in told] == ["first", "second"]
    assert told[0].keys() == {"classes", "palette", "dataset_type"}


def test_other_numbers_of_metrics_than_data_sets_are_refused(folder):
    three = ConcatDataset([config(folder, name) for name in ("first", "second", "first")])
    with pytest.raises(ValueError, match=r"has 2 metrics .*'first', 'second'.* joins 3 data sets"):
        evaluator_of(folder).dataset_meta = three.metainfo
    with pytest.raises(ValueError, match=r"2 metrics and 1 dataset_prefixes \['a'\]"):
        evaluator_of(folder, dataset_prefixes=["a"])
    with pytest.raises(ValueError, match="must differ"):
        evaluator_of(folder, dataset_prefixes=["a", "a"])


def test_a_data_set_that_is_not_joined_is_refused(folder):
    single = CocoDataset(**{k: v for k, v in config(folder, "first").items() if k != "type"})
    with pytest.raises(ValueError, match="the data set of its dataloader is none"):
        evaluator_of(folder).dataset_meta = single.metainfo
    evaluator = evaluator_of(folder)
    evaluator.dataset_meta = joined(folder).metainfo
    with pytest.raises(ValueError, match="image 1 does not say which data set it is from"):
        evaluator.process([predicted(single, 1, seed=0)])


def test_a_metric_that_cannot_tell_its_names_leaves_them_open():
    assert MultiDatasetsEvaluator([ImageList()], "a").result_names() is None


def test_the_config_of_an_evaluator_is_checked(folder, tmp_path):
    leaf = tmp_path / "leaf.py"
    base = Path(__file__).parents[2] / "configs/mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py"

    def text(arguments):
        metric = "dict(type='CocoMetric', ann_file='a')"
        value = f"dict(type='MultiDatasetsEvaluator', metrics=[{metric}], {arguments})"
        return f"_base_ = '{base}'\nval_evaluator = dict(_delete_=True, **{value})\n"

    leaf.write_text(text("dataset_prefixes=['a']"))
    assert load_config(leaf).val_evaluator.type == "MultiDatasetsEvaluator"
    leaf.write_text(text("dataset_prefixs=['a']"))
    with pytest.raises(ValueError, match=r"val_evaluator\.dataset_prefixs: .*'dataset_prefixes'"):
        load_config(leaf)
    joint = "dataset_prefixes=['a'], joint_metrics=[dict(type='CocoMetric', clswise=1)]"
    leaf.write_text(text(joint))
    with pytest.raises(ValueError, match=r"val_evaluator\.joint_metrics\.0\.clswise"):
        load_config(leaf)
