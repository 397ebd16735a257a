"""A training of one linear layer, in the shape of a detector's, for tests of the clock."""

import itertools
import os
import signal
import time
from typing import ClassVar

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from mmdet_lite.datasets.transforms import LoadImageFromFile
from mmdet_lite.registry import DATASETS, METRICS, MODELS
from mmdet_lite.structures import DetDataSample

CLASSES = ("disc", "ring")
COUNTER = itertools.count()


@MODELS.register_module()
class ToyModel(BaseModel):
    """Fits y = 3 x; its loss draws random numbers, as samplers do."""

    def __init__(self, spoil_at=None, spoil="loss", step_seconds=0.0, width=4, init_cfg=None):
        super().__init__(init_cfg=init_cfg)
        self.linear = nn.Linear(width, 1)
        self.spoil_at = spoil_at
        self.spoil = spoil
        self.step_seconds = step_seconds
        self.calls = 0

    def forward(self, inputs, data_samples=None, mode="tensor"):
        x = torch.stack(inputs) if isinstance(inputs, list) else inputs
        out = self.linear(x)
        if mode == "predict":
            return [
                sample.to_dict() | {"out": value}
                for sample, value in zip(data_samples, out, strict=True)
            ]
        time.sleep(self.step_seconds)
        self.calls += 1
        noise = torch.rand(())
        target = 3 * x.sum(dim=1, keepdim=True) + 0.1 * noise
        loss = (out - target).square().mean()
        if self.spoil_at is not None and self.calls == self.spoil_at:
            if self.spoil == "loss":
                loss = loss * float("nan")
            else:
                with torch.no_grad():
                    self.linear.weight.fill_(float("inf"))
        return {"loss_fit": loss, "loss_other": 0 * loss + 1}


@DATASETS.register_module()
class ToyDataset(Dataset):
    """``length`` random vectors, each drawn with numpy's global generator on top.

    After the first epoch, ``break_at`` needs an image file, and ``bug_at`` has a fault.
    """

    METAINFO: ClassVar = {"classes": CLASSES}

    def __init__(
        self, length=8, classes=CLASSES, log=None, metainfo=None, break_at=None, bug_at=None
    ):
        classes = (metainfo or {}).get("classes", classes)
        self.vectors = torch.randn(length, 4, generator=torch.Generator().manual_seed(3))
        self._metainfo = {"classes": tuple(classes)}
        self.log = log
        self.break_at, self.bug_at = break_at, bug_at

    @property
    def metainfo(self):
        return dict(self._metainfo)

    def __len__(self):
        return len(self.vectors)

    def __getitem__(self, index):
        if self.log:
            with open(self.log, "a") as file:
                file.write(f"{index}\n")
        if os.path.isfile("run/epoch_1.pth") and index == self.break_at:
            LoadImageFromFile().transform({"img_path": f"images/{index}.jpg"})
        if os.path.isfile("run/epoch_1.pth") and index == self.bug_at:
            raise KeyError("no such key")
        jitter = float(np.random.rand()) * 0.01
        sample = DetDataSample(metainfo={"img_id": index, "img_path": f"images/{index}.jpg"})
        return {"inputs": self.vectors[index] + jitter, "data_samples": sample}


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """Mean output; higher counts as better. ``kill_at`` ends the process in a validation."""

    default_prefix = "toy"

    def __init__(self, kill_at=None, scores=None, **kwargs):
        super().__init__(**kwargs)
        self.kill_at, self.scores, self.runs = kill_at, scores, 0

    def process(self, data_batch, data_samples):
        self.results += [sample["out"].item() for sample in data_samples]

    def compute_metrics(self, results):
        self.runs += 1
        torch.rand(5)  # an evaluator that draws random numbers must not disturb training
        if self.kill_at == self.runs:
            os.kill(os.getpid(), signal.SIGKILL)
        score = self.scores[(self.runs - 1) % len(self.scores)] if self.scores else None
        return {"mAP": float(np.mean(results)) if score is None else score, "images": len(results)}


def write_toy_config(path, work_dir, **changes):
    """The same as a file that ``load_config`` reads."""
    cfg = toy_config(work_dir, **changes)
    cfg.custom_imports = {"imports": ["toy_training"]}
    path.write_text(cfg.pretty_text)
    return str(path)


def toy_config(work_dir, epochs=2, **changes):
    """A complete config; ``changes`` replace top-level keys or, with ``__``, nested ones."""
    loader = {
        "batch_size": 2,
        "num_workers": 0,
        "sampler": {"type": "DefaultSampler", "shuffle": True},
        "dataset": {"type": "ToyDataset"},
    }
    val_loader = loader | {"sampler": {"type": "DefaultSampler", "shuffle": False}}
    cfg = Config(
        {
            "default_scope": "mmdet_lite",
            "work_dir": str(work_dir),
            "model": {"type": "ToyModel"},
            "train_dataloader": loader,
            "val_dataloader": val_loader,
            "test_dataloader": val_loader,
            "train_cfg": {"type": "EpochBasedTrainLoop", "max_epochs": epochs, "val_interval": 1},
            "val_cfg": {"type": "ValLoop"},
            "test_cfg": {"type": "TestLoop"},
            "val_evaluator": {"type": "ToyMetric"},
            "test_evaluator": {"type": "ToyMetric"},
            "optim_wrapper": {
                "type": "OptimWrapper",
                "optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9},
            },
            "param_scheduler": [
                {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "begin": 0, "end": 6},
                {"type": "MultiStepLR", "by_epoch": True, "milestones": [2, 3], "gamma": 0.5},
            ],
            "default_hooks": {
                "checkpoint": {"type": "CheckpointHook", "interval": 1, "save_best": "auto"},
                "logger": {"type": "LoggerHook", "interval": 2},
            },
            "custom_hooks": [{"type": "CheckInvalidLossHook"}, {"type": "NumClassCheckHook"}],
            "auto_scale_lr": {"enable": False, "base_batch_size": 2},
            "randomness": {"seed": 7},
        }
    )
    cfg.experiment_name = f"toy{next(COUNTER)}"  # mmengine keeps one message hub a name
    cfg.merge_from_dict({key.replace("__", "."): value for key, value in changes.items()})
    return cfg


def run(work_dir, epochs=2, **changes):
    """Train in this process; returns the Runner."""
    runner = Runner.from_cfg(toy_config(work_dir, epochs, **changes))
    runner.train()
    return runner
