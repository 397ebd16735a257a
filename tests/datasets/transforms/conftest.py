"""A sample as it is after loading; makes ``drawn_objects`` importable for this folder's tests."""

import sys
from pathlib import Path

import numpy as np
import pytest

from mmdet_lite.structures import BitmapMasks

sys.path.insert(0, str(Path(__file__).parent))
collect_ignore = ["drawn_objects.py"]


def ellipses(rng, num, height, width):
    """Random ellipses as full bitmaps."""
    ys, xs = np.mgrid[:height, :width]
    bitmaps = []
    for _ in range(num):
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        rx, ry = rng.uniform(5, width / 3), rng.uniform(5, height / 3)
        bitmaps.append((((xs - cx) / rx) ** 2 + ((ys - cy) / ry) ** 2 < 1).astype(np.uint8))
    return np.stack(bitmaps)


@pytest.fixture
def make_sample():
    """A function that makes results of 3 objects, the image showing their masks as channels.

    So whatever happens to the image happened to full bitmaps, and the masks must agree with it.
    """

    def make(seed=0, height=97, width=121):
        bitmaps = ellipses(np.random.default_rng(seed), 3, height, width)
        masks = BitmapMasks(bitmaps, height, width)
        return {
            "img": np.ascontiguousarray(bitmaps.transpose(1, 2, 0)),
            "img_id": seed,
            "img_path": f"{seed}.jpg",
            "img_shape": (height, width),
            "ori_shape": (height, width),
            "gt_bboxes": masks.get_bboxes().numpy(),
            "gt_bboxes_labels": np.array([2, 0, 1]),
            "gt_ignore_flags": np.array([False, True, False]),
            "gt_masks": masks,
        }

    return make
