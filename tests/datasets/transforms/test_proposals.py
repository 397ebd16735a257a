"""Proposals go where their image goes."""

import numpy as np
import pytest
import torch

from mmdet_lite.registry import TRANSFORMS

LOAD = {"type": "LoadProposals"}


def run(sample, *steps):
    for step in steps:
        sample = TRANSFORMS.build(step)(sample)
    return sample


def around(*transforms):
    return {"type": "ProposalBroadcaster", "transforms": list(transforms)}


@pytest.fixture
def sample(make_sample):
    """Three objects; their boxes are the proposals as well, the last one twice."""
    made = make_sample()
    boxes = made["gt_bboxes"][[0, 1, 2, 2]].copy()
    return {**made, "proposals": {"bboxes": boxes, "scores": np.float32([0.9, 0.8, 0.7, 0.6])}}


TRANSFORM_LISTS = [
    [{"type": "Resize", "scale": (200, 50), "keep_ratio": False}],
    [{"type": "RandomFlip", "prob": 0.5, "direction": ["horizontal"]}],
    [
        {"type": "RandomChoiceResize", "scales": [(60, 60), (200, 90), (300, 300)]},
        {"type": "RandomFlip", "prob": [0.3, 0.3, 0.3], "direction": ["horizontal", "vertical",
                                                                     "diagonal"]},
    ],
    [{"type": "RandomResize", "scale": (300, 200), "ratio_range": (0.2, 2.0)}],
    [{"type": "PhotoMetricDistortion"}, {"type": "RandomFlip", "prob": 1.0}],
]  # fmt: skip


@pytest.mark.parametrize("transforms", TRANSFORM_LISTS)
def test_proposals_that_are_the_ground_truths_remain_them(sample, transforms):
    for seed in range(8):
        np.random.seed(seed)
        moved = run(dict(sample), LOAD, around(*transforms))
        assert np.allclose(moved["proposals"], moved["gt_bboxes"][[0, 1, 2, 2]])
        assert np.array_equal(moved["proposals_scores"], sample["proposals"]["scores"])
        np.random.seed(seed)
        alone = run(dict(sample), *transforms)
        assert np.array_equal(alone["img"], moved["img"])  # the image itself is moved once
        assert np.array_equal(alone["gt_masks"].to_ndarray(), moved["gt_masks"].to_ndarray())


def test_a_crop_drops_proposals_with_their_scores(sample):
    crop = {"type": "RandomCrop", "crop_size": (40, 30), "allow_negative_crop": True}
    dropped = 0
    for seed in range(20):
        np.random.seed(seed)
        moved = run(dict(sample), LOAD, around(crop))
        left = [moved["proposals"][moved["proposals_scores"] == s] for s in np.float32([0.7, 0.6])]
        assert np.array_equal(*left)
        assert {tuple(b) for b in moved["proposals"]} == {tuple(b) for b in moved["gt_bboxes"]}
        dropped += 4 - len(moved["proposals"])
    assert dropped > 0


def test_an_image_that_a_transform_refuses_is_refused(sample):
    tiny = {"type": "FilterAnnotations", "min_gt_bbox_wh": (1000, 1000)}
    assert run(dict(sample), LOAD, around(tiny)) is None


def test_only_the_first_proposals_are_loaded(sample):
    few = run(dict(sample), {"type": "LoadProposals", "num_max_proposals": 2})
    assert few["proposals"].shape == (2, 4) and few["proposals_scores"].shape == (2,)
    assert run(dict(sample), LOAD)["proposals"].shape == (4, 4)


def test_proposals_are_packed_as_tensors_also_without_annotations(sample):
    for key in [key for key in sample if key.startswith("gt_")]:
        del sample[key]
    resize = {"type": "Resize", "scale_factor": 2.0}
    packed = run(dict(sample), LOAD, around(resize), {"type": "PackDetInputs"})
    given = packed["data_samples"].proposals
    assert torch.equal(given.bboxes, torch.from_numpy(sample["proposals"]["bboxes"]) * 2)
    assert given.scores.tolist() == sample["proposals"]["scores"].tolist()
    assert len(packed["data_samples"].gt_instances) == 0


def test_no_proposals_are_empty_arrays(sample):
    sample["proposals"] = {
        "bboxes": np.zeros((0, 4), np.float32),
        "scores": np.zeros(0, np.float32),
    }
    flip = {"type": "RandomFlip", "prob": 1.0}
    packed = run(dict(sample), LOAD, around(flip), {"type": "PackDetInputs"})
    assert packed["data_samples"].proposals.bboxes.shape == (0, 4)


@pytest.mark.parametrize("move", [
    {"type": "Resize", "scale_factor": 2.0}, {"type": "RandomFlip", "prob": 1.0},
])  # fmt: skip
def test_an_image_moved_without_its_proposals_is_refused(sample, move):
    with pytest.raises(ValueError, match="without its proposals; put Resize and RandomFlip into"):
        run(dict(sample), LOAD, move, {"type": "PackDetInputs"})
    with pytest.raises(ValueError, match="without its proposals"):
        run(dict(sample), LOAD, move, around())


def test_what_is_missing_is_named(sample):
    del sample["proposals"]
    with pytest.raises(ValueError, match=r"no proposals; give it proposal_file="):
        run(dict(sample), LOAD)
    with pytest.raises(ValueError, match="put LoadProposals before it"):
        run(dict(sample), around())


def test_the_sample_stays_as_it_was(sample):
    boxes, img = sample["proposals"]["bboxes"].copy(), sample["img"].copy()
    gts = sample["gt_bboxes"].copy()
    run(dict(sample), LOAD, around({"type": "RandomFlip", "prob": 1.0}))
    assert np.array_equal(sample["proposals"]["bboxes"], boxes)
    assert np.array_equal(sample["img"], img) and np.array_equal(sample["gt_bboxes"], gts)
