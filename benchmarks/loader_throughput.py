"""How many real pictures a second one core makes ready for training: ours beside torchvision's.

Both read the same JPEG files and do the same: decode, boxes (and masks) from COCO annotations,
resize to a short side of 800 (the long one at most 1333), mirror every second picture, pack as
uint8 (3, H, W). Ours is the training pipeline of the configs. Torchvision's are its v2 transforms
on tv_tensors, masks drawn by pycocotools as in its detection references: once on tensors
(``torchvision.io.decode_jpeg``), once on PIL images. One thread each; the programs take turns with
every picture, so that a busy machine slows all. What they give is compared first.

    python benchmarks/loader_throughput.py --images data/coco/train2017 \
        --ann-file data/coco/annotations/instances_train2017.json
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.logging import MMLogger
from PIL import Image
from pycocotools import mask as coco_mask
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.io import ImageReadMode, decode_jpeg, read_file
from torchvision.transforms import v2

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.registry import TRANSFORMS

STEPS = ("decode", "annotations", "resize", "flip", "pack")
SHORT, LONG = 800, 1333


def our_steps(with_mask, flip):
    """The five transforms of the configs."""
    return [
        TRANSFORMS.build(cfg)
        for cfg in (
            {"type": "LoadImageFromFile"},
            {"type": "LoadAnnotations", "with_bbox": True, "with_mask": with_mask},
            {"type": "Resize", "scale": (LONG, SHORT), "keep_ratio": True},
            {"type": "RandomFlip", "prob": float(flip)},
            {"type": "PackDetInputs"},
        )
    ]


def their_steps(backend, with_mask, flip):
    """The same with torchvision, on 'tensor' or 'pil' images."""

    def decode(entry):
        path = entry["img_path"]
        if backend == "pil":
            return entry, {"image": Image.open(path).convert("RGB")}
        return entry, {"image": tv_tensors.Image(decode_jpeg(read_file(path), ImageReadMode.RGB))}

    def annotations(pair):
        entry, sample = pair
        size_hw, instances = (entry["height"], entry["width"]), entry["instances"]
        boxes = torch.tensor([i["bbox"] for i in instances], dtype=torch.float32).reshape(-1, 4)
        sample["boxes"] = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=size_hw)
        sample["labels"] = torch.tensor([i["bbox_label"] for i in instances])
        if with_mask:
            masks = [full_mask(i["mask"], *size_hw) for i in instances]
            stacked = np.stack(masks) if masks else np.zeros((0, *size_hw), np.uint8)
            sample["masks"] = tv_tensors.Mask(torch.from_numpy(stacked))
        return sample

    pack = v2.Compose([v2.PILToTensor(), v2.ToPureTensor()])
    resize = v2.Resize(SHORT, max_size=LONG)
    return [decode, annotations, resize, v2.RandomHorizontalFlip(float(flip)), pack]


def full_mask(segmentation, height, width):
    """One object's bitmap."""
    rles = coco_mask.frPyObjects(segmentation, height, width)
    if isinstance(rles, list):
        rles = coco_mask.merge(rles)
    return coco_mask.decode(rles)


def make_programs(with_mask):
    """Each program as its steps for pictures that stay and for those that are mirrored."""
    return {
        "ours": [our_steps(with_mask, flip) for flip in (False, True)],
        "torchvision": [their_steps("tensor", with_mask, flip) for flip in (False, True)],
        "torchvision, PIL": [their_steps("pil", with_mask, flip) for flip in (False, True)],
    }


def run_steps(steps, entry):
    """Take an entry through all steps; return the sample and the seconds of each."""
    seconds = []
    for step in steps:
        start = time.perf_counter()
        entry = step(entry)
        seconds.append(time.perf_counter() - start)
    return entry, seconds


def compare(programs, entries):
    """How far torchvision's samples are from ours: sizes, boxes, pixels, masks."""
    rows = {name: [] for name in programs if name != "ours"}
    for n, entry in enumerate(entries):
        ours, _ = run_steps(programs["ours"][n % 2], dict(entry))
        image, truth = ours["inputs"].flip(0).float(), ours["data_samples"]
        # crowds come after the others in neither; both are put in the order of the file
        flags = np.array([i["ignore_flag"] for i in entry["instances"]], bool)
        order = np.argsort(np.concatenate([np.flatnonzero(~flags), np.flatnonzero(flags)]))
        parts = (truth.gt_instances, truth.ignored_instances)
        boxes = torch.cat([part.bboxes for part in parts])[order]
        for name, compared in rows.items():
            sample, _ = run_steps(programs[name][n % 2], dict(entry))
            theirs = sample["image"].float()
            sizes = [abs(a - b) for a, b in zip(image.shape, theirs.shape, strict=True)]
            row = {"size": max(sizes), "boxes": (boxes - sample["boxes"]).abs().max().item()}
            if not row["size"]:
                row["pixels"] = (image - theirs).abs().mean().item()
            if "masks" in sample and not row["size"]:
                drawn = np.concatenate([part.masks.to_ndarray() for part in parts])[order] > 0
                other = sample["masks"].numpy() > 0
                union = (drawn | other).sum()
                row["masks"] = float((drawn & other).sum() / union) if union else 1.0
            compared.append(row)
    return rows


def print_comparison(rows):
    """The worst picture of each kind of difference."""
    for name, compared in rows.items():
        same = [row for row in compared if not row["size"]]
        pixels = [row["pixels"] for row in same]
        text = (
            f"  {name}: {len(same)} of {len(compared)} pictures have our size, the others differ "
            f"by {max(row['size'] for row in compared)} px; boxes by at most "
            f"{max(row['boxes'] for row in compared):.2f} px; mean difference of pixels "
            f"{statistics.mean(pixels):.2f} of 255 (worst picture {max(pixels):.2f})"
        )
        if "masks" in same[0]:
            text += f"; IoU of masks at least {min(row['masks'] for row in same):.3f}"
        print(text)


def time_steps(programs, entries, rounds):
    """Mean seconds of each step for a picture, (rounds) medians; programs take turns."""
    seconds = {name: np.zeros((rounds, len(entries), len(STEPS))) for name in programs}
    for round_ in range(rounds):
        for n, entry in enumerate(entries):
            for name, steps in programs.items():
                _, seconds[name][round_, n] = run_steps(steps[n % 2], dict(entry))
    return {name: np.median(table, axis=0).mean(axis=0) for name, table in seconds.items()}


class Pictures(Dataset):
    """The samples of one program, for a loader."""

    def __init__(self, steps, entries):
        self.steps, self.entries = steps, entries

    def __len__(self):
        """Number of pictures."""
        return len(self.entries)

    def __getitem__(self, n):
        """One packed sample."""
        return run_steps(self.steps[n % 2], dict(self.entries[n]))[0]


def use_one_thread(_=0):
    """Each process keeps to one core."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def time_loaders(programs, entries, rounds):
    """Pictures a second through a loader with one worker, medians; programs take turns."""
    rates = {name: [] for name in programs}
    for _ in range(rounds):
        for name, steps in programs.items():
            loader = DataLoader(
                Pictures(steps, entries),
                2,
                num_workers=1,
                collate_fn=list,
                worker_init_fn=use_one_thread,
            )
            batches = iter(loader)
            next(batches)  # the worker is there
            start = time.perf_counter()
            count = sum(len(batch) for batch in batches)
            rates[name].append(count / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in rates.items()}


def print_table(steps, loaders):
    """Milliseconds of each step, pictures a second, and the ratio of ours to each."""
    head = "".join(f"{step:>13}" for step in STEPS)
    print(f"{'ms a picture':18}{head}{'images/s':>11}{'1 worker':>10}   ours is faster by")
    ours = 1 / steps["ours"].sum()
    for name, seconds in steps.items():
        cells = "".join(f"{1000 * second:13.2f}" for second in seconds)
        rate = 1 / seconds.sum()
        ratios = f"{ours / rate:.2f}, {loaders['ours'] / loaders[name]:.2f}"
        print(f"{name:18}{cells}{rate:11.1f}{loaders[name]:10.1f}   {ratios}")


def read_entries(args):
    """Entries of the pictures that exist, in the file's order."""
    dataset = CocoDataset(
        ann_file=str(args.ann_file),
        data_prefix={"img": str(args.images)},
        filter_cfg={"filter_empty_gt": True, "min_size": 32},
        serialize_data=False,
    )
    entries = []
    for n in range(len(dataset)):
        entry = dataset.get_data_info(n)
        if Path(entry["img_path"]).suffix.lower() in (".jpg", ".jpeg"):
            entries.append(entry)
        if len(entries) == args.count:
            break
    return entries


def main():
    """Compare, then time, with boxes alone and with masks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--images", type=Path, default=Path("data/coco/train2017"))
    parser.add_argument(
        "--ann-file", type=Path, default=Path("data/coco/annotations/instances_train2017.json")
    )
    parser.add_argument("--count", type=int, default=100, help="pictures")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write all numbers to this file")
    args = parser.parse_args()
    MMLogger.get_instance("mmengine", log_level="ERROR")
    use_one_thread()
    entries = read_entries(args)
    objects = sum(len(entry["instances"]) for entry in entries) / len(entries)
    print(f"{len(entries)} pictures, {objects:.1f} objects each, torch {torch.__version__}")
    results = {}
    for with_mask in (False, True):
        programs = make_programs(with_mask)
        print("boxes and masks" if with_mask else "boxes")
        print_comparison(compare(programs, entries))
        steps = time_steps(programs, entries, args.rounds)
        loaders = time_loaders(programs, entries, args.rounds)
        print_table(steps, loaders)
        results["masks" if with_mask else "boxes"] = {
            name: {"seconds": dict(zip(STEPS, steps[name], strict=True)), "worker": loaders[name]}
            for name in programs
        }
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
