"""Time and memory of a COCO-train-sized annotation file: ours beside ``pycocotools.COCO()``.

Writes a file of 118,287 images and 860,001 annotations once (about 450 MB, drawn at random from a
seed), then opens it again and again, each time in a new process, in turns:

- ``pycocotools``: ``COCO(file)`` and nothing else;
- ``alone``: our CocoDataset with Mask R-CNN's training pipeline, to its first batch of 2;
- ``workers``: the same with 4 loader workers, to the first batch of each;
- ``metric``: our CocoMetric of that file, beside the data set in one process;
- ``epochs``: 3 epochs over all entries with 4 workers, without pictures;
- ``copies``: the same with ``serialize_data=False``, for comparison (only if asked for).

Pictures are black arrays, so that no disk and no decoder takes part. Memory is PSS (a page that n
processes share counts 1/n in each) without mapped files, of parent and workers together, less what
the process holds after its imports. The peak is the parent's.

    python benchmarks/annotation_loading.py --rounds 3
"""

import argparse
import gc
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from pycocotools.coco import COCO
from torch.utils.data import DataLoader

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.evaluation import CocoMetric
from mmdet_lite.registry import TRANSFORMS

NUM_IMAGES, NUM_ANNOTATIONS, NUM_CATEGORIES = 118_287, 860_001, 80
NUM_WORKERS, BATCH, EPOCHS = 4, 2, 3
PROGRAMS = ("pycocotools", "alone", "workers", "metric", "epochs")
PIPELINE = [
    {"type": "BlackImage"},
    {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True},
    {"type": "Resize", "scale": (1333, 800), "keep_ratio": True},
    {"type": "RandomFlip", "prob": 0.5},
    {"type": "PackDetInputs"},
]


@TRANSFORMS.register_module()
class BlackImage(BaseTransform):
    """A black picture of the size that the annotation file says."""

    def transform(self, results):
        """Add ``img`` and its shapes."""
        size_hw = (results["height"], results["width"])
        black = np.zeros((*size_hw, 3), np.uint8)
        return {**results, "img": black, "img_shape": size_hw, "ori_shape": size_hw}


def write_annotations(path, num_images, num_annotations):
    """Write a COCO json: polygons of 22 points on average, 1 % of crowds, no ids in order."""
    rng = np.random.default_rng(0)
    sizes_wh = rng.choice([[640, 480], [480, 640], [640, 427], [500, 375]], num_images)
    image_ids = rng.permutation(581_000)[:num_images].tolist()
    category_ids = rng.permutation(90)[:NUM_CATEGORIES].tolist()
    with open(path.with_suffix(".part"), "w") as file:
        file.write('{"info": {"description": "made by a benchmark"}, "licenses": [], "images": [')
        for n, (image_id, (width, height)) in enumerate(
            zip(image_ids, sizes_wh.tolist(), strict=True)
        ):
            name = f"{image_id:012d}.jpg"
            image = {
                "license": 3,
                "file_name": name,
                "coco_url": f"http://images.cocodataset.org/train2017/{name}",
                "height": height,
                "width": width,
                "date_captured": "2013-11-14 16:28:13",
                "flickr_url": f"http://farm9.staticflickr.com/8186/{image_id}_cbdeadbeef_z.jpg",
                "id": image_id,
            }
            file.write((", " if n else "") + json.dumps(image))
        file.write('], "annotations": [')
        owners = rng.integers(0, num_images, num_annotations).tolist()
        for n, owner in enumerate(owners):
            ann = make_annotation(rng, *sizes_wh[owner])
            ann |= {
                "image_id": image_ids[owner],
                "category_id": category_ids[n * 7919 % NUM_CATEGORIES],
                "id": 2 * n + 1,
            }
            file.write((", " if n else "") + json.dumps(ann))
        categories = [
            {"supercategory": "thing", "id": id_, "name": f"kind {n}"}
            for n, id_ in enumerate(category_ids)
        ]
        file.write(f'], "categories": {json.dumps(categories)}}}')
    path.with_suffix(".part").rename(path)


def make_annotation(rng, width, height):
    """One object: a star-shaped polygon with two decimals, or a crowd as an RLE of counts."""
    w, h = np.exp(rng.uniform(np.log(8), np.log([width - 1, height - 1])))
    x, y = rng.uniform(0, [width - w, height - h])
    box = [round(float(side), 2) for side in (x, y, w, h)]
    if rng.random() < 0.01:
        cuts = np.unique(rng.integers(1, width * height, 200))
        counts = np.diff(cuts, prepend=0, append=width * height).tolist()
        rle = {"counts": counts, "size": [int(height), int(width)]}
        return {"segmentation": rle, "area": sum(counts[1::2]), "iscrowd": 1, "bbox": box}
    num_points = int(np.clip(rng.lognormal(2.75, 0.75), 4, 400))
    angles = np.sort(rng.uniform(0, 2 * np.pi, num_points))
    radius = rng.uniform(0.6, 1, num_points) / 2
    points = np.stack([0.5 + radius * np.cos(angles), 0.5 + radius * np.sin(angles)], 1)
    polygon = np.round(points * (w, h) + (x, y), 2).ravel().tolist()
    segmentation = [polygon]
    if rng.random() < 0.08:  # partly hidden, in two pieces
        segmentation.append(polygon[: max(6, num_points // 2 * 2)])
    area = round(float(w * h) * 0.5, 4)
    return {"segmentation": segmentation, "area": area, "iscrowd": 0, "bbox": box}


def pss_mib(pids=("self",)):
    """Proportional share of memory of some processes, together, without files (libraries)."""
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    kinds = ("Pss_Anon:", "Pss_Shmem:")
    return sum(int(text.split(kind)[1].split()[0]) for text in texts for kind in kinds) / 2**10


def peak_mib():
    """Highest resident memory of this process so far."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**10


def with_workers():
    """This process and its loader workers."""
    return ["self", *(child.pid for child in multiprocessing.active_children())]


def make_dataset(path, pipeline=(), **kwargs):
    """Our data set, as a training has it."""
    return CocoDataset(
        ann_file=str(path),
        filter_cfg={"filter_empty_gt": True, "min_size": 32},
        pipeline=list(pipeline),
        **kwargs,
    )


def open_with_pycocotools(path):
    """What pycocotools takes."""
    start = time.perf_counter()
    coco = COCO(str(path))
    return {"seconds": time.perf_counter() - start, "mib": pss_mib(), "kept": len(coco.anns)}


def open_with_ours(path, num_workers):
    """From nothing to the first batch (of each worker)."""
    start = time.perf_counter()
    dataset = make_dataset(path, PIPELINE)
    loaded = time.perf_counter() - start
    loader = DataLoader(
        dataset, BATCH, shuffle=True, num_workers=num_workers, collate_fn=pseudo_collate
    )
    batches = iter(loader)
    next(batches)
    seconds = time.perf_counter() - start
    for _ in range(num_workers):
        next(batches)
    return {
        "seconds": seconds,
        "loaded": loaded,
        "mib": pss_mib(with_workers()),
        "annotations": dataset.data_bytes.nbytes / 2**20,
    }


def open_metric(path):
    """The metric's own reading of the file, after the data set's."""
    dataset = make_dataset(path)
    before, start = pss_mib(), time.perf_counter()
    metric = CocoMetric(ann_file=str(path))
    seconds = time.perf_counter() - start
    metric.dataset_meta = dataset.metainfo
    return {"seconds": seconds, "mib": pss_mib() - before}


def run_epochs(path, serialize):
    """Memory of all processes after each epoch over all entries."""
    dataset = make_dataset(path, serialize_data=serialize)
    loader = DataLoader(
        dataset,
        32,
        shuffle=True,
        num_workers=NUM_WORKERS,
        collate_fn=len,  # the entry is made in the worker, only a number travels
        persistent_workers=True,
    )
    start, after = time.perf_counter(), []
    for _ in range(EPOCHS):
        images = sum(loader)
        gc.collect()  # now rather than in any epoch: it unshares the pages of what it looks at
        after.append(pss_mib(with_workers()))
    seconds = (time.perf_counter() - start) / EPOCHS
    return {"seconds": seconds, "mib": after, "images": images}


def measure(program, path):
    """Run one program in this process."""
    MMLogger.get_instance("mmengine", log_level="ERROR")
    torch.set_num_threads(1)
    runs = {
        "pycocotools": open_with_pycocotools,
        "alone": partial(open_with_ours, num_workers=0),
        "workers": partial(open_with_ours, num_workers=NUM_WORKERS),
        "metric": open_metric,
        "epochs": partial(run_epochs, serialize=True),
        "copies": partial(run_epochs, serialize=False),
    }
    gc.collect()
    before, resident = pss_mib(), peak_mib()
    result = runs[program](path)
    result["peak"] = peak_mib() - resident
    if program != "metric":
        mib = result["mib"]
        after = [m - before for m in mib] if isinstance(mib, list) else mib - before
        result["mib"] = after
    return result


def measure_alone(program, path):
    """Run one program in a process of its own."""
    command = [sys.executable, __file__, "--run", program, "--file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{program} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def print_table(rows):
    """Medians of all rounds, and what they are of pycocotools'."""

    def median(program, key):
        return statistics.median(row[key] for row in rows[program])

    base = {key: median("pycocotools", key) for key in ("seconds", "mib", "peak")}
    titles = {
        "pycocotools": "pycocotools.COCO()",
        "alone": "ours, first batch",
        "workers": f"ours, first batch of {NUM_WORKERS} workers",
        "metric": "our CocoMetric, added to the data set",
    }
    head = "".join(f" {title:>8} {'ratio':>6}" for title in ("seconds", "MiB", "peak MiB"))
    print(f"{'':38}{head}")
    for program in [name for name in titles if name in rows]:
        cells = [(median(program, key), median(program, key) / base[key]) for key in base]
        (s, s_ratio), (mib, mib_ratio), (peak, peak_ratio) = cells
        print(
            f"{titles[program]:38} {s:8.2f} {s_ratio:6.2f} {mib:8.0f} {mib_ratio:6.2f} "
            f"{peak:8.0f} {peak_ratio:6.2f}"
        )
    if "alone" in rows:
        print(
            f"the data set is there after {median('alone', 'loaded'):.2f} s and keeps its "
            f"annotations in {median('alone', 'annotations'):.0f} MiB"
        )
    for program, title in (("epochs", "shared"), ("copies", "serialize_data=False")):
        for row in rows.get(program, []):
            after = ", ".join(f"{mib:.0f}" for mib in row["mib"])
            print(
                f"{title}: MiB of parent and {NUM_WORKERS} workers after each of {EPOCHS} epochs "
                f"of {row['images']} images: {after} ({row['seconds']:.1f} s an epoch)"
            )


def main():
    """Write the file, measure each program in turns, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("data/annotation_loading"))
    parser.add_argument("--file", type=Path, help="an annotation file to measure instead")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--programs", nargs="+", default=PROGRAMS, choices=[*PROGRAMS, "copies"])
    parser.add_argument("--images", type=int, default=NUM_IMAGES)
    parser.add_argument("--annotations", type=int, default=NUM_ANNOTATIONS)
    parser.add_argument("--json", type=Path, help="also write all numbers to this file")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    args = parser.parse_args()
    path = args.file or args.folder / f"instances_{args.images}_{args.annotations}.json"
    if args.run:
        print(json.dumps(measure(args.run, path)))
        return
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"writing {path}", flush=True)
        write_annotations(path, args.images, args.annotations)
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB, torch {torch.__version__}", flush=True)
    path.read_bytes()  # into the page cache, for the first as for the last
    programs = list(dict.fromkeys(["pycocotools", *args.programs]))
    rows = {program: [] for program in programs}
    for _ in range(args.rounds):
        for program in programs:
            if program in ("epochs", "copies") and rows[program]:
                continue
            rows[program].append(measure_alone(program, path))
    print_table(rows)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
