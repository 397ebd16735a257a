"""PipelineWatch: what every transform gave, in order, also through wrappers."""

from typing import Any

import numpy as np
import pytest

from mmdet_lite.datasets import CocoDataset, ConcatDataset
from mmdet_lite.datasets.multi_image_mix import MultiImageMixDataset
from mmdet_lite.datasets.pipeline_stages import PipelineWatch
from mmdet_lite.registry import DATASETS, TRANSFORMS

STEPS = [
    {"type": "LoadImageFromFile"},
    {"type": "LoadAnnotations", "with_mask": True},
    {"type": "RandomFlip", "prob": 1.0},
    {"type": "PackDetInputs"},
]
NAMES = [step["type"] for step in STEPS]


def names(sample: Any) -> list[str]:
    return [stage.name for stage in sample.stages]


def test_each_transform_is_seen_as_it_left_the_sample(coco_args):
    dataset = CocoDataset(**coco_args, pipeline=STEPS)
    expected = dataset[0]
    sample = PipelineWatch(dataset).sample(0)
    assert names(sample) == NAMES
    loaded, annotated, flipped, packed = (stage.results for stage in sample.stages)
    assert "gt_bboxes" not in loaded and sample.entry["instances"][0]["bbox"] == [2, 3, 12, 23]
    assert np.array_equal(flipped["img"], loaded["img"][:, ::-1])
    assert annotated["gt_bboxes"][0].tolist() == [2, 3, 12, 23]
    assert flipped["gt_bboxes"][0].tolist() == [18, 3, 28, 23]
    assert (packed["inputs"] == expected["inputs"]).all()


def test_a_watched_data_set_gives_what_it_gave_before(coco_args):
    plain, watched = (CocoDataset(**coco_args, pipeline=STEPS) for _ in range(2))
    PipelineWatch(PipelineWatch(watched).dataset)  # twice does no harm
    for n in range(3):
        assert (plain[n]["inputs"] == watched[n]["inputs"]).all()


@pytest.mark.parametrize("idx", [0, 4])
def test_wrappers_are_looked_through(coco_args, idx):
    part = {"type": "CocoDataset", **coco_args, "pipeline": STEPS}
    repeated = DATASETS.build({"type": "RepeatDataset", "times": 2, "dataset": part})
    joined = ConcatDataset([CocoDataset(**coco_args, pipeline=STEPS), repeated])
    sample = PipelineWatch(joined).sample(idx)
    assert names(sample) == NAMES
    assert sample.entry["img_id"] == [7, 3, 5][idx % 3]


class Mix:
    """Puts the first picture beside another one, if it is not told to give up."""

    failures = 0

    def get_indices(self, dataset):
        return [2]

    def __call__(self, results):
        assert len(results["mix_results"]) == 1
        if self.failures:
            self.failures -= 1
            return None
        return results


def test_of_mixed_samples_the_first_picture_is_seen_and_then_the_mixing(coco_args):
    # two parts, so that the picture mixed in comes from another list of transforms
    parts = [CocoDataset(**coco_args, pipeline=STEPS[:2], indices=[n]) for n in (0, 1, 2)]
    mix = Mix()
    mixed = MultiImageMixDataset(ConcatDataset(parts), [mix, TRANSFORMS.build(STEPS[3])])
    watch = PipelineWatch(mixed)
    sample = watch.sample(0)
    assert names(sample) == [*NAMES[:2], "Mix", NAMES[3]]
    assert sample.entry["img_id"] == 7 and sample.skipped == 0
    mix.failures = 1
    sample = watch.sample(0)
    assert names(sample) == [*NAMES[:2], "Mix", NAMES[3]] and sample.skipped == 1
    mixed.update_skip_type_keys(["Mix"])
    assert names(watch.sample(1)) == [*NAMES[:2], NAMES[3]]


def test_a_sample_of_no_use_leaves_no_stages(coco_args):
    calls = []

    def refuse_first(results):
        calls.append(results["img_id"])
        return None if len(calls) == 1 else results

    steps = [TRANSFORMS.build(STEPS[0]), refuse_first, TRANSFORMS.build(STEPS[3])]
    sample = PipelineWatch(CocoDataset(**coco_args, pipeline=steps)).sample(0)
    assert names(sample) == [NAMES[0], "refuse_first", NAMES[3]]
    assert sample.skipped == 1 and sample.entry["img_id"] == calls[1]


def test_without_a_pipeline_there_are_no_stages(coco_args):
    assert PipelineWatch(CocoDataset(**coco_args)).sample(0).stages == []
