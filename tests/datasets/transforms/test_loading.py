"""Images and annotations from disk."""

import cv2
import numpy as np
import pytest

from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures import BitmapMasks, PolygonMasks

TRIANGLE = [2.0, 2, 12, 2, 12, 12]


def load(path, **kwargs):
    return TRANSFORMS.build({"type": "LoadImageFromFile", **kwargs})({"img_path": str(path)})


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


def test_image_is_loaded_as_bgr_uint8_with_its_shapes(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    results = load(tmp_path / "a.png", backend_args=None)
    assert np.array_equal(results["img"], pixels) and results["img"].dtype == np.uint8
    assert results["img_shape"] == results["ori_shape"] == (7, 9)
    assert load(tmp_path / "a.png", to_float32=True)["img"].dtype == np.float32
    assert load(tmp_path / "a.png", color_type="grayscale")["img"].shape[:2] == (7, 9)
    pillow = load(tmp_path / "a.png", imdecode_backend="pillow")["img"]
    assert np.array_equal(pillow, pixels)


@pytest.mark.parametrize("backend", ["cv2", "pillow"])
@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_unreadable_image_stops_with_its_path(tmp_path, content, backend):
    (tmp_path / "bad.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=r"image '.*bad.jpg' cannot be read or decoded"):
        load(tmp_path / "bad.jpg", imdecode_backend=backend)
    assert load(tmp_path / "bad.jpg", imdecode_backend=backend, ignore_empty=True) is None


def test_missing_image_stops_with_its_path(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"image '.*none.jpg' does not exist; check data"):
        load(tmp_path / "none.jpg")
    assert load(tmp_path / "none.jpg", ignore_empty=True) is None
    with pytest.raises(ValueError, match="cannot be read"):
        load(tmp_path)


def test_image_from_memory_needs_no_path():
    image = np.zeros((4, 5, 3), np.uint8)
    results = TRANSFORMS.build({"type": "LoadImageFromNDArray"})({"img": image, "img_id": 1})
    assert results["img"] is image and results["img_path"] is None
    assert results["img_shape"] == results["ori_shape"] == (4, 5)


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


@pytest.mark.parametrize(
    ("said", "word"), [((20, 30), None), ((30, 20), "EXIF"), ((20, 31), "31x20")]
)
def test_picture_of_another_size_than_the_data_set_says_stops(tmp_path, said, word):
    path = str(tmp_path / "a.png")
    cv2.imwrite(path, np.zeros((20, 30, 3), np.uint8))
    results = {"img_path": path, "height": said[0], "width": said[1]}
    if word is None:
        assert TRANSFORMS.build({"type": "LoadImageFromFile"})(results)["img_shape"] == (20, 30)
        return
    with pytest.raises(ValueError, match=word):
        TRANSFORMS.build({"type": "LoadImageFromFile"})(results)
