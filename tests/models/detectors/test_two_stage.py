"""The whole detector on small batches: modes, frames, empty batches, refusals."""

import copy

import pytest
import torch
from pycocotools import mask as coco_mask

from mmdet_lite.models import FasterRCNN, MaskRCNN
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import BitmapMasks, DetDataSample

BOXES = [[10.0, 10.0, 50.0, 60.0], [60.0, 20.0, 100.0, 70.0]]


def loss_of(model, batch):
    data = model.data_preprocessor(batch, training=True)
    return model(**data, mode="loss")


def total(losses):
    return sum(value for name, value in losses.items() if "loss" in name)


def test_losses_reach_every_weight(tiny_cfg, make_batch):
    model = MODELS.build(tiny_cfg).train()
    losses = loss_of(model, make_batch(BOXES, BOXES[:1]))
    wanted = ["loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "acc", "loss_bbox", "loss_mask"]
    assert list(losses) == wanted
    total(losses).backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("boxes", [([], []), (BOXES, []), ([],)])
@pytest.mark.parametrize("with_mask", [True, False])
def test_images_without_objects_leave_no_weight_without_gradient(
    tiny_cfg, make_batch, boxes, with_mask
):
    if not with_mask:
        del tiny_cfg["roi_head"]["mask_head"], tiny_cfg["roi_head"]["mask_roi_extractor"]
        del tiny_cfg["train_cfg"]["rcnn"]["mask_size"]
    model = MODELS.build(tiny_cfg).train()
    losses = loss_of(model, make_batch(*boxes))
    assert ("loss_mask" in losses) == with_mask
    total(losses).backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None]
    assert unused == []  # several processes would wait for each other for ever
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_ignored_regions_reach_the_assigners(tiny_cfg, make_batch):
    for stage in ("rpn", "rcnn"):
        tiny_cfg["train_cfg"][stage]["assigner"]["ignore_iof_thr"] = 0.5
        tiny_cfg["train_cfg"][stage]["sampler"]["num"] = 10**7
    model = MODELS.build(tiny_cfg).eval()
    batch = make_batch(BOXES)
    plain = loss_of(model, copy.deepcopy(batch))["loss_rpn_cls"]
    ignored = batch["data_samples"][0].ignored_instances
    batch["data_samples"][0].ignored_instances = type(ignored)(
        bboxes=torch.tensor([[60.0, 0.0, 128.0, 96.0]]), labels=torch.zeros(1, dtype=torch.long)
    )
    assert not torch.isclose(loss_of(model, batch)["loss_rpn_cls"], plain, rtol=1e-3)


def test_samples_without_ignored_instances_are_fine(tiny_cfg, make_batch):
    batch = make_batch(BOXES)
    del batch["data_samples"][0].ignored_instances
    assert total(loss_of(MODELS.build(tiny_cfg), batch)).isfinite()


def test_predictions_come_in_original_pixels(tiny_cfg, make_batch):
    model = MODELS.build(tiny_cfg).eval()
    batch = make_batch(BOXES)
    scaled = copy.deepcopy(batch)
    scaled["data_samples"][0].set_metainfo({"ori_shape": (48, 32), "scale_factor": (4.0, 2.0)})
    with torch.no_grad():
        (here,), (there,) = model.test_step(batch), model.test_step(scaled)
    a, b = here.pred_instances, there.pred_instances
    assert len(a) == 10
    assert torch.allclose(a.bboxes, b.bboxes * torch.tensor([4.0, 2.0, 4.0, 2.0]))
    assert torch.equal(a.scores, b.scores) and torch.equal(a.labels, b.labels)
    assert (a.scores.diff() <= 0).all()
    assert [m["size"] for m in b.masks] == [[48, 32]] * 10
    for rle, box in zip(a.masks, a.bboxes.tolist(), strict=True):
        if coco_mask.area(rle):
            x, y, w, h = coco_mask.toBbox(rle)
            assert x >= box[0] - 1 and y >= box[1] - 1
            assert x + w <= box[2] + 1 and y + h <= box[3] + 1


def test_images_of_a_batch_do_not_disturb_each_other(tiny_cfg, make_sample):
    model = MODELS.build(tiny_cfg).eval()
    samples = [make_sample(BOXES), make_sample([], (64, 96))]
    together = {key: [copy.deepcopy(s[key]) for s in samples] for key in samples[0]}
    with torch.no_grad():
        both = model.test_step(together)
        alone = [model.test_step({k: [s[k]] for k in s})[0] for s in samples]
    assert len(both) == 2
    a, b = both[0].pred_instances, alone[0].pred_instances
    assert torch.allclose(a.bboxes, b.bboxes, atol=1e-3) and torch.equal(a.labels, b.labels)


def test_a_threshold_that_nothing_reaches_gives_empty_predictions(tiny_cfg, make_batch):
    tiny_cfg["test_cfg"]["rcnn"]["score_thr"] = 1.0
    with torch.no_grad():
        (sample,) = MODELS.build(tiny_cfg).eval().test_step(make_batch(BOXES))
    assert sample.pred_instances.bboxes.shape == (0, 4) and sample.pred_instances.masks == []


def test_mask_threshold_of_the_config_is_honoured(tiny_cfg, make_batch):
    areas = []
    for threshold in (0.1, 0.9):
        torch.manual_seed(0)
        tiny_cfg["test_cfg"]["rcnn"]["mask_thr_binary"] = threshold
        model = MODELS.build(tiny_cfg).eval()
        torch.manual_seed(1)
        with torch.no_grad():
            (sample,) = model.test_step(make_batch(BOXES))
        areas.append(sum(int(coco_mask.area(m)) for m in sample.pred_instances.masks))
    assert areas[0] > 0 and areas[1] == 0


def test_config_and_annotations_stay_as_they_were(tiny_cfg, make_batch):
    before = copy.deepcopy(tiny_cfg)
    model = MODELS.build(tiny_cfg)
    batch = make_batch(BOXES)
    truth = copy.deepcopy(batch["data_samples"][0].gt_instances)
    image = batch["inputs"][0].clone()
    data = model.data_preprocessor(batch, training=True)
    model(**data, mode="loss")
    with torch.no_grad():
        model(**data, mode="predict")
    after = data["data_samples"][0].gt_instances
    assert tiny_cfg == before and torch.equal(batch["inputs"][0], image)
    assert torch.equal(after.bboxes, truth.bboxes) and torch.equal(after.labels, truth.labels)
    assert (after.masks.to_ndarray() == truth.masks.to_ndarray()).all()


def test_memory_format_is_a_switch_of_speed_only(tiny_cfg, make_batch):
    model = MODELS.build(tiny_cfg).eval()
    plain = MODELS.build({**tiny_cfg, "channels_last": False}).eval()
    plain.load_state_dict(model.state_dict())
    assert model.channels_last and not plain.channels_last
    inputs = model.data_preprocessor(make_batch(BOXES))["inputs"]
    features = zip(model(inputs), plain(inputs), strict=True)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in features)


def test_the_three_names_build_one_class(tiny_cfg):
    for name in ("FasterRCNN", "TwoStageDetector"):
        assert type(MODELS.build({**tiny_cfg, "type": name})) is MaskRCNN is FasterRCNN


def test_a_detector_without_a_neck_uses_the_backbones_maps(tiny_cfg, make_batch):
    del tiny_cfg["neck"]
    tiny_cfg["backbone"]["out_indices"] = (2,)
    tiny_cfg["rpn_head"].update(in_channels=32)
    tiny_cfg["rpn_head"]["anchor_generator"]["strides"] = [16]
    for name, size in (("bbox_roi_extractor", 7), ("mask_roi_extractor", 14)):
        tiny_cfg["roi_head"][name].update(out_channels=32, featmap_strides=[16])
        assert tiny_cfg["roi_head"][name]["roi_layer"]["output_size"] == size
    for name in ("bbox_head", "mask_head"):
        tiny_cfg["roi_head"][name]["in_channels"] = 32
    model = MODELS.build(tiny_cfg)
    assert model.neck is None
    assert total(loss_of(model, make_batch(BOXES))).isfinite()


def test_unknown_modes_and_missing_samples_are_refused(tiny_cfg):
    model = MODELS.build(tiny_cfg)
    images = torch.zeros(1, 3, 64, 64)
    with pytest.raises(ValueError, match="mode 'loss' needs data_samples"):
        model(images, mode="loss")
    with pytest.raises(ValueError, match="'loss', 'predict' or 'tensor', got 'train'"):
        model(images, [DetDataSample()], mode="train")


def test_missing_parts_and_unknown_keys_are_refused(tiny_cfg):
    with pytest.raises(ValueError, match="needs rpn_head and roi_head"):
        MODELS.build({**tiny_cfg, "roi_head": None})
    with pytest.raises(ValueError, match=r"model\.train_cfg\.rpn_proposals.*rpn_proposal"):
        MODELS.build({**tiny_cfg, "train_cfg": {**tiny_cfg["train_cfg"], "rpn_proposals": {}}})
    with pytest.raises(ValueError, match=r"model\.test_cfg\.rcn.*rcnn"):
        MODELS.build({**tiny_cfg, "test_cfg": {**tiny_cfg["test_cfg"], "rcn": {}}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"min_bbox_sise": 50}, r"min_bbox_sise: no such key; did you mean 'min_bbox_size'"),
        ({"nms_post": 1000}, r"nms_post: no such key; did you mean 'nms_pre'"),
        ({"nms": {"iou_treshold": 0.5}}, r"nms\.iou_treshold: .*'iou_threshold'"),
        ({"nms": {"type": "nms"}}, r"nms: iou_threshold is missing"),
    ],
)
def test_proposals_to_train_on_are_checked_as_those_to_test_with(tiny_cfg, change, said):
    tiny_cfg["train_cfg"]["rpn_proposal"] = {**tiny_cfg["test_cfg"]["rpn"], **change}
    with pytest.raises(ValueError, match=rf"^train_cfg\.rpn_proposal\.{said}"):
        MODELS.build(tiny_cfg)
    del tiny_cfg["train_cfg"]["rpn_proposal"]  # then test_cfg.rpn stands in
    MODELS.build(tiny_cfg)


def test_proposals_of_another_dense_head_are_checked_by_its_own_keys(tiny_cfg):
    tiny_cfg["rpn_head"] = {
        "type": "FCOSHead",
        "num_classes": 1,
        "in_channels": tiny_cfg["rpn_head"]["in_channels"],
        "feat_channels": 32,
        "strides": tiny_cfg["rpn_head"]["anchor_generator"]["strides"],
    }
    tiny_cfg["train_cfg"].pop("rpn")
    keys = {"nms": {"type": "nms", "iou_threshold": 0.7}, "max_per_img": 20}
    tiny_cfg["train_cfg"]["rpn_proposal"] = {**keys, "score_thr": 0.01}
    MODELS.build(tiny_cfg)
    tiny_cfg["train_cfg"]["rpn_proposal"] = {**keys, "score_th": 0.01}
    with pytest.raises(ValueError, match=r"rpn_proposal\.score_th: .*'score_thr'"):
        MODELS.build(tiny_cfg)


def test_data_without_masks_says_how_to_load_them(tiny_cfg, make_batch):
    batch = make_batch(BOXES)
    truth = batch["data_samples"][0].gt_instances
    assert isinstance(truth.masks, BitmapMasks)
    del truth.masks
    with pytest.raises(ValueError, match="with_mask=True"):
        loss_of(MODELS.build(tiny_cfg), batch)
