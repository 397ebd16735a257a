import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from mmdet_lite.apis import drawn_names, find_pictures, inference_detector, init_detector
from mmdet_lite.checkpoint import save_checkpoint
from mmdet_lite.cli.infer import main

CONFIG = str(Path(__file__).parents[2] / "configs/balloon/mask-rcnn_r18_fpn_balloon.py")


@pytest.fixture
def checkpoint(tmp_path):
    model = init_detector(
        CONFIG,
        device="cpu",
        cfg_options={"test_dataloader.dataset.metainfo": {"classes": ("balloon",)}},
    )
    model.roi_head.bbox_head.fc_cls.bias.data[0] = 5
    meta = {"dataset_meta": {"classes": ("balloon",)}}
    save_checkpoint({"meta": meta, "state_dict": model.state_dict()}, tmp_path / "w.pth")
    return str(tmp_path / "w.pth")


def write_picture(path):
    cv2.imwrite(str(path), np.random.randint(0, 255, (60, 80, 3), np.uint8))


@pytest.mark.parametrize("ext", ["png", "jpg", "pdf"])
def test_a_picture_becomes_a_drawing_and_a_coco_file(tmp_path, checkpoint, ext):
    write_picture(tmp_path / "a.jpg")
    out = tmp_path / "out"
    args = [str(tmp_path / "a.jpg"), CONFIG, checkpoint, "--out-dir", str(out), "--ext", ext]
    assert main(args) == 0
    assert (out / f"a.{ext}").stat().st_size > 0
    coco = COCO(str(out / "predictions.json"))
    assert coco.imgs[0]["file_name"] == "a.jpg"
    assert len(coco.anns) > 0
    assert coco.annToMask(coco.anns[1]).shape == (60, 80)


def test_an_unreadable_picture_costs_only_itself(tmp_path, checkpoint, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    write_picture(folder / "a.jpg")
    (folder / "b.jpg").write_bytes(b"no picture")
    write_picture(folder / "c.jpg")
    out = tmp_path / "out"
    assert main([str(folder), CONFIG, checkpoint, "--out-dir", str(out)]) == 1
    assert "b.jpg" in capsys.readouterr().err
    names = [i["file_name"] for i in json.loads((out / "predictions.json").read_text())["images"]]
    assert names == ["a.jpg", "c.jpg"]


def test_equal_stems_get_different_drawings():
    names = drawn_names([Path("a.jpg"), Path("a.png"), Path("b.png")], "png")
    assert names == ["a_jpg.png", "a_png.png", "b.png"]


def test_a_missing_folder_and_an_empty_one_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such picture"):
        find_pictures(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no pictures"):
        find_pictures(tmp_path)


def test_a_threshold_outside_0_to_1_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["a.jpg", "c.py", "w.pth", "--thresh", "30"])
    assert stop.value.code == 2
    assert "between 0 and 1" in capsys.readouterr().err


def test_drawing_over_the_pictures_is_refused_before_anything_is_written(
    tmp_path, checkpoint, capsys
):
    write_picture(tmp_path / "a.jpg")
    before = (tmp_path / "a.jpg").read_bytes()
    assert main([str(tmp_path / "a.jpg"), CONFIG, checkpoint, "--out-dir", str(tmp_path)]) == 2
    assert "would overwrite the picture" in capsys.readouterr().err
    assert (tmp_path / "a.jpg").read_bytes() == before


def test_joints_are_named_and_counted_as_coco_counts_them(tmp_path):
    config = str(Path(CONFIG).parents[1] / "keypoint_rcnn/keypoint-rcnn_r50_fpn_1x_coco.py")
    small = {"model.backbone.depth": 18, "model.neck.in_channels": [64, 128, 256, 512]}
    model = init_detector(config, device="cpu", cfg_options=small)  # without COCO's files
    model.roi_head.bbox_head.fc_cls.bias.data[0] = 5
    meta = {"dataset_meta": {"classes": ("person",)}}
    save_checkpoint({"meta": meta, "state_dict": model.state_dict()}, tmp_path / "w.pth")
    write_picture(tmp_path / "a.jpg")
    out, words = (
        tmp_path / "out",
        ["model.backbone.depth=18", "model.neck.in_channels=[64,128,256,512]"],
    )
    picture, weights = str(tmp_path / "a.jpg"), str(tmp_path / "w.pth")
    options = ["--out-dir", str(out), "--device", "cpu", "--cfg-options", *words]
    assert main([picture, config, weights, *options]) == 0
    coco = COCO(str(out / "predictions.json"))
    assert coco.cats[0]["keypoints"][9] == "left_wrist" and len(coco.cats[0]["skeleton"]) == 19
    found = inference_detector(model, picture).pred_instances
    joints = np.array(coco.anns[1]["keypoints"]).reshape(17, 3)
    np.testing.assert_allclose(joints[:, :2], found.keypoints[0].numpy() - 0.5, atol=1e-3)
