import copy

import pytest
from mmengine.config import Config

from mmdet_lite.config import with_test_time_augmentation
from mmdet_lite.config.tta import flipped_pipeline

LOAD, RESIZE = {"type": "LoadImageFromFile"}, {"type": "Resize", "scale": (64, 48)}
ANNOTATIONS, PACK = {"type": "LoadAnnotations"}, {"type": "PackDetInputs"}
FLIPS = [{"type": "RandomFlip", "prob": p} for p in (0.0, 1.0)]


def config(**more):
    nms = {"type": "nms", "iou_threshold": 0.6}
    data = {"type": "CocoDataset", "pipeline": [LOAD, RESIZE, ANNOTATIONS, PACK]}
    return Config(
        {
            "model": {"type": "MaskRCNN", "test_cfg": {"rcnn": {"nms": nms, "max_per_img": 7}}},
            "test_dataloader": {"dataset": {"type": "RepeatDataset", "dataset": data}},
            **more,
        }
    )


def test_without_tta_keys_the_test_pipeline_is_also_mirrored_and_that_is_said():
    cfg = config()
    before = cfg.to_dict()
    tta, notes = with_test_time_augmentation(cfg)
    assert cfg.to_dict() == before
    assert tta.model.type == "DetTTAModel" and tta.model.module == cfg.model
    assert tta.model.tta_cfg == {"nms": {"type": "nms", "iou_threshold": 0.6}, "max_per_img": 7}
    views = {"type": "TestTimeAug", "transforms": [FLIPS, [ANNOTATIONS], [PACK]]}
    assert tta.test_dataloader.dataset.dataset.pipeline == [LOAD, RESIZE, views]
    assert [note.split()[0] for note in notes] == ["tta_model", "tta_pipeline"]


def test_the_configs_own_keys_are_used():
    own = {"type": "DetTTAModel", "tta_cfg": {"nms": {"iou_threshold": 0.3}, "max_per_img": 5}}
    pipeline = [LOAD, {"type": "TestTimeAug", "transforms": [[RESIZE], [PACK]]}]
    tta, notes = with_test_time_augmentation(config(tta_model=own, tta_pipeline=pipeline))
    assert notes == []
    assert tta.model.tta_cfg == own["tta_cfg"]
    assert tta.test_dataloader.dataset.dataset.pipeline == pipeline


def test_joined_test_data_is_refused_wherever_its_pipelines_are():
    parts = [{"type": "CocoDataset", "pipeline": [LOAD, PACK]}] * 2
    joined = {"type": "ConcatDataset", "datasets": parts}
    for data in (joined, {"type": "RepeatDataset", "dataset": joined}):
        with pytest.raises(ValueError, match="one data set, not a list of them"):
            with_test_time_augmentation(config(test_dataloader={"dataset": data}))


def test_meta_keys_learn_of_the_flip():
    pack = {**PACK, "meta_keys": ("img_id", "flip")}
    final = flipped_pipeline([LOAD, RESIZE, pack])[-1]["transforms"][-1][0]
    assert final["meta_keys"] == ("img_id", "flip", "flip_direction", "flip_indices")
    assert pack["meta_keys"] == ("img_id", "flip")


def test_annotations_that_come_before_the_resize_are_mirrored_with_the_image():
    steps = flipped_pipeline([LOAD, ANNOTATIONS, RESIZE, PACK])
    assert steps[:3] == [LOAD, ANNOTATIONS, RESIZE]
    assert steps[3]["transforms"] == [FLIPS, [PACK]]


def test_proposals_are_mirrored_too():
    proposals = {"type": "LoadProposals"}
    views = flipped_pipeline([LOAD, proposals, PACK])[-1]["transforms"]
    assert views[0] == [{"type": "ProposalBroadcaster", "transforms": [flip]} for flip in FLIPS]


def test_a_pipeline_that_does_not_pack_and_a_missing_one_are_refused():
    with pytest.raises(ValueError, match="must end with PackDetInputs"):
        flipped_pipeline([LOAD])
    cfg = config()
    cfg.test_dataloader = copy.deepcopy(cfg.test_dataloader)
    del cfg.test_dataloader.dataset["dataset"]
    with pytest.raises(ValueError, match=r"needs test_dataloader\.dataset\.pipeline"):
        with_test_time_augmentation(cfg)
