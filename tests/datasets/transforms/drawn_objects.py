"""Images whose pixels say where every object, mask and joint must be.

Object k is a rectangle in channel k, its three joints are brighter squares in it, so whatever
happens to the image can be compared with what happened to its annotations.
"""

import cv2
import numpy as np

from mmdet_lite.structures import PolygonMasks

OBJECT, JOINTS = 100, (255, 205, 155)  # values: the left joint, the right one, and one below
NEAR = 24
CHANNELS = 4
FLIP_INDICES = (1, 0, 2)
RADIUS = 4  # of a joint's square
KINDS = ["bitmaps", "polygons"]


def draw_sample(rng, labels, kind="bitmaps", height=160, width=200):
    """Results with one object for each label, which is its channel; the one of label 1 ignored."""
    img = np.zeros((height, width, CHANNELS), np.uint8)
    boxes, joints = [], []
    for label in labels:
        w, h = rng.integers(50, 81, 2)
        x1, y1 = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
        img[y1 : y1 + h, x1 : x1 + w, label] = OBJECT
        points = [
            (x1 + w // 4, y1 + h // 3),
            (x1 + w - w // 4, y1 + h // 3),
            (x1 + w // 2, y1 + h - h // 4),
        ]
        for (x, y), value in zip(points, JOINTS, strict=True):
            img[y - RADIUS : y + RADIUS, x - RADIUS : x + RADIUS, label] = value
        boxes.append((x1, y1, x1 + w, y1 + h))
        joints.append([(x, y, 2) for x, y in points])
    polygons = [[[x1, y1, x2, y1, x2, y2, x1, y2]] for x1, y1, x2, y2 in boxes]
    masks = PolygonMasks(polygons, height, width)
    return {
        "img": img,
        "img_path": f"{labels}.png",
        "img_shape": (height, width),
        "ori_shape": (height, width),
        "flip_indices": FLIP_INDICES,
        "gt_bboxes": np.array(boxes, np.float32).reshape(-1, 4),
        "gt_bboxes_labels": np.array(labels, np.int64),
        "gt_ignore_flags": np.array([label == 1 for label in labels], bool),
        "gt_masks": masks.to_bitmap() if kind == "bitmaps" else masks,
        "gt_keypoints": np.array(joints, np.float32).reshape(-1, 3, 3),
    }


def assert_agrees(results, *, fade=1.0, slack=2, tight=True, lost=True):
    """The image shows every object where box, mask and joints say, and no other object.

    Args:
        results: after a transform of what ``draw_sample`` gave.
        fade: by which the values of pixels were multiplied.
        slack: pixels by which a border may differ.
        tight: boxes end where the pixels end, for those that lie wholly in the image.
        lost: pixels of objects that are not in the results must be gone.
    """
    img = results["img"].astype(float) / fade
    height, width = img.shape[:2]
    assert results["img_shape"] == (height, width)
    masks = results["gt_masks"].to_bitmap()
    assert (masks.height, masks.width) == (height, width)
    labels = results["gt_bboxes_labels"]
    fields = ("gt_bboxes", "gt_masks", "gt_keypoints", "gt_ignore_flags")
    assert {len(results[field]) for field in fields} == {len(labels)}
    assert results["gt_bboxes"].dtype == results["gt_keypoints"].dtype == np.float32
    assert results["gt_ignore_flags"].tolist() == [label == 1 for label in labels]
    kernel = np.ones((2 * slack + 1, 2 * slack + 1), np.uint8)
    for i, label in enumerate(labels):
        pixels = (img[..., label] > OBJECT / 2).astype(np.uint8)
        mask = masks[i].to_ndarray()[0]
        assert not (mask > cv2.dilate(pixels, kernel)).any(), "mask where the object is not"
        assert not (pixels > cv2.dilate(mask, kernel)).any(), "object where the mask is not"
        _assert_box(results["gt_bboxes"][i], pixels, slack, tight)
        _assert_joints(results["gt_keypoints"][i], img[..., label])
    if lost:
        for label in set(range(CHANNELS)) - set(labels.tolist()):
            assert (img[..., label] > OBJECT / 2).sum() <= 2 * slack * max(height, width)


def _assert_box(box, pixels, slack, tight):
    height, width = pixels.shape
    ys, xs = np.nonzero(pixels)
    if not len(xs):
        return
    seen = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
    outward = (seen - box) * [1, 1, -1, -1]
    assert outward.min() >= -slack, f"object {seen} outside of its box {box}"
    inside = (box[:2] > 0).all() and (box[2:] < (width, height)).all()
    if tight and inside:
        assert outward.max() <= slack, f"box {box} too large for its object {seen}"


def _assert_joints(joints, plane):
    """Joints lie on their squares; left and right have changed places in a mirror, only there."""
    height, width = plane.shape
    seen = []
    for x, y, visibility in joints:
        in_frame = 0 <= x < width and 0 <= y < height
        assert in_frame == (visibility > 0)
        value = plane[int(y), int(x)] if in_frame else None
        assert visibility != 1 or value < OBJECT, f"hidden, but shows {value}"
        seen.append(value if visibility == 2 else None)
    left, right, below = JOINTS
    for values in [(left, right, below), (right, left, below)]:
        if all(s is None or abs(s - v) < NEAR for s, v in zip(seen, values, strict=True)):
            if None not in seen:
                at = dict(zip(values, joints[:, :2], strict=True))  # where the pixels are
                mirrored = np.linalg.det([at[right] - at[left], at[below] - at[left]]) < 0
                assert mirrored == (values[0] == right), "left and right joints are mixed up"
            return
    raise AssertionError(f"joints {joints} show {seen}")
