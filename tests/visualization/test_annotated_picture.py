"""Annotated pictures: scaled with all they hold, ignored objects hatched in grey."""

import numpy as np

from mmdet_lite.structures import BitmapMasks
from mmdet_lite.visualization import AnnotatedPicture, annotated_entry, draw_annotated

META = {"classes": ("cat", "dog"), "palette": [(220, 40, 60), (40, 80, 230)]}
ENTRY = {
    "instances": [
        {"bbox": [20, 20, 60, 60], "bbox_label": 0, "ignore_flag": 0},
        {
            "bbox": [100, 50, 150, 90],
            "bbox_label": 1,
            "ignore_flag": 1,
            "mask": [[100, 50, 150, 50, 150, 90]],
        },
    ]
}


def entry_picture() -> AnnotatedPicture:
    return annotated_entry(np.full((120, 160, 3), 90, np.uint8), ENTRY)


def test_an_entry_gives_boxes_labels_flags_and_masks() -> None:
    annotated = entry_picture()
    assert annotated.boxes.tolist() == [[20, 20, 60, 60], [100, 50, 150, 90]]
    assert annotated.labels.tolist() == [0, 1] and annotated.ignored.tolist() == [False, True]
    assert isinstance(annotated.masks, BitmapMasks) and annotated.masks.areas[0] == 0
    empty = annotated_entry(annotated.picture, {"instances": []})
    assert empty.boxes.shape == (0, 4) and empty.masks is None and empty.joints is None


def test_all_scales_together() -> None:
    joints = np.array([[[10.0, 20, 2]], [[30, 40, 0]]])
    annotated = entry_picture()
    annotated = AnnotatedPicture(
        annotated.picture,
        annotated.boxes,
        annotated.labels,
        annotated.ignored,
        annotated.masks,
        joints,
    )
    small = annotated.scaled_into(80, 500)
    assert small.picture.shape == (60, 80, 3)
    assert small.boxes[0].tolist() == [10, 10, 30, 30]
    assert (small.masks.height, small.masks.width) == (60, 80)
    assert small.joints.tolist() == [[[5, 10, 2]], [[15, 20, 0]]]
    assert annotated.picture.shape == (120, 160, 3) and annotated.boxes[0, 0] == 20


def test_ignored_objects_are_grey_inside_their_mask_and_named() -> None:
    annotated = entry_picture()
    drawn = draw_annotated(annotated, META).astype(int)
    inside, beside = drawn[60:62, 138:148], drawn[80:86, 102:112]  # the mask is a triangle
    assert np.ptp(inside, axis=2).max() == 0 and inside.max() == 150
    assert (beside == 90).all()
    reds = (drawn[..., 0] - drawn[..., 2]) > 60
    assert reds[18:64, 18:64].any() and not reds[:, 95:].any()
    without = AnnotatedPicture(annotated.picture, annotated.boxes[:1], annotated.labels[:1])
    assert (draw_annotated(without, META)[50:, 95:] == 90).all()


def test_ignored_boxes_beyond_the_picture_do_no_harm() -> None:
    boxes = np.array([[-50.0, -50, 500, 500], [300, 300, 400, 400]])
    picture = np.full((40, 50, 3), 90, np.uint8)
    annotated = AnnotatedPicture(picture, boxes, np.zeros(2, int), np.ones(2, bool))
    assert draw_annotated(annotated, {}).shape == picture.shape
    assert (picture == 90).all()


def test_nothing_to_draw_gives_the_picture() -> None:
    picture = np.full((40, 50, 3), 90, np.uint8)
    assert np.array_equal(draw_annotated(AnnotatedPicture(picture), META), picture)
