"""Which predicted masks overlap which objects of a Cityscapes picture, for its evaluator.

Letters: H W of the picture, D predicted masks.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdet_lite.ops.cityscapes_labels import IDS_PER_LABEL, IGNORED_IDS, LABEL_IDS
from mmdet_lite.ops.rle import RLE, decode_crop

Match = dict[str, dict[str, list[dict[str, Any]]]]


def match_masks(
    instance_ids: NDArray[Any], masks: Sequence[RLE], names: Sequence[str], scores: Sequence[float]
) -> Match:
    """Return the overlaps of one picture as Cityscapes' ``evaluateMatches`` reads them.

    A mask is compared with the picture inside of its own box only, so it costs no more than its
    object does. Objects that no mask touches are listed as well; empty masks are not.

    Args:
        instance_ids: (H, W) integers of a ``*_gtFine_instanceIds.png``.
        masks: D RLEs of the picture's size.
        names: D classes.
        scores: D numbers.

    Returns:
        ``groundTruth`` and ``prediction``, each with a list for every class.

    Raises:
        ValueError: a mask is of another size than the picture.

    Source: assignGt2Preds of cityscapesscripts 2; a test compares the results.
    """
    objects = _objects(instance_ids)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in LABEL_IDS}
    for mask, name, score in zip(masks, names, scores, strict=True):
        if tuple(mask["size"]) != instance_ids.shape:
            raise ValueError(
                f"a predicted mask is {list(mask['size'])} (height, width), the instance ids "
                f"{list(instance_ids.shape)}; masks must be those of the original picture"
            )
        crop, x0, y0 = decode_crop(mask)
        under = instance_ids[y0 : y0 + crop.shape[0], x0 : x0 + crop.shape[1]][crop.astype(bool)]
        if not len(under):
            continue
        numbers = {
            "predID": sum(map(len, found.values())),
            "labelID": LABEL_IDS[name],
            "pixelCount": len(under),
            "confidence": float(score),
            "voidIntersection": int(np.isin(under, IGNORED_IDS).sum()),
        }
        overlaps = dict(
            zip(*(v.tolist() for v in np.unique(under, return_counts=True)), strict=True)
        )
        touched = [one for one in objects[name] if one["instID"] in overlaps]
        for one in touched:
            one["matchedPred"].append({**numbers, "intersection": overlaps[one["instID"]]})
        matched = [{**_bare(one), "intersection": overlaps[one["instID"]]} for one in touched]
        found[name].append({**numbers, "matchedGt": matched})
    return {"groundTruth": objects, "prediction": found}


def _objects(instance_ids: NDArray[Any]) -> dict[str, list[dict[str, Any]]]:
    """The objects and groups of a picture by class."""
    objects: dict[str, list[dict[str, Any]]] = {name: [] for name in LABEL_IDS}
    name_of = {label_id: name for name, label_id in LABEL_IDS.items()}
    ids, counts = np.unique(instance_ids, return_counts=True)
    for inst_id, count in zip(ids.tolist(), counts.tolist(), strict=True):
        label_id = inst_id // IDS_PER_LABEL if inst_id >= IDS_PER_LABEL else inst_id
        if label_id in name_of:
            one = {
                "instID": inst_id,
                "labelID": label_id,
                "pixelCount": count,
                "medDist": -1,  # distances are not evaluated
                "distConf": 0.0,
                "matchedPred": [],
            }
            objects[name_of[label_id]].append(one)
    return objects


def _bare(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key != "matchedPred"}
