from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmdet_lite.apis import detect_each, inference_detector, init_detector, picture_pipeline
from mmdet_lite.checkpoint import save_checkpoint

CONFIG = Path(__file__).parents[2] / "configs/balloon/mask-rcnn_r18_fpn_balloon.py"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Random weights that were 'trained' on one class, with its name and colour."""
    model = init_detector(
        CONFIG,
        device="cpu",
        cfg_options={"test_dataloader.dataset.metainfo": {"classes": ("kite",)}},
    )
    # every proposal is a detection
    model.roi_head.bbox_head.fc_cls.bias.data[0] = 5
    path = tmp_path_factory.mktemp("weights") / "kite.pth"
    meta = {"dataset_meta": {"classes": ("kite",), "palette": [(1, 2, 3)]}}
    save_checkpoint({"meta": meta, "state_dict": model.state_dict()}, path)
    return path


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.jpg"
    cv2.imwrite(str(path), np.random.randint(0, 255, (90, 120, 3), np.uint8))
    return path


def test_class_names_and_colours_come_from_the_checkpoint(checkpoint):
    model = init_detector(CONFIG, checkpoint, device="cpu")
    assert model.dataset_meta == {"classes": ("kite",), "palette": [(1, 2, 3)]}
    assert not model.training


def test_joined_test_data_gives_the_pipeline_of_its_first_part(picture):
    pipeline = [{"type": "LoadImageFromFile"}, {"type": "PackDetInputs"}]
    parts = [{"type": "CocoDataset", "pipeline": pipeline}, {"type": "CocoDataset"}]
    data = {"type": "ConcatDataset", "datasets": parts}
    load = picture_pipeline(Config({"test_dataloader": {"dataset": data}}))
    assert load({"img_path": str(picture), "img_id": 0})["inputs"].shape == (3, 90, 120)
    with pytest.raises(ValueError, match="has no pipeline"):
        picture_pipeline(Config({"test_dataloader": {"dataset": parts[1]}}))


def test_one_picture_gives_one_sample_with_rle_masks_of_its_size(checkpoint, picture):
    model = init_detector(CONFIG, checkpoint, device="cpu")
    sample = inference_detector(model, str(picture))
    found = sample.pred_instances
    assert len(found) > 0
    assert len(found.masks) == len(found.bboxes) == len(found.scores)
    assert found.masks[0]["size"] == [90, 120]
    assert found.bboxes[:, 2].max() <= 120.01 and found.bboxes[:, 3].max() <= 90.01


def test_file_and_array_give_the_same_detections(checkpoint, picture):
    model = init_detector(CONFIG, checkpoint, device="cpu")
    array = cv2.imread(str(picture))
    before = array.copy()
    from_file, from_array = inference_detector(model, [picture, array])
    torch.testing.assert_close(from_file.pred_instances.bboxes, from_array.pred_instances.bboxes)
    assert (array == before).all()


def test_no_pictures_give_no_samples(checkpoint):
    assert inference_detector(init_detector(CONFIG, checkpoint, device="cpu"), []) == []


def test_a_missing_picture_is_named(checkpoint):
    model = init_detector(CONFIG, checkpoint, device="cpu")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.jpg"):
        inference_detector(model, "nowhere.jpg")


def test_a_config_object_may_be_given_and_stays_unchanged(checkpoint):
    cfg = Config.fromfile(str(CONFIG))
    before = cfg.pretty_text
    init_detector(cfg, checkpoint, device="cpu")
    assert cfg.pretty_text == before


def test_an_unknown_palette_is_refused(checkpoint):
    with pytest.raises(ValueError, match="palette must be"):
        init_detector(CONFIG, checkpoint, palette="coco", device="cpu")


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((9, 9, 3), np.float32), "float32"),
        (np.zeros((9, 9), np.uint8), "GRAY2BGR"),
        (np.zeros((0, 0, 3), np.uint8), "expected an array"),
    ],
)
def test_an_array_that_is_no_uint8_colour_picture_is_refused(checkpoint, array, word):
    model = init_detector(CONFIG, checkpoint, device="cpu")
    with pytest.raises(ValueError, match=f"picture 0: .*{word}"):
        inference_detector(model, array)


def test_no_picture_at_all_is_refused(checkpoint):
    model = init_detector(CONFIG, checkpoint, device="cpu")
    for wrong in (None, [None]):
        with pytest.raises(TypeError, match=r"got None"):
            inference_detector(model, wrong)


@pytest.mark.parametrize("device", ["cuda:99", "foo"])
def test_a_device_that_is_not_there_is_named(checkpoint, device):
    with pytest.raises(ValueError, match=f"device '{device}'"):
        init_detector(CONFIG, checkpoint, device=device)


def test_contradicting_classes_are_named(checkpoint):
    changes = {"model.roi_head.bbox_head.num_classes": 2}
    with pytest.raises(ValueError, match=r"says 2, expected 1 from .* trained on kite"):
        init_detector(CONFIG, checkpoint, device="cpu", cfg_options=changes)


def test_a_config_object_of_mmdetections_scope_works_and_leaves_others_working(checkpoint, picture):
    cfg = Config.fromfile(str(CONFIG))
    cfg.default_scope = "mmdet"
    earlier = init_detector(CONFIG, checkpoint, device="cpu")
    model = init_detector(cfg, checkpoint, device="cpu")
    assert cfg.default_scope == "mmdet"
    for each in (model, earlier):
        assert inference_detector(each, picture).ori_shape == (90, 120)


def test_a_detector_that_needs_proposals_says_so_at_once(checkpoint, picture):
    model = init_detector(CONFIG, checkpoint, device="cpu")
    dataset = model.cfg.test_dataloader.dataset
    dataset.pipeline = [dataset.pipeline[0], {"type": "LoadProposals"}, *dataset.pipeline[1:]]
    with pytest.raises(ValueError, match=r"takes its proposals from a file.*faster_rcnn"):
        detect_each(model, [str(picture)])
