"""The command: what it writes, says and refuses."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from mmdet_lite.cli.convert_data import main, split_shares
from mmdet_lite.config import load_config
from mmdet_lite.registry import DATASETS


def labelme_folder(folder, count=10, kind="polygon"):
    """Pictures with a cat each, every third with a dog."""
    folder.mkdir()
    outline = [[3, 4], [20, 4], [20, 15]] if kind == "polygon" else [[3, 4], [20, 15]]
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.jpg"), np.full((40, 50, 3), number, np.uint8))
        labels = ["cat", "dog"] if number % 3 == 0 else ["cat"]
        shapes = [{"label": name, "points": outline, "shape_type": kind} for name in labels]
        content = {
            "shapes": shapes, "imagePath": f"{number}.jpg", "imageHeight": 40, "imageWidth": 50,
        }  # fmt: skip
        (folder / f"{number}.json").write_text(json.dumps(content))
    return folder


def run(*words):
    return main([str(word) for word in words])


def test_a_labelme_folder_becomes_coco_splits_and_a_config_that_loads_them(tmp_path, capsys):
    data = labelme_folder(tmp_path / "data")
    config = tmp_path / "mine.py"
    args = (data, tmp_path / "out", "--to", "coco", "--split", "0.7", "0.3")
    assert run(*args, "--write-config", config) == 0
    said = capsys.readouterr()
    assert "labelme, all 10 images 14 objects" in said.err
    assert "| images       |     7 |   3 |" in said.out
    assert "| objects: cat |     7 |   3 |" in said.out
    cfg = load_config(str(config))
    train = DATASETS.build(cfg.train_dataloader.dataset)
    val = DATASETS.build(cfg.val_dataloader.dataset)
    assert (len(train), len(val)) == (7, 3)
    assert train.metainfo["classes"] == ("cat", "dog")
    instances = train[0]["data_samples"].gt_instances
    assert len(instances.masks) == len(instances.bboxes) > 0
    assert cfg.model.roi_head.mask_head.num_classes == 2
    assert cfg.val_evaluator.ann_file == str(tmp_path / "out" / "annotations" / "val.json")


def test_boxes_alone_get_a_config_without_masks_unless_asked_for(tmp_path):
    data = labelme_folder(tmp_path / "data", kind="rectangle")
    config, masked = tmp_path / "a.py", tmp_path / "b.py"
    run(data, tmp_path / "1", "--to", "coco", "--write-config", config)
    run(data, tmp_path / "2", "--to", "coco", "--box-as-mask", "--write-config", masked)
    assert load_config(str(config)).model.type == "FasterRCNN"
    cfg = load_config(str(masked))
    assert cfg.model.type == "MaskRCNN"
    assert len(DATASETS.build(cfg.train_dataloader.dataset)[0]["data_samples"].gt_instances) == 2


def test_without_validation_the_config_has_none_and_that_is_said(tmp_path, capsys):
    config = tmp_path / "mine.py"
    data = labelme_folder(tmp_path / "data")
    run(data, tmp_path / "out", "--to", "coco", "--write-config", config)
    assert "--split 0.8 0.2 makes one" in capsys.readouterr().err
    cfg = load_config(str(config))
    assert cfg.val_dataloader is None
    assert cfg.val_evaluator is None
    assert cfg.val_cfg is None
    assert len(DATASETS.build(cfg.train_dataloader.dataset)) == 10


def test_the_config_of_voc_reads_its_files(tmp_path):
    config = tmp_path / "mine.py"
    data = labelme_folder(tmp_path / "data")
    args = ("--to", "voc", "--split", "train=0.5", "val=0.3", "test=0.2")
    run(data, tmp_path / "out", *args, "--write-config", config)
    cfg = load_config(str(config))
    sets = [
        DATASETS.build(loader.dataset)
        for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    ]
    assert [len(one) for one in sets] == [5, 3, 2]
    assert cfg.test_evaluator.type == "VOCMetric"


def test_masks_that_are_no_polygons_are_trained_on_as_bitmaps(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    cv2.imwrite(str(data / "a.jpg"), np.zeros((40, 40, 3), np.uint8))
    rle = {"size": [40, 40], "counts": [400, 400, 800]}
    annotation = {
        "id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 0, 10, 40], "area": 400,
        "iscrowd": 0, "segmentation": rle,
    }  # fmt: skip
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 40, "width": 40}],
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (data / "train.json").write_text(json.dumps(content))
    config = tmp_path / "mine.py"
    run(data, tmp_path / "out", "--to", "coco", "--write-config", config)
    sample = DATASETS.build(load_config(str(config)).train_dataloader.dataset)[0]["data_samples"]
    assert len(sample.gt_instances) == 1
    assert sample.gt_instances.masks.areas[0] > 0


def test_notes_name_what_is_lost(tmp_path, capsys):
    run(labelme_folder(tmp_path / "data"), tmp_path / "out", "--to", "voc")
    assert "note: 14 objects lose their outline: VOC holds boxes" in capsys.readouterr().err


def test_a_second_run_needs_overwrite(tmp_path, capsys):
    args = (labelme_folder(tmp_path / "data"), tmp_path / "out", "--to", "yolo")
    assert run(*args) == 0
    assert run(*args) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run(*args, "--overwrite") == 0


@pytest.mark.parametrize(
    ("form", "words"), [("yolo", "yolo is not trained on"), ("coco", "is there already")]
)
def test_a_config_that_cannot_be_written_stops_before_anything_is(tmp_path, capsys, form, words):
    config = tmp_path / "mine.py"
    config.write_text("edited = True\n")
    args = (labelme_folder(tmp_path / "data"), tmp_path / "out", "--to", form)
    assert run(*args, "--write-config", config, "--overwrite") == 2
    said = capsys.readouterr()
    assert words in said.err
    assert "read " not in said.err
    assert config.read_text() == "edited = True\n"
    assert not (tmp_path / "out").exists()


def coco_file(folder, boxes, size_wh=(50, 40), **more):
    """A picture of 50 x 40 and a COCO file that may say something else."""
    folder.mkdir()
    cv2.imwrite(str(folder / "a.jpg"), np.full((40, 50, 3), 90, np.uint8))
    width, height = size_wh
    annotations = [
        {
            "id": i, "image_id": 1, "category_id": 1, "bbox": box, "area": 4, "iscrowd": 0,
            "segmentation": [], **more,
        }
        for i, box in enumerate(boxes, 1)
    ]  # fmt: skip
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": height, "width": width}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "cat"}],
    }
    (folder / "train.json").write_text(json.dumps(content))
    return folder / "train.json"


CORNERS = [[30 + i, 20 + i, 40 + i, 30 + i] for i in range(6)]


@pytest.mark.parametrize("form", ["coco", "voc", "yolo", "labelme"])
@pytest.mark.parametrize(
    ("size_wh", "boxes", "words"),
    [
        ((40, 50), [[1, 2, 3, 4]], "image-size-swapped: "),
        ((100, 80), [[1, 2, 3, 4]], "a.jpg measures 50x40, "),
        ((50, 40), CORNERS, "boxes-look-xyxy: "),
    ],
)
def test_what_would_be_trained_on_wrongly_is_not_converted(
    tmp_path, capsys, form, size_wh, boxes, words
):
    file = coco_file(tmp_path / "data", boxes, size_wh)
    assert run(file, tmp_path / "out", "--to", form) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_boxes_beside_their_outlines_are_not_converted(tmp_path, capsys):
    outline = [[1, 1, 6, 1, 6, 6]]
    file = coco_file(tmp_path / "data", [[30, 20, 5, 5]] * 6, segmentation=outline)
    assert run(file, tmp_path / "out", "--to", "yolo") == 2
    assert "boxes-masks-disagree: " in capsys.readouterr().err


def test_single_boxes_beside_their_outlines_are_noted(tmp_path, capsys):
    outline = [[1, 1, 6, 1, 6, 6]]
    boxes = [[30, 20, 5, 5], *([[1, 1, 5, 5]] * 6)]
    file = coco_file(tmp_path / "data", boxes, segmentation=outline)
    assert run(file, tmp_path / "out", "--to", "coco") == 0
    assert "note: 1 x a box and its outline differ" in capsys.readouterr().err


def test_sets_without_objects_and_missing_pictures_are_noted(tmp_path, capsys):
    file = coco_file(tmp_path / "data", [])
    (file.parent / "a.jpg").unlink()
    assert run(file, tmp_path / "out", "--to", "coco") == 0
    said = capsys.readouterr().err
    assert "note: 1 of 1 pictures are not on disk, such as " in said
    assert "note: none of the 1 pictures of " in said


def test_a_picture_that_cannot_be_read_is_noted(tmp_path, capsys):
    file = coco_file(tmp_path / "data", [[1, 2, 3, 4]])
    (file.parent / "a.jpg").write_bytes(b"no picture")
    assert run(file, tmp_path / "out", "--to", "coco") == 0
    assert "note: 1 of 1 pictures cannot be read, such as " in capsys.readouterr().err


def test_classes_are_picked_and_merged(tmp_path, capsys):
    first = labelme_folder(tmp_path / "a", 3)
    second = labelme_folder(tmp_path / "b", 4)
    args = (first, tmp_path / "out", "--to", "coco", "--merge", second, "--classes", "dog")
    assert run(*args, "--keep-empty") == 0
    said = capsys.readouterr()
    assert "| images       |   7 |" in said.out
    assert "| objects: dog |   3 |" in said.out
    assert "cat" not in said.out.split("a config")[0]


def test_an_unknown_input_is_an_error_of_the_user(tmp_path, capsys):
    (tmp_path / "x.txt").write_text("nothing")
    assert run(tmp_path, tmp_path / "out", "--to", "coco") == 2
    assert "is in no form of annotations that is known" in capsys.readouterr().err
    assert run(tmp_path / "gone", tmp_path / "out", "--to", "coco") == 2
    assert "does not exist" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words", [["0.8", "0.3"], ["1"], ["a", "b"], ["0.8", "-0.2"], ["x=0.5", "0.5"],
              ["x=0.5", "x=0.5"], ["0.25", "0.25", "0.25", "0.25"]],
)  # fmt: skip
def test_wrong_shares_are_refused(words):
    with pytest.raises(ValueError, match="--split"):
        split_shares(words)


def test_shares_may_be_named():
    assert split_shares(["0.7", "0.2", "0.1"]) == {"train": 0.7, "val": 0.2, "test": 0.1}
    assert split_shares(["a=0.5", "b=0.5"]) == {"a": 0.5, "b": 0.5}


def test_help_is_quick():
    code = (
        "import sys; from mmdet_lite.cli import convert_data as c\n"
        "try: c.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'mmengine', 'cv2', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_real_voc_and_via_sets_convert_with_nothing_lost(tmp_path, shared_dir, capsys):
    raccoon, damage = shared_dir / "data/raccoon_voc", shared_dir / "data/damage_via"
    if not raccoon.is_dir() or not damage.is_dir():
        pytest.skip("no real VOC and VIA sets")
    assert run(raccoon, tmp_path / "raccoon", "--to", "coco") == 0
    assert run(damage, tmp_path / "damage", "--to", "labelme", "--no-images") == 0
    assert run(tmp_path / "damage", tmp_path / "damage2", "--to", "coco") == 0
    said = capsys.readouterr().out
    assert "| images           |   160 |   40 |" in said
    assert said.count("| objects: damage |   152 |  12 |") == 2
