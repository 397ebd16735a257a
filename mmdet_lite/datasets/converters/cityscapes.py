"""Cityscapes' pictures of instance ids, turned into COCO json."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.utils import track_parallel_progress, track_progress

from mmdet_lite.ops.cityscapes_labels import IDS_PER_LABEL, LABEL_IDS
from mmdet_lite.ops.json_text import Json
from mmdet_lite.ops.rle import encode_crop
from mmdet_lite.ops.whole_files import write_json

SPLITS = ("train", "val", "test")
IMAGE, INSTANCE_IDS, LABELS = "leftImg8bit.png", "_instanceIds.png", "_labelIds.png"
FILE_NAME = "instancesonly_filtered_{gt_dir}_{split}.json"


def convert_cityscapes(
    root: str | Path,
    out_dir: str | Path,
    img_dir: str = "leftImg8bit",
    gt_dir: str = "gtFine",
    nproc: int = 1,
) -> dict[Path, Json]:
    """Convert all splits of Cityscapes that are there; returns what was written, by file.

    Each file is ``instancesonly_filtered_{gt_dir}_{split}.json``. File names in it are relative to
    the split's folder of images, so ``data_prefix=dict(img='leftImg8bit/train/')``. Images and
    annotations are those of ``cityscapes_to_coco``; an ``annotations`` key is absent where the
    split has none at all, as in the test set.

    Args:
        root: holds ``img_dir`` and ``gt_dir``, each with train, val and test.
        out_dir: made if absent; each file is written in one step.
        img_dir: folder of the ``CITY/*_leftImg8bit.png``.
        gt_dir: folder of the ``CITY/*_instanceIds.png``.
        nproc: processes that read pictures.

    Raises:
        FileNotFoundError: no split has images, or an image has no instance ids.
        ValueError: a picture cannot be read.
    """
    pairs_of = {split: image_pairs(root, split, img_dir, gt_dir) for split in SPLITS}
    if not any(pairs_of.values()):
        raise FileNotFoundError(
            f"{Path(root) / img_dir} has no {{{','.join(SPLITS)}}}/CITY/*_{IMAGE}; give the folder "
            "that leftImg8bit and gtFine were unpacked into, or --img-dir"
        )
    written = {}
    for split, pairs in pairs_of.items():
        if not pairs:
            continue
        coco = cityscapes_to_coco(pairs, Path(root) / img_dir / split, nproc)
        if not coco["annotations"]:
            del coco["annotations"]
        path = Path(out_dir) / FILE_NAME.format(gt_dir=Path(gt_dir).name, split=split)
        write_json(path, coco)
        written[path] = coco
    return written


def image_pairs(
    root: str | Path, split: str, img_dir: str = "leftImg8bit", gt_dir: str = "gtFine"
) -> list[tuple[Path, Path]]:
    """Return the images of a split with their pictures of instance ids, by name.

    Raises:
        FileNotFoundError: an image has no picture of instance ids.
    """
    folder = Path(root) / img_dir / split
    pairs, missing = [], []
    for image in sorted(folder.rglob(f"*{IMAGE}")):
        name = image.name.removesuffix(IMAGE) + Path(gt_dir).name + INSTANCE_IDS
        ids = Path(root) / gt_dir / split / image.relative_to(folder).with_name(name)
        pairs.append((image, ids))
        if not ids.is_file():
            missing.append(ids)
    if missing:
        shown = ", ".join(str(path) for path in missing[:3]) + (", ..." if missing[3:] else "")
        raise FileNotFoundError(
            f"{len(missing)} of {len(pairs)} images of {folder} have no instance ids: {shown}; "
            "unpack gtFine_trainvaltest.zip beside the images, or give --gt-dir"
        )
    return pairs


def cityscapes_to_coco(
    pairs: Sequence[tuple[Path, Path]], image_root: Path, nproc: int = 1
) -> Json:
    """Convert pictures of instance ids to a COCO dict.

    Categories are the eight classes with instances and have Cityscapes' label ids. ``area`` counts
    pixels, ``bbox`` is (x, y, width, height) around them, ``segmentation`` an RLE. A group of
    objects (the bare label id) is ``iscrowd``. Image ids count from 0, annotation ids from 1.

    Args:
        pairs: see ``image_pairs``; none gives empty lists.
        image_root: folder that ``file_name`` is relative to.
        nproc: processes that read pictures; a bar shows how far they are.

    Raises:
        ValueError: a picture cannot be read.

    Source: entries are those of MMDetection 3's converter.
    """
    coco: Json = {
        "images": [],
        "annotations": [],
        "categories": [{"id": id_, "name": name} for name, id_ in LABEL_IDS.items()],
    }
    for image in _tracked(partial(_annotated, image_root=image_root), pairs, nproc):
        annotations = image.pop("annotations")
        image["id"] = len(coco["images"])
        coco["images"].append(image)
        for annotation in annotations:
            annotation |= {"id": len(coco["annotations"]) + 1, "image_id": image["id"]}
            coco["annotations"].append(annotation)
    return coco


def instance_annotations(instance_ids: "np.ndarray[Any, Any]") -> list[Json]:
    """Return the annotations of a picture of instance ids (H, W), by ascending id."""
    kept = set(LABEL_IDS.values())
    annotations = []
    for inst_id in np.unique(instance_ids).tolist():
        is_group = inst_id < IDS_PER_LABEL
        category_id = inst_id if is_group else inst_id // IDS_PER_LABEL
        if category_id not in kept:
            continue
        mask = instance_ids == inst_id
        x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
        crop = mask[y : y + h, x : x + w]
        rle = encode_crop(crop, x, y, mask.shape)
        annotations.append(
            {
                "iscrowd": int(is_group),
                "category_id": category_id,
                "bbox": [x, y, w, h],
                "area": int(crop.sum()),
                "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
            }
        )
    return annotations


def describe(coco: Json) -> str:
    """Counts of a converted file for a person."""
    annotations = coco.get("annotations", [])
    groups = sum(annotation["iscrowd"] for annotation in annotations)
    return (
        f"{len(coco['images'])} images, {len(annotations)} objects"
        f"{f' ({groups} groups)' if groups else ''}"
    )


def _annotated(pair: tuple[Path, Path], image_root: Path) -> Json:
    """Entry of an image with its annotations."""
    image, ids_file = pair
    ids = cv2.imread(str(ids_file), cv2.IMREAD_UNCHANGED)
    if ids is None or ids.ndim != 2:
        raise ValueError(f"{ids_file} is no picture of instance ids: expected one channel")
    city = image.relative_to(image_root).parent
    labels = city / ids_file.name.replace(INSTANCE_IDS, LABELS)
    return {
        "file_name": (city / image.name).as_posix(),
        "height": ids.shape[0],
        "width": ids.shape[1],
        "segm_file": labels.as_posix(),
        "annotations": instance_annotations(ids),
    }


def _tracked(work: Callable[[Any], Json], tasks: Sequence[Any], nproc: int) -> Iterable[Json]:
    """The results in the order of the tasks, with a bar while they are made."""
    if nproc == 1 or not tasks:
        return list(track_progress(work, list(tasks)))
    return list(track_parallel_progress(work, list(tasks), nproc, keep_order=True))
