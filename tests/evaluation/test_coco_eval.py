"""The evaluator's tables and numbers against pycocotools."""

import contextlib
import copy
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmdet_lite.evaluation import average_precision, average_recall, evaluate_coco, summarize

SETTINGS: list[dict[str, Any]] = [
    {},
    {"max_dets": (100, 300, 1000)},
    {"max_dets": (1, 2, 100), "iou_thrs": (0.5,)},
    {"iou_thrs": (0.33, 0.5, 0.777)},
    {"use_cats": False, "max_dets": (100, 300, 1000)},
    {"use_cats": False, "max_dets": (1, 2, 100)},
]


def reference(
    truth: dict[str, Any], results: list[dict[str, Any]], iou_type: str, **setting: Any
) -> COCOeval:
    """What pycocotools makes of it, with its defaults for what is not set."""
    drop = "bbox" if iou_type == "segm" else "segmentation"
    rows = [{k: v for k, v in row.items() if k != drop} for row in copy.deepcopy(results)]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = copy.deepcopy(truth)
        coco.createIndex()
        evaluator = COCOeval(coco, coco.loadRes(rows), iou_type)
        evaluator.params.catIds = setting.get("category_ids", coco.getCatIds())
        if "iou_thrs" in setting:
            evaluator.params.iouThrs = np.asarray(setting["iou_thrs"])
        evaluator.params.maxDets = list(setting.get("max_dets", (1, 10, 100)))
        evaluator.params.useCats = setting.get("use_cats", True)
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return evaluator


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_tables_and_twelve_numbers_are_pycocotools(
    random_coco: Any, iou_type: str, setting: dict[str, Any]
) -> None:
    for seed in range(4):
        truth, results = random_coco(seed, tied_scores=seed % 2 == 1)
        ids = [category["id"] for category in truth["categories"]]
        tables = evaluate_coco(truth, results, iou_type, ids, **setting)
        expected = reference(truth, results, iou_type, **setting)
        assert np.abs(tables.precision - expected.eval["precision"]).max() <= 1e-12
        assert np.abs(tables.recall - expected.eval["recall"]).max() <= 1e-12
        assert np.ptp(tables.precision) > 0.5  # the set is not trivial
        np.testing.assert_allclose(
            list(summarize(tables).values()), expected.stats, rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_subset_of_categories_equals_pycocotools(random_coco: Any, iou_type: str) -> None:
    truth, results = random_coco(7)
    ids = [11, 5]
    tables = evaluate_coco(truth, results, iou_type, ids)
    expected = reference(truth, results, iou_type, category_ids=ids)
    assert np.abs(tables.precision - expected.eval["precision"]).max() <= 1e-12


def test_real_annotations_with_noise_score_as_in_pycocotools(shared_dir: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(shared_dir / "data/coco/annotations/instances_val2017.json"))
    rng = np.random.default_rng(0)
    results = []
    for annotation in coco.dataset["annotations"]:
        box = np.asarray(annotation["bbox"]) + rng.normal(0, 3, 4)
        results.append(
            {
                "image_id": annotation["image_id"],
                "category_id": annotation["category_id"],
                "bbox": box.clip(0.5).tolist(),
                "segmentation": coco.annToRLE(annotation),
                "score": float(rng.random()),
            }
        )
    for row in results:
        row["segmentation"]["counts"] = row["segmentation"]["counts"].decode()
    for iou_type in ("bbox", "segm"):
        tables = evaluate_coco(coco.dataset, results, iou_type, coco.getCatIds())
        expected = reference(coco.dataset, results, iou_type)
        assert np.abs(tables.precision - expected.eval["precision"]).max() <= 1e-12
        assert expected.stats[0] > 0.3


def test_no_detections_is_zero_and_no_objects_is_minus_one(random_coco: Any) -> None:
    truth, results = random_coco(0)
    for iou_type in ("bbox", "segm"):
        nothing = summarize(evaluate_coco(truth, [], iou_type, [5, 8, 11, 14]))
        assert set(nothing.values()) == {0.0}
        empty = summarize(evaluate_coco({**truth, "annotations": []}, results, iou_type, [5]))
        assert set(empty.values()) == {-1.0}


def test_one_of_two_objects_found_is_half(random_coco: Any) -> None:
    truth = {
        "images": [{"id": "b"}, {"id": "a"}],
        "annotations": [
            {"image_id": image_id, "category_id": 1, "bbox": [0, 0, 50, 50]}
            for image_id in ("a", "b")
        ],
        "categories": [{"id": 1, "name": "x"}],
    }
    found = [{"image_id": "b", "category_id": 1, "bbox": [0, 0, 50, 50], "score": 0.3}]
    tables = evaluate_coco(truth, found, "bbox", [1])
    # precision is 1 up to recall 0.5: 51 of the 101 recall levels
    assert average_precision(tables) == pytest.approx(51 / 101)
    assert average_recall(tables) == 0.5
    assert average_recall(tables, area="medium") == 0.5
    assert average_precision(tables, area="large") == -1.0
    assert average_precision(tables, iou_thr=0.42) == -1.0


def test_files_made_by_hand_are_read(random_coco: Any) -> None:
    """Repeated annotation ids, no areas, no iscrowd: pycocotools fails or counts wrongly."""
    truth, results = random_coco(3)
    for annotation in truth["annotations"]:
        annotation["iscrowd"] = 0
        annotation["area"] = annotation["bbox"][2] * annotation["bbox"][3]
    odd = copy.deepcopy(truth)
    for annotation in odd["annotations"]:
        del annotation["area"], annotation["iscrowd"]
        annotation["id"] = 1
    ids = [category["id"] for category in truth["categories"]]
    expected = summarize(evaluate_coco(truth, results, "bbox", ids))
    assert summarize(evaluate_coco(odd, results, "bbox", ids)) == expected


def test_segm_without_segmentation_says_which_annotation(random_coco: Any) -> None:
    truth, results = random_coco(0)
    del truth["annotations"][0]["segmentation"]
    with pytest.raises(ValueError, match=r"annotation 1 of image \d+ has no 'segmentation'"):
        evaluate_coco(truth, results, "segm", [5, 8, 11, 14])


def test_arguments_are_unchanged(random_coco: Any) -> None:
    truth, results = random_coco(1)
    before = copy.deepcopy((truth, results))
    evaluate_coco(truth, results, "segm", [14, 5, 8, 11])
    assert (truth, results) == before
