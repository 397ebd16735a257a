"""The keypoint head: keys, shapes, losses against torchvision's, scores."""

import pytest
import torch
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints, keypointrcnn_loss

from mmdet_lite.models.roi_heads import KeypointRCNNHead
from mmdet_lite.ops.keypoints import heatmap_targets

SMALL = {"num_keypoints": 5, "num_convs": 2, "in_channels": 4, "conv_out_channels": 6}


def rois_and_joints(num=6):
    low = torch.rand(num, 2) * 20
    boxes = torch.cat([low, low + 5 + torch.rand(num, 2) * 40], dim=1)
    points = torch.rand(num, 5, 2) * 60
    return boxes, torch.cat([points, torch.randint(0, 3, (num, 5, 1)).float()], dim=2)


def test_keys_and_shapes_are_those_of_checkpoints():
    state = KeypointRCNNHead(num_keypoints=17).state_dict()
    assert list(state)[:2] == ["convs.0.conv.weight", "convs.0.conv.bias"]
    assert list(state)[-2:] == ["upsample.weight", "upsample.bias"]
    assert len(state) == 18
    assert state["upsample.weight"].shape == (512, 17, 4, 4)
    assert state["convs.7.conv.weight"].shape == (512, 512, 3, 3)


def test_forward_equals_torchvisions_with_its_weights():
    theirs = torch.nn.Sequential(KeypointRCNNHeads(4, (6, 6)), KeypointRCNNPredictor(6, 5))
    ours = KeypointRCNNHead(**SMALL)
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    features = torch.randn(3, 4, 14, 14)
    torch.testing.assert_close(ours(features), theirs(features))
    assert ours(features).shape[2:] == ours.heatmap_hw == (56, 56)


def test_loss_equals_torchvisions():
    head = KeypointRCNNHead(**SMALL)
    boxes, joints = rois_and_joints()
    logits = torch.randn(6, 5, 56, 56)
    wanted = keypointrcnn_loss(logits, [boxes], [joints], [torch.arange(6)])
    targets = heatmap_targets(joints, boxes, head.heatmap_hw)
    assert (targets == -1).any() and (targets != -1).any()
    torch.testing.assert_close(head.loss(logits, targets, 1)["loss_keypoint"], wanted)


def test_fixed_divisor_replaces_the_number_of_labelled_joints():
    boxes, joints = rois_and_joints()
    logits = torch.randn(6, 5, 56, 56)
    head = KeypointRCNNHead(**SMALL)
    targets = heatmap_targets(joints, boxes, head.heatmap_hw)
    labelled = (targets != -1).sum()
    by_number = head.loss(logits, targets, 2)["loss_keypoint"]
    fixed = KeypointRCNNHead(**SMALL, loss_keypoints_per_img=20)
    got = fixed.loss(logits, targets, 2)["loss_keypoint"]
    torch.testing.assert_close(got, by_number * labelled / 40)


def test_loss_without_rois_or_without_labels_is_zero_and_reaches_every_weight():
    head = KeypointRCNNHead(**SMALL)
    for num in (0, 2):
        head.zero_grad()
        targets = torch.full((num, 5), -1)
        loss = head.loss(head(torch.randn(num, 4, 14, 14)), targets, 1)["loss_keypoint"]
        assert loss == 0
        loss.backward()
        assert all(p.grad is not None for p in head.parameters())


def test_prediction_has_torchvisions_places_and_a_softmax_score():
    head = KeypointRCNNHead(**SMALL)
    boxes, _ = rois_and_joints()
    logits = head(torch.randn(6, 4, 14, 14) * 5)
    places, peaks = heatmaps_to_keypoints(logits, boxes)
    got = head.predict(logits, boxes)
    torch.testing.assert_close(got[..., :2], places[..., :2], atol=1e-3, rtol=0)
    softmax = (peaks - logits.flatten(2).logsumexp(dim=2)).exp()
    torch.testing.assert_close(got[..., 2], softmax.clamp(max=1), atol=1e-5, rtol=1e-4)
    assert head.predict(logits[:0], boxes[:0]).shape == (0, 5, 3)


def test_initial_weights_of_the_deconvolution_have_kaimings_spread():
    head = KeypointRCNNHead(num_keypoints=17, num_convs=1, conv_out_channels=64)
    head.init_weights()
    assert head.upsample.bias.abs().max() == 0
    assert head.upsample.weight.std().item() == pytest.approx((2 / (64 * 16)) ** 0.5, rel=0.05)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_keypoints": 0}, "num_keypoints and up_scale must be at least 1"),
        ({"loss_keypoints_per_img": 0}, "loss_keypoints_per_img must be positive"),
        ({"loss_keypoint": {"type": "L1Loss"}}, "must be a CrossEntropyLoss"),
        (
            {"loss_keypoint": {"type": "CrossEntropyLoss", "use_sigmoid": True}},
            "must be a CrossEntropyLoss",
        ),
    ],
)
def test_wrong_arguments_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        KeypointRCNNHead(**{**SMALL, **changes})
