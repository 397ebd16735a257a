import copy
import json

import numpy as np
import pytest
from sets_to_spoil import draw_images, drawn_content
from test_defects import CONTENT

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.check import (
    annotated_set,
    check_content,
    fix_content,
    fixed_text,
    read_all_facts,
    refusal_to_fix,
)

LEFT_TO_A_PERSON = {  # guessing would be worse
    "file-unreadable",
    "image-id-twice",
    "class-not-in-file",
    "category-not-in-classes",
    "category-names-alike",
    "class-without-instances",
    "category-id-twice",
    "boxes-masks-disagree",
    "box-mask-disagree",
    "mask-missing",
    "mask-partly",
    "polygon-open",
    "polygon-crossing",
    "polygon-outside",
    "nothing-left",
    "set-empty",
    "value-unreadable",
    "rle-size",
    "rle-counts",
    "rle-broken",
    "keypoints-length",
    "keypoints-outside",
    "keypoints-visibility",
}
MENDED_AS = {"file-annotated-twice": "file-name-twice"}


def codes_of(content, uses):
    return {f.code for f in check_content(annotated_set("s", "a.json", "", content, uses))}


@pytest.mark.parametrize(
    ("code", "spoil"), [(c, s) for c, s, _ in CONTENT], ids=[f"{c[0]}" for c in CONTENT]
)
def test_mended_copy_has_none_of_the_mistakes_that_can_be_mended(drawn_set, code, spoil):
    spoil(drawn_set)
    content = drawn_set.content
    data = annotated_set("s", "a.json", "", content, drawn_set.uses())
    if code == "file-unreadable":
        with pytest.raises(ValueError, match="no COCO annotation file"):
            fix_content(data)
        return
    before = copy.deepcopy(content)
    mended, done = fix_content(data)
    assert content == before
    left = codes_of(mended, drawn_set.uses())
    first = before["annotations"][0] if before["annotations"] else {}
    the_only_polygon = first.get("segmentation") in ([{"x": 1}], {"counts": "11"})
    area_alone = first.get("area") == "12"
    if (code in LEFT_TO_A_PERSON and not area_alone) or the_only_polygon:
        assert code in left
        return
    assert left == set()
    assert MENDED_AS.get(code, code) in fixed_text(done)


def test_content_without_mistakes_stays_as_it_is():
    content = {**drawn_content(3), "info": {"year": 2020}}
    mended, done = fix_content(annotated_set("s", "a.json", "", content))
    assert mended == content
    assert not done
    assert "nothing" in fixed_text(done)


def test_boxes_are_cut_and_areas_computed():
    content = drawn_content(1)
    one, other = content["annotations"][:2]
    one["bbox"], one["segmentation"] = [-10, 5, 30, 40], []
    del other["area"]
    mended, done = fix_content(annotated_set("s", "a.json", "", content))
    assert mended["annotations"][0]["bbox"] == [0, 5, 20, 40]
    _, _, w, h = other["bbox"]
    assert mended["annotations"][1]["area"] == pytest.approx(0.82 * w * h, rel=0.05)
    assert done["box-over-edge", "boxes cut at the edge of the picture"] == 1


def test_box_that_is_none_is_taken_from_polygon_or_rle():
    content = drawn_content(1)
    one, other, third = content["annotations"]
    expected = one["bbox"]
    one["bbox"] = [0, 0, float("nan"), 3]
    mask = np.zeros((150, 200), np.uint8)
    mask[20:60, 80:100] = 1
    runs = np.flatnonzero(np.diff(mask.T.ravel(), prepend=0, append=0)).tolist()
    counts = np.diff([0, *runs, mask.size]).tolist()
    other |= {"bbox": [1, 1, -5, 2], "segmentation": {"size": [150, 200], "counts": counts}}
    third |= {"bbox": [1, 1, 0, 0], "segmentation": []}
    mended, _ = fix_content(annotated_set("s", "a.json", "", content))
    assert np.allclose(mended["annotations"][0]["bbox"], expected, atol=0.02)
    assert mended["annotations"][1]["bbox"] == [80, 20, 20, 40]
    assert len(mended["annotations"]) == 2  # the third had nothing to take a box from


def test_mended_file_is_trained_on(tmp_path):
    content = drawn_content(3)
    content["annotations"].append({**content["annotations"][0]})
    content["annotations"][1]["image_id"] = 77
    content["images"].append({**content["images"][0], "id": 50})
    mended, _ = fix_content(annotated_set("s", "a.json", "", content))
    (tmp_path / "a.json").write_text(json.dumps(mended))
    assert len(CocoDataset(str(tmp_path / "a.json"))) == 3
    assert len({ann["id"] for ann in mended["annotations"]}) == len(mended["annotations"])


def mended_beside_pictures(content, folder):
    """What is mended of content whose pictures are as ``drawn_content`` draws them."""
    draw_images(drawn_content(), folder)
    data = annotated_set("s", "a.json", str(folder), content)
    facts = read_all_facts([path for files in data.files_on_disk for path in files], {})
    return fix_content(data, facts)


def swap_sizes(content):
    for image in content["images"][:2]:
        image["width"], image["height"] = image["height"], image["width"]


def lose_sizes(content):
    for image in content["images"]:
        del image["width"], image["height"]


def write_ids_as_text(content):
    for image in content["images"]:
        image["id"] = str(image["id"])


def write_some_boxes_as_corners(content):
    for ann in content["annotations"][::4]:
        x, y, w, h = ann["bbox"]
        ann["bbox"] = [x, y, x + w, y + h]


@pytest.mark.parametrize(
    "spoil", [swap_sizes, lose_sizes, write_ids_as_text, write_some_boxes_as_corners]
)
def test_what_pictures_ids_or_outlines_tell_is_restored(spoil, tmp_path):
    content = drawn_content()
    spoil(content)
    mended, done = mended_beside_pictures(content, tmp_path)
    right = drawn_content()
    assert mended["images"] == right["images"]
    for ann, expected in zip(mended["annotations"], right["annotations"], strict=True):
        assert ann.pop("bbox") == pytest.approx(expected.pop("bbox"))
        assert ann == expected
    assert done and refusal_to_fix(mended, done) is None


def test_boxes_of_pictures_of_another_size_are_not_touched(tmp_path):
    content = drawn_content()
    content["images"][0] |= {"width": 100, "height": 75}
    content["annotations"][0]["bbox"] = [90, 70, 60, 50]
    mended, done = mended_beside_pictures(content, tmp_path)
    assert mended == content and not done


def test_sizes_of_a_picture_that_its_boxes_do_not_fit_are_left(tmp_path):
    content = drawn_content()
    content["images"][0] |= {"width": 150, "height": 200}
    for ann in content["annotations"][:3]:
        ann |= {"bbox": [10, 160, 30, 30], "segmentation": []}
    content["annotations"][1]["bbox"][0], content["annotations"][2]["bbox"][0] = 50, 90
    mended, done = mended_beside_pictures(content, tmp_path)
    assert mended == content and not done


def test_where_two_pictures_have_one_id_nothing_of_them_is_removed_or_cut(tmp_path):
    content = drawn_content()
    content["images"][1]["id"] = content["images"][0]["id"]
    content["annotations"][0]["bbox"] = [-10, 5, 30, 40]
    mended, done = mended_beside_pictures(content, tmp_path)
    assert mended == content and not done


@pytest.mark.parametrize(("number", "refused"), [(1, False), (3, False), (4, True), (24, True)])
def test_mending_that_loses_many_annotations_is_refused(number, refused):
    content = drawn_content()
    for ann in content["annotations"][:number]:
        ann["image_id"] = 777
    refusal = refusal_to_fix(*fix_content(annotated_set("s", "a.json", "", content)))
    assert (refusal is not None) == refused
    assert not refused or f"{number} of 24 annotations" in refusal
