"""Skeletons on pictures: colours of the sides, hidden joints, what is left out."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmdet_lite.structures import DetDataSample
from mmdet_lite.visualization import DetLocalVisualizer, draw_keypoints, visible_joints
from mmdet_lite.visualization.keypoint_drawing import SIDE_COLORS

META = {
    "keypoint_names": ("left_hand", "right_hand", "nose"),
    "skeleton_links": ((0, 2), (1, 2)),
}


def paper():
    return np.full((300, 400, 3), 200, np.uint8)


def person(visibility=(2, 2, 2)):
    points = [(100.5, 200.5), (300.5, 200.5), (200.5, 100.5)]
    return np.array([[(x, y, v) for (x, y), v in zip(points, visibility, strict=True)]], float)


def test_left_right_and_middle_have_their_colours_and_lines_those_of_their_side():
    image = paper()
    drawn = draw_keypoints(image, person(), META)
    assert tuple(drawn[200, 100]) == SIDE_COLORS["left"]
    assert tuple(drawn[200, 300]) == SIDE_COLORS["right"]
    assert tuple(drawn[100, 200]) == SIDE_COLORS["middle"]
    assert tuple(drawn[150, 150]) == SIDE_COLORS["left"]
    assert tuple(drawn[150, 250]) == SIDE_COLORS["right"]
    assert (image == 200).all()


def test_joints_without_label_and_their_lines_are_left_out():
    drawn = draw_keypoints(paper(), person((2, 0, 2)), META)
    assert (drawn[180:, 260:] == 200).all()
    assert (draw_keypoints(paper(), person((0, 0, 0)), META) == 200).all()


def test_hidden_joints_are_hollow():
    drawn = draw_keypoints(paper(), person((1, 2, 2)), META)
    assert drawn[200, 100].max() < 60 and tuple(drawn[200, 300]) == SIDE_COLORS["right"]


@pytest.mark.parametrize("joints", [np.zeros((0, 3, 3)), torch.zeros(0, 17, 3)])
def test_nobody_gives_a_copy(joints):
    image = paper()
    drawn = draw_keypoints(image, joints, META)
    assert (drawn == image).all() and drawn is not image


def test_seventeen_joints_without_names_are_cocos_and_others_are_dots():
    joints = np.random.default_rng(0).uniform(50, 250, (1, 17, 3))
    named = draw_keypoints(paper(), joints, None)
    dots = draw_keypoints(paper(), joints[:, :16], None)
    assert (named != 200).sum() > 2 * (dots != 200).sum() > 0


def test_joints_outside_of_the_picture_do_no_harm():
    joints = person()
    joints[0, 0, :2] = (-5000, 1e5)
    assert draw_keypoints(paper(), joints, META).shape == (300, 400, 3)


def test_predicted_joints_count_from_their_threshold_on():
    points, scores = torch.zeros(1, 3, 2), torch.tensor([[0.04, 0.05, 0.9]])
    assert visible_joints(points, scores, 0.05)[0, :, 2].tolist() == [0, 2, 2]
    assert visible_joints(torch.zeros(0, 3, 2), torch.zeros(0, 3)).shape == (0, 3, 3)


def test_visualizer_draws_annotated_and_predicted_joints():
    joints = torch.from_numpy(person()).float()
    box, label = torch.tensor([[80.0, 80.0, 320.0, 220.0]]), torch.tensor([0])
    sample = DetDataSample()
    sample.gt_instances = InstanceData(bboxes=box, labels=label, keypoints=joints)
    sample.pred_instances = InstanceData(
        bboxes=box,
        labels=label,
        scores=torch.tensor([0.9]),
        keypoints=joints[..., :2],
        keypoint_scores=torch.tensor([[0.5, 0.01, 0.5]]),
    )
    visualizer = DetLocalVisualizer(kpt_thr=0.1)
    visualizer.dataset_meta = {"classes": ("person",), "palette": [(220, 20, 60)], **META}
    truth = visualizer.draw_datasample(paper(), sample, draw_pred=False)
    found = visualizer.draw_datasample(paper(), sample, draw_gt=False)
    assert tuple(truth[200, 300]) == SIDE_COLORS["right"]
    assert tuple(found[200, 300]) == (200, 200, 200)
    assert tuple(found[200, 100]) == tuple(truth[200, 100]) == SIDE_COLORS["left"]
