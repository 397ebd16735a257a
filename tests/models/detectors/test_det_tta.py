"""Test-time augmentation on tiny detectors: what must come out whatever the weights are."""

import copy

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from pycocotools import mask as coco_mask

from mmdet_lite.datasets.transforms import PackDetInputs, RandomFlip, Resize, TestTimeAug
from mmdet_lite.models.detectors.det_tta import DetTTAModel, View
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample, Detections

NMS = {"nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 10}
FLIP_INDICES = (0, 2, 1)


@pytest.fixture
def detector(tiny_cfg):
    torch.manual_seed(3)
    model = MODELS.build(tiny_cfg)
    model.init_weights()
    for head in (model.roi_head.bbox_head.fc_cls, model.rpn_head.rpn_cls):
        torch.nn.init.normal_(head.weight, std=0.3)  # so that scores differ
    return model.eval()


@pytest.fixture
def keypoint_detector(tiny_cfg):
    cfg = copy.deepcopy(tiny_cfg)
    cfg["roi_head"]["type"] = "KeypointRoIHead"
    cfg["roi_head"]["keypoint_roi_extractor"] = copy.deepcopy(cfg["roi_head"]["mask_roi_extractor"])
    cfg["roi_head"]["keypoint_head"] = {
        "type": "KeypointRCNNHead",
        "num_keypoints": 3,
        "num_convs": 1,
        "in_channels": 16,
        "conv_out_channels": 16,
    }
    torch.manual_seed(3)
    model = MODELS.build(cfg)
    model.init_weights()
    return model.eval()


def batch_of(images, *steps):
    """Images through TestTimeAug with these lists of transforms, joined as the loader does."""
    augment = TestTimeAug([*steps, [PackDetInputs()]])
    return pseudo_collate(
        [
            augment(
                {
                    "img": image,
                    "img_id": i,
                    "ori_shape": image.shape[:2],
                    "img_shape": image.shape[:2],
                    "flip_indices": FLIP_INDICES,
                }
            )
            for i, image in enumerate(images)
        ]
    )


def flips(*directions):
    return [RandomFlip(prob=float(d is not None), direction=d or "horizontal") for d in directions]


def noise(*size_hw):
    return np.random.default_rng(1).integers(0, 256, (*size_hw, 3), dtype=np.uint8)


def plain_predictions(detector, images):
    packed = [
        PackDetInputs()({"img": img, "img_id": i, "ori_shape": img.shape[:2],
                         "img_shape": img.shape[:2]})
        for i, img in enumerate(images)
    ]  # fmt: skip
    with torch.no_grad():
        return [s.pred_instances for s in detector.test_step(pseudo_collate(packed))]


def assert_same(found, wanted):
    assert found.keys() == wanted.keys() and len(found) == len(wanted) > 0
    for key in set(found.keys()) - {"masks"}:
        torch.testing.assert_close(found[key], wanted[key], atol=2e-3, rtol=1e-4)
    if "masks" in found:
        ious = coco_mask.iou(found.masks, wanted.masks, [0] * len(found)).diagonal()
        areas = coco_mask.area(wanted.masks)
        assert all(iou > 0.99 for iou, area in zip(ious, areas, strict=True) if area)


def test_one_view_of_the_image_as_it_is_equals_plain_testing(detector):
    images = [noise(96, 128), noise(64, 96)]
    tta = DetTTAModel(NMS, detector)
    found = tta.test_step(batch_of(images, flips(None)))
    for sample, wanted in zip(found, plain_predictions(detector, images), strict=True):
        assert_same(sample.pred_instances, wanted)


def test_the_same_view_twice_changes_nothing_but_joins_equal_boxes(keypoint_detector):
    images = [noise(96, 128)]
    tta = DetTTAModel(NMS, keypoint_detector)
    found = tta.test_step(batch_of(images, flips(None, None)))
    assert_same(found[0].pred_instances, plain_predictions(keypoint_detector, images)[0])
    assert found[0].pred_instances.keypoints.shape[1:] == (3, 2)


@pytest.mark.parametrize("direction", ["horizontal", "vertical", "diagonal"])
def test_a_flipped_view_gives_the_flipped_pictures_detections(detector, direction):
    image = noise(96, 128)
    axes = {"horizontal": (1,), "vertical": (0,), "diagonal": (0, 1)}[direction]
    mirrored = np.ascontiguousarray(np.flip(image, axes))
    found = DetTTAModel(NMS, detector).test_step(batch_of([image], flips(direction)))
    wanted = plain_predictions(detector, [mirrored])[0]
    boxes = wanted.bboxes.clone()
    if 1 in axes:
        boxes[:, [0, 2]] = 128 - boxes[:, [2, 0]]
    if 0 in axes:
        boxes[:, [1, 3]] = 96 - boxes[:, [3, 1]]
    pred = found[0].pred_instances
    torch.testing.assert_close(pred.bboxes, boxes, atol=2e-3, rtol=1e-4)
    torch.testing.assert_close(pred.scores, wanted.scores)
    for ours, theirs in zip(pred.masks, wanted.masks, strict=True):
        turned = np.flip(coco_mask.decode(theirs), axes)
        differing = (coco_mask.decode(ours) != turned).mean()
        assert differing < 0.002


def test_a_symmetric_picture_gives_symmetric_detections(keypoint_detector):
    left = noise(96, 64)
    image = np.concatenate([left, left[:, ::-1]], axis=1)
    cfg = {"nms": {"type": "nms", "iou_threshold": 0.999}, "max_per_img": -1}
    tta = DetTTAModel(cfg, keypoint_detector)
    pred = tta.test_step(batch_of([image], flips(None, "horizontal")))[0].pred_instances
    boxes = pred.bboxes[:, [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1]) + torch.tensor(
        [128, 0, 128, 0]
    )
    distance = (boxes[:, None] - pred.bboxes[None]).abs().amax(dim=2)
    distance += 1e3 * (pred.labels[:, None] != pred.labels[None])
    nearest, partner = distance.min(dim=1)
    assert nearest.max() < 2e-3
    torch.testing.assert_close(pred.scores[partner], pred.scores)
    joints = pred.keypoints[partner].clone()
    joints[..., 0] = 128 - joints[..., 0]
    joints = joints[:, list(FLIP_INDICES)]
    scores = pred.keypoint_scores[partner][:, list(FLIP_INDICES)]
    torch.testing.assert_close(scores, pred.keypoint_scores, atol=1e-4, rtol=1e-3)
    # at equal heights of two peaks the first one wins on both sides
    near = (joints - pred.keypoints).abs().amax(dim=2) < 1.5
    assert near.float().mean() > 0.9


def test_boxes_of_scaled_views_come_back_to_the_original_image(detector):
    image = noise(96, 128)
    scales = [Resize(scale=(256, 192)), Resize(scale=(64, 48))]
    found = DetTTAModel(NMS, detector).test_step(batch_of([image], scales, flips(None)))[0]
    assert found.pred_instances.bboxes[:, 2].max() <= 128.01
    assert found.pred_instances.bboxes[:, 3].max() <= 96.01
    assert found.pred_instances.masks[0]["size"] == [96, 128]
    assert found.scale_factor == (1.0, 1.0) and found.img_shape == (96, 128)


def sample(flip=None, scale=(2.0, 0.5), **metainfo):
    return DetDataSample(
        metainfo={
            "img_shape": (48, 256),
            "ori_shape": (96, 128),
            "scale_factor": scale,
            "flip": flip is not None,
            "flip_direction": flip,
            **metainfo,
        }
    )


def some_detections(boxes):
    num = len(boxes)
    return Detections(torch.arange(num) % 2, boxes, torch.ones(num), torch.zeros(num).long())


@pytest.mark.parametrize("direction", [None, "horizontal", "vertical", "diagonal"])
def test_there_and_back_is_the_identity(direction):
    view = View((), [sample(direction), sample()])
    boxes = torch.tensor([[1.0, 2, 30, 40], [5, 6, 7, 8], [0, 0, 128, 96]])
    seen = view.from_original(some_detections(boxes))
    assert view.to_original(seen).allclose(boxes)
    masks = torch.rand(3, 5, 7)
    turned = masks.clone()
    dims = {None: (), "horizontal": (2,), "vertical": (1,), "diagonal": (1, 2)}[direction]
    turned[[0, 2]] = masks[[0, 2]].flip(dims)
    assert view.unflip_masks(seen, turned).equal(masks)
    assert view.unflip_masks(seen, masks)[1].equal(masks[1])


def test_mirrored_heatmaps_change_sides_and_a_turned_one_does_not():
    maps = torch.rand(3, 3, 4, 4)
    found = some_detections(torch.zeros(3, 4))
    view = View((), [sample("horizontal", flip_indices=FLIP_INDICES), sample("diagonal")])
    back = view.unflip_heatmaps(found, maps)
    assert back[0, 1].equal(maps[0, 2].flip(-1))
    assert back[1, 1].equal(maps[1, 1].flip(-1, -2))
    with pytest.raises(ValueError, match="flip_indices are known"):
        View((), [sample("horizontal"), sample()]).unflip_heatmaps(found, maps)


def test_equal_boxes_of_two_views_become_the_surer_one():
    first = some_detections(torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10]]))
    second = Detections(
        torch.tensor([0, 0]),
        torch.tensor([[0.0, 0, 10, 11], [50, 50, 60, 60]]),
        torch.tensor([0.5, 0.25]),
        torch.tensor([0, 0]),
    )
    merged = DetTTAModel(NMS, torch_module()).merge_boxes([second, first], 2)
    assert merged.scores.tolist() == [1, 1, 0.25]
    assert sorted(merged.image_idx.tolist()) == [0, 0, 1]
    few = DetTTAModel({**NMS, "max_per_img": 1}, torch_module()).merge_boxes([second, first], 2)
    assert sorted(few.image_idx.tolist()) == [0, 1]


def torch_module():
    module = torch.nn.Identity()
    module.test_step = None
    return module


def test_no_detections_are_no_detections(detector):
    torch.nn.init.zeros_(detector.roi_head.bbox_head.fc_cls.weight)
    with torch.no_grad():
        detector.roi_head.bbox_head.fc_cls.bias.copy_(torch.tensor([-99.0, -99, -99, 99]))
    detector.roi_head.test_cfg["score_thr"] = 0.5
    found = DetTTAModel(NMS, detector).test_step(batch_of([noise(64, 64)], flips(None, "vertical")))
    assert len(found[0].pred_instances) == 0 and found[0].pred_instances.masks == []


def test_samples_and_images_stay_as_they_were(detector):
    data = batch_of([noise(64, 96)], flips(None, "horizontal"))
    before = copy.deepcopy(data)
    DetTTAModel(NMS, detector).test_step(data)
    for view, old in zip(data["data_samples"], before["data_samples"], strict=True):
        assert "pred_instances" not in view[0]
        assert view[0].metainfo == old[0].metainfo
    for view, old in zip(data["inputs"], before["inputs"], strict=True):
        assert view[0].equal(old[0])


def test_wrong_settings_are_refused(tiny_cfg):
    with pytest.raises(ValueError, match="needs module"):
        DetTTAModel(NMS)
    with pytest.raises(ValueError, match=r"tta_model\.tta_cfg"):
        DetTTAModel({**NMS, "nmss": 1}, torch_module())
    with pytest.raises(ValueError, match=r"tta_cfg\.nms is missing"):
        DetTTAModel({"max_per_img": 3}, torch_module())
    before = copy.deepcopy(tiny_cfg)
    DetTTAModel(NMS, tiny_cfg, {"type": "DetDataPreprocessor"})
    assert tiny_cfg == before
