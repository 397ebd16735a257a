"""The second stage: whom it trains on, its losses, its detections."""

import copy

import pytest
import torch

from mmdet_lite.models.roi_heads import StandardRoIHead
from mmdet_lite.ops.levels import pad_boxes
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import BatchTargets, BitmapMasks, ImageBatch, Proposals

GTS = [
    torch.tensor([[10.0, 10.0, 50.0, 60.0], [60.0, 20.0, 100.0, 70.0]]),
    torch.tensor([[30.0, 10.0, 80.0, 60.0]]),
]
LABELS = [torch.tensor([2, 0]), torch.tensor([1])]
NO_BOXES = [torch.zeros(0, 4), torch.zeros(0, 4)]
NO_LABELS = [torch.zeros(0, dtype=torch.long)] * 2


@pytest.fixture
def make_head(tiny_cfg):
    def make(**changes):
        cfgs = {
            "train_cfg": tiny_cfg["train_cfg"]["rcnn"],
            "test_cfg": tiny_cfg["test_cfg"]["rcnn"],
        }
        return MODELS.build({**tiny_cfg["roi_head"], **cfgs, **changes})

    return make


def features():
    return [torch.randn(2, 16, 96 // s, 128 // s, requires_grad=True) for s in (4, 8, 16, 32)]


def images():
    sizes = [(96, 128), (80, 100)]
    return ImageBatch(sizes, [(96, 128)] * 2, (96, 128), torch.tensor(sizes).float())


def masks_of(gts):
    masks = []
    for boxes in gts:
        full = torch.zeros(len(boxes), 96, 128, dtype=torch.uint8)
        for mask, (x1, y1, x2, y2) in zip(full, boxes.int().tolist(), strict=True):
            mask[y1:y2, x1:x2] = 1
        masks.append(BitmapMasks(full.numpy(), 96, 128))
    return masks


def targets(gts=GTS, labels=LABELS):
    return BatchTargets(gts, labels, NO_BOXES, masks_of(gts))


def proposals(counts=(30, 12)):
    boxes = []
    for count, gts in zip(counts, GTS, strict=True):
        shaken = gts[torch.randint(len(gts), (count,))] + torch.randn(count, 4) * 8
        boxes.append(shaken.clamp(0, 100))
    padded, valid = pad_boxes(boxes)
    return Proposals(padded, torch.rand(padded.shape[:2]), valid)


def detect(head, maps, given):
    return head.add_shapes(maps, head.predict_boxes(maps, given, images()))


def test_sampled_rois_carry_the_label_and_box_of_their_object(make_head):
    given, truth = proposals(), targets()
    sampled = make_head().sample_rois(features(), given, truth)
    assert sampled.positive.any() and not sampled.positive.all()
    for i in range(len(sampled.rois)):
        image, box = int(sampled.rois[i, 0]), sampled.rois[i, 1:]
        if sampled.positive[i]:
            gt = int(sampled.gt_idx[i])
            assert sampled.labels[i] == LABELS[image][gt]
            assert torch.equal(sampled.matched_gt[i], GTS[image][gt])
        else:
            assert sampled.labels[i] == 3
        candidates = torch.cat([GTS[image], given.boxes[image][given.valid[image]]])
        assert (candidates == box).all(1).any()  # never padding
    per_image = torch.bincount(sampled.rois[:, 0].long())
    assert (per_image <= 16).all()


def test_ground_truths_are_among_the_rois_only_if_asked_for(make_head, tiny_cfg):
    nothing = Proposals(torch.zeros(2, 0, 4), torch.zeros(2, 0), torch.zeros(2, 0).bool())
    sampled = make_head().sample_rois(features(), nothing, targets())
    assert torch.equal(sampled.rois[:, 1:], torch.cat(GTS)) and sampled.positive.all()
    cfg = copy.deepcopy(tiny_cfg["train_cfg"]["rcnn"])
    cfg["sampler"]["add_gt_as_proposals"] = False
    assert len(make_head(train_cfg=cfg).sample_rois(features(), nothing, targets()).rois) == 0


def test_losses_reach_every_weight_and_the_features(make_head):
    head, maps = make_head(), features()
    losses = head.loss(maps, proposals(), images(), targets())
    assert list(losses) == ["loss_cls", "acc", "loss_bbox", "loss_mask"]
    assert all(v.isfinite() for v in losses.values())
    sum(v for k, v in losses.items() if k != "acc").backward()
    assert all(p.grad.abs().sum() > 0 for p in head.parameters())
    assert all(f.grad is not None for f in maps)


@pytest.mark.parametrize("some", [0, 30])
def test_a_batch_without_objects_has_finite_losses_and_all_gradients(make_head, some):
    head = make_head()
    given = proposals((some, some // 2))
    losses = head.loss(features(), given, images(), targets(NO_BOXES, NO_LABELS))
    assert all(v.isfinite() for v in losses.values())
    assert losses["loss_bbox"] == 0 and losses["loss_mask"] == 0
    sum(v for k, v in losses.items() if k != "acc").backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())


def test_without_proposals_and_ground_truths_there_are_no_rois(make_head, tiny_cfg):
    cfg = copy.deepcopy(tiny_cfg["train_cfg"]["rcnn"])
    cfg["sampler"]["add_gt_as_proposals"] = False
    head = make_head(train_cfg=cfg)
    losses = head.loss(features(), proposals((0, 0)), images(), targets())
    sum(v for k, v in losses.items() if k != "acc").backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())


def test_masks_may_use_the_features_of_the_box_branch(make_head, tiny_cfg):
    cfg = copy.deepcopy(tiny_cfg)
    head = make_head(
        mask_roi_extractor=None,
        mask_head={**cfg["roi_head"]["mask_head"], "roi_feat_size": 7},
        train_cfg={**cfg["train_cfg"]["rcnn"], "mask_size": 14},
    )
    assert head.mask_roi_extractor is None
    losses = head.loss(features(), proposals(), images(), targets())
    assert losses["loss_mask"] > 0
    found = detect(head, features(), proposals())
    assert found.mask_probs.shape[1:] == (14, 14)


def test_shared_head_runs_before_both_branches(make_head):
    shared = {"type": "ConvModule", "in_channels": 16, "out_channels": 16, "kernel_size": 1}
    head = make_head(shared_head=shared)
    assert "shared_head.conv.weight" in head.state_dict()
    losses = head.loss(features(), proposals(), images(), targets())
    (losses["loss_cls"] + losses["loss_mask"]).backward()
    assert head.shared_head.conv.weight.grad.abs().sum() > 0


def test_detections_have_masks_of_their_own_class(make_head):
    head = make_head()
    found = detect(head, features(), proposals())
    count = len(found.boxes)
    assert 0 < count <= 20
    assert found.mask_probs.shape == (count, 28, 28)
    assert ((found.mask_probs >= 0) & (found.mask_probs <= 1)).all()
    limits = torch.tensor(images().sizes_hw)[found.image_idx][:, [1, 0]]
    assert (found.boxes[:, 2:] <= limits).all() and (found.boxes >= 0).all()


def test_no_proposals_give_no_detections(make_head):
    found = detect(make_head(), features(), proposals((0, 0)))
    assert found.boxes.shape == (0, 4) and found.mask_probs.shape == (0, 28, 28)


def test_a_mask_head_without_masks_says_how_to_load_them(make_head):
    truth = BatchTargets(GTS, LABELS, NO_BOXES, None)
    with pytest.raises(ValueError, match="with_mask=True"):
        make_head().loss(features(), proposals(), images(), truth)


def test_a_mask_size_that_the_head_does_not_draw_is_refused(make_head, tiny_cfg):
    head = make_head(train_cfg={**tiny_cfg["train_cfg"]["rcnn"], "mask_size": 14})
    with pytest.raises(ValueError, match=r"mask_size=14 but the mask head draws \(28, 28\)"):
        head.loss(features(), proposals(), images(), targets())


def test_added_ground_truths_take_nobodys_best_proposal_away(make_head, tiny_cfg):
    cfg = copy.deepcopy(tiny_cfg["train_cfg"]["rcnn"])
    cfg["sampler"].update(num=10**6)
    gts = [torch.tensor([[0.0, 0.0, 40.0, 40.0], [4.0, 0.0, 44.0, 40.0]])]
    # the best proposal of the second object overlaps the first one more
    boxes = torch.tensor([[[1.0, 0.0, 41.0, 40.0]]])
    given = Proposals(boxes, torch.ones(1, 1), torch.ones(1, 1).bool())
    truth = BatchTargets(gts, [torch.tensor([0, 1])], [torch.zeros(0, 4)])
    sampled = make_head(train_cfg=cfg).sample_rois(features(), given, truth)
    # match_low_quality: the last object whose best proposal it is gets it, as without additions
    assert sorted(zip(sampled.is_gt.tolist(), sampled.gt_idx.tolist(), strict=True)) == [
        (False, 1),
        (True, 0),
        (True, 1),
    ]


def test_hard_examples_are_the_rois_of_largest_loss(make_head, tiny_cfg):
    cfg = copy.deepcopy(tiny_cfg["train_cfg"]["rcnn"])
    cfg["sampler"] = {"type": "OHEMSampler", "num": 8, "pos_fraction": 0.5}
    head, maps, given, truth = make_head(train_cfg=cfg), features(), proposals(), targets()
    hard = head.sample_rois(maps, given, truth)
    assert not hard.rois.requires_grad
    cfg["sampler"] = {"type": "RandomSampler", "num": 10**6, "pos_fraction": 1.0}
    everyone = make_head(train_cfg=cfg).sample_rois(maps, given, truth)

    def losses(sampled):
        pooled = head.bbox_roi_extractor(maps, sampled.rois)
        logits = head.bbox_head(pooled)[0]
        return torch.nn.functional.cross_entropy(logits, sampled.labels, reduction="none")

    for image in range(2):
        for positive in (True, False):
            chosen = losses(hard)[(hard.rois[:, 0] == image) & (hard.positive == positive)]
            offered = (everyone.rois[:, 0] == image) & (everyone.positive == positive)
            wanted = losses(everyone)[offered].sort(descending=True).values[: len(chosen)]
            assert torch.allclose(chosen.sort(descending=True).values, wanted, atol=1e-5)
    assert torch.bincount(hard.rois[:, 0].long())[0] == 8
    assert all(v.isfinite() for v in head.loss(maps, given, images(), truth).values())


RES_LAYER = {"type": "ResLayer", "depth": 18, "stage": 1, "norm_cfg": {"type": "BN"}}


def c4_parts(tiny_cfg, size):
    """Features with 64 channels at stride 16, a stage of stride 2 on pooled 14 x 14."""
    pool = {"type": "RoIAlign", "output_size": 14, "sampling_ratio": 2}
    extractor = {
        "type": "SingleRoIExtractor", "roi_layer": pool, "out_channels": 64,
        "featmap_strides": [16],
    }  # fmt: skip
    mask_head = {
        "type": "FCNMaskHead", "num_convs": 0, "in_channels": 128, "conv_out_channels": 16,
        "num_classes": 3,
    }  # fmt: skip
    bbox_head = {
        "type": "BBoxHead", "in_channels": 128, "roi_feat_size": 7, "with_avg_pool": True,
        "num_classes": 3,
    }  # fmt: skip
    cfg = {**tiny_cfg["train_cfg"]["rcnn"], "mask_size": size}
    parts = {"bbox_roi_extractor": extractor, "bbox_head": bbox_head, "shared_head": RES_LAYER}
    return {**parts, "mask_head": mask_head, "mask_roi_extractor": None, "train_cfg": cfg}


def test_v0upshare_draws_on_the_stage_that_the_boxes_use(make_head, tiny_cfg):
    head = make_head(**c4_parts(tiny_cfg, 14))
    keys = list(head.state_dict())
    assert keys[0].startswith("shared_head.layer2.0.conv1") and keys[-1] == (
        "mask_head.conv_logits.bias"
    )
    maps = [torch.randn(2, 64, 6, 8)]
    losses = head.loss(maps, proposals(), images(), targets())
    losses["loss_mask"].backward()
    assert head.shared_head.layer2[0].conv1.weight.grad.abs().sum() > 0
    assert detect(head, maps, proposals()).mask_probs.shape[1:] == (14, 14)


def test_v0up_draws_on_a_stage_of_its_own(make_head, tiny_cfg):
    parts = c4_parts(tiny_cfg, 14)
    parts["mask_head"] = {**parts["mask_head"], "res_layer": RES_LAYER}
    with pytest.raises(ValueError, match="res_layer needs a mask_roi_extractor"):
        make_head(**parts)
    head = make_head(**{**parts, "mask_roi_extractor": parts["bbox_roi_extractor"]})
    maps = [torch.randn(2, 64, 6, 8)]
    head.loss(maps, proposals(), images(), targets())["loss_mask"].backward()
    assert head.mask_head.res_layer.layer2[0].conv1.weight.grad.abs().sum() > 0
    assert head.shared_head.layer2[0].conv1.weight.grad is None
    assert detect(head, maps, proposals()).mask_probs.shape[1:] == (14, 14)


def test_arguments_stay_as_they_were(make_head):
    given, truth, maps = proposals(), targets(), features()
    copies = copy.deepcopy((given.boxes, given.valid, truth.boxes, truth.labels))
    head = make_head()
    head.loss(maps, given, images(), truth)
    detect(head, maps, given)
    assert torch.equal(given.boxes, copies[0]) and torch.equal(given.valid, copies[1])
    assert all(torch.equal(a, b) for a, b in zip(truth.boxes, copies[2], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(truth.labels, copies[3], strict=True))


def test_wrong_configs_are_refused(make_head, tiny_cfg):
    train, test = tiny_cfg["train_cfg"]["rcnn"], tiny_cfg["test_cfg"]["rcnn"]
    with pytest.raises(ValueError, match="needs bbox_roi_extractor and bbox_head"):
        StandardRoIHead()
    with pytest.raises(ValueError, match=r"train_cfg\.rcnn\.samplr.*sampler"):
        make_head(train_cfg={**train, "samplr": 1})
    with pytest.raises(ValueError, match=r"train_cfg\.rcnn\.sampler is missing"):
        make_head(train_cfg={"assigner": train["assigner"]})
    with pytest.raises(ValueError, match=r"test_cfg\.rcnn\.max_per_image.*max_per_img"):
        make_head(test_cfg={**test, "max_per_image": 1})
    with pytest.raises(ValueError, match=r"test_cfg\.rcnn\.nms is missing"):
        make_head(test_cfg={"score_thr": 0.1, "max_per_img": 3})
    with pytest.raises(ValueError, match="mask_thr_binary must not be negative"):
        make_head(test_cfg={**test, "mask_thr_binary": -1})
