"""Albu: transforms of albumentations; the missing library."""

import sys

import numpy as np
import pytest
from drawn_objects import KINDS, assert_agrees, draw_sample

from mmdet_lite.datasets.transforms import Albu
from mmdet_lite.structures import PolygonMasks

MOVE = {"type": "HorizontalFlip", "p": 1.0}


def test_without_the_library_the_message_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "albumentations", None)
    with pytest.raises(ValueError, match=r'not installed: pip install "mmdet_lite\[albu\]"'):
        Albu([MOVE])


def draw(*labels, kind="bitmaps", seed=0):
    return draw_sample(np.random.default_rng(seed), list(labels), kind)


class TestWithTheLibrary:
    @pytest.fixture(autouse=True)
    def library(self):
        return pytest.importorskip("albumentations")

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        "step",
        [
            {"type": "HorizontalFlip", "p": 1.0},
            {"type": "Transpose", "p": 1.0},
            {"type": "RandomRotate90", "p": 1.0},
            {"type": "Affine", "rotate": (-15, 15), "shear": (-4, 4), "p": 1.0},
            {"type": "Perspective", "scale": (0.02, 0.05), "p": 1.0},
            {"type": "RandomResizedCrop", "size": (140, 160), "scale": (0.5, 1.0), "p": 1.0},
            {"type": "CenterCrop", "height": 100, "width": 120, "p": 1.0},
            {"type": "PadIfNeeded", "min_height": 220, "min_width": 260, "p": 1.0},
        ],
        ids=lambda step: step["type"],
    )
    def test_each_kind_of_move_takes_everything_along(self, step, kind):
        for seed in range(8):
            np.random.seed(seed)
            # boxes of turned objects may be looser than ours
            assert_agrees(Albu([step])(draw(0, 1, 3, kind=kind, seed=seed)), tight=False)

    def test_left_and_right_joints_change_places_in_a_mirror_only(self):
        before = draw(0)
        width = before["img"].shape[1]
        mirrored = Albu([MOVE])(dict(before))["gt_keypoints"][0, :, 0]
        np.testing.assert_allclose(mirrored, (width - before["gt_keypoints"][0, :, 0])[[1, 0, 2]])
        turned = Albu([MOVE, {"type": "VerticalFlip", "p": 1.0}])(dict(before))
        np.testing.assert_allclose(
            turned["gt_keypoints"][0, :, 0], width - before["gt_keypoints"][0, :, 0]
        )
        del before["flip_indices"]
        with pytest.raises(ValueError, match=r"partners of left and right joints"):
            Albu([MOVE])(before)

    def test_changes_of_colour_leave_the_objects_untouched(self):
        before = draw(0, 1, kind="polygons")
        before["img"] = before["img"][..., :3].copy()
        inner = [{"type": "Blur", "p": 1.0}, {"type": "RandomBrightnessContrast", "p": 1.0}]
        done = Albu([{"type": "OneOf", "transforms": inner, "p": 1.0}])(dict(before))
        assert not np.array_equal(done["img"], before["img"])
        assert isinstance(done["gt_masks"], PolygonMasks)
        for key in ("gt_bboxes", "gt_masks", "gt_keypoints", "gt_bboxes_labels"):
            assert done[key] is before[key]

    def test_the_config_of_mmdetection_is_taken(self):
        transform = Albu(
            transforms=[
                {"type": "RandomBrightnessContrast", "brightness_limit": [0.1, 0.3], "p": 0.2},
                MOVE,
            ],
            bbox_params={
                "type": "BboxParams",
                "format": "pascal_voc",
                "label_fields": ["gt_bboxes_labels", "gt_ignore_flags"],
                "min_visibility": 0.0,
                "filter_lost_elements": True,
            },
            keymap={"img": "image", "gt_masks": "masks", "gt_bboxes": "bboxes"},
            update_pad_shape=True,
            skip_img_without_anno=True,
        )
        before = draw(0, 1)
        before["img"] = before["img"][..., :3].copy()
        done = transform(before)
        assert len(done["gt_bboxes"]) == 2
        assert done["pad_shape"] == done["img"].shape

    def test_objects_below_the_limits_leave_with_all_they_have(self):
        before = draw(0, 1, 2)
        before["gt_bboxes"][0] = (0, 0, 12, 12)
        transform = Albu([MOVE], bbox_params={"min_area": 200, "min_width": 2})
        done = transform(before)
        assert done["gt_bboxes_labels"].tolist() == [1, 2]
        assert len(done["gt_masks"]) == len(done["gt_keypoints"]) == 2

    def test_an_image_that_lost_its_objects_is_left_out_if_told(self):
        crop = {"type": "Crop", "x_min": 0, "y_min": 0, "x_max": 5, "y_max": 5, "p": 1.0}
        before = draw(0)
        before["gt_bboxes"] = np.array([[50, 50, 90, 90]], np.float32)
        assert len(Albu([crop])(dict(before))["gt_bboxes"]) == 0
        assert Albu([crop], skip_img_without_anno=True)(dict(before)) is None
        empty = Albu([crop], skip_img_without_anno=True)(draw())
        assert empty is not None and len(empty["gt_bboxes"]) == 0

    def test_boxes_over_the_border_are_clipped_and_those_without_area_dropped(self):
        before = draw(0, 1, 2)
        before["gt_bboxes"][:] = [(-9, -9, 50, 50), (20, 20, 20, 40), (150, 100, 900, 900)]
        done = Albu([{"type": "VerticalFlip", "p": 1.0}])(before)
        np.testing.assert_allclose(
            done["gt_bboxes"], [(0, 110, 50, 160), (150, 0, 200, 60)], atol=1e-3
        )
        assert done["gt_bboxes_labels"].tolist() == [0, 2]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"transforms": [{"type": "HorizontalFlipp"}]},
                r"transforms.0.type: .*no transform 'Hor",
            ),
            ({"transforms": [{"type": "HorizontalFlipp"}]}, r"did you mean 'HorizontalFlip'"),
            (
                {"transforms": [{"type": "OneOf", "transforms": [{"type": "Blurr"}]}]},
                r"transforms.0.transforms.0.type: .*'Blurr'",
            ),
            ({"transforms": [{"type": "Blur", "blurlimit": 3}]}, r"transforms.0.*blurlimit"),
            ({"transforms": [{"type": "Blur", "p": 7}]}, r"transforms.0.*Blur"),
            ({"transforms": [{"p": 7}]}, r"transforms.0.type: .*no transform None"),
            ({"bbox_params": {"format": "coco"}}, r"bbox_params.format can only be 'pascal_voc'"),
            ({"bbox_params": {"filter_lost_elements": False}}, r"can only be True"),
            ({"bbox_params": {"min_aera": 2}}, r"min_aera: no such key; did you mean 'min_area'"),
            ({"bbox_params": {"label_fields": ["gt_labels"]}}, r"'gt_labels' does not belong to"),
            ({"keymap": {"gt_seg_map": "mask"}}, r"keymap.gt_seg_map: no such key"),
            ({"keymap": {"img": "picture"}}, r"keymap.img can only be 'image'.* got 'picture'"),
        ],
    )
    def test_wrong_arguments_are_refused(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            Albu(**{"transforms": [MOVE], **arguments})
