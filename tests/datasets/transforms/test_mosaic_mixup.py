"""Mosaic and MixUp: places by hand-made numbers."""

import numpy as np
import pytest

from mmdet_lite.datasets.transforms import MixUp, Mosaic


def plain(value, height=50, width=100, boxes=((10, 10, 30, 20),), **extra):
    """An image of one value, with boxes."""
    return {
        "img": np.full((height, width, 3), value, np.uint8),
        "img_path": f"{value}.png",
        "img_shape": (height, width),
        "gt_bboxes": np.array(boxes, np.float32).reshape(-1, 4),
        "gt_bboxes_labels": np.full(len(boxes), value),
        "gt_ignore_flags": np.zeros(len(boxes), bool),
        **extra,
    }


class Images:
    """A data set that only knows its annotations."""

    def __init__(self, *num_objects):
        self.num_objects = num_objects

    def __len__(self):
        return len(self.num_objects)

    def get_data_info(self, index):
        return {"instances": [{}] * self.num_objects[index]}


def test_mosaic_puts_four_images_around_its_point(monkeypatch):
    mosaic = Mosaic(img_scale=(100, 80), pad_val=7)
    monkeypatch.setattr(mosaic, "_draw_center", lambda: (90, 60))
    others = [plain(2), plain(3, 100, 100), plain(4, 20, 20, boxes=())]
    done = mosaic({**plain(1), "mix_results": others})
    img = done["img"][..., 0]
    assert img.shape == (160, 200) == done["img_shape"]
    # the first two fit as they are (100 x 50), the third becomes 80 x 80, the fourth too
    assert (img[10:60, :90] == 1).all() and (img[:10] == 7).all()
    assert (img[10:60, 90:190] == 2).all() and (img[10:60, 190:] == 7).all()
    assert (img[60:140, 10:90] == 3).all() and (img[60:140, :10] == 7).all()
    assert (img[60:140, 90:170] == 4).all()
    # 1: ten pixels of its left are over the border; 3: 0.8 times as large
    assert done["gt_bboxes"].tolist() == [
        [0, 20, 20, 30],
        [100, 20, 120, 30],
        [10 + 8, 60 + 8, 10 + 24, 60 + 16],
    ]
    assert done["gt_bboxes_labels"].tolist() == [1, 2, 3]


def test_mosaic_leaves_boxes_unclipped_if_told_and_drops_those_outside(monkeypatch):
    boxes = ((5, 10, 30, 20), (0, 0, 10, 10))
    mosaic = Mosaic(img_scale=(100, 80), bbox_clip_border=False)
    monkeypatch.setattr(mosaic, "_draw_center", lambda: (90, 60))
    done = mosaic({**plain(1, boxes=boxes), "mix_results": [plain(2, boxes=())] * 3})
    assert done["gt_bboxes"].tolist() == [[-5, 20, 20, 30]]


def test_mosaic_of_probability_zero_is_the_image():
    sample = {**plain(1), "mix_results": [plain(2)] * 3}
    assert Mosaic(prob=0.0)(sample) is sample


def test_mosaics_point_stays_in_its_range():
    mosaic = Mosaic(img_scale=(100, 40), center_ratio_range=(0.5, 1.25))
    points = np.array([mosaic._draw_center() for _ in range(300)])
    assert points.min(0).tolist() >= [50, 20] and (points.max(0) <= [125, 50]).all()
    assert (np.ptp(points, axis=0) > [60, 24]).all()


def test_mosaic_asks_for_three_images():
    indices = Mosaic().get_indices(Images(1, 1, 1, 1, 1))
    assert len(indices) == 3 and all(0 <= i < 5 for i in indices)


def test_mixup_is_half_of_each(monkeypatch):
    mixup = MixUp(img_scale=(100, 50), flip_ratio=0.0, pad_val=10)
    monkeypatch.setattr(mixup, "_draw_look", lambda: (0.5, False))
    done = mixup({**plain(100), "mix_results": [plain(200)]})
    img = done["img"][..., 0]
    assert (img[:25, :50] == 150).all()  # the other one, half as large
    assert (img[25:] == 55).all() and (img[:, 50:] == 55).all()
    assert done["gt_bboxes"].tolist() == [[10, 10, 30, 20], [5, 5, 15, 10]]
    assert done["gt_bboxes_labels"].tolist() == [100, 200]
    assert done["img_shape"] == (50, 100)


def test_mixup_mirrors_within_its_padded_scale(monkeypatch):
    mixup = MixUp(img_scale=(100, 100), pad_val=0)
    monkeypatch.setattr(mixup, "_draw_look", lambda: (1.0, True))
    done = mixup({**plain(100, 100, 100), "mix_results": [plain(200, 100, 50)]})
    assert (done["img"][:, 50:, 0] == 150).all() and (done["img"][:, :50, 0] == 50).all()
    assert done["gt_bboxes"][1].tolist() == [70, 10, 90, 20]


def test_mixup_takes_a_part_of_a_larger_image(monkeypatch):
    mixup = MixUp(img_scale=(100, 50))
    monkeypatch.setattr(mixup, "_draw_look", lambda: (2.0, False))
    monkeypatch.setattr(mixup, "_draw_offset", lambda *margins: margins)
    boxes = ((10, 10, 30, 20), (60, 30, 80, 40))
    done = mixup({**plain(1), "mix_results": [plain(200, boxes=boxes)]})
    # twice as large, without its upper 50 and left 100 pixels: the first box is gone
    assert done["gt_bboxes"].tolist() == [[10, 10, 30, 20], [20, 10, 60, 30]]


def test_mixup_with_an_image_without_objects_changes_nothing():
    sample = {**plain(1), "mix_results": [plain(2, boxes=())]}
    assert MixUp()(sample) is sample


def test_mixup_looks_for_an_image_with_objects():
    assert {MixUp(max_iters=50).get_indices(Images(0, 0, 1, 0)) for _ in range(20)} == {2}
    assert MixUp(max_iters=3).get_indices(Images(0, 0)) in (0, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mosaic(img_scale=640), r"Mosaic: img_scale must be two positive .* got 640"),
        (lambda: Mosaic(img_scale=(0, 5)), r"Mosaic: img_scale .* got \(0, 5\)"),
        (lambda: Mosaic(center_ratio_range=(1, 0.5)), r"center_ratio_range: .* got \(1, 0.5\)"),
        (lambda: Mosaic(prob=1.5), r"Mosaic: prob must be in 0..1; got 1.5"),
        (lambda: MixUp(ratio_range=(0, 1)), r"MixUp: ratio_range: 0 < low .* got \(0, 1\)"),
        (lambda: MixUp(flip_ratio=-1), r"MixUp: flip_ratio must be in 0..1; got -1"),
        (lambda: MixUp(max_iters=0), r"max_iters must be at least 1; got 0"),
        (lambda: MixUp(img_scale=(5,)), r"MixUp: img_scale .* got \(5,\)"),
    ],
)
def test_wrong_numbers_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_without_other_images_the_message_names_the_data_set():
    with pytest.raises(ValueError, match=r"with 3 more, .*MultiImageMixDataset.* got none"):
        Mosaic()(plain(1))
    with pytest.raises(ValueError, match=r"with 1 more, .*type='MixUp'.* got 2"):
        MixUp()({**plain(1), "mix_results": [plain(2)] * 2})


def test_images_with_proposals_are_refused():
    with pytest.raises(ValueError, match=r"Mosaic cannot mix images with proposals"):
        Mosaic()({**plain(1), "mix_results": [plain(2)] * 3, "proposals_scores": np.zeros(1)})


def test_images_of_different_annotations_are_refused():
    other = plain(2, gt_keypoints=np.zeros((1, 2, 3), np.float32))
    with pytest.raises(ValueError, match=r"same kinds of annotations.*gt_keypoints.*'2.png'"):
        MixUp()({**plain(1), "mix_results": [other]})
