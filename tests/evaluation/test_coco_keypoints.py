"""Keypoint AP: against pycocotools on real annotations, and on hand-made ones."""

import contextlib
import io
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmdet_lite.cli.test import _with_dump
from mmdet_lite.evaluation import CocoMetric, DumpDetResults, load_annotations, load_results

NAMES = ["keypoints_mAP", "keypoints_mAP_50", "keypoints_mAP_75", "keypoints_mAP_m"]
NAMES += ["keypoints_mAP_l", "keypoints_AR"]


@pytest.fixture
def person_file(shared_dir):
    return str(shared_dir / "data/coco/annotations/person_keypoints_val2017.json")


def truth_as_detections(ann_file, noise=0.0, copies=1):
    """One sample an image: its people, ``copies`` times, joints moved by a share of their size."""
    rng = np.random.default_rng(0)
    content = load_annotations(ann_file)
    samples = []
    for image in content["images"]:
        people = [a for a in content["annotations"] if a["image_id"] == image["id"]]
        # those without labelled joints count neither as found nor as missed, where they stand
        people = [a for a in people if not a["iscrowd"] and a["num_keypoints"]] * copies
        joints = np.array([a["keypoints"] for a in people], float).reshape(len(people), 17, 3)
        size = np.array([a["area"] ** 0.5 for a in people]).reshape(-1, 1, 1)
        points = joints[..., :2] + rng.normal(size=joints[..., :2].shape) * noise * size
        boxes = np.array([a["bbox"] for a in people], float).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        pred = {
            "bboxes": torch.from_numpy(boxes).float(),
            "scores": torch.from_numpy(rng.random(len(people))).float(),
            "labels": torch.zeros(len(people), dtype=torch.long),
            "keypoints": torch.from_numpy(points).float(),
            "keypoint_scores": torch.ones(joints.shape[:2]),
        }
        samples.append({"img_id": image["id"], "pred_instances": pred})
    return samples


def evaluate(samples, meta=None, **kwargs):
    metric = CocoMetric(metric="keypoints", **kwargs)
    metric.dataset_meta = {"classes": ("person",), **(meta or {})}
    metric.process(None, samples)
    scores = metric.evaluate(size=len(samples))
    return {name.removeprefix("coco/"): score for name, score in scores.items()}


def pycocotools_numbers(ann_file, samples, sigmas=None):
    results = [
        {
            "image_id": sample["img_id"],
            "category_id": 1,
            "score": float(score),
            "keypoints": torch.cat([joints, joints[:, :1] * 0 + 1], dim=1).flatten().tolist(),
        }
        for sample in samples
        for score, joints in zip(
            sample["pred_instances"]["scores"], sample["pred_instances"]["keypoints"], strict=True
        )
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(ann_file)
        evaluation = COCOeval(truth, truth.loadRes(results), "keypoints")
        if sigmas is not None:
            evaluation.params.kpt_oks_sigmas = np.array(sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:6]


def test_ground_truth_as_detections_has_an_ap_of_one(person_file):
    scores = evaluate(truth_as_detections(person_file), ann_file=person_file)
    assert list(scores) == NAMES
    assert [round(score, 6) for score in scores.values()] == [1.0] * 6


@pytest.mark.parametrize("sigmas", [None, tuple(np.linspace(0.03, 0.2, 17).tolist())])
def test_numbers_equal_pycocotools(person_file, sigmas):
    samples = truth_as_detections(person_file, noise=0.06, copies=3)
    meta = {} if sigmas is None else {"sigmas": sigmas}
    scores = evaluate(samples, meta, ann_file=person_file)
    wanted = pycocotools_numbers(person_file, samples, sigmas)
    assert 0.1 < wanted[0] < 0.9
    np.testing.assert_allclose(list(scores.values()), wanted, atol=1e-12)


def test_predictions_beside_pixel_centres_lose_their_offset(person_file):
    samples = truth_as_detections(person_file)
    for sample in samples:
        sample["pred_instances"]["keypoints"] += 0.5
    without = evaluate(samples, ann_file=person_file)["keypoints_mAP"]
    taken_away = evaluate(samples, ann_file=person_file, keypoint_offset=0.5)["keypoints_mAP"]
    assert without < taken_away == pytest.approx(1.0)


def test_nothing_found_scores_zero_and_nothing_to_find_minus_one(person_file):
    samples = truth_as_detections(person_file)
    for sample in samples:
        pred = sample["pred_instances"]
        sample["pred_instances"] = {key: value[:0] for key, value in pred.items()}
    assert evaluate(samples, ann_file=person_file)["keypoints_mAP"] == 0
    content = load_annotations(person_file)
    with_people = {a["image_id"] for a in content["annotations"]}
    empty = [sample for sample in samples if sample["img_id"] not in with_people]
    assert empty
    assert set(evaluate(empty, ann_file=person_file).values()) == {-1.0}


def hand_made(num_joints=2, offset=0.0):
    """A sample with its own annotations, found exactly."""
    joints = torch.tensor([[[10.0, 20.0, 2.0], [60.0, 70.0, 1.0], [0.0, 0.0, 0.0]]])
    joints = joints[:, :num_joints] + torch.tensor([offset, offset, 0.0])
    box, label = torch.tensor([[0.0, 0.0, 100.0, 100.0]]), torch.tensor([0])
    truth = {"bboxes": box, "labels": label, "keypoints": joints}
    pred = {"bboxes": box, "labels": label, "scores": torch.tensor([0.9])}
    pred |= {"keypoints": joints[..., :2], "keypoint_scores": torch.full(joints.shape[:2], 0.5)}
    return {"img_id": 1, "ori_shape": (100, 100), "gt_instances": truth, "pred_instances": pred}


def test_annotations_of_samples_serve_without_a_file():
    meta = {"sigmas": (0.05, 0.05)}
    for offset in (0.0, 0.5):
        sample = hand_made(offset=offset)
        scores = evaluate([sample], meta, keypoint_offset=offset)
        assert scores["keypoints_mAP"] == pytest.approx(1.0)
        sample["pred_instances"]["keypoints"] = sample["pred_instances"]["keypoints"] + 3
        assert evaluate([sample], meta, keypoint_offset=offset)["keypoints_mAP"] < 0.99


def test_boxes_and_keypoints_share_a_run_and_items_can_be_chosen():
    metric = CocoMetric(metric=["bbox", "keypoints"], metric_items=["mAP", "mAP_s"])
    metric.dataset_meta = {"classes": ("person",), "sigmas": (0.05, 0.05)}
    metric.process(None, [hand_made()])
    scores = metric.evaluate(size=1)
    assert scores["coco/bbox_mAP"] == scores["coco/keypoints_mAP"] == pytest.approx(1.0)
    assert scores["coco/keypoints_mAP_s"] == -1.0  # COCO has no joints of small people


def test_wrong_numbers_of_joints_and_missing_joints_are_refused():
    with pytest.raises(ValueError, match=r"sigmas of 17 joints, but the annotations .* have 2"):
        evaluate([hand_made()])
    sample = hand_made()
    del sample["pred_instances"]["keypoints"]
    with pytest.raises(ValueError, match="'keypoints' needs keypoints, but the predictions"):
        evaluate([sample], {"sigmas": (0.05, 0.05)})
    sample = hand_made()
    del sample["gt_instances"]["keypoints"]
    with pytest.raises(ValueError, match="no annotation has any"):
        evaluate([sample], {"sigmas": (0.05, 0.05)})


def test_result_files_hold_joints_as_coco_counts_them(tmp_path):
    metric = CocoMetric(
        metric="keypoints",
        format_only=True,
        outfile_prefix=str(tmp_path / "out"),
        keypoint_offset=0.5,
    )
    metric.dataset_meta = {"classes": ("person",)}
    metric.process(None, [hand_made(offset=0.5)])
    metric.evaluate(size=1)
    (row,) = json.loads((tmp_path / "out.keypoints.json").read_text())
    assert row["keypoints"] == [10, 20, 0.5, 60, 70, 0.5]
    (box,) = json.loads((tmp_path / "out.bbox.json").read_text())
    assert "keypoints" not in box


@pytest.mark.parametrize("ending", ["pkl", "json"])
def test_dumped_predictions_hold_joints(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    dump = DumpDetResults(str(path), keypoint_offset=0.5)
    dump.dataset_meta = {"classes": ("person",)}
    dump.process(None, [hand_made(offset=0.5)])
    dump.evaluate(size=1)
    if ending == "json":
        (row,) = json.loads(path.read_text())
        assert row["keypoints"] == [10, 20, 0.5, 60, 70, 0.5]
    else:
        pred = load_results(path)[0]["pred_instances"]
        assert pred["keypoints"].tolist() == [[[10.5, 20.5], [60.5, 70.5]]]
        assert pred["keypoint_scores"].shape == (1, 2)


def test_the_test_command_hands_the_offset_on(tmp_path):
    cfg = Config({"test_evaluator": {"type": "CocoMetric", "keypoint_offset": 0.5}})
    assert _with_dump(cfg, str(tmp_path / "a.json"))[1]["keypoint_offset"] == 0.5
