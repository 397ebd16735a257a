"""Pictures as people have them: from the file to a training step and to detections."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from PIL import Image

from mmdet_lite.apis import DetInferencer, inference_detector, init_detector
from mmdet_lite.config import load_config
from mmdet_lite.datasets import CocoDataset
from mmdet_lite.registry import MODELS

CONFIG = Path(__file__).resolve().parents[1] / "configs/balloon/mask-rcnn_r18_fpn_balloon.py"
HEIGHT, WIDTH = 64, 96
OUTLINE = [60.0, 10, 84, 16, 88, 44, 64, 40]
ORIENTATION = 274


def scene(bits=8):
    """A bright quadrilateral on dark noise, grey, and its outline."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 40, (HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(picture, [np.int32(OUTLINE).reshape(-1, 2)], 230)
    return picture if bits == 8 else picture.astype(np.uint16) * 257


def as_stored(picture, orientation):
    """What a camera stores of an upright picture that it marks with this orientation."""
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
    turns |= {8: Image.Transpose.ROTATE_270, 2: Image.Transpose.FLIP_LEFT_RIGHT}
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return picture.transpose(turns[orientation]), exif


def write_odd_pictures(folder):
    """One scene in every odd form; returns the file names."""
    grey = Image.fromarray(scene())
    rgb = grey.convert("RGB")
    alpha = rgb.copy()
    alpha.putalpha(90)
    negative = Image.fromarray(255 - np.asarray(rgb))
    plain = {
        "rgb.jpg": rgb, "grey.jpg": grey, "cmyk.jpg": rgb.convert("CMYK"), "rgba.png": alpha,
        "rgba.tif": alpha, "palette.png": rgb.convert("P"), "bit.png": grey.convert("1"),
        "la.png": alpha.convert("LA"), "rgb.bmp": rgb, "sixteen.png": Image.fromarray(scene(16)),
        "sixteen.tif": Image.fromarray(scene(16)), "rgba.webp": alpha, "grey.pgm": grey,
    }  # fmt: skip
    for name, picture in plain.items():
        picture.save(folder / name)
    frames = ["frames.gif", "frames.webp", "frames.png", "pages.tif"]
    for name in frames:
        rgb.save(folder / name, save_all=True, append_images=[negative])
    turned = [f"turned{o}.{ending}" for o in (2, 3, 6, 8) for ending in ("jpg", "png", "webp")]
    for name in turned:
        stored, exif = as_stored(rgb, int(name[6]))
        stored.save(folder / name, exif=exif)
    return [*plain, *frames, *turned]


def write_set(folder, names, **more):
    """A COCO json of the scene for each file name; returns the arguments of CocoDataset."""
    xs, ys = OUTLINE[0::2], OUTLINE[1::2]
    box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    content = {
        "images": [
            {"id": i, "file_name": name, "height": HEIGHT, "width": WIDTH, **more}
            for i, name in enumerate(names)
        ],
        "annotations": [
            {"id": i + 1, "image_id": i, "category_id": 1, "bbox": box, "area": 600, "iscrowd": 0,
             "segmentation": [OUTLINE]}
            for i in range(len(names))
        ],
        "categories": [{"id": 1, "name": "balloon"}],
    }  # fmt: skip
    (folder / "ann.json").write_text(json.dumps(content))
    return {"data_root": str(folder), "ann_file": "ann.json", "data_prefix": {"img": ""}}


def pipeline(load):
    return [
        load,
        {"type": "LoadAnnotations", "with_mask": True},
        {"type": "Resize", "scale": (144, 144), "keep_ratio": True},
        {"type": "RandomFlip", "prob": 1.0},
        {"type": "PackDetInputs"},
    ]


def test_every_odd_picture_goes_through_the_pipeline_and_agrees_with_its_annotations(tmp_path):
    names = write_odd_pictures(tmp_path)
    for color_type, channels in (("color", 3), ("grayscale", 1)):
        load = {"type": "LoadImageFromFile", "color_type": color_type}
        dataset = CocoDataset(**write_set(tmp_path, names), pipeline=pipeline(load))
        for i, name in enumerate(names):
            packed = dataset[i]
            assert packed["inputs"].dtype == torch.uint8, name
            assert packed["inputs"].shape == (channels, 96, 144), name
            mask = packed["data_samples"].gt_instances.masks.to_ndarray()[0].astype(bool)
            pixels = packed["inputs"].float().mean(0).numpy()
            assert pixels[mask].mean() > 200 and pixels[~mask].mean() < 60, name


SMALL = {
    "model.backbone.base_channels": 16,
    "model.neck.in_channels": [16, 32, 64, 128],
    "model.train_cfg.rcnn.sampler.num": 8,
    "model.test_cfg.rpn.max_per_img": 10,
}
GREY = SMALL | {
    "model.backbone.in_channels": 1,
    "model.data_preprocessor.mean": [60.0],
    "model.data_preprocessor.std": [60.0],
    **{
        f"{part}_dataloader.dataset.pipeline.0.color_type": "grayscale"
        for part in ("train", "val", "test")
    },
}
FIVE = SMALL | {
    "model.backbone.in_channels": 5,
    "model.data_preprocessor.mean": [60.0] * 5,
    "model.data_preprocessor.std": [60.0] * 5,
    "model.data_preprocessor.bgr_to_rgb": False,
    **{
        f"{part}_dataloader.dataset.pipeline.0.type": "LoadMultiChannelImageFromFiles"
        for part in ("train", "val", "test")
    },
}
QUICK = SMALL | {
    "test_dataloader.dataset.metainfo": {"classes": ("balloon",)},
    "test_dataloader.dataset.pipeline.1.scale": (96, 64),
}


def train_a_step(changes, dataset):
    cfg = load_config(CONFIG, changes)
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model).train()
    batch = model.data_preprocessor(pseudo_collate([dataset[0], dataset[1]]), training=True)
    losses = model(**batch, mode="loss")
    total, _ = model.parse_losses(losses)
    total.backward()
    stem = model.backbone.conv1.weight
    assert torch.isfinite(total) and stem.grad.abs().sum() > 0
    return batch["inputs"].shape[1], stem.shape[1]


def test_a_step_is_trained_on_pictures_of_one_channel(tmp_path):
    write_odd_pictures(tmp_path)
    load = {"type": "LoadImageFromFile", "color_type": "grayscale"}
    names = ["sixteen.png", "turned6.jpg"]
    dataset = CocoDataset(**write_set(tmp_path, names), pipeline=pipeline(load))
    assert train_a_step(GREY, dataset) == (1, 1)


def test_a_step_is_trained_on_pictures_of_five_channels_in_files_of_their_own(tmp_path):
    channels = [f"channel{i}.png" for i in range(5)]
    for i, name in enumerate(channels):
        cv2.imwrite(str(tmp_path / name), scene() // (i + 1))
    arguments = write_set(tmp_path, ["channel0.png"] * 2, channel_file_names=channels)
    load = {"type": "LoadMultiChannelImageFromFiles"}
    dataset = CocoDataset(**arguments, pipeline=pipeline(load))
    assert train_a_step(FIVE, dataset) == (5, 5)


@pytest.fixture
def model():
    model = init_detector(CONFIG, device="cpu", cfg_options=QUICK)
    model.roi_head.bbox_head.fc_cls.bias.data[0] = 5  # every proposal is a detection
    return model


def test_detecting_reads_pictures_as_training_does(model, tmp_path):
    write_odd_pictures(tmp_path)
    names = ["turned3.png", "turned6.png", "turned8.jpg", "frames.gif", "pages.tif"]
    samples = inference_detector(model, [str(tmp_path / name) for name in names])
    assert {tuple(sample.ori_shape) for sample in samples} == {(HEIGHT, WIDTH)}
    upright = inference_detector(model, np.dstack([scene()] * 3)).pred_instances
    for name, sample in zip(names, samples, strict=True):
        if not name.endswith(".jpg"):  # which loses some
            torch.testing.assert_close(sample.pred_instances.bboxes, upright.bboxes)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "rgb.jpg").read_bytes()[:-50])
    with pytest.raises(
        ValueError, match=r"cut\.jpg' cannot be read or decoded: the picture is cut"
    ):
        inference_detector(model, str(tmp_path / "cut.jpg"))


def test_detections_are_drawn_on_the_picture_that_they_are_of(tmp_path):
    inferencer = DetInferencer(load_config(CONFIG, QUICK), device="cpu", show_progress=False)
    write_odd_pictures(tmp_path)
    pictures = [str(tmp_path / name) for name in ("turned6.jpg", "sixteen.png", "rgba.tif")]
    drawn = inferencer(pictures, return_vis=True, draw_pred=False)["visualization"]
    for picture in drawn:
        assert np.abs(picture.astype(int) - scene()[..., None])[5:-5, 5:50].mean() < 10


def test_models_of_one_and_five_channels_detect_in_files_and_arrays(tmp_path):
    write_odd_pictures(tmp_path)
    grey = init_detector(CONFIG, device="cpu", cfg_options={**GREY, **QUICK})
    for picture in (str(tmp_path / "turned6.jpg"), scene(), np.dstack([scene()] * 3)):
        assert inference_detector(grey, picture).ori_shape == (HEIGHT, WIDTH)
    five = init_detector(CONFIG, device="cpu", cfg_options={**FIVE, **QUICK})
    array = np.dstack([scene()] * 5)
    assert inference_detector(five, array).ori_shape == (HEIGHT, WIDTH)
    with pytest.raises(ValueError, match="names no files of its channels"):
        inference_detector(five, str(tmp_path / "rgb.jpg"))


def test_batches_of_unlike_channels_say_so():
    preprocessor = MODELS.build({"type": "DetDataPreprocessor"})
    images = [torch.zeros(3, 8, 8, dtype=torch.uint8), torch.zeros(1, 8, 8, dtype=torch.uint8)]
    with pytest.raises(ValueError, match=r"of one batch have \[1, 3\] channels; give LoadImage"):
        preprocessor({"inputs": images})
    swapping = MODELS.build({"type": "DetDataPreprocessor", "bgr_to_rgb": True})
    with pytest.raises(ValueError, match="order 3 channels, images have 5; leave them out"):
        swapping({"inputs": [torch.zeros(5, 8, 8, dtype=torch.uint8)]})
    assert swapping({"inputs": images[1:]})["inputs"].shape == (1, 1, 8, 8)
