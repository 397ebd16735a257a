"""Augmentations one after the other, as a training has them, and a sheet of pictures of them."""

import cv2
import numpy as np
import torch
from drawn_objects import draw_sample

from mmdet_lite.datasets import MultiImageMixDataset
from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.visualization import (
    AnnotatedPicture,
    arrange,
    draw_annotated,
    same_height,
    side_by_side,
    write_image,
)

METAINFO = {"classes": ("a", "b", "c"), "palette": [(220, 20, 60), (0, 90, 220), (20, 160, 40)]}
SCALE = (180, 150)
SHOWN = [
    {"type": "Mosaic", "img_scale": SCALE},
    {"type": "MixUp", "img_scale": (200, 160)},
    {"type": "CopyPaste", "selected": False},
    {"type": "RandomAffine", "max_rotate_degree": 20},
    {"type": "Rotate", "level": 7},
    {"type": "ShearY", "level": 6},
    {"type": "RandomErasing", "n_patches": 3, "ratio": (0.2, 0.3)},
    {"type": "CutOut", "n_holes": 3, "cutout_shape": (30, 40), "fill_in": 200},
    {"type": "AspectCrop", "aspect_lo": 0.9, "aspect_hi": 1.1},
    {"type": "RandomShift", "prob": 1.0, "max_shift_px": 60},
    {"type": "RandAugment"},
    {"type": "YOLOXHSVRandomAug"},
]


class Drawn:
    """A data set of drawn objects."""

    metainfo = METAINFO

    def full_init(self):
        pass

    def __len__(self):
        return 8

    def get_data_info(self, index):
        return {"instances": [{}] * (index % 3), "img_path": f"{index}.png"}

    def __getitem__(self, index):
        labels = list(range(index % 3))
        sample = draw_sample(np.random.default_rng(index), labels, "polygons")
        return {**sample, "img": np.ascontiguousarray(sample["img"][..., :3]), "img_id": index}


def test_the_pipeline_of_yolox_with_masks_and_joints_packs_good_samples():
    pipeline = [
        {"type": "Mosaic", "img_scale": SCALE, "pad_val": 114.0},
        {"type": "RandomAffine", "scaling_ratio_range": (0.5, 1.5), "border": (-90, -75)},
        {"type": "MixUp", "img_scale": SCALE, "ratio_range": (0.8, 1.6)},
        {"type": "YOLOXHSVRandomAug"},
        {"type": "RandomFlip", "prob": 0.5},
        {"type": "FilterAnnotations", "min_gt_bbox_wh": (1, 1), "keep_empty": False},
        {"type": "PackDetInputs"},
    ]
    data = MultiImageMixDataset(dataset=Drawn(), pipeline=pipeline)
    seen = 0
    for index in [*range(8)] * 3:
        sample = data[index]
        assert sample["inputs"].shape == (3, 150, 180) and sample["inputs"].dtype == torch.uint8
        parts = [sample["data_samples"].gt_instances, sample["data_samples"].ignored_instances]
        for part in parts:
            assert len(part.bboxes) == len(part.masks) == len(part.keypoints) == len(part.labels)
            assert (part.bboxes >= 0).all()
            assert (part.bboxes <= torch.tensor([180.0, 150, 180, 150])).all()
            assert (part.masks.areas > 0).all()
            seen += len(part.bboxes)
    assert seen > 24


def test_a_sheet_shows_what_each_transform_does(tmp_path):
    data, cells = Drawn(), []
    for number, config in enumerate(SHOWN):
        transform, before = TRANSFORMS.build(dict(config)), data[5]
        np.random.seed(number)
        mixed = {"mix_results": [data[2]] * (3 if config["type"] == "Mosaic" else 1)}
        given = {**before, **mixed} if hasattr(transform, "get_indices") else dict(before)
        after = transform(given)
        titles = (config["type"], "after")
        cells.append(side_by_side(same_height([drawn(before), drawn(after)]), titles))
    path = tmp_path / "augmentations.png"
    write_image(path, arrange(cells, "before and after", columns=3))
    sheet = cv2.imread(str(path))
    assert sheet.shape[0] > 4 * 160 and sheet.shape[1] > 3 * 400
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 1000


def drawn(results):
    picture = AnnotatedPicture(
        results["img"],
        results["gt_bboxes"],
        results["gt_bboxes_labels"],
        results["gt_ignore_flags"],
        results["gt_masks"],
        results["gt_keypoints"],
    )
    return draw_annotated(picture, METAINFO, font_size=10)
