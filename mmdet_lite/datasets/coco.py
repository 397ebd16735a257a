"""Data sets in COCO's annotation format."""

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import print_log

from mmdet_lite.datasets.base import DetDataset, Entry, box_outline, count_list
from mmdet_lite.datasets.class_names import map_categories
from mmdet_lite.datasets.coco_annotation import (
    FLAGS,
    check_keypoints,
    check_rle,
    pack_polygons,
    unpack_polygons,
    unreadable,
)
from mmdet_lite.datasets.coco_file import check_references, load_coco_file, read_class_names
from mmdet_lite.datasets.keypoint_names import complete_keypoint_metainfo
from mmdet_lite.ops.box_faults import TOO_SMALL, box_fault
from mmdet_lite.registry import DATASETS

NOT_LISTED = "category not in metainfo.classes"
NO_POLYGON = (
    "annotations have no polygon with 3 points; where masks are trained they are neither object "
    "nor background"
)
LOST_PARTS = (
    "polygons without 3 points, or with numbers that are not finite, are left out of objects that "
    "have other polygons"
)


@DATASETS.register_module()
class CocoDataset(DetDataset):
    """Images with boxes, masks and keypoints from one COCO json.

    Categories map to labels **by name**: ``label = metainfo['classes'].index(name)``, whatever
    the order and the ids in the file. Without class names those of the file are taken, in its
    order.

    Annotations are left out if they are marked ``ignore``, lie outside of the image, are smaller
    than a pixel, or belong to a category that ``classes`` does not list; these are logged with
    counts. Crowds become ignored instances, and where masks are loaded also objects none of whose
    polygons has three points.

    Where the categories of ``classes`` have keypoints (all that have any, the same ones), their
    names, partners in a mirror and skeleton join the metainfo, see
    ``keypoint_names.complete_keypoint_metainfo``, and instances without keypoints get unlabelled
    ones. What metainfo says about them counts more than the file.

    Args:
        ann_file: COCO json, below ``data_root`` if relative.
        data_prefix: ``dict(img=folder)`` of the images.
        filter_cfg: ``filter_empty_gt`` drops images without instances, ``min_size`` those with a
            shorter side in pixels, ``min_keypoints`` those with fewer labelled keypoints; all only
            in training.
        *args: likewise, in DetDataset's order.
        **kwargs: the other arguments of DetDataset.

    Raises:
        FileNotFoundError: the json does not exist.
        ValueError: class names and file do not fit, ids are not unique, an annotation is broken,
            or no image is left.

    Source: arguments and entries are MMDetection 3's.
    """

    filter_keys = (*DetDataset.filter_keys, "min_keypoints")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.cat2label: dict[Any, int] = {}
        self._num_joints: int | None = None
        self._kept_without: Counter[str] = Counter()
        self._not_listed: Counter[Any] = Counter()
        self._maskless: list[Any] = []
        super().__init__(*args, **kwargs)

    def names_in_files(self) -> tuple[str, ...]:
        """Category names of the json, in its order."""
        return read_class_names(self.ann_file, self.backend_args)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the json into one entry an image, in the file's order."""
        content = load_coco_file(self.ann_file, self.backend_args, pack_polygons)
        categories = content["categories"]
        self.take_class_names([category["name"] for category in categories])
        self.cat2label = map_categories(categories, self._metainfo["classes"], self.ann_file)
        used = [category for category in categories if category["id"] in self.cat2label]
        self._metainfo = complete_keypoint_metainfo(self._metainfo, used, self.ann_file)
        if "keypoint_names" in self._metainfo:
            self._num_joints = len(self._metainfo["keypoint_names"])
        check_references(content, self.ann_file)
        data_list = [self._parse_image(image) for image in content["images"]]
        self._add_instances(data_list, content.pop("annotations"))
        self.check_masks(self._maskless)
        self._report({category["id"]: category["name"] for category in categories})
        return data_list

    @property
    def cat_ids(self) -> list[Any]:
        """Category ids of the file in the order of the labels."""
        return sorted(self.cat2label, key=lambda cat_id: self.cat2label[cat_id])

    def _parse_image(self, image: Mapping[str, Any]) -> Entry:
        """Return the entry of one image, without instances."""
        prefix = self.data_prefix.get("img", self.data_prefix.get("img_path", ""))
        return {
            "img_path": os.path.join(prefix, image["file_name"]),
            "img_id": image["id"],
            "height": image["height"],
            "width": image["width"],
            "instances": [],
            **self._channel_paths(image, prefix),
        }

    def _add_instances(self, entries: Sequence[Entry], annotations: list[dict[str, Any]]) -> None:
        """Turn annotations into instances of their images; empties the list on the way."""
        by_id = {entry["img_id"]: entry for entry in entries}
        emptied = set()
        # In the file's order, that is in memory's, which is twice as fast as image by image.
        annotations.reverse()
        while annotations:
            ann = annotations.pop()
            entry = by_id[ann["image_id"]]
            try:
                instance = self._parse_annotation(ann, entry["height"], entry["width"])
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                raise ValueError(
                    f"annotation {ann.get('id')} in {self.ann_file}: {unreadable(ann) or error} "
                    f"(image {entry['img_path']!r})"
                ) from error
            if isinstance(instance, str):
                self.drop(instance)
                self._not_listed[ann["category_id"]] += instance == NOT_LISTED
                emptied.add(ann["image_id"])
            else:
                entry["instances"].append(instance)
        for entry in entries:
            if not entry["instances"]:
                self.count_empty(had_annotations=entry["img_id"] in emptied)

    def _channel_paths(self, image: Mapping[str, Any], prefix: str) -> dict[str, list[str]]:
        """``channel_paths`` of a picture whose channels are files, for their loading transform."""
        names = image.get("channel_file_names")
        if names is None:
            return {}
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(
                f"image {image['id']} in {self.ann_file}: expected channel_file_names = [name, "
                f"...], got {str(names)[:60]}"
            )
        return {"channel_paths": [os.path.join(prefix, name) for name in names]}

    def _parse_annotation(
        self, ann: Mapping[str, Any], height: int, width: int
    ) -> dict[str, Any] | str:
        """Return the instance of an annotation, or why it is left out."""
        label = self.cat2label.get(ann["category_id"])
        if label is None:
            return NOT_LISTED
        ignore, crowd, area = ann.get("ignore", 0), ann.get("iscrowd", 0), ann.get("area")
        if ignore not in FLAGS or crowd not in FLAGS:
            raise ValueError(f"ignore={ignore!r}, iscrowd={crowd!r}")
        if ignore:
            return "marked ignore"
        x, y, w, h = ann["bbox"]
        inside = w >= 1 and h >= 1 and x >= 0 and y >= 0 and x + w <= width and y + h <= height
        fault = None if inside else box_fault(x, y, w, h, height, width)
        if fault is None and area is not None and area <= 0:
            fault = TOO_SMALL
        if fault is not None:
            return fault
        instance = {
            "bbox": [x, y, x + w, y + h],
            "bbox_label": label,
            "ignore_flag": 1 if crowd else 0,
            "ann_id": ann.get("id"),
        }
        if self._num_joints is not None or ann.get("keypoints"):
            instance["keypoints"] = self._keypoints(ann)
        return self._with_mask(instance, ann, height, width)

    def _with_mask(
        self, instance: dict[str, Any], ann: Mapping[str, Any], height: int, width: int
    ) -> dict[str, Any]:
        """Add ``mask`` to an instance, where its annotation has one; see ``pack_polygons``."""
        segmentation = ann.get("segmentation")
        if segmentation == ():  # it had polygons, none of use
            self._kept_without[NO_POLYGON] += 1
        elif not segmentation and self.box_as_mask:
            segmentation = [box_outline(*instance["bbox"])]
        elif not segmentation:
            self._maskless.append(ann.get("id"))
            return instance
        elif type(segmentation) is tuple:
            if "unusable" in ann:
                self._kept_without[LOST_PARTS] += ann["unusable"]
        else:
            check_rle(segmentation, height, width)
        instance["mask"] = segmentation
        return instance

    def _keypoints(self, ann: Mapping[str, Any]) -> list[float]:
        """``keypoints`` = [x1, y1, v1, x2, ...] of an annotation, unlabelled where it has none."""
        keypoints = ann.get("keypoints") or [0] * (3 * (self._num_joints or 0))
        check_keypoints(keypoints, self._num_joints)
        return keypoints

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The entry of image ``idx``, with ``flip_indices`` where the data has joints."""
        info: dict[str, Any] = super().get_data_info(idx)
        for instance in info["instances"]:
            if type(instance.get("mask")) is tuple:
                instance["mask"] = unpack_polygons(instance["mask"])
        if "flip_indices" in self._metainfo:
            info["flip_indices"] = self._metainfo["flip_indices"]
        return info

    def _report(self, names: Mapping[Any, str]) -> None:
        """Log what was kept without its outline, and left out; ``names`` of categories."""
        for what, count in self._kept_without.items():
            print_log(f"{self.ann_file}: {count} {what}", "current", logging.WARNING)
        more = ""
        if self._dropped[NOT_LISTED]:
            not_listed = Counter({names[id_]: n for id_, n in self._not_listed.items() if n})
            more = f"; categories not in metainfo.classes: {count_list(not_listed)}"
        self.report_dropped(more)

    def filter_further(
        self, entries: list[Entry], filter_cfg: Mapping[str, Any]
    ) -> tuple[list[Entry], str]:
        """Keep the images with ``min_keypoints`` labelled keypoints."""
        least = filter_cfg.get("min_keypoints", 0)
        kept = entries
        if least:
            kept = [entry for entry in entries if _num_labelled_keypoints(entry) >= least]
        return kept, f"  fewer labelled keypoints than min_keypoints={least}: {len(entries)}\n"


def _num_labelled_keypoints(entry: Mapping[str, Any]) -> int:
    """Keypoints with visibility above 0 of an image's objects, ignored ones not counted."""
    return sum(
        visibility > 0
        for instance in entry["instances"]
        if not instance["ignore_flag"]
        for visibility in instance.get("keypoints", ())[2::3]
    )
