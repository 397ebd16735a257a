"""The second stage with joints: whom it trains on, what it finds, with and without masks."""

import copy

import pytest
import torch

from mmdet_lite.models.roi_heads.standard_roi_head import SampledRoIs
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import BatchTargets

PEOPLE = [[10.0, 10.0, 60.0, 80.0], [70.0, 20.0, 110.0, 90.0]]
JOINTS = 5


@pytest.fixture
def keypoint_cfg(tiny_cfg):
    """Config of a tiny Mask and Keypoint R-CNN."""
    head = tiny_cfg["roi_head"]
    head.update(
        type="KeypointRoIHead",
        keypoint_roi_extractor=copy.deepcopy(head["mask_roi_extractor"]),
        keypoint_head={
            "type": "KeypointRCNNHead",
            "num_keypoints": JOINTS,
            "num_convs": 1,
            "in_channels": 16,
            "conv_out_channels": 16,
        },
    )
    tiny_cfg["type"] = "KeypointRCNN"
    return tiny_cfg


def without_masks(cfg):
    for key in ("mask_roi_extractor", "mask_head"):
        del cfg["roi_head"][key]
    return cfg


def add_joints(batch, visibility=2.0):
    """Joints in the middle of each box."""
    for sample in batch["data_samples"]:
        boxes = sample.gt_instances.bboxes
        middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
        points = middle.expand(len(boxes), JOINTS, 2)
        seen = torch.full((len(boxes), JOINTS, 1), visibility)
        sample.gt_instances.keypoints = torch.cat([points, seen], dim=2)
    return batch


def losses_of(model, batch):
    return model(**model.data_preprocessor(batch, training=True), mode="loss")


def test_keypoint_loss_joins_the_other_losses_with_and_without_masks(keypoint_cfg, make_batch):
    batch = add_joints(make_batch(PEOPLE, PEOPLE[:1]))
    with_masks = losses_of(MODELS.build(keypoint_cfg), batch)
    assert {"loss_mask", "loss_keypoint", "loss_bbox"} <= with_masks.keys()
    losses = losses_of(MODELS.build(without_masks(keypoint_cfg)), batch)
    assert "loss_mask" not in losses
    assert losses["loss_keypoint"] > 6  # a softmax over 56 x 56 cells that knows nothing has 8


@pytest.mark.parametrize("boxes", [[[], []], [[], PEOPLE]])
def test_images_without_people_train_and_reach_every_weight(keypoint_cfg, make_batch, boxes):
    model = MODELS.build(without_masks(keypoint_cfg))
    losses = losses_of(model, add_joints(make_batch(*boxes)))
    assert (losses["loss_keypoint"] == 0) == (not any(boxes))
    sum(value for name, value in losses.items() if "loss" in name).backward()
    assert all(p.grad is not None for p in model.roi_head.keypoint_head.parameters())


def test_people_without_labelled_joints_give_no_keypoint_loss(keypoint_cfg, make_batch):
    model = MODELS.build(without_masks(keypoint_cfg))
    batch = add_joints(make_batch(PEOPLE), visibility=0.0)
    assert losses_of(model, batch)["loss_keypoint"] == 0


def test_only_positive_rois_with_a_labelled_joint_inside_are_trained_on(keypoint_cfg):
    head = MODELS.build(without_masks(keypoint_cfg)).roi_head
    joints = torch.zeros(1, JOINTS, 3)
    joints[0, 0] = torch.tensor([20.0, 20.0, 1.0])
    rois = torch.tensor([[0, 10.0, 10, 30, 30], [0, 21, 10, 40, 30], [0, 10, 10, 30, 30]])
    positive = torch.tensor([True, True, False])
    zeros = torch.zeros(3, dtype=torch.long)
    sampled = SampledRoIs(rois, zeros, rois[:, 1:], zeros, positive, ~positive)
    targets = BatchTargets([rois[:1, 1:]], [zeros[:1]], [rois[:0, 1:]], keypoints=[joints])
    cells = head._wanted_cells(sampled, targets)
    assert cells[0].tolist() == [28 * 56 + 28, -1, -1, -1, -1]
    assert (cells[1:] == -1).all()


def test_data_without_keypoints_is_refused(keypoint_cfg, make_batch):
    model = MODELS.build(without_masks(keypoint_cfg))
    with pytest.raises(ValueError, match=r"the data has no keypoints; load them.*with_keypoints"):
        losses_of(model, make_batch(PEOPLE))


def test_another_number_of_joints_is_refused(keypoint_cfg, make_batch):
    keypoint_cfg["roi_head"]["keypoint_head"]["num_keypoints"] = 17
    model = MODELS.build(without_masks(keypoint_cfg))
    with pytest.raises(ValueError, match=r"num_keypoints is 17, but .* have 5 joints"):
        losses_of(model, add_joints(make_batch(PEOPLE)))


def test_predictions_are_in_original_pixels_inside_their_boxes(keypoint_cfg, make_batch):
    model = MODELS.build(keypoint_cfg).eval()
    batch = make_batch(PEOPLE, PEOPLE, ori_shape=(48, 32), scale_factor=(4.0, 2.0))
    with torch.no_grad():
        samples = model.test_step(batch)
    for sample in samples:
        found = sample.pred_instances
        assert len(found) and found.keypoints.shape == (len(found), JOINTS, 2)
        assert found.keypoint_scores.shape == (len(found), JOINTS)
        assert ((found.keypoint_scores > 0) & (found.keypoint_scores <= 1)).all()
        assert len(found.masks) == len(found)
        low, high = found.bboxes[:, None, :2] - 1e-3, found.bboxes[:, None, 2:]
        # boxes below a pixel of the input count as a pixel
        one = torch.tensor([0.25, 0.5]) + 1e-3
        assert ((found.keypoints >= low) & (found.keypoints <= torch.max(high, low + one))).all()


def test_no_detections_have_no_joints(keypoint_cfg, make_batch):
    keypoint_cfg["test_cfg"]["rcnn"]["score_thr"] = 1.0
    model = MODELS.build(keypoint_cfg).eval()
    with torch.no_grad():
        (sample,) = model.test_step(make_batch(PEOPLE))
    assert sample.pred_instances.keypoints.shape == (0, JOINTS, 2)


def test_a_head_without_its_parts_or_of_another_size_is_refused(keypoint_cfg):
    broken = copy.deepcopy(keypoint_cfg)
    del broken["roi_head"]["keypoint_head"]
    with pytest.raises(ValueError, match="needs keypoint_roi_extractor and keypoint_head"):
        MODELS.build(broken)
    keypoint_cfg["roi_head"]["keypoint_head"]["roi_feat_size"] = 7
    with pytest.raises(ValueError, match=r"output_size is 14, but .*roi_feat_size is 7"):
        MODELS.build(keypoint_cfg)


def test_keys_are_those_of_checkpoints(keypoint_cfg):
    keys = MODELS.build(keypoint_cfg).state_dict()
    assert "roi_head.keypoint_head.convs.0.conv.weight" in keys
    assert "roi_head.keypoint_head.upsample.bias" in keys
