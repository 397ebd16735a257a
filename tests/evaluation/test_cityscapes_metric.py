"""Cityscapes' AP: by hand, by its own scripts, and the files it takes."""

import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from mmdet_lite.evaluation import CityScapesMetric
from mmdet_lite.registry import METRICS

SCRIPTS = "cityscapesscripts.evaluation.evalInstanceLevelSemanticLabeling"
CLASSES = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
PERSON, CAR, BICYCLE = 0, 2, 7
FRANKFURT = ((120, 160), "frankfurt/frankfurt_000000_000294")
MUNSTER = ((100, 140), "munster/munster_000001_000019")
CAR_1, CAR_2, PERSON_1 = (10, 20, 50, 50), (60, 20, 100, 50), (110, 30, 130, 90)
PERFECT = [(CAR, CAR_1, 0.9), (CAR, CAR_2, 0.8), (PERSON, PERSON_1, 0.7)]
BIKE = [(BICYCLE, (10, 20, 50, 60), 0.6)]


@pytest.fixture
def scripts():
    return pytest.importorskip(SCRIPTS, reason="cityscapesscripts is not installed")


def rle(size, box):
    mask = np.zeros(size, np.uint8)
    x1, y1, x2, y2 = box
    mask[y1:y2, x1:x2] = 1
    return coco_mask.encode(np.asfortranarray(mask))


def sample(root, image, found):
    size, stem = image
    return {
        "img_id": stem,
        "img_path": str(root / "leftImg8bit/val" / f"{stem}_leftImg8bit.png"),
        "ori_shape": size,
        "pred_instances": {
            "bboxes": torch.tensor([box for _, box, _ in found]).reshape(-1, 4).float(),
            "labels": torch.tensor([label for label, _, _ in found], dtype=torch.long),
            "scores": torch.tensor([score for _, _, score in found]),
            "masks": [rle(size, box) for _, box, _ in found],
        },
    }


def metric_of(root, classes=CLASSES, **more):
    args = {"outfile_prefix": str(root / "out" / "run"), "seg_prefix": str(root / "gtFine/val")}
    metric = METRICS.build({"type": "CityScapesMetric", **args, **more})
    metric.dataset_meta = {"classes": classes}
    return metric


def evaluate(root, frankfurt, munster=BIKE, **more):
    metric = metric_of(root, **more)
    metric.process(None, [sample(root, FRANKFURT, frankfurt), sample(root, MUNSTER, munster)])
    return metric.evaluate(2)


def test_perfect_masks_score_1(cityscapes_root, scripts):
    assert evaluate(cityscapes_root, PERFECT) == {
        "cityscapes/mAP": 1,
        "cityscapes/AP@50": 1,
        "cityscapes/person_precision": 1,
        "cityscapes/car_precision": 1,
        "cityscapes/bicycle_precision": 1,
    }


def test_nothing_found_scores_0(cityscapes_root, scripts):
    numbers = evaluate(cityscapes_root, [], [])
    assert set(numbers.values()) == {0.0}


def test_one_of_two_and_one_too_many_is_a_half(cityscapes_root, scripts):
    # precision 1 at the score 0.9 and 1/2 at 0.8, recall 1/2 at both
    found = [(CAR, CAR_1, 0.9), (CAR, (5, 105, 45, 118), 0.8), PERFECT[2]]
    numbers = evaluate(cityscapes_root, found)
    assert numbers["cityscapes/car_precision"] == pytest.approx(0.5)
    assert numbers["cityscapes/mAP"] == pytest.approx((0.5 + 1 + 1) / 3)


def test_three_fifths_of_an_object_count_at_two_of_ten_thresholds(cityscapes_root, scripts):
    three_fifths = (110, 30, 130, 30 + 36)
    numbers = evaluate(cityscapes_root, [*PERFECT[:2], (PERSON, three_fifths, 0.7)])
    assert numbers["cityscapes/person_precision"] == pytest.approx(0.2)
    assert numbers["cityscapes/AP@50"] == 1


def test_masks_on_groups_and_void_are_not_wrong(cityscapes_root, scripts):
    on_group, on_void = (CAR, (10, 70, 50, 100), 0.95), (CAR, (90, 95, 150, 115), 0.95)
    assert evaluate(cityscapes_root, [*PERFECT, on_group, on_void])["cityscapes/mAP"] == 1
    on_caravan = (CAR, (60, 60, 80, 80), 0.95)
    assert evaluate(cityscapes_root, [*PERFECT, on_caravan])["cityscapes/mAP"] < 1


def test_labels_are_names_and_not_places(cityscapes_root, scripts):
    order = ("bicycle", "car", "person")
    found = [(1, CAR_1, 0.9), (1, CAR_2, 0.8), (2, PERSON_1, 0.7)]
    bike = [(0, BIKE[0][1], 0.6)]
    assert evaluate(cityscapes_root, found, bike, classes=order)["cityscapes/mAP"] == 1


def test_an_image_given_twice_counts_once(cityscapes_root, scripts):
    metric = metric_of(cityscapes_root)
    both = [sample(cityscapes_root, FRANKFURT, PERFECT), sample(cityscapes_root, MUNSTER, BIKE)]
    metric.process(None, [*both, both[0]])
    assert metric.evaluate(3)["cityscapes/mAP"] == 1


def test_what_two_processes_keep_adds_up(cityscapes_root, scripts):
    first, second = metric_of(cityscapes_root), metric_of(cityscapes_root)
    first.process(None, [sample(cityscapes_root, FRANKFURT, PERFECT[1:])])
    second.process(None, [sample(cityscapes_root, MUNSTER, BIKE)])
    together = first.compute_metrics(second.results + first.results)
    alone = evaluate(cityscapes_root, PERFECT[1:])
    assert {f"cityscapes/{name}": number for name, number in together.items()} == alone


def test_pictures_without_objects_give_no_number(cityscapes_root, scripts):
    metric = metric_of(cityscapes_root)
    lindau = ((100, 140), "lindau/lindau_000002_000019")
    metric.process(None, [sample(cityscapes_root, lindau, [])])
    assert metric.evaluate(1) == {"cityscapes/mAP": -1, "cityscapes/AP@50": -1}


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_those_of_the_scripts_on_the_files(cityscapes_root, scripts, seed, monkeypatch):
    monkeypatch.setattr(np, "in1d", np.isin, raising=False)  # gone from numpy 2.4, they call it
    rng = np.random.default_rng(seed)

    def near(boxes, size):
        found = []
        for label, box in boxes:
            for _ in range(rng.integers(0, 4)):
                moved = np.asarray(box) + rng.integers(-6, 7, 4)
                moved = moved.clip(0, [size[1], size[0]] * 2).tolist()
                other = int(rng.choice([label, CAR]))
                found.append((other, moved, round(float(rng.random()), 2)))
        return found

    first = [(CAR, CAR_1), (CAR, CAR_2), (PERSON, PERSON_1), (CAR, (10, 70, 50, 100))]
    first += [(CAR, (90, 95, 150, 115))]
    numbers = evaluate(
        cityscapes_root, near(first, FRANKFURT[0]), near([(BICYCLE, BIKE[0][1])] * 3, MUNSTER[0])
    )
    folder = cityscapes_root / "out/run.results"
    truths = [
        str(cityscapes_root / "gtFine/val" / f"{stem}_gtFine_instanceIds.png")
        for _, stem in (FRANKFURT, MUNSTER)
    ]
    args = SimpleNamespace(**vars(scripts.args))
    args.predictionPath, args.predictionWalk, args.quiet = str(folder), None, True
    args.gtInstancesFile, args.JSONOutput = str(folder / "gtInstances.json"), False
    scripts.setInstanceLabels(args)
    objects = scripts.getGtInstances(truths, args)
    files = [scripts.getPrediction(truth, args) for truth in truths]
    matches = scripts.matchGtWithPreds(files, truths, objects, args)
    averages = scripts.computeAverages(scripts.evaluateMatches(matches, args), args)
    assert numbers["cityscapes/mAP"] == pytest.approx(averages["allAp"], abs=1e-12)
    assert numbers["cityscapes/AP@50"] == pytest.approx(averages["allAp50%"], abs=1e-12)
    for name in ("person", "car", "bicycle"):
        expected = averages["classes"][name]["ap"]
        assert numbers[f"cityscapes/{name}_precision"] == pytest.approx(expected, abs=1e-12)
    assert 0 < numbers["cityscapes/mAP"] < 1


def test_files_are_written_without_the_scripts_and_without_truth(cityscapes_root, monkeypatch):
    monkeypatch.setitem(sys.modules, SCRIPTS, None)
    metric = metric_of(cityscapes_root, seg_prefix=None, format_only=True)
    metric.process(None, [sample(cityscapes_root, FRANKFURT, PERFECT[:2])])
    assert metric.evaluate(1) == {}
    folder = cityscapes_root / "out/run.results"
    name = "frankfurt_000000_000294_leftImg8bit"
    lines = [line.split() for line in (folder / f"{name}_pred.txt").read_text().splitlines()]
    assert [line[:2] for line in lines] == [
        [f"{name}_0_car.png", "26"],
        [f"{name}_1_car.png", "26"],
    ]
    assert [float(line[2]) for line in lines] == pytest.approx([0.9, 0.8])
    mask = cv2.imread(str(folder / lines[1][0]), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (120, 160)
    assert (mask[20:50, 60:100] > 0).all() and np.count_nonzero(mask) == 1200


def test_an_image_without_detections_has_an_empty_list(cityscapes_root):
    metric = metric_of(cityscapes_root, format_only=True)
    metric.process(None, [sample(cityscapes_root, FRANKFURT, [])])
    [file] = (cityscapes_root / "out/run.results").iterdir()
    assert file.name.endswith("_pred.txt") and file.read_text() == ""


def test_matches_are_written_if_asked_for(cityscapes_root, scripts):
    evaluate(cityscapes_root, PERFECT, dump_matches=True)
    assert (cityscapes_root / "out/run.results/matches.json").is_file()


def test_a_missing_package_is_named_before_training(cityscapes_root, monkeypatch):
    monkeypatch.setitem(sys.modules, SCRIPTS, None)
    with pytest.raises(ValueError, match=r'pip install "mmdet_lite\[cityscapes\]"'):
        metric_of(cityscapes_root)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"seg_prefix": None}, "give their folder as seg_prefix"),
        ({"outfile_prefix": ""}, "say where with outfile_prefix"),
        ({"file_client_args": {}}, "use backend_args instead"),
        ({"classes": ("cars",), "format_only": True}, "no class 'cars'; did you mean 'car'"),
    ],
)
def test_wrong_arguments_are_explained(cityscapes_root, more, message):
    with pytest.raises(ValueError, match=message):
        metric_of(cityscapes_root, **more)


def test_wrong_predictions_are_explained(cityscapes_root, scripts):
    metric = metric_of(cityscapes_root)
    other_size = sample(cityscapes_root, ((60, 80), FRANKFURT[1]), [(CAR, (1, 1, 9, 9), 0.5)])
    with pytest.raises(ValueError, match=r"\[60, 80\] \(height, width\), the instance ids \[120"):
        metric.process(None, [other_size])
    boxes_only = sample(cityscapes_root, FRANKFURT, PERFECT)
    del boxes_only["pred_instances"]["masks"]
    with pytest.raises(ValueError, match="needs masks"):
        metric.process(None, [boxes_only])
    with pytest.raises(ValueError, match="label 8, but the data set has 8 classes"):
        metric.process(None, [sample(cityscapes_root, FRANKFURT, [(8, CAR_1, 0.5)])])
    elsewhere = metric_of(cityscapes_root, seg_prefix=str(cityscapes_root / "gtFine/train"))
    with pytest.raises(FileNotFoundError, match="Correct CityScapesMetric's seg_prefix"):
        elsewhere.process(None, [sample(cityscapes_root, FRANKFURT, PERFECT)])


def test_the_samples_are_not_changed(cityscapes_root):
    given = sample(cityscapes_root, FRANKFURT, PERFECT)
    before = {key: str(value) for key, value in given.items()}
    metric_of(cityscapes_root, format_only=True).process(None, [given])
    assert {key: str(value) for key, value in given.items()} == before


def test_the_names_for_save_best_are_known(cityscapes_root, scripts):
    names = metric_of(cityscapes_root).result_names()
    assert set(evaluate(cityscapes_root, PERFECT)) <= set(names)
    assert isinstance(metric_of(cityscapes_root), CityScapesMetric)
