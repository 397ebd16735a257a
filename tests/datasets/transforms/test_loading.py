"""Annotations of one image."""

import numpy as np
import pytest

from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures import BitmapMasks, PolygonMasks

TRIANGLE = [2.0, 2, 12, 2, 12, 12]


def annotated(*masks):
    return {
        "img_path": "x.jpg",
        "ori_shape": (20, 30),
        "img_shape": (40, 60),
        "instances": [
            {"bbox": [2, 2, 12, 12], "bbox_label": i, "ignore_flag": 0, "ann_id": 70 + i}
            | ({} if mask is None else {"mask": mask})
            for i, mask in enumerate(masks)
        ],
    }


def annotate(results, **kwargs):
    return TRANSFORMS.build({"type": "LoadAnnotations", **kwargs})(results)


def test_annotations_become_arrays_in_the_frame_of_the_file():
    results = annotate(annotated([TRIANGLE], [TRIANGLE]), with_mask=True)
    assert results["gt_bboxes"].dtype == np.float32 and results["gt_bboxes"].shape == (2, 4)
    assert results["gt_bboxes_labels"].tolist() == [0, 1]
    assert results["gt_ignore_flags"].tolist() == [False, False]
    assert isinstance(results["gt_masks"], BitmapMasks)
    # original frame, although the image was resized before (test pipelines)
    assert (results["gt_masks"].height, results["gt_masks"].width) == (20, 30)


def test_polygons_stay_polygons_and_rle_becomes_ignored_without_poly2mask():
    rle = {"size": [20, 30], "counts": [0, 600]}
    results = annotate(annotated([TRIANGLE], rle), with_mask=True, poly2mask=False)
    assert isinstance(results["gt_masks"], PolygonMasks)
    assert results["gt_masks"].areas.tolist() == [50, 0]
    assert results["gt_ignore_flags"].tolist() == [False, True]


def test_object_without_a_whole_polygon_becomes_ignored():
    results = annotate(annotated([[1, 1, 2, 2]], [[1, 1], TRIANGLE]), with_mask=True)
    assert results["gt_ignore_flags"].tolist() == [True, False]
    assert results["gt_masks"].areas[0] == 0 < results["gt_masks"].areas[1]


def test_no_instances_give_empty_arrays():
    for poly2mask in (True, False):
        results = annotate(annotated(), with_mask=True, poly2mask=poly2mask)
        assert results["gt_bboxes"].shape == (0, 4)
        assert results["gt_bboxes_labels"].shape == results["gt_ignore_flags"].shape == (0,)
        assert len(results["gt_masks"]) == 0


def test_missing_segmentation_names_the_annotation_and_the_way_out():
    with pytest.raises(
        ValueError, match=r"annotation 71 .* of 'x.jpg' has no segmentation"
    ) as error:
        annotate(annotated([TRIANGLE], None), with_mask=True)
    assert "without a mask head" in str(error.value)
    assert "gt_masks" not in annotate(annotated([TRIANGLE], None))


def test_rle_of_another_size_names_the_image():
    rle = {"size": [30, 20], "counts": [600]}
    with pytest.raises(ValueError, match=r"masks of 'x.jpg': the RLE has size \[30, 20\]"):
        annotate(annotated(rle), with_mask=True)


@pytest.mark.parametrize(
    ("argument", "message"), [({"with_seg": True}, "with_seg"), ({"box_type": "rbox"}, "'hbox'")]
)
def test_what_is_not_supported_is_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build({"type": "LoadAnnotations", **argument})
