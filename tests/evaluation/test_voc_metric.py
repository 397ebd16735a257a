"""VOCMetric: curves computed by hand, the development kit's loop, COCO's numbers, errors."""

import logging
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from mmdet_lite.evaluation import CocoMetric, VOCMetric
from mmdet_lite.registry import METRICS

Sample = Callable[..., dict[str, Any]]
FAR = [100, 60, 120, 80]


def instances(boxes: Any, labels: Any = None) -> dict[str, torch.Tensor]:
    boxes = torch.as_tensor(np.asarray(boxes, np.float32).reshape(-1, 4))
    labels = torch.zeros(len(boxes), dtype=torch.long) if labels is None else torch.tensor(labels)
    return {"bboxes": boxes, "labels": labels}


def cell(i: int) -> list[int]:
    """Boxes that do not touch one another."""
    return [20 * (i % 8), 20 * (i // 8), 20 * (i % 8) + 12, 20 * (i // 8) + 12]


@pytest.fixture
def image(sample: Sample) -> Callable[..., dict[str, Any]]:
    """A sample from boxes with scores in falling order, objects and difficult objects."""

    def make(found: Any, there: Any, difficult: Any = (), img_id: Any = "a", **extra: Any) -> Any:
        extra.setdefault("scores", [1 - 0.05 * i for i in range(len(found))])
        extra.setdefault("labels", [0] * len(found))
        truth = {"gt_instances": instances(there), "ignored_instances": instances(difficult)}
        return sample(img_id, found, **{**truth, **extra})

    return make


def evaluate(samples: list[dict[str, Any]], classes: int = 1, **args: Any) -> dict[str, float]:
    metric = VOCMetric(**args)
    metric.dataset_meta = {"classes": [f"class{k}" for k in range(classes)]}
    for one in samples:
        metric.process(None, [one])
    return dict(metric.evaluate(len(samples)))


def ap(samples: list[dict[str, Any]], **args: Any) -> float:
    return evaluate(samples, **args)["pascal_voc/AP50"]


@pytest.mark.parametrize(("mode", "expected"), [("11points", 6 / 11), ("area", 5 / 9)])
def test_a_curve_of_right_wrong_right_wrong_by_hand(image: Any, mode: str, expected: float) -> None:
    # precision 1, 1/2, 2/3, 1/2 at recall 1/3, 1/3, 2/3, 2/3
    found = [cell(0), FAR, cell(1), FAR]
    there = [cell(0), cell(1), cell(2)]
    assert ap([image(found, there)], eval_mode=mode) == pytest.approx(expected)


@pytest.mark.parametrize(("mode", "expected"), [("11points", 4 / 11), ("area", 0.3)])
def test_three_of_ten_reach_the_recall_of_three_tenths(
    image: Any, mode: str, expected: float
) -> None:
    there = [cell(i) for i in range(10)]
    assert ap([image(there[:3], there)], eval_mode=mode) == pytest.approx(expected)


@pytest.mark.parametrize("mode", ["11points", "area"])
def test_everything_found_is_1_and_nothing_found_0(image: Any, mode: str) -> None:
    there = [cell(0), cell(1)]
    assert ap([image(there, there)], eval_mode=mode) == pytest.approx(1)
    assert ap([image([], there)], eval_mode=mode) == 0
    assert ap([image([FAR], there)], eval_mode=mode) == 0


def test_a_second_detection_of_an_object_is_wrong(image: Any) -> None:
    # precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1
    samples = [image([cell(0), cell(0), cell(1)], [cell(0), cell(1)])]
    assert ap(samples, eval_mode="area") == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_detection_belongs_to_its_nearest_object_even_if_that_is_taken(image: Any) -> None:
    wide, narrow = [0, 0, 20, 20], [0, 0, 20, 14]
    # both detections are nearest to ``wide``; COCO would give the second one ``narrow``
    samples = [image([wide, [0, 0, 20, 19]], [wide, narrow])]
    assert ap(samples, eval_mode="area") == pytest.approx(0.5)


def test_difficult_objects_count_neither_as_found_nor_as_missed(image: Any) -> None:
    samples = [image([cell(1), cell(1), cell(0)], [cell(0)], difficult=[cell(1), cell(2)])]
    assert ap(samples, eval_mode="area") == pytest.approx(1)
    assert evaluate([image([cell(1)], [], difficult=[cell(1)])])["pascal_voc/AP50"] == -1


def test_equal_scores_keep_the_order_of_images_and_detections(image: Any) -> None:
    right, wrong = image([cell(0)], [cell(0)], img_id=1), image([FAR], [cell(0)], img_id=2)
    assert ap([right, wrong], eval_mode="area") == pytest.approx(0.5)
    assert ap([wrong, right], eval_mode="area") == pytest.approx(0.25)


def test_a_wrong_detection_in_an_image_without_objects_counts(image: Any) -> None:
    samples = [image([FAR], [], img_id=1), image([cell(0)], [cell(0)], img_id=2, scores=[0.5])]
    assert ap(samples, eval_mode="area") == pytest.approx(0.5)


def test_boxes_end_with_their_last_pixel(image: Any) -> None:
    # continuous pixels would give 5 x 10 of 15 x 10; here it is 6 x 11 of 16 x 11
    a, b = [0, 0, 10, 10], [5, 0, 15, 10]
    samples = [image([a], [b])]
    assert evaluate(samples, iou_thrs=0.375)["pascal_voc/mAP"] == pytest.approx(1)
    assert evaluate(samples, iou_thrs=0.376)["pascal_voc/mAP"] == 0


def test_an_overlap_of_exactly_the_threshold_is_enough(image: Any) -> None:
    samples = [image([[0, 0, 9, 4]], [[0, 0, 9, 9]])]
    assert ap(samples, eval_mode="area") == pytest.approx(1)


@pytest.mark.parametrize("box", [[9, 9, 5, 5], [9, 9, 5, 20], [np.nan] * 4, [0, 0, np.inf, 9]])
def test_a_box_that_is_none_is_a_wrong_detection(image: Any, box: list[float]) -> None:
    assert ap([image([box, cell(0)], [cell(0)])], eval_mode="area") == pytest.approx(0.5)


def test_classes_without_objects_do_not_enter_the_mean(image: Any) -> None:
    one = image([cell(0), FAR], [cell(0)], labels=[0, 2])
    assert evaluate([one], classes=3)["pascal_voc/mAP"] == pytest.approx(1)
    assert evaluate([image([FAR], [])])["pascal_voc/mAP"] == -1


def test_several_thresholds_have_their_numbers_and_a_mean(image: Any) -> None:
    there = [[0, 0, 99, 99]]
    numbers = evaluate([image([[0, 0, 99, 59]], there)], iou_thrs=[0.5, 0.55, 0.75])
    assert numbers == {
        "pascal_voc/mAP": pytest.approx(2 / 3),
        "pascal_voc/AP50": pytest.approx(1),
        "pascal_voc/AP55": pytest.approx(1),
        "pascal_voc/AP75": 0,
    }
    assert next(iter(numbers)) == "pascal_voc/mAP"


def test_size_ranges_leave_out_other_objects_and_unmatched_detections(image: Any) -> None:
    small, large = [0, 0, 9, 9], [20, 20, 119, 119]
    args = {"scale_ranges": [(0, 32), (32, 1e5)], "eval_mode": "area"}
    numbers = evaluate([image([FAR, small], [small, large])], **args)
    assert numbers["pascal_voc/AP50"] == pytest.approx(0.25)
    assert numbers["pascal_voc/AP50_0_32"] == pytest.approx(0.5)  # FAR is 21 wide
    assert numbers["pascal_voc/AP50_32_100000"] == 0
    found_large = evaluate([image([FAR, large], [small, large])], **args)
    assert found_large["pascal_voc/mAP_32_100000"] == pytest.approx(1)


def test_recall_counts_the_best_detections_of_each_image(image: Any) -> None:
    there = [cell(i) for i in range(4)]
    samples = [image([FAR, cell(0), cell(1), cell(2)], there), image([], [], img_id="b")]
    numbers = evaluate(samples, metric="recall", proposal_nums=(2, 10), iou_thrs=[0.5, 0.9])
    assert numbers == {
        "pascal_voc/recall@2@0.5": 0.25,
        "pascal_voc/recall@2@0.9": 0.25,
        "pascal_voc/recall@10@0.5": 0.75,
        "pascal_voc/recall@10@0.9": 0.75,
        "pascal_voc/AR@2": 0.25,
        "pascal_voc/AR@10": 0.75,
    }
    assert evaluate([image([FAR], [])], metric="recall")["pascal_voc/recall@100@0.5"] == -1


def test_the_names_that_save_best_takes_are_those_returned(image: Any) -> None:
    args = {
        "metric": ["mAP", "recall"],
        "iou_thrs": [0.5, 0.75],
        "scale_ranges": [(0, 64)],
        "proposal_nums": (10, 20),
    }
    numbers = evaluate([image([cell(0)], [cell(0)])], **args)
    assert sorted(VOCMetric(**args).result_names()) == sorted(numbers)


def bounds_iou(a: Any, b: Any) -> float:
    """Overlap as the development kit computes it, with widths of x2 - x1 + 1."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(c[2] - c[0] + 1) * (c[3] - c[1] + 1) for c in (a, b)]
    return width * height / (sum(areas) - width * height)


def devkit_ap(
    truth: dict[Any, list[tuple[Any, bool]]], found: list[Any], thr: float, mode: str
) -> float:
    """The protocol, one detection after the other; ``found`` are (score, image, box)."""
    total = sum(not difficult for objects in truth.values() for _, difficult in objects)
    taken: set[tuple[Any, int]] = set()
    right = wrong = 0
    curve = []
    for _, img, box in sorted(found, key=lambda f: -f[0]):
        best, at = -1.0, -1
        for j, (other, _) in enumerate(truth[img]):
            if bounds_iou(box, other) > best:
                best, at = bounds_iou(box, other), j
        if best >= thr:
            if truth[img][at][1]:
                continue
            if (img, at) in taken:
                wrong += 1
            else:
                right += 1
                taken.add((img, at))
        else:
            wrong += 1
        curve.append((Fraction(right, total), right / (right + wrong)))
    if mode == "11points":
        points = [[p for r, p in curve if r >= Fraction(t, 10)] for t in range(11)]
        return sum(max(precisions, default=0) for precisions in points) / 11
    area, before = 0.0, Fraction(0)
    for i, (recall, _) in enumerate(curve):
        area += float(recall - before) * max(p for _, p in curve[i:])
        before = recall
    return area


def random_set(seed: int) -> tuple[list[Any], list[Any]]:
    """Objects (image, class, box, difficult) and detections (image, class, box, score)."""
    rng = np.random.default_rng(seed)
    objects, found = [], []
    for img in range(15):
        for _ in range(rng.integers(0, 7)):
            x, y, w, h = rng.integers([0, 0, 4, 4], [100, 80, 60, 40])
            label, box = int(rng.integers(3)), np.array([x, y, x + w, y + h])
            objects.append((img, label, box, bool(rng.random() < 0.2)))
            for _ in range(rng.integers(0, 4)):
                near = box + rng.integers(-6, 4, 4) * (1, 1, 0, 0)
                other = label if rng.random() < 0.85 else int(rng.integers(3))
                found.append((img, other, near, float(rng.random())))
    return objects, found


def as_samples(sample: Sample, objects: list[Any], found: list[Any]) -> list[dict[str, Any]]:
    samples = []
    for img in range(15):
        mine = [one for one in found if one[0] == img]
        truths = [
            [o for o in objects if o[0] == img and o[3] == difficult] for difficult in (False, True)
        ]
        gt, ignored = (instances([o[2] for o in t], [o[1] for o in t]) for t in truths)
        samples.append(
            sample(
                img,
                [one[2] for one in mine],
                [one[1] for one in mine],
                scores=[one[3] for one in mine],
                gt_instances=gt,
                ignored_instances=ignored,
            )
        )
    return samples


@pytest.mark.parametrize("mode", ["11points", "area"])
@pytest.mark.parametrize("seed", range(6))
def test_random_sets_score_as_the_development_kit_scores_them(
    sample: Sample, seed: int, mode: str
) -> None:
    objects, found = random_set(seed)
    numbers = evaluate(
        as_samples(sample, objects, found), classes=3, iou_thrs=[0.5, 0.7], eval_mode=mode
    )
    for thr in (0.5, 0.7):
        expected = []
        for label in range(3):
            truth = {
                img: [(o[2], o[3]) for o in objects if o[:2] == (img, label)] for img in range(15)
            }
            mine = [(float(np.float32(f[3])), f[0], f[2]) for f in found if f[1] == label]
            expected.append(devkit_ap(truth, mine, thr, mode))
        assert 0.05 < np.mean(expected) < 0.95
        ours = numbers[f"pascal_voc/AP{round(thr * 100)}"]
        assert ours == pytest.approx(np.mean(expected), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_coco_and_voc_agree_within_their_points_of_recall(sample: Sample, seed: int) -> None:
    # far from the threshold pixels make no difference, and alone no object is anyone's second best
    rng = np.random.default_rng(seed)
    samples = []
    for img in range(12):
        there = [cell(int(i)) for i in rng.choice(40, rng.integers(1, 6), replace=False)]
        found = [
            np.array(box) + rng.choice([1, 9], p=[0.7, 0.3]) for box in there if rng.random() < 0.8
        ]
        found += [cell(41 + int(i)) for i in range(rng.integers(0, 3))]
        truth = {"gt_instances": instances(there), "ignored_instances": instances([])}
        scores = rng.random(len(found))
        samples.append(sample(img, found, [0] * len(found), scores=scores, **truth))
    coco = CocoMetric()
    coco.dataset_meta = {"classes": ["class0"]}
    coco.process(None, samples)
    ap50 = coco.evaluate(len(samples))["coco/bbox_mAP_50"]
    area, points = (ap(samples, eval_mode=mode) for mode in ("area", "11points"))
    assert 0.1 < area < 0.9
    assert abs(ap50 - area) <= 1 / 101
    assert abs(points - area) <= 1 / 11


def test_only_the_first_prediction_of_an_image_counts(image: Any) -> None:
    one = image([cell(0)], [cell(0)])
    assert evaluate([one, one])["pascal_voc/AP50"] == pytest.approx(1)


def test_the_instances_of_the_data_set_may_be_packed_instead(sample: Sample) -> None:
    raw = [
        {"bbox": cell(0), "bbox_label": 0, "ignore_flag": 0},
        {"bbox": cell(1), "bbox_label": 0, "ignore_flag": 1},
    ]
    one = sample("a", [cell(0), cell(1)], [0, 0], scores=[0.5, 0.9], instances=raw)
    assert ap([one], eval_mode="area") == pytest.approx(1)


def test_the_table_has_a_row_for_every_class(image: Any, caplog: Any, monkeypatch: Any) -> None:
    logger = logging.getLogger("test_voc_metric")
    monkeypatch.setattr(
        "mmdet_lite.evaluation.voc_metric.MMLogger.get_current_instance", lambda: logger
    )
    with caplog.at_level(logging.INFO, "test_voc_metric"):
        evaluate([image([cell(0), FAR], [cell(0), cell(1)])], classes=2)
    assert "| class0 |   2 |    2 |  0.500 | 0.545 |" in caplog.text
    assert "| class1 |   0 |    0 |      - |     - |" in caplog.text
    assert "| mAP    |     |      |        | 0.545 |" in caplog.text
    caplog.clear()
    metric = VOCMetric(eval_mode="area")
    metric.dataset_meta = {"classes": ["class0"], "dataset_type": "VOC2007"}
    metric.process(None, [image([], [cell(0)])])
    with caplog.at_level(logging.INFO, "test_voc_metric"):
        metric.evaluate(1)
    assert "VOC 2007 is evaluated at 11 points" in caplog.text
    assert "no detections at all in 1 images" in caplog.text


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"metric": "bbox"}, r"metric must be among .*'mAP', 'recall'.*, got 'bbox'"),
        ({"eval_mode": "11point"}, "eval_mode must be among .*11points.*, got '11point'"),
        ({"iou_thrs": 50}, "iou_thrs must be above 0 and at most 1, got 50"),
        ({"iou_thrs": []}, "iou_thrs must be above 0"),
        ({"iou_thrs": [0.5, 0.501]}, "have the same name"),
        ({"scale_ranges": [(32, 0)]}, r"scale_ranges must be pairs .*, got \(32, 0\)"),
    ],
)
def test_wrong_arguments_are_refused(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        METRICS.build({"type": "VOCMetric", **args})


def test_what_cannot_be_scored_is_explained(image: Any, sample: Sample) -> None:
    with pytest.raises(ValueError, match="carries none: give ann_file, or add LoadAnnotations"):
        evaluate([sample("a", [cell(0)], [0])])
    with pytest.raises(ValueError, match="predicted labels 3 to 3, but the data set has 1 classes"):
        evaluate([image([cell(0)], [cell(0)], labels=[3])])
    metric = VOCMetric()
    metric.process(None, [image([], [])])
    with pytest.raises(ValueError, match="VOCMetric needs dataset_meta"):
        metric.evaluate(1)


def test_samples_are_left_as_they_were(image: Any) -> None:
    one = image([cell(0)], [cell(0)], difficult=[cell(1)])
    before = {k: v.clone() for k, v in one["gt_instances"].items()}
    evaluate([one])
    assert all(torch.equal(v, one["gt_instances"][k]) for k, v in before.items())
