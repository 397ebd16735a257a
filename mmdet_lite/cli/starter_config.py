"""The short config that trains a light model on data which convert-data wrote."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MASK_RCNN = "light/mask-rcnn_mobilenet-v2_fpn_320_coco.py"
FASTER_RCNN = "light/faster-rcnn_mobilenet-v2_fpn_320_coco.py"
SMALL = 2000  # images, below which 30 epochs with a warm-up of 500 iterations are too few
BATCH = 4
WIDTH = 100  # of a line
STEPS = 1000  # iterations that fine-tune a light model on a small set


@dataclass(frozen=True)
class WrittenData:
    """What the config has to say about the data.

    Args:
        form: coco or voc.
        data_root: the folder that was written, as the config is to name it.
        prefixes: by split, the folder of the pictures seen from ``data_root`` (of COCO).
        classes: names in the order of the labels.
        masks: whether all objects have an outline.
        bitmaps: whether some of these are RLEs, which are to be trained on as bitmaps.
        num_train: images of the training split.
    """

    form: str
    data_root: str
    prefixes: Mapping[str, str]
    classes: Sequence[str]
    masks: bool
    bitmaps: bool
    num_train: int

    @property
    def splits(self) -> dict[str, str | None]:
        """The split that is trained on, validated on, tested on."""
        train = next(split for split in ("train", "all", *self.prefixes) if split in self.prefixes)
        val = "val" if "val" in self.prefixes else None
        return {"train": train, "val": val, "test": "test" if "test" in self.prefixes else val}


def starter_config(data: WrittenData, configs: str) -> str:
    """Return the text of the config; ``configs`` is the folder configs as seen from its file."""
    masks = data.masks and data.form == "coco"
    heads = ("bbox_head", "mask_head") if masks else ("bbox_head",)
    counts = ", ".join(f"{head}=dict(num_classes={len(data.classes)})" for head in heads)
    lines = [
        f'_base_ = "{configs}/{MASK_RCNN if masks else FASTER_RCNN}"',
        f'data_root = "{data.data_root.rstrip("/")}/"',
        *_common(data),
        f"model = dict(roi_head=dict({counts}))",
        *_loaders(data, masks and data.bitmaps),
        *_evaluators(data),
    ]
    if data.num_train < SMALL:
        lines += _small_schedule(data.num_train, data.splits["val"] is not None)
    return "\n".join(lines) + "\n"


def _common(data: WrittenData) -> list[str]:
    """The line of what all data sets share."""
    names = ", ".join(json.dumps(name, ensure_ascii=False) for name in data.classes)
    classes = f"({names},)" if len(data.classes) == 1 else f"({names})"
    shared = ["data_root=data_root", f"metainfo=dict(classes={classes})"]
    if data.form == "voc":
        shared += ['type="XMLDataset"', 'data_prefix=dict(_delete_=True, sub_data_root="")']
    return _call("common = dict", shared)


def _call(what: str, arguments: Sequence[str]) -> list[str]:
    """A call with its arguments in one line, else in one line each."""
    line = f"{what}({', '.join(arguments)})"
    if len(line) <= WIDTH:
        return [line]
    if len(arguments) == 1:
        return [f"{what}(", f"    {arguments[0]}", ")"]
    return [f"{what}(", *(f"    {argument}," for argument in arguments), ")"]


def _loaders(data: WrittenData, bitmaps: bool) -> list[str]:
    """Lines of the three dataloaders."""
    lines = []
    if bitmaps:
        lines += [
            "train_pipeline = _base_.train_pipeline",
            'train_pipeline[1]["poly2mask"] = True  # some masks are no polygons',
        ]
    batch = [f"batch_size={BATCH}"] if data.num_train < SMALL else []
    for use, split in data.splits.items():
        if use == "test" and split == data.splits["val"]:
            lines.append("test_dataloader = val_dataloader")
        elif split is not None:
            train = use == "train"
            last = ", pipeline=train_pipeline" if train and bitmaps else ""
            dataset = f"dataset=dict({_files(data, split)}, **common{last})"
            lines += _call(f"{use}_dataloader = dict", [*(batch if train else []), dataset])
        else:
            lines.append(f"{use}_dataloader = None")
    if data.splits["val"] is None:
        lines.append("val_cfg = test_cfg = None")
    return lines


def _files(data: WrittenData, split: str) -> str:
    if data.form == "voc":
        return f'ann_file="ImageSets/Main/{split}.txt"'
    prefix = data.prefixes[split].rstrip("/")
    return f'ann_file="annotations/{split}.json", data_prefix=dict(img="{prefix}/")'


def _evaluators(data: WrittenData) -> list[str]:
    """Lines of the two evaluators."""
    lines = []
    for use in ("val", "test"):
        split = data.splits[use]
        value = f'dict(ann_file=data_root + "annotations/{split}.json")'
        if data.form == "voc":
            value = 'dict(_delete_=True, type="VOCMetric", metric="mAP", eval_mode="area")'
        if use == "test" and split == data.splits["val"]:
            value = "val_evaluator"
        lines.append(f"{use}_evaluator = {value if split else None}")
    return lines


def _small_schedule(num_train: int, validates: bool) -> list[str]:
    """A schedule for few images: more epochs, a shorter warm-up."""
    steps = math.ceil(num_train / BATCH)
    epochs = max(12, min(60, math.ceil(STEPS / steps)))
    interval = f", val_interval={max(1, epochs // 6)}" if validates else ""
    return [
        "auto_scale_lr = dict(enable=True)",
        f"train_cfg = dict(max_epochs={epochs}{interval})",
        "param_scheduler = [",
        '    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, '
        f"end={max(1, min(100, steps * epochs // 10))}),",
        f'    dict(type="CosineAnnealingLR", T_max={epochs}, end={epochs}, by_epoch=True,',
        "         eta_min_ratio=0.01, convert_to_iter_based=True),",
        "]",
    ]
