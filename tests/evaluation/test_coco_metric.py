"""CocoMetric as the Runner uses it."""

import copy
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from pycocotools import mask as mask_api
from pycocotools.coco import COCO

from mmdet_lite.evaluation import CocoMetric, load_annotations
from mmdet_lite.registry import METRICS
from mmdet_lite.structures import DetDataSample

# pycocotools divides by (hits + misses + 2e-16), so a perfect AP is a hair below 1
ONE = pytest.approx(1.0, abs=1e-12)
CAT, DOG = [10.0, 10, 30, 40], [50.0, 40, 110, 90]


def make_metric(ann_file: Any, classes: Any = ("cat", "dog"), **arguments: Any) -> CocoMetric:
    metric = CocoMetric(None if ann_file is None else str(ann_file), **arguments)
    metric.dataset_meta = {"classes": classes}
    return metric


def rle(box: list[float]) -> dict[str, Any]:
    mask = np.zeros((120, 160), np.uint8)
    mask[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])] = 1
    return mask_api.encode(np.asfortranarray(mask))


def perfect(sample: Any) -> list[dict[str, Any]]:
    return [
        sample(10, [CAT], [0], masks=[rle(CAT)]),
        sample(11, [DOG], [1], masks=[rle(DOG)]),
        sample(12, masks=[]),
    ]


def test_perfect_detections_score_one_under_mmdetections_names(
    two_cats_file: Path, sample: Any
) -> None:
    metric = METRICS.build(
        {"type": "CocoMetric", "ann_file": str(two_cats_file), "metric": ["bbox", "segm"]}
    )
    metric.dataset_meta = {"classes": ("cat", "dog"), "palette": [(1, 2, 3), (4, 5, 6)]}
    metric.process(None, perfect(sample))
    numbers = metric.evaluate(3)
    names = ["mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l"]
    assert list(numbers) == [f"coco/{m}_{name}" for m in ("bbox", "segm") for name in names]
    assert numbers["coco/bbox_mAP"] == numbers["coco/segm_mAP"] == ONE
    assert numbers["coco/bbox_mAP_l"] == -1.0


def test_classes_are_found_by_name_whatever_their_order(two_cats_file: Path, sample: Any) -> None:
    """The file lists dog first; labels follow the data set's classes."""
    for classes in (("cat", "dog"), ("dog", "cat")):
        metric = make_metric(two_cats_file, classes)
        cat, dog = classes.index("cat"), classes.index("dog")
        metric.process(None, [sample(10, [CAT], [cat]), sample(11, [DOG], [dog]), sample(12)])
        assert metric.evaluate(3)["coco/bbox_mAP"] == ONE
        metric.process(None, [sample(10, [CAT], [dog]), sample(11, [DOG], [cat]), sample(12)])
        assert metric.evaluate(3)["coco/bbox_mAP"] == 0.0


def test_ground_truth_as_detections_scores_one_on_real_images(shared_dir: Path) -> None:
    ann_file = shared_dir / "data/coco/annotations/instances_val2017.json"
    coco = COCO(str(ann_file))
    categories = coco.loadCats(coco.getCatIds())
    label_of = {c["id"]: len(categories) - 1 - n for n, c in enumerate(categories)}
    metric = make_metric(
        ann_file, [c["name"] for c in reversed(categories)], metric=["bbox", "segm", "proposal"]
    )
    for img_id, image in coco.imgs.items():
        rows = [a for a in coco.imgToAnns[img_id] if not a["iscrowd"]]
        boxes = torch.tensor([a["bbox"] for a in rows], dtype=torch.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        data_sample = DetDataSample(
            metainfo={"img_id": img_id, "ori_shape": (image["height"], image["width"])}
        )
        data_sample.pred_instances = InstanceData(
            bboxes=boxes,
            labels=torch.tensor([label_of[a["category_id"]] for a in rows], dtype=torch.long),
            scores=torch.ones(len(rows)),
            masks=[coco.annToRLE(a) for a in rows],
        )
        metric.process(None, [data_sample.to_dict()])
    numbers = metric.evaluate(len(coco.imgs))
    assert len(numbers) == 18
    assert all(value == ONE for value in numbers.values())


def test_without_ann_file_the_samples_annotations_are_the_truth(sample: Any) -> None:
    class Masks:
        def to_rle(self) -> list[dict[str, Any]]:
            return [rle(CAT)]

    truth = {"bboxes": torch.tensor([CAT]), "labels": torch.tensor([0]), "masks": Masks()}
    crowd = {"bboxes": torch.tensor([DOG]), "labels": torch.tensor([1]), "masks": Masks()}
    metric = make_metric(None, metric=["bbox", "segm"], classwise=True)
    # the second detection lies in the ignored region, so it costs nothing
    metric.process(
        None,
        [
            sample(
                1,
                [CAT, DOG],
                [0, 1],
                masks=[rle(CAT), rle(DOG)],
                gt_instances=truth,
                ignored_instances=crowd,
            )
        ],
    )
    numbers = metric.evaluate(1)
    assert numbers["coco/bbox_mAP"] == numbers["coco/segm_mAP"] == ONE
    assert numbers["coco/cat_precision"] == ONE
    assert numbers["coco/dog_precision"] == -1.0


def test_raw_instances_of_the_data_set_are_the_truth_too(sample: Any) -> None:
    polygon = [[10, 10, 30, 10, 30, 40, 10, 40]]
    instances = [{"bbox": CAT, "bbox_label": 0, "ignore_flag": 0, "mask": polygon}]
    metric = make_metric(None, metric=["bbox", "segm"])
    metric.process(None, [sample(1, [CAT], [0], masks=[rle(CAT)], instances=instances)])
    numbers = metric.evaluate(1)
    assert numbers["coco/bbox_mAP"] == numbers["coco/segm_mAP"] == ONE


def test_no_truth_at_all_says_what_to_do(sample: Any) -> None:
    with pytest.raises(ValueError, match="give ann_file, or add LoadAnnotations"):
        make_metric(None).process(None, [sample(1)])


def test_no_detections_return_zeros_and_say_so(
    two_cats_file: Path, sample: Any, caplog: pytest.LogCaptureFixture
) -> None:
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    metric = make_metric(two_cats_file, metric=["bbox", "segm", "proposal"])
    metric.process(None, [sample(i, masks=[]) for i in (10, 11, 12)])
    numbers = metric.evaluate(3)
    logger.removeHandler(caplog.handler)
    assert numbers["coco/bbox_mAP"] == numbers["coco/segm_mAP"] == numbers["coco/AR@100"] == 0.0
    assert "no detections at all in 3 images" in caplog.text


def test_table_goes_to_the_logger_and_nothing_to_stdout(
    two_cats_file: Path,
    sample: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    logger = MMLogger.get_current_instance()
    handlers, logger.handlers = logger.handlers, [caplog.handler]
    try:
        metric = make_metric(two_cats_file, metric=["bbox", "segm"], classwise=True)
        metric.process(None, perfect(sample))
        metric.evaluate(3)
    finally:
        logger.handlers = handlers
    rows = [line.replace(" ", "") for line in caplog.text.splitlines()]
    assert "|metric|AP|AP50|AP75|APs|APm|APl|AR@100|" in rows
    assert "|bbox|1.000|1.000|1.000|1.000|1.000|-|1.000|" in rows
    assert "| category |" in caplog.text
    assert "bbox_mAP_copypaste: 1.000 1.000" in caplog.text
    assert capfd.readouterr().out == ""


def test_classwise_names_and_values(two_cats_file: Path, sample: Any) -> None:
    metric = make_metric(two_cats_file, classwise=True)
    metric.process(None, [sample(10, [CAT], [0]), sample(11), sample(12)])
    numbers = metric.evaluate(3)
    assert numbers["coco/cat_precision"] == ONE
    assert numbers["coco/dog_precision"] == 0.0
    assert "coco/bbox_cat_precision" not in numbers


def test_metric_items_and_proposal_nums_choose_the_numbers(
    two_cats_file: Path, sample: Any
) -> None:
    metric = make_metric(two_cats_file, metric_items=["mAP", "AR@10"], proposal_nums=(1, 10, 100))
    metric.process(None, perfect(sample))
    assert metric.evaluate(3) == {"coco/bbox_mAP": ONE, "coco/bbox_AR@10": ONE}
    with pytest.raises(ValueError, match="'AR@7'"):
        CocoMetric(metric_items=["AR@7"])


def test_proposals_are_class_agnostic(two_cats_file: Path, sample: Any) -> None:
    for kind in ("proposal", "proposal_fast"):
        metric = make_metric(two_cats_file, metric=kind)
        metric.process(None, [sample(10, [CAT], [0]), sample(11, [DOG], [0]), sample(12)])
        numbers = metric.evaluate(3)
        assert numbers["coco/AR@100"] == numbers["coco/AR@1000"] == ONE
    assert list(numbers) == ["coco/AR@100", "coco/AR@300", "coco/AR@1000"]


def test_own_iou_thrs_are_used(two_cats_file: Path, sample: Any) -> None:
    shifted = [12.0, 10, 32, 40]  # IoU 18 / 22 = 0.82 with the cat
    for thr, expected in ((0.8, ONE), (0.83, 0.0)):
        metric = make_metric(two_cats_file, ("cat",), iou_thrs=thr)
        metric.process(None, [sample(10, [shifted], [0]), sample(11), sample(12)])
        numbers = metric.evaluate(3)
        assert numbers["coco/bbox_mAP"] == expected
        assert numbers["coco/bbox_mAP_50"] == -1.0


def test_format_only_writes_files_without_annotations(tmp_path: Path, sample: Any) -> None:
    metric = make_metric(None, format_only=True, outfile_prefix=str(tmp_path / "out/test"))
    metric.process(None, perfect(sample))
    assert metric.evaluate(3) == {}
    boxes = json.loads((tmp_path / "out/test.bbox.json").read_text())
    masks = json.loads((tmp_path / "out/test.segm.json").read_text())
    assert boxes == [
        {"image_id": 10, "category_id": 0, "bbox": [10.0, 10.0, 20.0, 30.0], "score": 1.0},
        {"image_id": 11, "category_id": 1, "bbox": [50.0, 40.0, 60.0, 50.0], "score": 1.0},
    ]
    assert mask_api.area(masks[0]["segmentation"]) == 600


def test_outfile_prefix_writes_the_files_category_ids(
    two_cats_file: Path, tmp_path: Path, sample: Any
) -> None:
    metric = make_metric(two_cats_file, outfile_prefix=str(tmp_path / "r"))
    metric.process(None, [sample(10, [CAT], [0]), sample(11, [DOG], [1]), sample(12)])
    metric.evaluate(3)
    rows = json.loads((tmp_path / "r.bbox.json").read_text())
    assert [row["category_id"] for row in rows] == [9, 2]
    assert not (tmp_path / "r.segm.json").exists()


def test_a_subset_of_the_images_scores_as_itself(two_cats_file: Path, sample: Any) -> None:
    metric = make_metric(two_cats_file)
    metric.process(None, [sample(10, [CAT], [0])])
    assert metric.evaluate(1)["coco/bbox_mAP"] == ONE


def test_repeated_images_count_once(two_cats_file: Path, sample: Any) -> None:
    metric = make_metric(two_cats_file)
    wrong = sample(10, [DOG], [0], scores=[0.99])
    metric.process(None, [sample(10, [CAT], [0], scores=[0.5]), wrong])
    assert metric.evaluate(2)["coco/bbox_mAP"] == ONE


def test_process_and_evaluate_leave_the_samples_unchanged(two_cats_file: Path, sample: Any) -> None:
    metric = make_metric(two_cats_file, metric=["bbox", "segm"])
    samples = perfect(sample)
    before = copy.deepcopy(samples)
    metric.process(None, samples)
    metric.evaluate(3)
    for was, now in zip(before, samples, strict=True):
        assert torch.equal(was["pred_instances"]["bboxes"], now["pred_instances"]["bboxes"])
        assert was["pred_instances"]["masks"] == now["pred_instances"]["masks"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "box"}, "metric must be among .* got 'box'"),
        ({"metric": ["proposal", "proposal_fast"]}, "take one"),
        ({"format_only": True}, "outfile_prefix"),
        ({"file_client_args": {"backend": "disk"}}, "backend_args"),
    ],
)
def test_wrong_arguments_say_what_is_right(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CocoMetric(**arguments)


def test_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        CocoMetric(str(tmp_path / "nowhere.json"))
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ValueError, match=r"list\.json' is no COCO annotation file.*got list"):
        CocoMetric(str(tmp_path / "list.json"))


def test_class_without_category_lists_both_sides(two_cats_file: Path) -> None:
    with pytest.raises(ValueError, match="no category") as error:
        make_metric(two_cats_file, ("cat", "dgo"))
    assert "did you mean 'dog' for 'dgo'" in str(error.value)
    assert "['cat', 'dgo']" in str(error.value)
    assert "['dog', 'cat']" in str(error.value)


def test_predictions_of_other_images_are_refused(two_cats_file: Path, sample: Any) -> None:
    metric = make_metric(two_cats_file)
    metric.process(None, [sample(99, [CAT], [0])])
    with pytest.raises(ValueError, match=r"not in .*annotations\.json, e\.g\. img_id \[99\]"):
        metric.evaluate(1)


def test_segm_of_a_model_without_masks_is_refused(two_cats_file: Path, sample: Any) -> None:
    metric = make_metric(two_cats_file, metric="segm")
    metric.process(None, [sample(10, [CAT], [0])])
    with pytest.raises(ValueError, match="metric='bbox'"):
        metric.evaluate(1)


def test_too_many_classes_predicted_is_refused(two_cats_file: Path, sample: Any) -> None:
    metric = make_metric(two_cats_file)
    metric.process(None, [sample(10, [CAT], [2])])
    with pytest.raises(ValueError, match="labels 2 to 2, but the data set has 2 classes"):
        metric.evaluate(1)


def test_nan_scores_name_the_image(two_cats_file: Path, sample: Any) -> None:
    with pytest.raises(ValueError, match="image 10: 1 of 1 scores are NaN"):
        make_metric(two_cats_file).process(None, [sample(10, [CAT], [0], scores=[float("nan")])])


def test_sample_without_predictions_is_refused(two_cats_file: Path) -> None:
    with pytest.raises(ValueError, match="expects 'pred_instances'"):
        make_metric(two_cats_file).process(None, [{"img_id": 10}])


def test_dataset_meta_is_needed() -> None:
    metric = CocoMetric()
    metric.results = []
    logging.disable(logging.CRITICAL)
    try:
        with pytest.raises(ValueError, match="dataset_meta"):
            metric.evaluate(0)
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    "arguments",
    [
        {"metric": ["bbox", "segm"], "classwise": True},
        {"metric": "segm", "metric_items": ["mAP_50"]},
        {"metric": "proposal"},
        {"metric": "proposal_fast", "proposal_nums": (1, 3, 10), "prefix": "mine"},
    ],
)
def test_names_of_the_numbers_are_known_before_an_evaluation(
    two_cats_file: Path, sample: Any, arguments: dict[str, Any]
) -> None:
    metric = make_metric(two_cats_file, **arguments)
    names = metric.result_names()
    metric.process(None, perfect(sample))
    assert set(metric.evaluate(3)) <= set(names)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_in_any_encoding_of_json_is_read_as_by_the_data_set(tmp_path, encoding):
    content = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "café"}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding=encoding)
    assert load_annotations(str(path)) == content


def test_what_is_no_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ValueError, match=r"a\.json' is not valid json"):
        load_annotations(str(tmp_path / "a.json"))
