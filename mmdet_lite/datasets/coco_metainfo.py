"""What COCO's own annotation files say of classes and joints, for where they are not at hand."""

from pathlib import Path
from typing import Any

from mmdet_lite.ops.coco_person import KEYPOINT_NAMES, SIGMAS, SKELETON_LINKS


def coco_metainfo(ann_file: str) -> dict[str, Any] | None:
    """Return classes, and joints where there are any, of one of COCO's files; None for others.

    The file is known by its name (``instances_val2017.json``) and need not exist.

    Source: categories of COCO 2017, https://cocodataset.org.

    >>> coco_metainfo("data/coco/annotations/person_keypoints_val2017.json")["classes"]
    ('person',)
    """
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

    kind, _, split = Path(ann_file).stem.rpartition("_")
    if split not in ("train2014", "val2014", "minival2014", "train2017", "val2017"):
        return None
    if kind == "person_keypoints":
        return {
            "classes": ("person",),
            "keypoint_names": KEYPOINT_NAMES,
            "skeleton_links": SKELETON_LINKS,
            "sigmas": SIGMAS,
        }
    if kind != "instances":
        return None
    names = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    return {"classes": tuple(n for n in names if n not in ("__background__", "N/A"))}
