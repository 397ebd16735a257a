"""Images that cannot be read: the two policies, one list for all processes."""

import multiprocessing
import os
import socket

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import DataLoader

from mmdet_lite.cli.front_door import say_bad_images
from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.bad_images import bad_images_text
from mmdet_lite.engine import DetRunner, fit_device, init_launcher
from mmdet_lite.evaluation import CocoMetric
from mmdet_lite.models.detectors.base import attach_detections
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import Detections

FORK = multiprocessing.get_context("fork")
PIPELINE = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}, {"type": "PackDetInputs"}]
BOX = [2, 3, 10, 12]


@pytest.fixture(scope="module", autouse=True)
def short_farewell():
    """torch waits this long (5 s) for each worker of a loader that ended in an error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.utils.data._utils, "MP_STATUS_CHECK_INTERVAL", 0.2)
        yield


def spoil(path, kind):
    """Make a picture one that cannot be read; returns what is said of it."""
    content = path.read_bytes()
    if kind == "missing":
        path.unlink()
        return "does not exist"
    path.write_bytes({"truncated": content[:-40], "empty": b"", "text": b"hello"}[kind])
    return {"truncated": "cut off", "empty": "is empty", "text": "is no picture"}[kind]


@pytest.fixture
def make_set(tmp_path):
    """A function that writes ``num`` pictures, some of them bad, and builds their data set."""
    import json

    def make(num=10, bad=(), kind="truncated", **arguments):
        images = [{"id": i, "file_name": f"{i}.jpg", "height": 30, "width": 40} for i in range(num)]
        annotations = [
            {"id": i + 1, "image_id": i, "category_id": 1, "bbox": BOX, "area": 120, "iscrowd": 0}
            for i in range(num)
        ]
        content = {"images": images, "annotations": annotations}
        content["categories"] = [{"id": 1, "name": "dot"}]
        (tmp_path / "ann.json").write_text(json.dumps(content))
        rng = np.random.default_rng(0)
        for i in range(num):
            pixels = rng.integers(0, 256, (30, 40, 3), np.uint8)
            cv2.imwrite(str(tmp_path / f"{i}.jpg"), pixels)
        for i in bad:
            spoil(tmp_path / f"{i}.jpg", kind)
        defaults = {"data_root": str(tmp_path), "ann_file": "ann.json", "pipeline": PIPELINE}
        return CocoDataset(**{**defaults, **arguments})

    return make


@pytest.fixture
def work_dir(tmp_path):
    """The work directory as DetRunner makes it known."""
    folder = tmp_path / "work"
    MessageHub.get_instance(f"bad images {tmp_path}").update_info(
        "work_dir", str(folder), resumed=False
    )
    return folder


def listed(folder):
    return [line.split("\t")[0] for line in (folder / "bad_images.txt").read_text().splitlines()]


def loaded(dataset, epochs=1, **arguments):
    loader = DataLoader(dataset, collate_fn=pseudo_collate, **arguments)
    return [
        sample.metainfo["img_id"]
        for _ in range(epochs)
        for batch in loader
        for sample in batch["data_samples"]
    ]


@pytest.mark.parametrize("kind", ["truncated", "empty", "missing", "text"])
def test_error_names_the_image_the_reason_and_the_other_policy(make_set, tmp_path, kind):
    dataset = make_set(bad=[3], kind=kind)
    assert dataset[2]["inputs"].shape == (3, 30, 40)
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        dataset[3]
    said = {"truncated": "cut off", "empty": "is empty", "missing": "does not exist"}
    assert f"image '{tmp_path / '3.jpg'}'" in str(error.value)
    assert said.get(kind, "is no picture") in str(error.value)
    assert "on_bad_image='skip'" in str(error.value)


@pytest.mark.parametrize("kind", ["truncated", "empty", "missing", "text"])
def test_skip_takes_another_image_and_lists_it_once(make_set, work_dir, tmp_path, kind):
    dataset = make_set(bad=[3], kind=kind, on_bad_image="skip", max_bad_fraction=0.1)
    seen = {dataset[3]["data_samples"].metainfo["img_id"] for _ in range(20)}
    assert 3 not in seen and len(seen) > 1
    assert listed(work_dir) == [str(tmp_path / "3.jpg")]
    _, why, source = (work_dir / "bad_images.txt").read_text().rstrip("\n").split("\t")
    assert source == str(tmp_path / "ann.json") and why
    assert f"1 of {source}; listed in {work_dir}" in bad_images_text(work_dir)


def test_commands_say_how_many_and_where(make_set, work_dir, capsys):
    say_bad_images(str(work_dir))
    assert capsys.readouterr().err == ""
    make_set(bad=[3], on_bad_image="skip")[3]
    say_bad_images(str(work_dir))
    assert "images that could not be read: 1 of" in capsys.readouterr().err


def test_workers_list_each_image_once_over_epochs(make_set, work_dir, tmp_path):
    dataset = make_set(40, bad=[4, 7], on_bad_image="skip", max_bad_fraction=0.05)
    seen = loaded(dataset, epochs=3, num_workers=2, batch_size=2)
    assert len(seen) == 120 and not {4, 7} & set(seen)
    assert sorted(listed(work_dir)) == [str(tmp_path / "4.jpg"), str(tmp_path / "7.jpg")]


def test_limit_counts_what_all_workers_found(make_set, work_dir):
    # one bad image for each of the two workers, one is allowed
    dataset = make_set(10, bad=[0, 1], on_bad_image="skip", max_bad_fraction=0.1)
    with pytest.raises(ValueError) as error:
        loaded(dataset, num_workers=2, batch_size=1)
    text = str(error.value)
    assert "2 of the 10 images of" in text and "max_bad_fraction=0.1 allows (1)" in text
    assert "0.jpg: the picture is cut off" in text and "1.jpg: the picture is cut off" in text
    assert f"all are listed in {work_dir}" in text


def test_the_first_few_of_many_are_listed(make_set, work_dir):
    dataset = make_set(10, bad=range(10), on_bad_image="skip", max_bad_fraction=0.65)
    with pytest.raises(ValueError, match=r"8 of the 10 images .*allows \(7\)") as error:
        for i in range(10):
            dataset[i]
    assert str(error.value).count(".jpg: ") == 5 and "\n  ...\n" in str(error.value)


def test_one_percent_is_the_default_and_rounded_up(make_set, work_dir):
    dataset = make_set(10, bad=[2, 3], on_bad_image="skip")
    dataset[2]
    with pytest.raises(ValueError, match="2 of the 10 images"):
        dataset[3]


def test_images_of_other_data_sets_do_not_count(make_set, work_dir):
    work_dir.mkdir()
    (work_dir / "bad_images.txt").write_text("a.jpg\tis empty\tother.json\n" * 50)
    dataset = make_set(10, bad=[2], on_bad_image="skip")
    assert dataset[2] is not None and len(listed(work_dir)) == 51


def test_without_a_run_it_is_counted_in_memory(make_set, tmp_path, monkeypatch):
    monkeypatch.setattr("mmdet_lite.datasets.bad_images._work_dir", lambda: None)
    dataset = make_set(10, bad=[2, 3], on_bad_image="skip", max_bad_fraction=0)
    with pytest.raises(ValueError, match=r"1 of the 10 images") as error:
        dataset[2]
    assert "listed in" not in str(error.value)


def test_a_fault_in_the_data_is_no_bad_image(make_set, work_dir, tmp_path):
    dataset = make_set(10, on_bad_image="skip")
    cv2.imwrite(str(tmp_path / "5.jpg"), np.zeros((31, 40, 3), np.uint8))
    with pytest.raises(ValueError, match="its boxes would lie wrong"):
        dataset[5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"on_bad_image": "ignore"}, "on_bad_image must be one of"),
        ({"max_bad_fraction": 5}, r"0\.01 is 1 %\), got 5"),
        ({"max_bad_fraction": "1%"}, r"got '1%'"),
    ],
)
def test_values_that_mean_nothing_are_refused(make_set, arguments, message):
    with pytest.raises(ValueError, match=message):
        make_set(**arguments)


def test_in_a_test_every_image_counts_and_a_bad_one_has_no_detections(make_set, work_dir, tmp_path):
    dataset = make_set(4, bad=[1], test_mode=True, on_bad_image="skip")
    batch = pseudo_collate([dataset[i] for i in range(4)])
    assert [tuple(x.shape) for x in batch["inputs"]] == [(3, 30, 40)] * 4
    samples = batch["data_samples"]
    assert not batch["inputs"][1].any()  # black
    found = Detections(
        image_idx=torch.arange(4),
        boxes=torch.tensor([[2.0, 3, 12, 15]] * 4),
        scores=torch.ones(4),
        labels=torch.zeros(4, dtype=torch.long),
    )
    samples = attach_detections(found, samples, 0.5)
    assert [len(sample.pred_instances) for sample in samples] == [1, 0, 1, 1]
    metric = CocoMetric(ann_file=str(tmp_path / "ann.json"), metric="bbox")
    metric.dataset_meta = dataset.metainfo
    metric.process({}, [sample.to_dict() for sample in samples])
    # three of four objects: precision 1 up to a recall of 0.75, which 76 of 101 points lie below
    assert metric.evaluate(4)["coco/bbox_mAP"] == pytest.approx(76 / 101, abs=1e-3)
    assert listed(work_dir) == [str(tmp_path / "1.jpg")]


def test_in_a_test_views_of_a_bad_image_are_marked_too(make_set, work_dir):
    views = {"type": "TestTimeAug", "transforms": [[{"type": "PackDetInputs"}] * 2]}
    dataset = make_set(
        4, bad=[1], test_mode=True, on_bad_image="skip", pipeline=[PIPELINE[0], views]
    )
    assert [s.metainfo.get("unreadable") for s in dataset[1]["data_samples"]] == [True, True]
    assert "unreadable" not in dataset[0]["data_samples"][0].metainfo


@MODELS.register_module()
class MeanOfPixels(BaseModel):
    """Learns nothing of use, but needs every picture."""

    def __init__(self, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.linear = nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        means = torch.stack([x.float().mean()[None] for x in inputs])
        return {"loss": self.linear(means / 255).square().mean()}


def train_in_process(rank, port, dataset, folder):
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in names.items()})
    os.environ["MASTER_ADDR"] = "127.0.0.1"
    torch.set_num_threads(1)
    init_launcher("pytorch", {"backend": "gloo"})
    runner(dataset, folder, "pytorch", workers=2, epochs=2).train()


def runner(dataset, folder, launcher="none", workers=0, epochs=1):
    loader = {
        "batch_size": 2,
        "num_workers": workers,
        "persistent_workers": workers > 0,
        "sampler": {"type": "DefaultSampler", "shuffle": True},
        "dataset": dataset,
    }
    cfg = Config()
    fit_device(cfg, launcher)
    return DetRunner(
        model={"type": "MeanOfPixels"},
        work_dir=str(folder),
        train_dataloader=loader,
        train_cfg={"by_epoch": True, "max_epochs": epochs},
        optim_wrapper={"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.1}},
        default_scope="mmdet_lite",
        experiment_name=f"bad images of {folder}",
        launcher=launcher,
        cfg=cfg,
    )


@pytest.fixture
def one_thread():
    """A forked process can only compute if this one has not started threads for that."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_two_ranks_with_two_workers_each_write_one_list(make_set, tmp_path, one_thread):
    dataset = make_set(40, bad=[4, 7, 30], on_bad_image="skip", max_bad_fraction=0.08)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path / "run"
    children = [
        FORK.Process(target=train_in_process, args=(rank, port, dataset, folder))
        for rank in range(2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    assert sorted(listed(folder)) == sorted(str(tmp_path / f"{i}.jpg") for i in (4, 7, 30))


def test_runner_stops_where_too_many_are_bad_and_keeps_no_path_in_checkpoints(make_set, tmp_path):
    dataset = make_set(12, bad=[1, 5], on_bad_image="skip", max_bad_fraction=0.1)
    runner(dataset, tmp_path / "good").train()
    saved = torch.load(tmp_path / "good" / "epoch_1.pth")
    assert "work_dir" not in saved["message_hub"]["runtime_info"]
    dataset = make_set(12, bad=[1, 5, 8], on_bad_image="skip", max_bad_fraction=0.1)
    with pytest.raises(ValueError, match="3 of the 12 images"):
        runner(dataset, tmp_path / "bad").train()
