import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from mmdet_lite.apis import DetInferencer, inference_detector, init_detector
from mmdet_lite.apis.det_inferencer import list_pictures
from mmdet_lite.checkpoint import save_checkpoint
from mmdet_lite.config import load_config
from mmdet_lite.registry import INFERENCERS

CONFIG = Path(__file__).parents[2] / "configs/balloon/mask-rcnn_r18_fpn_balloon.py"


@pytest.fixture(scope="module")
def inferencer(tmp_path_factory):
    model = init_detector(
        CONFIG,
        device="cpu",
        cfg_options={"test_dataloader.dataset.metainfo": {"classes": ("kite",)}},
    )
    model.roi_head.bbox_head.fc_cls.bias.data[0] = 5  # every proposal is a detection
    path = tmp_path_factory.mktemp("weights") / "kite.pth"
    meta = {"dataset_meta": {"classes": ("kite",), "palette": [(1, 2, 3)]}}
    save_checkpoint({"meta": meta, "state_dict": model.state_dict()}, path)
    few = {"model.test_cfg.rpn.max_per_img": 20, "model.test_cfg.rcnn.max_per_img": 5}
    cfg = load_config(CONFIG, {**few, "test_dataloader.dataset.pipeline.1.scale": (96, 72)})
    return DetInferencer(cfg, str(path), device="cpu", show_progress=False)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    for name, size_hw in (("a.jpg", (48, 64)), ("b.png", (64, 48)), ("c.jpg", (48, 64))):
        picture = np.random.default_rng(len(name)).integers(0, 255, (*size_hw, 3), np.uint8)
        cv2.imwrite(str(place / name), picture)
    return place


def test_a_result_is_mmdetections_dict_of_plain_numbers(inferencer, folder):
    result = inferencer(folder / "a.jpg")
    assert result["visualization"] == []
    [found] = result["predictions"]
    assert set(found) == {"bboxes", "labels", "scores", "masks"}
    assert json.loads(json.dumps(found)) == found
    sample = inference_detector(inferencer.model, folder / "a.jpg").pred_instances
    assert found["bboxes"] == sample.bboxes.tolist() and found["scores"] == sample.scores.tolist()
    assert found["labels"] == sample.labels.tolist()
    theirs, ours = sample.masks[0], found["masks"][0]
    assert (coco_mask.decode(theirs) == coco_mask.decode(ours)).all()


def test_files_folders_and_arrays_may_be_mixed_and_batched(inferencer, folder):
    array = cv2.imread(str(folder / "a.jpg"))
    before = array.copy()
    inputs = [array, str(folder), folder / "b.png"]
    one = inferencer(inputs, return_datasamples=True)["predictions"]
    four = inferencer(inputs, batch_size=4, return_datasamples=True)["predictions"]
    assert [s.ori_shape for s in four] == [(48, 64), (48, 64), (64, 48), (48, 64), (64, 48)]
    assert (array == before).all()
    for a, b in zip(one, four, strict=True):
        assert a.ori_shape == b.ori_shape and len(b.pred_instances)
    torch.testing.assert_close(one[0].pred_instances.bboxes, one[1].pred_instances.bboxes)


def test_drawings_and_results_are_written_and_returned(inferencer, folder, tmp_path, capsys):
    out = tmp_path / "out"
    result = inferencer(
        [str(folder), np.zeros((32, 40, 3), np.uint8)],
        out_dir=out,
        no_save_pred=False,
        return_vis=True,
        print_result=True,
    )
    names = ["00000003", "a", "b", "c"]
    assert sorted(p.name for p in (out / "vis").iterdir()) == [f"{n}.jpg" for n in names]
    assert sorted(p.name for p in (out / "preds").iterdir()) == [f"{n}.json" for n in names]
    assert json.loads((out / "preds" / "a.json").read_text()) == result["predictions"][0]
    assert [v.shape for v in result["visualization"]] == [
        (48, 64, 3), (64, 48, 3), (48, 64, 3), (32, 40, 3),
    ]  # fmt: skip
    assert "bboxes" in capsys.readouterr().out


def test_nothing_is_written_that_was_not_asked_for(inferencer, folder, tmp_path):
    inferencer(str(folder), out_dir=tmp_path / "out", no_save_vis=True)
    assert not (tmp_path / "out").exists()


def test_a_picture_without_drawn_detections_stays_as_it_is(inferencer):
    image = np.full((32, 40, 3), 7, np.uint8)
    [drawn] = inferencer(image, return_vis=True, draw_pred=False)["visualization"]
    assert (drawn == image).all()


def test_a_bad_picture_is_named_and_those_before_it_are_on_disk(inferencer, folder, tmp_path):
    (folder / "b.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    with pytest.raises(ValueError, match=r"b\.png.*results of the pictures before it: .*vis"):
        inferencer(str(folder), batch_size=3, out_dir=out, no_save_pred=False)
    assert [p.name for p in (out / "preds").iterdir()] == ["a.json"]
    assert [p.name for p in (out / "vis").iterdir()] == ["a.jpg"]


def test_no_pictures_give_no_results(inferencer):
    assert inferencer([]) == {"predictions": [], "visualization": []}


def test_inputs_that_are_no_pictures_are_refused(tmp_path):
    with pytest.raises(ValueError, match="reads no web addresses; download"):
        list_pictures("https://example.org/a.jpg")
    with pytest.raises(FileNotFoundError, match="no such picture or folder"):
        list_pictures([tmp_path / "nowhere"])
    with pytest.raises(TypeError, match="got a int"):
        list_pictures(3)


def test_arguments_that_cannot_be_honoured_are_refused(inferencer, folder):
    with pytest.raises(ValueError, match="model is missing; give the config file"):
        DetInferencer(weights="kite.pth")
    with pytest.raises(ValueError, match=r"scope must be .* got 'mmpose'"):
        DetInferencer(CONFIG, scope="mmpose")
    for wrong in ({"batch_size": 0}, {"pred_score_thr": 30}):
        with pytest.raises(ValueError, match="batch_size must be at least 1 and pred_score_thr"):
            inferencer(str(folder), **wrong)
    with pytest.raises(ValueError, match="leave no_save_pred=True"):
        inferencer(str(folder), return_datasamples=True, no_save_pred=False)


def test_progress_counts_the_pictures(inferencer, folder, capsys, monkeypatch):
    monkeypatch.setattr(inferencer, "show_progress", True)
    inferencer(str(folder))
    assert "3/3" in capsys.readouterr().err


def test_it_is_found_by_its_name():
    assert INFERENCERS.get("DetInferencer") is DetInferencer
