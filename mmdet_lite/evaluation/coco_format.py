"""Detections and annotations of images as the dictionaries of the COCO format.

Letters: D detections of one image, G annotated objects of one image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as mask_api

from mmdet_lite.ops.rle import segmentation_to_rle

ImageId = int | str
Rle = dict[str, Any]


@dataclass(frozen=True)
class ImageDetections:
    """What was found in one image, in pixels of the original image.

    ``boxes`` (D, 4) xyxy, ``scores`` (D,), ``labels`` (D,) in 0..K-1, ``masks`` D RLE dicts of the
    image's size or None, ``mask_scores`` (D,) where masks are ranked by scores of their own,
    ``keypoints`` (D, J, 3) as x, y, score, or None.
    """

    img_id: ImageId
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    masks: list[Rle] | None = None
    mask_scores: NDArray[np.float32] | None = None
    keypoints: NDArray[np.float32] | None = None

    @classmethod
    def from_sample(cls, sample: dict[str, Any]) -> "ImageDetections":
        """Read ``img_id`` and ``pred_instances`` of a data sample that was turned into a dict.

        Raises:
            ValueError: if it has no predictions, or a score is not a number.
        """
        if "pred_instances" not in sample:
            raise ValueError(
                f"a metric expects 'pred_instances' in every data sample, got one of image "
                f"{sample.get('img_id')!r} with {sorted(sample)}; is the model in predict mode?"
            )
        pred = sample["pred_instances"]
        scores = _to_array(pred["scores"], np.float32)
        if np.isnan(scores).any():
            raise ValueError(
                f"image {sample['img_id']!r}: {int(np.isnan(scores).sum())} of {len(scores)} "
                f"scores are NaN, so the detections have no order. The model's weights or its "
                f"input are not finite; look at the training log for the first such loss"
            )
        return cls(
            img_id=sample["img_id"],
            boxes=_to_array(pred["bboxes"], np.float32).reshape(-1, 4),
            scores=scores,
            labels=_to_array(pred["labels"], np.int64),
            masks=list(pred["masks"]) if "masks" in pred else None,
            mask_scores=_to_array(pred["mask_scores"], np.float32)
            if "mask_scores" in pred
            else None,
            keypoints=_joints(pred),
        )


def detections_to_coco(
    detections: Sequence[ImageDetections],
    category_ids: Sequence[int],
    with_masks: bool,
    with_keypoints: bool = False,
    keypoint_offset: float = 0.0,
) -> list[dict[str, Any]]:
    """Return one COCO result a detection.

    It has image_id, category_id, bbox (xywh), score, and as asked segmentation and keypoints
    ([x1, y1, score1, x2, ...]).

    Args:
        detections: of any number of images; those without detections add nothing.
        category_ids: (K,) the file's id of each label.
        with_masks: add ``segmentation`` and rank by ``mask_scores`` where there are any.
        with_keypoints: add ``keypoints``.
        keypoint_offset: is taken away from x and y of keypoints (see LoadAnnotations).

    Raises:
        ValueError: if masks or keypoints are asked for and an image has none, or a label is not
            below K.
    """
    results: list[dict[str, Any]] = []
    for image in detections:
        check_labels(image, len(category_ids))
        _check_image(image, with_masks, with_keypoints)
        scores = image.mask_scores if with_masks and image.mask_scores is not None else image.scores
        rows = [
            {"image_id": image.img_id, "category_id": category_ids[label], "bbox": box, "score": s}
            for box, s, label in zip(
                xyxy_to_xywh(image.boxes).tolist(), scores.tolist(), image.labels, strict=True
            )
        ]
        if with_masks:
            for row, rle in zip(rows, image.masks or [], strict=True):
                row["segmentation"] = json_rle(rle)
        if with_keypoints and image.keypoints is not None:
            joints = image.keypoints.astype(np.float64) - [keypoint_offset, keypoint_offset, 0]
            for row, numbers in zip(rows, joints, strict=True):
                row["keypoints"] = numbers.ravel().tolist()
        results += rows
    return results


def _joints(pred: dict[str, Any]) -> NDArray[np.float32] | None:
    if "keypoints" not in pred:
        return None
    points = _to_array(pred["keypoints"], np.float32)
    scores = _to_array(pred["keypoint_scores"], np.float32)
    return np.concatenate([points, scores[..., None]], axis=2)


def _check_image(image: ImageDetections, with_masks: bool, with_keypoints: bool) -> None:
    if with_keypoints and image.keypoints is None:
        raise ValueError(
            f"metric 'keypoints' needs keypoints, but the predictions of image {image.img_id!r} "
            "have none. A model without a keypoint head is evaluated with metric='bbox'"
        )
    if with_masks and image.masks is None:
        raise ValueError(
            f"metric 'segm' needs masks, but the predictions of image {image.img_id!r} have none. "
            "A model without a mask head is evaluated with metric='bbox'"
        )


def check_labels(image: ImageDetections, num_classes: int) -> None:
    """Refuse predicted labels that the data set does not have.

    Raises:
        ValueError: a label is not in 0..K-1.
    """
    if len(image.labels) and not 0 <= int(image.labels.min()) <= image.labels.max() < num_classes:
        raise ValueError(
            f"image {image.img_id!r} has predicted labels {image.labels.min()} to "
            f"{image.labels.max()}, but the data set has {num_classes} classes; make num_classes "
            "of the model's heads and the data set's metainfo agree"
        )


def sample_to_coco_truth(sample: dict[str, Any], keypoint_offset: float = 0.0) -> dict[str, Any]:
    """Return ``dict(image=..., annotations=[...])`` in COCO form from a sample's own annotations.

    Takes the data set's ``instances`` if the pipeline packed them, else ``gt_instances`` and
    ``ignored_instances``; both are in pixels of the original image. The category id is the label,
    ignored objects become crowds, and ``area`` is the mask's or, without masks, the box's.
    ``keypoint_offset`` is taken away from x and y of the keypoints of ``gt_instances``.

    Raises:
        ValueError: if the sample holds no annotations.
    """
    height, width = sample["ori_shape"]
    image = {"id": sample["img_id"], "height": int(height), "width": int(width)}
    if "instances" in sample:
        annotations = [_raw_annotation(raw, height, width) for raw in sample["instances"]]
    elif "gt_instances" in sample:
        annotations = _annotations(sample["gt_instances"], 0, keypoint_offset)
        annotations += _annotations(sample.get("ignored_instances"), 1, keypoint_offset)
    else:
        raise ValueError(
            f"a metric without ann_file takes the annotations of the samples, but image "
            f"{sample['img_id']!r} carries none: give ann_file, or add LoadAnnotations to the "
            "test pipeline (after Resize, so that it stays in pixels of the original image)"
        )
    return {
        "image": image,
        "annotations": [{**a, "image_id": sample["img_id"]} for a in annotations],
    }


def _raw_annotation(raw: dict[str, Any], height: int, width: int) -> dict[str, Any]:
    box = xyxy_to_xywh(np.asarray(raw["bbox"], np.float64).reshape(1, 4))[0].tolist()
    annotation = {
        "category_id": int(raw["bbox_label"]),
        "bbox": box,
        "area": box[2] * box[3],
        "iscrowd": int(raw.get("ignore_flag", 0)),
    }
    if raw.get("keypoints"):
        annotation["keypoints"] = list(raw["keypoints"])
    mask = raw.get("mask")
    if mask:
        rle = segmentation_to_rle(mask, int(height), int(width))
        annotation |= {"segmentation": json_rle(rle), "area": float(mask_api.area(rle))}
    return annotation


def _annotations(
    instances: dict[str, Any] | None, iscrowd: int, keypoint_offset: float
) -> list[dict[str, Any]]:
    if instances is None or "bboxes" not in instances:
        return []
    boxes = xyxy_to_xywh(_to_array(instances["bboxes"], np.float64).reshape(-1, 4)).tolist()
    labels = _to_array(instances["labels"], np.int64).tolist()
    annotations = [
        {"category_id": label, "bbox": box, "area": box[2] * box[3], "iscrowd": iscrowd}
        for box, label in zip(boxes, labels, strict=True)
    ]
    if "keypoints" in instances:
        joints = _to_array(instances["keypoints"], np.float64)
        joints = joints - [keypoint_offset, keypoint_offset, 0]
        for annotation, numbers in zip(annotations, joints, strict=True):
            annotation["keypoints"] = numbers.ravel().tolist()
    if "masks" in instances:
        for annotation, rle in zip(annotations, instances["masks"].to_rle(), strict=True):
            annotation |= {"segmentation": json_rle(rle), "area": float(mask_api.area(rle))}
    return annotations


def category_ids_by_name(
    classes: Sequence[str], categories: Sequence[dict[str, Any]], source: str
) -> list[int]:
    """Return the id in the file of every class name, in the order of ``classes``.

    Raises:
        ValueError: if a name is missing in the file or is there twice; both lists are in it.
    """
    names = [category["name"] for category in categories]
    twice = sorted({name for name in names if names.count(name) > 1} & set(classes))
    if twice:
        raise ValueError(f"{source}: category names {twice} occur more than once")
    missing = [name for name in classes if name not in names]
    if missing:
        near = get_close_matches(missing[0], names, n=1)
        hint = f" (did you mean {near[0]!r} for {missing[0]!r}?)" if near else ""
        raise ValueError(
            f"{source} has no category {missing}{hint}.\n  classes of the data set: "
            f"{list(classes)}\n  categories of the file:  {names}\n"
            "Give the evaluator the annotation file of the data set it evaluates, or correct "
            "metainfo=dict(classes=...)"
        )
    ids = {category["name"]: category["id"] for category in categories}
    return [ids[name] for name in classes]


def xyxy_to_xywh(boxes: NDArray[Any]) -> NDArray[np.float64]:
    """Return boxes (D, 4) as x, y, width, height in float64; D = 0 gives (0, 4)."""
    xywh = boxes.astype(np.float64)
    xywh[:, 2:] -= xywh[:, :2]
    return xywh


def json_rle(rle: Rle) -> Rle:
    """Return the RLE with its counts as text, which JSON can hold."""
    counts = rle["counts"]
    return {
        "size": [int(side) for side in rle["size"]],
        "counts": counts.decode("ascii") if isinstance(counts, bytes) else counts,
    }


def _to_array(values: Any, dtype: Any) -> NDArray[Any]:
    """Return a tensor of any device, an array or a list as an array on the CPU."""
    if hasattr(values, "detach"):
        values = values.detach().float().cpu() if dtype == np.float32 else values.detach().cpu()
    return np.asarray(values, dtype=dtype)
