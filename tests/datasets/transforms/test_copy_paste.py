"""CopyPaste: what is covered, what stays, by hand-made numbers."""

import numpy as np
import pytest

from mmdet_lite.datasets.transforms import CopyPaste
from mmdet_lite.structures import PolygonMasks


def picture(value, boxes, height=60, width=100, joints=None):
    """An image of one value with rectangles as masks."""
    polygons = [[[x1, y1, x2, y1, x2, y2, x1, y2]] for x1, y1, x2, y2 in boxes]
    results = {
        "img": np.full((height, width, 3), value, np.uint8),
        "img_path": f"{value}.png",
        "img_shape": (height, width),
        "gt_bboxes": np.array(boxes, np.float32).reshape(-1, 4),
        "gt_bboxes_labels": np.arange(len(boxes)) + value,
        "gt_ignore_flags": np.zeros(len(boxes), bool),
        "gt_masks": PolygonMasks(polygons, height, width).to_bitmap(),
    }
    if joints is not None:
        results["gt_keypoints"] = np.array(joints, np.float32).reshape(len(boxes), -1, 3)
    return results


def paste(image, other, **arguments):
    return CopyPaste(selected=False, **arguments)({**image, "mix_results": [other]})


def test_a_pasted_object_lies_before_the_others():
    image = picture(1, [(10, 10, 50, 50), (60, 10, 90, 50)])
    done = paste(image, picture(9, [(30, 0, 70, 60)]))
    assert (done["img"][:, 30:70] == 9).all() and (
        np.delete(done["img"], range(30, 70), 1) == 1
    ).all()
    assert done["gt_bboxes"].tolist() == [[10, 10, 30, 50], [70, 10, 90, 50], [30, 0, 70, 60]]
    assert done["gt_masks"].areas.tolist() == [20 * 40, 20 * 40, 40 * 60]
    assert done["gt_bboxes_labels"].tolist() == [1, 2, 9]


def test_a_hole_leaves_the_box():
    done = paste(picture(1, [(10, 10, 50, 50)]), picture(9, [(20, 20, 40, 40)]))
    assert done["gt_bboxes"].tolist() == [[10, 10, 50, 50], [20, 20, 40, 40]]
    assert done["gt_masks"].areas.tolist() == [1600 - 400, 400]


@pytest.mark.parametrize(
    ("pasted", "stays"),
    [
        ((10, 10, 40, 50), True),  # 10 columns of 40 are left: 400 pixels
        ((10, 10, 43, 50), False),  # 7 columns: 280 pixels, the box moved by 33
        ((10, 10, 20, 50), True),  # the box moved by 10
        ((0, 0, 100, 60), False),
    ],
)
def test_an_object_goes_if_its_box_moved_and_little_is_left(pasted, stays):
    done = paste(picture(1, [(10, 10, 50, 50)]), picture(9, [pasted]))
    assert (1 in done["gt_bboxes_labels"]) == stays


def test_a_small_object_that_is_hardly_covered_stays():
    done = paste(picture(1, [(10, 10, 20, 20)]), picture(9, [(10, 10, 12, 20)]))
    assert done["gt_bboxes"].tolist() == [[12, 10, 20, 20], [10, 10, 12, 20]]
    strict = paste(
        picture(1, [(10, 10, 20, 20)]), picture(9, [(10, 10, 12, 20)]), bbox_occluded_thr=1
    )
    assert strict["gt_bboxes_labels"].tolist() == [9]


def test_objects_that_nothing_covers_keep_their_boxes():
    image = picture(1, [(10, 10, 50, 50), (60, 10, 90, 50)])
    image["gt_bboxes"] = np.array([[8.5, 9.5, 51, 52], [0, 0, 99, 59]], np.float32)
    image["gt_masks"] = PolygonMasks([[[10, 10, 50, 10, 50, 50]], []], 60, 100).to_bitmap()
    done = paste(image, picture(9, [(95, 0, 100, 5)]))
    assert done["gt_bboxes"][:2].tolist() == [[8.5, 9.5, 51, 52], [0, 0, 99, 59]]


def test_covered_joints_become_hidden_ones():
    image = picture(1, [(10, 10, 50, 50)], joints=[(15, 15, 2), (45, 15, 2), (45, 45, 0)])
    other = picture(9, [(40, 0, 60, 60)], joints=[(45, 20, 2), (50, 20, 1), (0, 0, 0)])
    done = paste(image, other)
    assert done["gt_keypoints"][0].tolist() == [[15, 15, 2], [45, 15, 1], [45, 45, 0]]
    assert done["gt_keypoints"][1].tolist() == [[45, 20, 2], [50, 20, 1], [0, 0, 0]]


def test_an_image_of_another_size_is_cut_at_the_upper_left_corner():
    image = picture(1, [(10, 10, 50, 50)])
    done = paste(image, picture(9, [(80, 20, 140, 90), (120, 0, 140, 20)], 100, 150))
    assert done["gt_bboxes"].tolist() == [[10, 10, 50, 50], [80, 20, 100, 60]]
    assert (done["img"][20:60, 80:] == 9).all() and (done["img"][:20] == 1).all()
    smaller = paste(image, picture(9, [(5, 5, 30, 30)], 30, 30))
    assert smaller["gt_bboxes"].tolist()[1] == [5, 5, 30, 30]
    assert (smaller["img"][5:30, 5:30] == 9).all() and (smaller["img"][30:] == 1).all()


def test_boxes_are_pasted_if_there_are_no_masks_and_it_is_told():
    image, other = picture(1, [(10, 10, 50, 50)]), picture(9, [(30, 0, 70, 60)])
    del image["gt_masks"], other["gt_masks"]
    done = paste(image, other, paste_by_box=True)
    assert done["gt_bboxes"].tolist() == [[10, 10, 30, 50], [30, 0, 70, 60]]
    assert "gt_masks" not in done and (done["img"][:, 30:70] == 9).all()
    with pytest.raises(ValueError, match=r"'1.png' has no masks; .* paste_by_box=True"):
        paste(image, other)


def test_some_objects_are_selected_up_to_the_largest_number():
    other = picture(9, [(5 * i, 0, 5 * i + 4, 4) for i in range(10)])
    transform = CopyPaste(max_num_pasted=4)
    numbers = [
        len(transform({**picture(1, []), "mix_results": [other]})["gt_bboxes"]) for _ in range(100)
    ]
    assert set(numbers) == {0, 1, 2, 3, 4}


def test_negative_numbers_are_refused():
    for name in ("max_num_pasted", "bbox_occluded_thr", "mask_occluded_thr"):
        with pytest.raises(ValueError, match=f"CopyPaste: {name} must not be negative; got -1"):
            CopyPaste(**{name: -1})
