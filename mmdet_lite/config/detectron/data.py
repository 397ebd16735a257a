"""Detectron's data sets and image sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmdet_lite.config.detectron.keys import Settings
from mmdet_lite.config.detectron.text import Name, difference

TRAIN_2017 = ("coco_2014_train", "coco_2014_valminusminival")


@dataclass(frozen=True)
class Split:
    """Where a data set of Detectron lies below ``data_root`` in the public layout of COCO."""

    year_and_part: str

    def ann_file(self, prefix: str) -> str:
        """Annotation file; ``prefix`` is instances or person_keypoints."""
        return f"annotations/{prefix}_{self.year_and_part}.json"


# Detectron's 2014 minival is what COCO called val2017 later, and the rest train2017.
# Source: Detectron's MODEL_ZOO.md, common settings.
SPLITS = {
    ("coco_2014_train",): Split("train2014"),
    ("coco_2014_val",): Split("val2014"),
    TRAIN_2017: Split("train2017"),
    ("coco_2014_minival",): Split("val2017"),
    ("coco_2017_train",): Split("train2017"),
    ("coco_2017_val",): Split("val2017"),
}


def data_changes(
    settings: Settings, base: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Pipelines, loaders and metrics where they differ from ``base``, and lines of problems."""
    changes: dict[str, Any] = {}
    pipelines = {
        "train_pipeline": _resized(base["train_pipeline"], _train_resize(settings)),
        "test_pipeline": _resized(base["test_pipeline"], _test_resize(settings)),
    }
    if not settings["TRAIN.USE_FLIPPED"]:
        pipelines["train_pipeline"] = _without(pipelines["train_pipeline"], "RandomFlip")
    if settings["TRAIN.ASPECT_CROPPING"]:
        bounds = {
            "aspect_lo": settings["TRAIN.ASPECT_LO"],
            "aspect_hi": settings["TRAIN.ASPECT_HI"],
        }
        crop = {"type": "AspectCrop", **bounds}
        pipelines["train_pipeline"] = _followed(pipelines["train_pipeline"], crop)
    train: dict[str, Any] = {"batch_size": settings["TRAIN.IMS_PER_BATCH"]}
    if not settings["TRAIN.ASPECT_GROUPING"]:
        train["batch_sampler"] = None
    prefix = "person_keypoints" if settings["MODEL.KEYPOINTS_ON"] else "instances"
    train_split, val_split = (_split(settings[f"{phase}.DATASETS"]) for phase in ("TRAIN", "TEST"))
    train |= {"dataset": _place(train_split, prefix)}
    val: dict[str, Any] = {"dataset": _place(val_split, prefix)}
    for name, loader in (("train_pipeline", train), ("test_pipeline", val)):
        if pipelines[name] != base[name]:
            changes[name] = pipelines[name]
            loader["dataset"]["pipeline"] = Name(name)
    evaluator: dict[str, Any] = {}
    if val_split is not None:
        evaluator["ann_file"] = base["data_root"] + val_split.ann_file(prefix)
    if settings["MODEL.RPN_ONLY"]:
        evaluator["metric"] = "proposal_fast"
    wanted = {"train_dataloader": train, "val_dataloader": val, "val_evaluator": evaluator}
    changes |= difference(base, wanted)
    for phase in ("dataloader", "evaluator"):
        if f"val_{phase}" in changes:
            changes[f"test_{phase}"] = Name(f"val_{phase}")
    return changes, tuple(_problems(settings, train_split, val_split))


def _problems(settings: Settings, train: Split | None, val: Split | None) -> list[str]:
    lines = []
    for phase, split, place in (
        ("TRAIN", train, "train_dataloader.dataset"),
        ("TEST", val, "val_dataloader.dataset and val_evaluator"),
    ):
        names = settings[f"{phase}.DATASETS"]
        if split is None and names:
            lines.append(
                f"{settings.source}: {phase}.DATASETS = {list(names)}: not translated (set {place} "
                "and the names of the classes, metainfo=dict(classes=...))"
            )
    return lines


def _split(names: Sequence[str]) -> Split | None:
    """The place of data sets; one of several test sets is enough."""
    plain = tuple(str(name).removeprefix("keypoints_") for name in names)
    return SPLITS.get(plain) or SPLITS.get(tuple(reversed(plain)))


def _place(split: Split | None, prefix: str) -> dict[str, Any]:
    if split is None:
        return {}
    folder = f"{split.year_and_part}/"
    return {"ann_file": split.ann_file(prefix), "data_prefix": {"img": folder}}


def _train_resize(settings: Settings) -> dict[str, Any]:
    longest, scales = settings["TRAIN.MAX_SIZE"], settings["TRAIN.SCALES"]
    if len(scales) == 1:
        return {"type": "Resize", "scale": (longest, scales[0]), "keep_ratio": True}
    pairs = [(longest, short) for short in scales]
    return {"type": "RandomChoiceResize", "scales": pairs, "keep_ratio": True}


def _test_resize(settings: Settings) -> dict[str, Any]:
    scale = (settings["TEST.MAX_SIZE"], settings["TEST.SCALE"])
    return {"type": "Resize", "scale": scale, "keep_ratio": True}


def _resized(steps: Sequence[Mapping[str, Any]], resize: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps with ``resize`` in the place of theirs, at any depth."""
    replaced = []
    for step in steps:
        if step["type"] in ("Resize", "RandomChoiceResize"):
            replaced.append(resize)
        elif "transforms" in step:
            replaced.append({**step, "transforms": _resized(step["transforms"], resize)})
        else:
            replaced.append(dict(step))
    return replaced


def _followed(steps: Sequence[Mapping[str, Any]], crop: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps with ``crop`` after the resizing one, at any depth."""
    longer: list[dict[str, Any]] = []
    for step in steps:
        if "transforms" in step:
            longer.append({**step, "transforms": _followed(step["transforms"], crop)})
        else:
            longer.append(dict(step))
        if step["type"] in ("Resize", "RandomChoiceResize"):
            longer.append(crop)
    return longer


def _without(steps: Sequence[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [
        {**step, "transforms": _without(step["transforms"], kind)}
        if "transforms" in step
        else dict(step)
        for step in steps
        if step["type"] != kind
    ]
