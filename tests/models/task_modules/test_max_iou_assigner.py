"""Assignment by overlap against a slow loop over images, objects and boxes."""

import itertools

import pytest
import torch
from torchvision.ops import box_iou

from mmdet_lite.models.task_modules import IGNORED, NEGATIVE, MaxIoUAssigner
from mmdet_lite.ops.levels import pad_boxes


def covered_share(region, box):
    """Intersection of two boxes, and the area of the second."""
    w = max(min(region[2], box[2]) - max(region[0], box[0]), 0)
    h = max(min(region[3], box[3]) - max(region[1], box[1]), 0)
    return w * h


def slow_assign(cfg, boxes, usable, gts, ignored):
    """One image, object by object, as the papers tell it."""
    low, high = (
        cfg["neg_iou_thr"] if isinstance(cfg["neg_iou_thr"], tuple) else (0, cfg["neg_iou_thr"])
    )
    usable = usable.clone()
    if cfg["ignore_iof_thr"] > 0:
        for a, region in itertools.product(range(len(boxes)), ignored.tolist()):
            box = boxes[a].tolist()
            common = covered_share(region, box)
            whole = box if cfg["ignore_wrt_candidates"] else region
            area = (whole[2] - whole[0]) * (whole[3] - whole[1])
            if common / max(area, 1e-6) > cfg["ignore_iof_thr"]:
                usable[a] = False
    if len(gts) == 0:
        return torch.where(usable, NEGATIVE, IGNORED)
    overlaps = box_iou(gts, boxes)
    result = torch.full((len(boxes),), IGNORED)
    for a in range(len(boxes)):
        best = overlaps[:, a].max()
        if low <= best < high:
            result[a] = NEGATIVE
        if best >= cfg["pos_iou_thr"]:
            result[a] = overlaps[:, a].argmax()
    if cfg["match_low_quality"] and usable.any():
        for g in range(len(gts)):
            best = overlaps[g][usable].max()
            if best < cfg["min_pos_iou"]:
                continue
            winners = [a for a in range(len(boxes)) if usable[a] and overlaps[g, a] == best]
            for a in winners if cfg["gt_max_assign_all"] else winners[:1]:
                result[a] = g
    return torch.where(usable, result, IGNORED)


def scene(seed):
    """Two or three images of boxes on a grid (so that ties happen), objects and crowds."""
    g = torch.Generator().manual_seed(seed)

    def some(count):
        xy = torch.randint(0, 8, (count, 2), generator=g).float() * 5
        wh = torch.randint(1, 6, (count, 2), generator=g).float() * 5
        return torch.cat([xy, xy + wh], dim=1)

    images = 2 + seed % 2
    boxes = torch.stack([some(60) for _ in range(images)])
    gts = [some(int(torch.randint(0, 6, (1,), generator=g))) for _ in range(images)]
    ignored = [some(int(torch.randint(0, 3, (1,), generator=g))) for _ in range(images)]
    usable = torch.rand(images, 60, generator=g) < 0.9
    return boxes, usable, gts, ignored


CFGS = [
    {"pos_iou_thr": 0.7, "neg_iou_thr": 0.3, "min_pos_iou": 0.3, "match_low_quality": True},
    {"pos_iou_thr": 0.5, "neg_iou_thr": 0.5, "min_pos_iou": 0.5, "match_low_quality": False},
    {"pos_iou_thr": 0.5, "neg_iou_thr": (0.1, 0.4), "min_pos_iou": 0.0, "match_low_quality": True},
]


@pytest.mark.parametrize("cfg", CFGS)
@pytest.mark.parametrize("assign_all", [True, False])
@pytest.mark.parametrize(("iof", "wrt_candidates"), [(-1, True), (0.5, True), (0.5, False)])
def test_result_is_that_of_the_slow_loop(cfg, assign_all, iof, wrt_candidates):
    cfg = {
        **cfg,
        "gt_max_assign_all": assign_all,
        "ignore_iof_thr": iof,
        "ignore_wrt_candidates": wrt_candidates,
    }
    assigner = MaxIoUAssigner(**cfg)
    seen = set()
    for seed in range(12):
        boxes, usable, gts, ignored = scene(seed)
        copies = boxes.clone(), usable.clone()
        got = assigner.assign(boxes, usable, *pad_boxes(gts), *pad_boxes(ignored)).gt_idx
        assert torch.equal(boxes, copies[0]) and torch.equal(usable, copies[1])
        for i in range(len(boxes)):
            wanted = slow_assign(cfg, boxes[i], usable[i], gts[i], ignored[i])
            assert torch.equal(got[i], wanted), (seed, i)
        seen.update(got.unique().tolist())
    assert {IGNORED, NEGATIVE, 0, 1} <= seen


def test_anchors_shared_by_all_images_are_assigned_for_each():
    boxes, usable, gts, ignored = scene(1)
    assigner = MaxIoUAssigner(0.5, 0.4, ignore_iof_thr=0.5)
    targets = (*pad_boxes(gts), *pad_boxes(ignored))
    shared = assigner.assign(boxes[0], usable, *targets).gt_idx
    repeated = assigner.assign(boxes[:1].expand(len(usable), -1, -1), usable, *targets).gt_idx
    assert torch.equal(shared, repeated)


def test_a_later_object_takes_a_box_that_is_best_for_both():
    box = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    gts = torch.tensor([[[0.0, 0.0, 10.0, 8.0], [0.0, 0.0, 10.0, 4.0]]])
    valid = torch.ones(1, 2, dtype=torch.bool)
    none = torch.zeros(1, 0, 4), torch.zeros(1, 0, dtype=torch.bool)
    usable = torch.ones(1, 1, dtype=torch.bool)
    forced = MaxIoUAssigner(0.7, 0.3, 0.3).assign(box, usable, gts, valid, *none)
    assert forced.gt_idx.tolist() == [[1]]
    best = MaxIoUAssigner(0.7, 0.3, 0.3, match_low_quality=False)
    assert best.assign(box, usable, gts, valid, *none).gt_idx.tolist() == [[0]]


def test_without_objects_usable_boxes_are_background():
    boxes, usable, _, _ = scene(0)
    none = pad_boxes([torch.zeros(0, 4)] * 2)
    assignment = MaxIoUAssigner(0.5, 0.5).assign(boxes, usable, *none, *none)
    assert torch.equal(assignment.negative, usable)
    assert not assignment.positive.any()


def test_without_objects_boxes_in_ignored_regions_count_nothing():
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [50.0, 50.0, 60.0, 60.0]])
    none = pad_boxes([torch.zeros(0, 4)])
    crowd = pad_boxes([torch.tensor([[0.0, 0.0, 20.0, 20.0]])])
    usable = torch.ones(1, 2, dtype=torch.bool)
    assignment = MaxIoUAssigner(0.5, 0.5, ignore_iof_thr=0.5).assign(boxes, usable, *none, *crowd)
    assert assignment.gt_idx.tolist() == [[IGNORED, NEGATIVE]]


def test_without_boxes_nothing_is_assigned():
    _, _, gts, _ = scene(0)
    none = pad_boxes([torch.zeros(0, 4)] * 2)
    usable = torch.zeros(2, 0, dtype=torch.bool)
    for objects in (pad_boxes(gts), none):
        for match in (True, False):
            assigner = MaxIoUAssigner(0.5, 0.5, match_low_quality=match)
            assert assigner.assign(torch.zeros(2, 0, 4), usable, *objects, *none).gt_idx.shape == (
                2,
                0,
            )


def test_repeated_objects_take_turns():
    box = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    gts, valid = pad_boxes([torch.tensor([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 10.0]])])
    none = pad_boxes([torch.zeros(0, 4)])
    usable = torch.ones(1, 1, dtype=torch.bool)
    perm = {"iou_thr": 0.7, "perm_range": 0.01}
    assigner = MaxIoUAssigner(0.5, 0.5, match_low_quality=False, perm_repeat_gt_cfg=perm)
    before = gts.clone()
    found = {assigner.assign(box, usable, gts, valid, *none).gt_idx.item() for _ in range(30)}
    assert 1 in found and torch.equal(gts, before)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"iou_calculator": {"type": "Other"}}, "only dict.type='BboxOverlaps2D'. is available"),
        ({"perm_repeat_gt_cfg": {"iou_th": 1}}, r"perm_repeat_gt_cfg\.iou_th.*iou_thr"),
    ],
)
def test_what_is_not_honoured_is_refused(args, said):
    with pytest.raises(ValueError, match=said):
        MaxIoUAssigner(0.5, 0.5, **args)
    MaxIoUAssigner(0.5, 0.5, iou_calculator={"type": "BboxOverlaps2D"})


def test_a_large_batch_is_assigned_image_by_image_with_the_same_result(monkeypatch):
    corners = torch.rand(300, 2) * 80
    boxes = torch.cat([corners, corners + 5 + torch.rand(300, 2) * 40], dim=1)
    usable = torch.rand(3, 300) < 0.9
    gts, valid = pad_boxes([boxes[:20] + 1, boxes[:0], boxes[50:53] + 2])
    ignored = pad_boxes([boxes[:0], boxes[100:101], boxes[200:204]])
    assigner = MaxIoUAssigner(pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3, ignore_iof_thr=0.5)
    case = [(boxes, usable), (boxes.expand(3, -1, -1), usable)]
    at_once = [assigner.assign(*one, gts, valid, *ignored).gt_idx for one in case]
    monkeypatch.setattr("mmdet_lite.models.task_modules.max_iou_assigner.MOST_PAIRS", 10)
    for one, wanted in zip(case, at_once, strict=True):
        assert torch.equal(assigner.assign(*one, gts, valid, *ignored).gt_idx, wanted)
    assert {-2, -1, 0, 2} <= set(at_once[0].unique().tolist())
