"""Keypoints mirrored, made into targets, and read from heatmaps."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints, keypoints_to_heatmap

from mmdet_lite.ops import keypoints as module
from mmdet_lite.ops.coco_person import KEYPOINT_NAMES, SIGMAS, SKELETON_LINKS
from mmdet_lite.ops.keypoints import decode_heatmaps, flip_keypoints, heatmap_targets

FLIP = (0, 2, 1)
SIZE_HW = (40, 60)


def joints(num=4, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 40, (num, 3, 2))
    return np.concatenate([points, rng.integers(0, 3, (num, 3, 1))], axis=2).astype(np.float32)


@pytest.mark.parametrize("direction", ["horizontal", "vertical", "diagonal"])
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_flip_twice_is_the_identity_and_leaves_its_argument(direction, kind):
    given = kind(joints())
    once = flip_keypoints(given, SIZE_HW, direction, FLIP)
    assert type(once) is type(given) and not bool((once == given).all())
    np.testing.assert_allclose(flip_keypoints(once, SIZE_HW, direction, FLIP), given, atol=1e-5)
    np.testing.assert_array_equal(given, joints())


def test_a_mirror_makes_the_left_joint_the_right_one_and_turning_does_not():
    given = joints()
    mirrored = flip_keypoints(given, SIZE_HW, "horizontal", FLIP)
    np.testing.assert_allclose(mirrored[:, 1, 0], 60 - given[:, 2, 0])
    np.testing.assert_array_equal(mirrored[:, 1, 1:], given[:, 2, 1:])
    upside_down = flip_keypoints(given, SIZE_HW, "vertical", FLIP)
    np.testing.assert_allclose(upside_down[:, 1, 1], 40 - given[:, 2, 1])
    turned = flip_keypoints(given, SIZE_HW, "diagonal", FLIP)
    np.testing.assert_allclose(turned[:, 1, :2], [60, 40] - given[:, 1, :2])
    both = flip_keypoints(mirrored, SIZE_HW, "vertical", FLIP)
    np.testing.assert_allclose(turned, both, atol=1e-5)


def test_no_objects_flip_to_no_objects():
    assert flip_keypoints(torch.zeros(0, 3, 3), SIZE_HW, "horizontal", FLIP).shape == (0, 3, 3)


def test_wrong_flips_are_refused():
    with pytest.raises(ValueError, match="'horizontal', 'vertical' or 'diagonal', got 'left'"):
        flip_keypoints(joints(), SIZE_HW, "left", FLIP)
    with pytest.raises(ValueError, match="flip_indices name 2 joints, the keypoints have 3"):
        flip_keypoints(joints(), SIZE_HW, "horizontal", (1, 0))


def test_targets_equal_torchvisions():
    torch.manual_seed(0)
    low = torch.rand(50, 2) * 30
    boxes = torch.cat([low, low + 1 + torch.rand(50, 2) * 40], dim=1)
    points = torch.rand(50, 17, 2) * 70
    points[0, 0], points[1, 1] = boxes[0, 2:], boxes[1, :2]  # on the corners
    given = torch.cat([points, torch.randint(0, 3, (50, 17, 1)).float()], dim=2)
    given[0, 0, 2] = given[1, 1, 2] = 2
    wanted, valid = keypoints_to_heatmap(given.clone(), boxes, 56)
    got = heatmap_targets(given, boxes, (56, 56))
    assert torch.equal(got != -1, valid.bool())
    assert torch.equal(got[valid.bool()], wanted[valid.bool()])
    assert got[0, 0] == 56 * 56 - 1 and got[1, 1] == 0


def test_boxes_without_area_and_no_boxes_have_no_targets():
    point = torch.tensor([[[5.0, 7.0, 2.0]]])
    assert heatmap_targets(point, torch.tensor([[5.0, 5.0, 5.0, 5.0]]), (4, 4)).tolist() == [[-1]]
    assert heatmap_targets(torch.zeros(0, 17, 3), torch.zeros(0, 4), (4, 4)).shape == (0, 17)


def heatmaps_and_boxes(num, smallest, largest, num_joints=5):
    torch.manual_seed(num)
    maps = F.interpolate(torch.randn(num, num_joints, 28, 28) * 3, scale_factor=2, mode="bilinear")
    low = torch.rand(num, 2) * 100
    wh = smallest + torch.rand(num, 2) * (largest - smallest)
    return maps, torch.cat([low, low + wh], dim=1)


@pytest.mark.parametrize(("num", "smallest", "largest"), [(20, 0, 3), (30, 2, 90), (8, 60, 400)])
def test_decoding_equals_torchvisions_in_value(num, smallest, largest):
    maps, boxes = heatmaps_and_boxes(num, smallest, largest)
    before = maps.clone(), boxes.clone()
    wanted, peaks = heatmaps_to_keypoints(maps, boxes)
    got = decode_heatmaps(maps, boxes)
    assert torch.equal(maps, before[0]) and torch.equal(boxes, before[1])
    torch.testing.assert_close(got[..., :2], wanted[..., :2], atol=1e-3, rtol=0)
    torch.testing.assert_close(got[..., 2], peaks, atol=1e-4, rtol=0)


def test_decoding_does_not_depend_on_how_boxes_are_grouped(monkeypatch):
    maps, boxes = heatmaps_and_boxes(30, 2, 90)
    together = decode_heatmaps(maps, boxes)
    for most in (1, 1 << 30):
        monkeypatch.setitem(module.PIXELS_AT_ONCE, "cpu", most)
        torch.testing.assert_close(decode_heatmaps(maps, boxes), together, atol=1e-4, rtol=0)


def test_decoding_ignores_autocast_and_takes_half_precision():
    maps, boxes = heatmaps_and_boxes(4, 20, 60)
    with torch.autocast("cpu", torch.bfloat16):
        got = decode_heatmaps(maps, boxes)
    assert torch.equal(got, decode_heatmaps(maps, boxes))
    assert decode_heatmaps(maps.bfloat16(), boxes).dtype is torch.float32


def test_no_boxes_decode_to_no_joints():
    assert decode_heatmaps(torch.zeros(0, 17, 56, 56), torch.zeros(0, 4)).shape == (0, 17, 3)


def test_targets_and_decoding_are_inverse_up_to_a_cell():
    boxes = torch.tensor([[10.0, 20.0, 122.0, 244.0]])
    given = torch.tensor([[[30.3, 90.1, 2.0], [121.0, 243.0, 2.0]]])
    cells = heatmap_targets(given, boxes, (56, 56))
    maps = F.one_hot(cells, 56 * 56).view(1, 2, 56, 56).float()
    decoded = decode_heatmaps(maps, boxes)[..., :2]
    assert ((decoded - given[..., :2]).abs() <= torch.tensor([2.0, 4.0])).all()


def test_cocos_joints_agree_with_pycocotools():
    from pycocotools.cocoeval import Params

    np.testing.assert_allclose(SIGMAS, Params("keypoints").kpt_oks_sigmas)
    assert len(KEYPOINT_NAMES) == 17 and max(max(link) for link in SKELETON_LINKS) == 16
