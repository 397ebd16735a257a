"""Keypoints of CocoDataset, from the file to the packed sample."""

import numpy as np
import pytest
import torch

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.ops.coco_person import KEYPOINT_NAMES, SKELETON_LINKS

NAMES = ["nose", "left_eye", "right_eye"]


@pytest.fixture
def with_joints(coco_content, write_coco):
    """Write the small set with joints; ``joints_of`` says which of an annotation (by index)."""

    def write(joints_of, names=NAMES):
        for category in coco_content["categories"]:
            category["keypoints"] = names
        for i, ann in enumerate(coco_content["annotations"]):
            if joints_of(i):
                ann["keypoints"] = joints_of(i)
        return write_coco(coco_content)

    return write


def entries(args, **kwargs):
    dataset = CocoDataset(**args, **kwargs)
    return dataset, [dataset.get_data_info(i) for i in range(len(dataset))]


def test_instances_and_metainfo_get_the_files_joints(with_joints):
    args = with_joints(lambda i: [i, 1, 2, 3, 4, 1, 0, 0, 0])
    dataset, listed = entries(args, test_mode=True)
    assert dataset.metainfo["keypoint_names"] == tuple(NAMES)
    assert all(entry["flip_indices"] == (0, 2, 1) for entry in listed)
    instances = [instance for entry in listed for instance in entry["instances"]]
    assert instances
    assert all(instance["keypoints"][1:3] == [1, 2] for instance in instances)


def test_instances_without_joints_have_unlabelled_ones(with_joints):
    _, listed = entries(with_joints(lambda i: None), test_mode=True)
    joints = [instance["keypoints"] for entry in listed for instance in entry["instances"]]
    assert joints and all(numbers == [0] * 9 for numbers in joints)


def test_a_set_without_joints_has_none(coco_args):
    dataset, listed = entries(coco_args, test_mode=True)
    assert "keypoint_names" not in dataset.metainfo
    assert all("flip_indices" not in entry for entry in listed)
    assert all("keypoints" not in one for entry in listed for one in entry["instances"])


def test_a_wrong_number_of_joints_is_refused(with_joints):
    with pytest.raises(ValueError, match=r"annotation .*: expected keypoints = .* with 9 numbers"):
        CocoDataset(**with_joints(lambda i: [1, 2, 2]))


def test_images_with_few_labelled_joints_are_filtered_in_training(with_joints):
    args = with_joints(lambda i: [5, 5, 2, 6, 6, 1, 0, 0, 0] if i == 0 else None)
    for least, kept in ((1, 1), (2, 1)):
        _, listed = entries(args, filter_cfg={"min_keypoints": least})
        assert len(listed) == kept
    with pytest.raises(ValueError, match="fewer labelled keypoints than min_keypoints=3"):
        CocoDataset(**args, filter_cfg={"min_keypoints": 3})
    _, everything = entries(args, filter_cfg={"min_keypoints": 3}, test_mode=True)
    assert len(everything) > 1


def test_real_annotations_arrive_packed_and_in_place(shared_dir):
    root = shared_dir / "data" / "coco"
    dataset = CocoDataset(
        ann_file="annotations/person_keypoints_val2017.json",
        data_root=str(root),
        data_prefix={"img": "val2017/"},
        filter_cfg={"filter_empty_gt": True, "min_keypoints": 1},
        pipeline=[
            {"type": "LoadImageFromFile"},
            {"type": "LoadAnnotations", "with_keypoints": True},
            {"type": "Resize", "scale": (320, 200), "keep_ratio": True},
            {"type": "RandomFlip", "prob": 1.0},
            {"type": "PackDetInputs"},
        ],
    )
    assert 0 < len(dataset) < 128
    assert dataset.metainfo["keypoint_names"] == KEYPOINT_NAMES
    assert dataset.metainfo["skeleton_links"] == SKELETON_LINKS
    for i in (0, len(dataset) - 1):
        sample = dataset[i]["data_samples"]
        truth = sample.gt_instances
        raw = [one for one in dataset.get_data_info(i)["instances"] if not one["ignore_flag"]]
        wanted = np.array([one["keypoints"] for one in raw], float).reshape(len(raw), 17, 3)
        wanted = wanted[:, list(dataset.metainfo["flip_indices"])]
        labelled = wanted[..., 2] > 0
        points = wanted[..., :2] * sample.scale_factor
        points[..., 0] = sample.img_shape[1] - points[..., 0]
        assert truth.keypoints.dtype is torch.float32
        np.testing.assert_allclose(truth.keypoints[..., :2][labelled], points[labelled], atol=1e-3)
        np.testing.assert_array_equal(truth.keypoints[..., 2], wanted[..., 2])
        # nearly all joints lie in their box
        low, high = truth.bboxes[:, None, :2] - 3, truth.bboxes[:, None, 2:] + 3
        inside = ((truth.keypoints[..., :2] >= low) & (truth.keypoints[..., :2] <= high)).all(-1)
        assert inside[torch.from_numpy(labelled)].float().mean() > 0.9
