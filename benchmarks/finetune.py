r"""Fine-tune light Faster R-CNNs on a small VOC set for the same minutes: ours and torchvision's.

All start from the same backbone file, see the same batches (same loader, same seed) and are judged
by the same CocoMetric; ``scratch`` is ours without the file. torchvision's is trained twice: as its
own mobilenet FPN detectors are (``torchvision``), and in the sizes of our light config
(``torchvision-light``). Each runs in the setting (float precision, memory layout) in which its own
step is fastest here. Evaluation takes no training time.

    python benchmarks/finetune.py --devkit data/raccoon/VOCdevkit \
        --weights mobilenet_v2-imagenet-backbone.pth --minutes 15
"""

import argparse
import itertools
import math
import statistics
import tempfile
import time
from pathlib import Path

import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed
from mmengine.structures import InstanceData
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN, mobilenet_backbone
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.misc import FrozenBatchNorm2d

from mmdet_lite.config import load_config
from mmdet_lite.datasets.converters import read_devkit
from mmdet_lite.ops.whole_files import write_json
from mmdet_lite.registry import METRICS, MODELS

CONFIG = "configs/light/faster-rcnn_mobilenet-v2_fpn_raccoon.py"
PROGRAMS = ("ours", "torchvision-light", "torchvision", "scratch")
SETTINGS = list(itertools.product(("fp32", "bf16"), (False, True)))  # precision, channels last


class Ours(nn.Module):
    """Our detector from its config."""

    def __init__(self, cfg, weights):
        super().__init__()
        backbone = dict(cfg.model.backbone)
        if weights is None:  # nothing is pretrained, so nothing may stay as it is
            backbone.update(init_cfg=None, frozen_stages=-1, norm_eval=False)
        else:
            backbone["init_cfg"] = {"type": "Pretrained", "checkpoint": str(weights)}
        self.model = MODELS.build({**cfg.model, "backbone": backbone})
        self.model.init_weights()

    def set_layout(self, channels_last):
        """Keep weights and feature maps in the order of channels last, or not."""
        self.model.channels_last = channels_last
        order = torch.channels_last if channels_last else torch.contiguous_format
        self.model.to(memory_format=order)

    def loss(self, batch):
        """Sum of the losses of a batch as the loader gives it."""
        losses = self.model(**self.model.data_preprocessor(batch, True), mode="loss")
        return sum(value for name, value in losses.items() if "loss" in name)

    def predict(self, batch):
        """Data samples with predictions."""
        return self.model.test_step(batch)


class Theirs(nn.Module):
    """torchvision's Faster R-CNN: built as its mobilenet FPN models are, or in our light sizes."""

    def __init__(self, cfg, weights, light):
        super().__init__()
        body = mobilenet_backbone(
            backbone_name="mobilenet_v2",
            weights=None,
            fpn=True,
            norm_layer=FrozenBatchNorm2d,
            trainable_layers=4,  # as frozen_stages=1 of ours
        )
        stored = torch.load(weights, weights_only=True)
        stored = {key.removeprefix("features."): value for key, value in stored.items()}
        lacking = body.body.load_state_dict(stored, strict=False).missing_keys
        assert not lacking, lacking
        num_classes = cfg.model.roi_head.bbox_head.num_classes + 1
        # the stock model's pyramid: two levels of stride 32 and their pooling, 15 anchors a place
        sizes, kwargs = ((32, 64, 128, 256, 512),) * 3, {"num_classes": num_classes}
        if light:
            width, units = 128, 512
            levels = {"6": "0", "13": "1", "18": "2"}  # strides 8, 16, 32
            body = BackboneWithFPN(body.body, levels, [32, 96, 1280], width)
            sizes = ((32,), (64,), (128,), (256,))
            kwargs = {
                "box_roi_pool": MultiScaleRoIAlign(["0", "1", "2"], 7, sampling_ratio=2),
                "box_head": TwoMLPHead(width * 7 * 7, units),
                "box_predictor": FastRCNNPredictor(units, num_classes),
                "box_batch_size_per_image": 128,
                "rpn_pre_nms_top_n_train": 500,
                "rpn_pre_nms_top_n_test": 500,
                "rpn_post_nms_top_n_train": 250,
                "rpn_post_nms_top_n_test": 250,
            }
        mean, std = ([x / 255 for x in cfg.model.data_preprocessor[k]] for k in ("mean", "std"))
        [resize] = [step for step in cfg.test_pipeline if step.type == "Resize"]
        self.model = FasterRCNN(
            body,
            min_size=min(resize.scale),  # _skip_resize is for training alone; so nothing changes
            max_size=max(resize.scale),
            rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes)),
            image_mean=mean,
            image_std=std,
            _skip_resize=True,  # the loader has done it, as for ours
            **kwargs,
        )
        self.channels_last = False

    def set_layout(self, channels_last):
        """Keep weights in the order of channels last, or not; feature maps follow."""
        order = torch.channels_last if channels_last else torch.contiguous_format
        self.model.to(memory_format=order)

    def loss(self, batch):
        """Sum of the losses of a batch as the loader gives it."""
        targets = [
            {"boxes": s.gt_instances.bboxes, "labels": s.gt_instances.labels + 1}
            for s in batch["data_samples"]
        ]
        return sum(self.model(self._rgb(batch), targets).values())

    def predict(self, batch):
        """Data samples with predictions in original pixels."""
        for found, sample in zip(self.model(self._rgb(batch)), batch["data_samples"], strict=True):
            scale = found["boxes"].new_tensor(sample.scale_factor).repeat(2)
            sample.pred_instances = InstanceData(
                bboxes=found["boxes"] / scale, scores=found["scores"], labels=found["labels"] - 1
            )
        return batch["data_samples"]

    @staticmethod
    def _rgb(batch):
        return [image.flip(0).float() / 255 for image in batch["inputs"]]


def fastest_setting(program, loader):
    """Time one step in each setting on the same batch; returns the best and all medians."""
    batch = next(iter(loader))
    medians = {}
    for precision, channels_last in SETTINGS:
        program.set_layout(channels_last)
        seconds = []
        for _ in range(4):
            start = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                loss = program.loss({**batch, "data_samples": list(batch["data_samples"])})
            loss.backward()
            program.zero_grad()
            seconds.append(time.perf_counter() - start)
        medians[precision, channels_last] = statistics.median(seconds[1:])
    return min(medians, key=medians.get), medians


def train(program, loader, args, setting):
    """Train until the minutes are over; returns the number of iterations."""
    precision, channels_last = setting
    program.set_layout(channels_last)
    program.train()
    learning = [p for p in program.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, args.lr, weight_decay=0.05)
    start, iteration, end = time.perf_counter(), 0, args.minutes * 60
    while True:
        for batch in loader:
            passed = (time.perf_counter() - start) / end
            if passed >= 1:
                return iteration
            warm = min((iteration + 1) / args.warmup, 1)
            for group in optimizer.param_groups:
                group["lr"] = args.lr * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * passed)) / 2)
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                loss = program.loss(batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learning, 10.0)
            optimizer.step()
            iteration += 1
            if iteration % args.log == 0:
                print(f"  {passed:4.0%} iteration {iteration} loss {loss.item():.3f}", flush=True)


@torch.no_grad()
def evaluate(program, cfg, loader):
    """AP and AP50 by the config's CocoMetric."""
    program.eval()
    metric = METRICS.build(cfg.test_evaluator)
    metric.dataset_meta = loader.dataset.metainfo
    for batch in loader:
        metric.process(batch, [sample.to_dict() for sample in program.predict(batch)])
    found = metric.evaluate(len(loader.dataset))
    return found["coco/bbox_mAP"], found["coco/bbox_mAP_50"]


def read_config(args, folder):
    """The raccoon config with the data of --devkit, converted into ``folder``."""
    contents = read_devkit(args.devkit)
    for part in ("trainval", "test"):
        split = next(name for name in contents if name.endswith(f"_{part}"))
        write_json(folder / f"{part}.json", contents[split])
    names = [category["name"] for category in contents[split]["categories"]]
    test_file = str(folder / "test.json")
    overrides = {"test_evaluator.ann_file": test_file, "test_dataloader.num_workers": 0}
    overrides["model.roi_head.bbox_head.num_classes"] = len(names)
    for loader, part in (("train_dataloader", "trainval"), ("test_dataloader", "test")):
        overrides[f"{loader}.dataset.data_root"] = f"{args.devkit}/"
        overrides[f"{loader}.dataset.ann_file"] = str(folder / f"{part}.json")
        overrides[f"{loader}.dataset.metainfo.classes"] = tuple(names)
        overrides[f"{loader}.persistent_workers"] = False
        overrides[f"{loader}.num_workers"] = 0  # decoding takes 1 % of a step; keep it simple
    return load_config(args.config, overrides)


def parse_args():
    """The flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devkit", required=True, help="folder VOCdevkit of the data set")
    parser.add_argument("--weights", required=True, help="backbone file with torchvision's names")
    parser.add_argument("--minutes", type=float, default=15, help="training time of each program")
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=PROGRAMS)
    parser.add_argument("--config", default=CONFIG)
    parser.add_argument("--lr", type=float, default=0.0005, help="of AdamW, at its highest")
    parser.add_argument("--warmup", type=int, default=40, help="iterations")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--setting", choices=("fastest", "fp32", "bf16"), default="fastest")
    parser.add_argument("--log", type=int, default=50, help="iterations between two lines")
    parser.add_argument("--save", help="write the weights of each program into this folder")
    return parser.parse_args()


def main():
    """Train and evaluate each program, then print one line for each."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    init_default_scope("mmdet_lite")
    MMLogger.get_instance("mmengine", log_level="WARNING")  # init_weights logs every tensor
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        cfg = read_config(args, Path(folder))
        test_loader = Runner.build_dataloader(cfg.test_dataloader)
        for name in args.programs:
            set_random_seed(0)
            if name.startswith("torchvision"):
                program = Theirs(cfg, args.weights, light=name == "torchvision-light")
            else:
                program = Ours(cfg, None if name == "scratch" else args.weights)
            program.train()
            loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
            setting = (args.setting, True)
            if args.setting == "fastest":
                setting, medians = fastest_setting(program, loader)
                shown = ", ".join(
                    f"{p}{' channels-last' if c else ''} {s:.2f} s" for (p, c), s in medians.items()
                )
                print(f"{name}: one step of {cfg.train_dataloader.batch_size} images: {shown}")
            iterations = train(program, loader, args, setting)
            ap, ap50 = evaluate(program, cfg, test_loader)
            layout = " channels-last" if setting[1] else ""
            rows.append(
                f"{name:17} {setting[0]}{layout}: {iterations} iterations in {args.minutes:g}"
                f" minutes, AP {ap:.3f}, AP50 {ap50:.3f}"
            )
            print(rows[-1], flush=True)
            if args.save:
                Path(args.save).mkdir(parents=True, exist_ok=True)
                torch.save({"state_dict": program.model.state_dict()}, f"{args.save}/{name}.pth")
    print("\n" + "\n".join(rows))


if __name__ == "__main__":
    main()
