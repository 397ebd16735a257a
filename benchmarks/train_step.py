"""One training step of a detector with R50-FPN beside torchvision's, in one process.

``--family`` says which. Both see the same random images with the same boxes and masks. Their steps
alternate, so that a busy machine slows both; the ratio of the medians is what counts (below 1:
ours is faster).

    python benchmarks/train_step.py --family mask --size 512 512 --batch 2 --steps 5
"""

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torchvision.models.detection import (
    fasterrcnn_resnet50_fpn,
    keypointrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn,
    retinanet_resnet50_fpn,
)

from mmdet_lite.config import load_config
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import BitmapMasks, DetDataSample

PROPOSALS = {"rpn_pre_nms_top_n_train": 2000, "rpn_post_nms_top_n_train": 1000}


@dataclass(frozen=True)
class Family:
    """A detector of ours and torchvision's of the same kind, both with 80 classes.

    ``theirs`` is torchvision's builder with ``arguments``; ``first_label`` is the number that it
    gives to our class 0; ``targets`` are entries of a scene that both get besides boxes and labels.
    ``their_channels_last``: theirs runs with that layout; otherwise it always runs contiguous.
    """

    config: str
    theirs: Callable[..., torch.nn.Module]
    first_label: int = 1
    targets: tuple[str, ...] = ()
    their_channels_last: bool = True
    arguments: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)


FAMILIES = {
    "mask": Family(
        "configs/mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py",
        maskrcnn_resnet50_fpn,
        targets=("masks",),
        arguments={"num_classes": 81, **PROPOSALS},
        overrides={"model.roi_head.bbox_head.num_classes": 80},
    ),
    "faster": Family(
        "configs/faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py",
        fasterrcnn_resnet50_fpn,
        arguments={"num_classes": 81, **PROPOSALS},
        overrides={"model.roi_head.bbox_head.num_classes": 80},
    ),
    "keypoint": Family(
        "configs/keypoint_rcnn/keypoint-rcnn_r50_fpn_1x_coco.py",
        keypointrcnn_resnet50_fpn,
        targets=("keypoints",),
        their_channels_last=False,
        arguments={"num_classes": 81, "num_keypoints": 17, **PROPOSALS},
        overrides={"model.roi_head.bbox_head.num_classes": 80},
    ),
    "retinanet": Family(
        "configs/retinanet/retinanet_r50_fpn_1x_coco.py",
        retinanet_resnet50_fpn,
        first_label=0,
        arguments={"num_classes": 80},
        overrides={"model.bbox_head.num_classes": 80},
    ),
}


def make_scene(size_hw, num_boxes, seed):
    """Boxes of 20 to 300 pixels, elliptic masks, 17 joints of which 7 in 10 are labelled."""
    rng = torch.Generator().manual_seed(seed)
    height, width = size_hw
    wh = 20 + torch.rand(num_boxes, 2, generator=rng) * (min(300, min(size_hw) * 0.6) - 20)
    xy = torch.rand(num_boxes, 2, generator=rng) * (torch.tensor([width, height]) - wh)
    boxes = torch.cat([xy, xy + wh], dim=1)
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    centre, radius = (boxes[:, :2] + boxes[:, 2:]) / 2, wh / 2
    dx = (x - centre[:, 0, None, None]) / radius[:, 0, None, None]
    dy = (y - centre[:, 1, None, None]) / radius[:, 1, None, None]
    masks = (dx**2 + dy**2 <= 1).to(torch.uint8)
    labels = torch.randint(0, 80, (num_boxes,), generator=rng)
    image = torch.randint(0, 256, (3, height, width), generator=rng, dtype=torch.uint8)
    points = xy[:, None] + torch.rand(num_boxes, 17, 2, generator=rng) * wh[:, None]
    labelled = (torch.rand(num_boxes, 17, 1, generator=rng) < 0.7) * 2.0
    keypoints = torch.cat([points, labelled], dim=2)
    return {
        "image": image, "boxes": boxes, "labels": labels, "masks": masks, "keypoints": keypoints,
    }  # fmt: skip


def build_ours(family, device, channels_last):
    """Our model, from its config, without pretrained weights."""
    cfg = load_config(family.config, {"model.backbone.init_cfg": None, **family.overrides})
    model = MODELS.build({**cfg.model, "channels_last": channels_last})
    model.init_weights()
    return model.to(device).train()


def build_theirs(family, device, channels_last, size_hw):
    """Torchvision's model, with the same frozen layers and no resizing of its own."""
    model = family.theirs(
        weights=None,
        weights_backbone=None,
        trainable_backbone_layers=3,
        min_size=min(size_hw),
        max_size=max(size_hw),
        **family.arguments,
    )
    # without pretrained weights torchvision trains its batch norms; freeze them as it does with
    for module in list(model.backbone.modules()):
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval().requires_grad_(False)
    for name, parameter in model.backbone.body.named_parameters():
        if name.startswith(("conv1", "bn1", "layer1")):
            parameter.requires_grad_(False)
    model = model.to(device)
    if channels_last and family.their_channels_last:
        model = model.to(memory_format=torch.channels_last)
    train = model.train

    def train_frozen(mode=True):
        train(mode)
        for module in model.backbone.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
        return model

    return train_frozen()


def our_step(family, model, optimizer, scenes, amp, device):
    """One optimiser step of ours, preprocessing included."""
    samples = []
    for scene in scenes:
        size_hw, boxes, labels = scene["image"].shape[1:], scene["boxes"], scene["labels"]
        sample = DetDataSample(metainfo={"img_shape": size_hw, "ori_shape": size_hw})
        more = {key: scene[key] for key in family.targets}
        sample.gt_instances = InstanceData(bboxes=boxes, labels=labels, **more)
        sample.ignored_instances = InstanceData(bboxes=boxes[:0], labels=labels[:0])
        samples.append(sample)
    data = model.data_preprocessor(
        {"inputs": [scene["image"] for scene in scenes], "data_samples": samples}, True
    )
    with torch.autocast(device, amp or torch.bfloat16, enabled=amp is not None):
        losses = model(**data, mode="loss")
    loss = sum(value for name, value in losses.items() if "loss" in name)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def their_step(family, model, optimizer, scenes, amp, device):
    """One optimiser step of torchvision's, its transform included."""
    images = [scene["image"].to(device).float() / 255 for scene in scenes]
    targets = [
        {
            "labels": scene["labels"].to(device) + family.first_label,
            **{key: scene[key].to(device) for key in ("boxes", *family.targets)},
        }
        for scene in scenes
    ]
    with torch.autocast(device, amp or torch.bfloat16, enabled=amp is not None):
        losses = model(images, targets)
    loss = sum(losses.values())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def timed(step, device):
    """Seconds of one step."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def make_step(args, name, amp, channels_last):
    """A function that takes one step of the named program on the same scenes."""
    size_hw, family = tuple(args.size), FAMILIES[args.family]
    scenes = [make_scene(size_hw, args.boxes, seed) for seed in range(args.batch)]
    if name == "ours":
        model, step = build_ours(family, args.device, channels_last), our_step
        for scene in scenes:
            scene["masks"] = BitmapMasks(scene["masks"].numpy(), *size_hw)
    else:
        model, step = build_theirs(family, args.device, channels_last, size_hw), their_step
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=1e-5, momentum=0.9)
    return lambda: step(family, model, optimizer, scenes, amp, args.device)


def peak_memory_mib(args, name, amp, channels_last):
    """Peak memory of two steps, in a process that does nothing else."""
    init_default_scope("mmdet_lite")
    MMLogger.get_instance("mmengine", log_level="WARNING")
    step = make_step(args, name, amp, channels_last)
    step()
    step()
    if args.device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    # not getrusage, whose peak counts the parent's memory at the moment of the fork
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**10


def measure(args, amp, channels_last):
    """Median seconds of both programs, alternating, and the peak memory of each."""
    rows = {}
    for name in ("ours", "torchvision"):
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            peak = alone.apply(peak_memory_mib, (args, name, amp, channels_last))
        rows[name] = {"peak_mib": peak}
    steps = {name: make_step(args, name, amp, channels_last) for name in rows}
    seconds = {name: [] for name in steps}
    for round_ in range(args.steps + 2):
        for name, step in steps.items():
            duration = timed(step, args.device)
            if round_ >= 2:  # the first two warm up
                seconds[name].append(duration)
    for name in steps:
        rows[name]["seconds"] = statistics.median(seconds[name])
    return rows


def print_profile(args):
    """Where the time of our step goes: the operations by their own time."""
    for amp in (None, torch.bfloat16):
        step = make_step(args, "ours", amp, channels_last=True)
        step()
        with torch.profiler.profile() as profile:
            step()
        order = f"self_{args.device}_time_total"
        print(f"{amp or 'fp32'}, channels-last")
        print(profile.key_averages().table(sort_by=order, row_limit=12))


def main():
    """Measure every combination and print one line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--family", choices=sorted(FAMILIES), default="mask")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, nargs=2, default=(512, 512), metavar=("H", "W"))
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--boxes", type=int, default=10, help="objects in each image")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="print where our time goes instead")
    parser.add_argument("--json", help="also write the rows to this file")
    args = parser.parse_args()
    init_default_scope("mmdet_lite")
    MMLogger.get_instance("mmengine", log_level="WARNING")  # init_weights logs every tensor
    if args.profile:
        print_profile(args)
        return
    half = torch.float16 if args.device == "cuda" else torch.bfloat16
    rows = []
    size = f"batch {args.batch} x {tuple(args.size)}"
    print(f"{args.family}, {args.device}, torch {torch.__version__}, {size}")
    for amp in (None, torch.bfloat16) if half is torch.bfloat16 else (None, torch.bfloat16, half):
        for channels_last in (False, True):
            result = measure(args, amp, channels_last)
            ratio = result["ours"]["seconds"] / result["torchvision"]["seconds"]
            precision = "fp32" if amp is None else str(amp).removeprefix("torch.")
            layout = "channels-last" if channels_last else "contiguous"
            rows.append({"precision": precision, "layout": layout, "ratio": ratio, **result})
            print(
                f"{precision:9} {layout:14} ours {result['ours']['seconds']:.3f} s"
                f" ({result['ours']['peak_mib']:.0f} MiB)  torchvision"
                f" {result['torchvision']['seconds']:.3f} s"
                f" ({result['torchvision']['peak_mib']:.0f} MiB)  ratio {ratio:.2f}",
                flush=True,
            )
    if args.json:
        with open(args.json, "w") as f:
            json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
