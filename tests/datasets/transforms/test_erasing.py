"""CutOut and RandomErasing by hand-made numbers."""

import numpy as np
import pytest

from mmdet_lite.datasets.transforms import CutOut, RandomErasing
from mmdet_lite.structures import BitmapMasks, PolygonMasks


def sample(boxes=((10, 10, 30, 20), (50, 40, 70, 50))):
    polygons = [[[x1, y1, x2, y1, x2, y2, x1, y2]] for x1, y1, x2, y2 in boxes]
    return {
        "img": np.full((60, 100, 3), 200, np.uint8),
        "gt_bboxes": np.array(boxes, np.float32).reshape(-1, 4),
        "gt_bboxes_labels": np.arange(len(boxes)),
        "gt_ignore_flags": np.zeros(len(boxes), bool),
        "gt_masks": PolygonMasks(polygons, 60, 100),
        "gt_keypoints": np.array([[(x1 + 1, y1 + 1, 2)] for x1, y1, _, _ in boxes], np.float32),
    }


def erase(windows, monkeypatch, **arguments):
    transform = RandomErasing(n_patches=1, ratio=0.1, **arguments)
    monkeypatch.setattr(transform, "_draw", lambda *size: np.array(windows, int).reshape(-1, 4))
    return transform(sample())


def test_erasing_takes_pixels_from_image_and_masks(monkeypatch):
    done = erase([[20, 0, 60, 60]], monkeypatch, img_border_value=(1, 2, 3))
    assert (done["img"][:, 20:60] == (1, 2, 3)).all()
    assert (np.delete(done["img"], range(20, 60), axis=1) == 200).all()
    assert isinstance(done["gt_masks"], BitmapMasks)
    assert done["gt_masks"].areas.tolist() == [100, 100]
    assert done["gt_masks"].get_bboxes().tolist() == [[10, 10, 20, 20], [60, 40, 70, 50]]
    assert done["gt_bboxes"].tolist() == [[10, 10, 30, 20], [50, 40, 70, 50]]
    assert done["gt_keypoints"][:, 0, 2].tolist() == [2, 1]


def test_objects_of_which_little_is_left_are_dropped(monkeypatch):
    windows = [[10, 10, 28, 15], [10, 15, 28, 20], [50, 40, 69, 50]]
    done = erase(windows, monkeypatch)  # 90 % and 95 %
    assert done["gt_bboxes_labels"].tolist() == [0]
    assert erase(windows, monkeypatch, bbox_erased_thr=0.96)["gt_bboxes_labels"].tolist() == [0, 1]


def test_patches_have_their_number_and_size():
    transform = RandomErasing(n_patches=(1, 3), ratio=(0.2, 0.5))
    drawn = [transform._draw(60, 100) for _ in range(200)]
    assert {len(windows) for windows in drawn} == {1, 2, 3}
    windows = np.concatenate(drawn)
    widths, heights = windows[:, 2] - windows[:, 0], windows[:, 3] - windows[:, 1]
    assert 20 <= widths.min() < 23 and 47 < widths.max() <= 50
    assert (np.abs(heights / 60 - widths / 100) < 0.02).all()  # one ratio for both sides
    assert windows.min() >= 0 and windows[:, 2].max() <= 100 and windows[:, 3].max() <= 60
    transform = RandomErasing(100, (0.2, 0.5), squared=False)
    free = transform._draw(100, 100)
    assert np.abs((free[:, 2] - free[:, 0]) - (free[:, 3] - free[:, 1])).max() > 10


def test_cutout_fills_holes_and_leaves_the_objects(monkeypatch):
    cutout = CutOut(n_holes=1, cutout_shape=(6, 12), fill_in=(5, 6, 7))
    monkeypatch.setattr(cutout, "_draw", lambda *size: np.array([[30, 40, 42, 46]]))
    before = sample()
    done = cutout(dict(before))
    assert (done["img"][40:46, 30:42] == (5, 6, 7)).all()
    assert (done["img"] != 200).any(axis=2).sum() == 6 * 12
    for key in before:
        assert key == "img" or done[key] is before[key]


def test_a_ratio_is_one_of_the_sides():
    cutout = CutOut(n_holes=200, cutout_ratio=(0.1, 0.2))
    windows = cutout._draw(60, 100)
    assert windows.min() >= 0 and windows[:, 2].max() == 100 and windows[:, 3].max() == 60
    x1, y1, x2, y2 = windows[(windows[:, 2:] < (100, 60)).all(axis=1)].T
    assert set((x2 - x1).tolist()) == {20} and set((y2 - y1).tolist()) == {6}


def test_holes_have_their_number_and_one_of_their_shapes():
    cutout = CutOut(n_holes=(2, 4), cutout_shape=[(4, 8), (10, 2)])
    drawn = [cutout._draw(1000, 1000) for _ in range(100)]
    assert {len(windows) for windows in drawn} == {2, 3, 4}
    windows = np.concatenate(drawn)
    inside = windows[(windows[:, 2:] < 1000).all(axis=1)]
    assert {(y2 - y1, x2 - x1) for x1, y1, x2, y2 in inside.tolist()} == {(4, 8), (10, 2)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CutOut(1), r"CutOut: needs one of cutout_shape and cutout_ratio; got None and"),
        (lambda: CutOut(1, (2, 2), (0.1, 0.1)), r"needs one of .* got \(2, 2\) and \(0.1, 0.1\)"),
        (lambda: CutOut(1, cutout_ratio=(0.5, 2)), r"cutout_ratio must be .* in 0..1, .*\(0.5, 2"),
        (lambda: CutOut((3, 1), (2, 2)), r"CutOut: n_holes must be a number, or .* got \(3, 1\)"),
        (lambda: RandomErasing(-1, 0.1), r"RandomErasing: n_patches must be .* got -1"),
        (lambda: RandomErasing(1, (0.5, 0.1)), r"ratio must be in 0..1, .* got \(0.5, 0.1\)"),
        (lambda: RandomErasing(1, 1.1), r"RandomErasing: ratio must be in 0..1"),
        (lambda: RandomErasing(1, 0.1, bbox_erased_thr=2), r"bbox_erased_thr must be in 0..1"),
        (lambda: RandomErasing(1, 0.1, mask_border_value=1), r"mask_border_value can only be 0"),
        (lambda: RandomErasing(1, 0.1, seg_ignore_label=0), r"seg_ignore_label can only be 255"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_colour_of_another_number_of_channels_is_refused():
    with pytest.raises(ValueError, match=r"3 channels needs one fill value, .* got \(1, 2\)"):
        CutOut(1, (5, 5), fill_in=(1, 2))(sample())
