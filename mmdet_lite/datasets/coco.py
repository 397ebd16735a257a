"""Data sets in COCO's annotation format."""

import difflib
import logging
import math
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmdet_lite.datasets.class_names import check_metainfo, complete_metainfo, map_categories
from mmdet_lite.datasets.coco_file import annotations_by_image, load_coco_file, read_class_names
from mmdet_lite.datasets.keypoint_names import complete_keypoint_metainfo
from mmdet_lite.datasets.proposal_file import add_proposals, load_proposals
from mmdet_lite.ops.rle import is_valid_polygon
from mmdet_lite.registry import DATASETS, TRANSFORMS

FILTER_KEYS = ("filter_empty_gt", "min_size", "min_keypoints")
PREFIX_KEYS = ("img", "img_path")

NOT_LISTED = "category not in metainfo.classes"


@DATASETS.register_module()
class CocoDataset(BaseDataset):
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
        metainfo: ``classes`` (tuple of names, or a text file with one name a line) and
            ``palette`` (one RGB colour a class; made up if left out).
        data_root: folder that relative paths start from.
        data_prefix: ``dict(img=folder)`` of the images.
        filter_cfg: ``filter_empty_gt`` drops images without instances, ``min_size`` those with a
            shorter side in pixels, ``min_keypoints`` those with fewer labelled keypoints; all only
            in training.
        indices: use only the first n (int), the last n (negative int) or these images.
        serialize_data: keep the annotations as one block of bytes that workers share.
        pipeline: transforms, or their configs.
        test_mode: keep every image, and stop if the pipeline gives None.
        lazy_init: read the file at first use.
        max_refetch: how many other images to try where the pipeline gives None.
        proposal_file: file of DumpProposals, below ``data_root`` if relative, for LoadProposals.
        backend_args: of mmengine's file backend, for the json and the proposals.

    Raises:
        FileNotFoundError: the json does not exist.
        ValueError: class names and file do not fit, ids are not unique, an annotation is broken,
            or no image is left.

    Source: arguments and entries are MMDetection 3's.
    """

    _metainfo: dict[str, Any]

    def __init__(
        self,
        ann_file: str = "",
        metainfo: Mapping[str, Any] | None = None,
        data_root: str | None = "",
        data_prefix: Mapping[str, str] | None = None,
        *,
        filter_cfg: Mapping[str, Any] | None = None,
        indices: int | Sequence[int] | None = None,
        serialize_data: bool = True,
        pipeline: Sequence[dict[str, Any] | Callable[..., Any]] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
        max_refetch: int = 1000,
        proposal_file: str | None = None,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        _check_keys("filter_cfg", filter_cfg or {}, FILTER_KEYS)
        _check_keys("data_prefix", data_prefix or {}, PREFIX_KEYS)
        if indices is not None and indices in (0, [], ()):
            raise ValueError(f"indices={indices!r} leaves no image; leave indices out for all")
        check_metainfo(metainfo or {})
        self.backend_args = backend_args
        self.proposal_file = proposal_file
        self.cat2label: dict[Any, int] = {}
        self._dropped: Counter[str] = Counter()
        self._outlineless = 0
        self._maskless: list[Any] = []
        self._empty_images: Counter[str] = Counter()
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=dict(data_prefix or {"img": ""}),
            filter_cfg=filter_cfg,
            indices=indices,
            serialize_data=serialize_data,
            # Built by our registry, so that names mean our transforms without a default scope.
            pipeline=[TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline],
            test_mode=test_mode,
            lazy_init=True,
            max_refetch=max_refetch,
        )
        given = self._metainfo
        self._metainfo = complete_metainfo(given, given["classes"]) if "classes" in given else given
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict[str, Any]:
        """Class names, palette and what else was given, as a copy; reads names if it must."""
        if "classes" not in self._metainfo:
            names = read_class_names(self.ann_file, self.backend_args)
            self._metainfo = complete_metainfo(self._metainfo, names)
        return dict(super().metainfo)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the json into one entry an image, in the file's order."""
        content = load_coco_file(self.ann_file, self.backend_args)
        if "classes" not in self._metainfo:
            names = [category["name"] for category in content["categories"]]
            self._metainfo = complete_metainfo(self._metainfo, names)
            print_log(f"{self.ann_file}: class names taken from the file: {names}", "current")
        categories = content["categories"]
        self.cat2label = map_categories(categories, self._metainfo["classes"], self.ann_file)
        used = [category for category in categories if category["id"] in self.cat2label]
        self._metainfo = complete_keypoint_metainfo(self._metainfo, used, self.ann_file)
        annotations = annotations_by_image(content, self.ann_file)
        data_list = [
            self._parse_image(image, annotations.get(image["id"], []))
            for image in content["images"]
        ]
        self._check_masks()
        if self.proposal_file is not None:
            path = os.path.join(self.data_root or "", self.proposal_file)
            add_proposals(data_list, load_proposals(path, self.backend_args))
        self._report(content)
        return data_list

    @property
    def cat_ids(self) -> list[Any]:
        """Category ids of the file in the order of the labels."""
        return sorted(self.cat2label, key=lambda cat_id: self.cat2label[cat_id])

    def _parse_image(
        self, image: Mapping[str, Any], annotations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return the entry of one image."""
        for key in ("file_name", "height", "width"):
            if key not in image:
                raise ValueError(f"image {image['id']} in {self.ann_file} has no {key!r}")
        instances = []
        for ann in annotations:
            reason = self._drop_reason(ann, image["height"], image["width"])
            if reason:
                self._dropped[reason] += 1
            else:
                instances.append(self._parse_instance(ann, image))
        if not instances:
            self._empty_images["all dropped" if annotations else "none"] += 1
        prefix = self.data_prefix.get("img", self.data_prefix.get("img_path", ""))
        return {
            "img_path": os.path.join(prefix, image["file_name"]),
            "img_id": image["id"],
            "height": image["height"],
            "width": image["width"],
            "instances": instances,
        }

    def _drop_reason(self, ann: Mapping[str, Any], height: int, width: int) -> str | None:
        """Return why an annotation cannot be used, None if it can."""
        if ann["category_id"] not in self.cat2label:
            return NOT_LISTED
        if ann.get("ignore", False):
            return "marked ignore"
        try:
            x, y, w, h = ann["bbox"]
            finite = math.isfinite(x + y + w + h)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"annotation {ann.get('id')} in {self.ann_file}: expected bbox = [x, y, width, "
                f"height] in numbers, got {str(ann['bbox'])[:60]}"
            ) from error
        if not finite:
            return "box is not finite"
        if w < 1 or h < 1 or ann.get("area", w * h) <= 0:
            return "smaller than a pixel"
        if min(x + w, width) <= max(x, 0) or min(y + h, height) <= max(y, 0):
            return "outside of the image"
        return None

    def _parse_instance(self, ann: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, Any]:
        """Return the instance of an annotation that is used."""
        x, y, w, h = ann["bbox"]
        instance = {
            "bbox": [x, y, x + w, y + h],
            "bbox_label": self.cat2label[ann["category_id"]],
            "ignore_flag": int(bool(ann.get("iscrowd", 0))),
            "ann_id": ann.get("id"),
            **self._keypoints(ann),
        }
        segmentation = ann.get("segmentation")
        if not segmentation:
            self._maskless.append(ann.get("id"))
            return instance
        if isinstance(segmentation, list):
            if not all(isinstance(polygon, list) for polygon in segmentation):
                raise ValueError(
                    f"annotation {ann.get('id')} in {self.ann_file}: expected segmentation = "
                    f"[[x1, y1, x2, y2, ...], ...] or an RLE, got {str(segmentation)[:60]}"
                )
            segmentation = [polygon for polygon in segmentation if is_valid_polygon(polygon)]
            if not segmentation:
                self._outlineless += 1
        elif list(segmentation.get("size", ())) != [image["height"], image["width"]]:
            raise ValueError(
                f"annotation {ann.get('id')} in {self.ann_file}: its RLE has size "
                f"{segmentation.get('size')}, its image {image['file_name']!r} is "
                f"[{image['height']}, {image['width']}] (height, width)"
            )
        instance["mask"] = segmentation
        return instance

    def _check_masks(self) -> None:
        """Stop before training where the pipeline wants masks that the file does not have."""
        with_mask = any(getattr(step, "with_mask", False) for step in self.pipeline.transforms)
        if with_mask and self._maskless:
            raise ValueError(
                f"{len(self._maskless)} annotations in {self.ann_file} have no segmentation (ids "
                f"{self._maskless[:5]}), but LoadAnnotations has with_mask=True. Add masks to the "
                "file, or train a model without a mask head (faster_rcnn) with with_mask=False"
            )

    def _keypoints(self, ann: Mapping[str, Any]) -> dict[str, list[float]]:
        """``keypoints`` = [x1, y1, v1, x2, ...] of an annotation, if the data set has joints."""
        keypoints = ann.get("keypoints")
        if "keypoint_names" not in self._metainfo:
            return {"keypoints": keypoints} if keypoints else {}
        expected = 3 * len(self._metainfo["keypoint_names"])
        if keypoints and len(keypoints) != expected:
            raise ValueError(
                f"annotation {ann.get('id')} in {self.ann_file}: expected keypoints = [x1, y1, v1, "
                f"...] with {expected} numbers, got {len(keypoints)}"
            )
        return {"keypoints": keypoints or [0] * expected}

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The entry of image ``idx``, with ``flip_indices`` where the data has joints."""
        info: dict[str, Any] = super().get_data_info(idx)
        if "flip_indices" in self._metainfo:
            info["flip_indices"] = self._metainfo["flip_indices"]
        return info

    def _report(self, content: Mapping[str, Any]) -> None:
        """Log which annotations were left out, and which only ignored."""
        if self._outlineless:
            print_log(
                f"{self.ann_file}: {self._outlineless} annotations have no polygon with 3 points; "
                "where masks are trained they are neither object nor background",
                "current",
                logging.WARNING,
            )
        if not self._dropped:
            return
        text = f"{self.ann_file}: annotations left out: {_count_list(self._dropped)}"
        if self._dropped[NOT_LISTED]:
            names = {category["id"]: category["name"] for category in content["categories"]}
            not_listed = Counter(
                names[ann["category_id"]]
                for ann in content["annotations"]
                if ann["category_id"] not in self.cat2label
            )
            text += f"; categories not in metainfo.classes: {_count_list(not_listed)}"
        print_log(text, "current", logging.WARNING)

    def filter_data(self) -> list[dict[str, Any]]:
        """Return the images that ``filter_cfg`` keeps; all of them in test mode.

        Raises:
            ValueError: none is left.
        """
        filter_cfg = {} if self.test_mode else dict(self.filter_cfg or {})
        min_size = filter_cfg.get("min_size", 0)
        large = [e for e in self.data_list if min(e["height"], e["width"]) >= min_size]
        kept = large
        if filter_cfg.get("filter_empty_gt", False):
            kept = [entry for entry in large if entry["instances"]]
        with_instances, least = len(kept), filter_cfg.get("min_keypoints", 0)
        if least:
            kept = [entry for entry in kept if _num_labelled_keypoints(entry) >= least]
        if not kept:
            raise ValueError(
                f"no image of {self.ann_file} is left:\n"
                f"  images in the file: {len(self.data_list)}\n"
                f"  shorter side below min_size={min_size}: {len(self.data_list) - len(large)}\n"
                f"  without annotation: {self._empty_images['none']}\n"
                f"  all annotations dropped: {self._empty_images['all dropped']} "
                f"(annotations: {_count_list(self._dropped)})\n"
                f"  fewer labelled keypoints than min_keypoints={least}: {with_instances}\n"
                f"  kept: 0 with filter_cfg={filter_cfg}\n"
                "correct the annotation file, metainfo.classes or filter_cfg, so that an image "
                "with an object is left"
            )
        return kept

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the labels in image ``idx``, for ClassBalancedDataset."""
        return [int(instance["bbox_label"]) for instance in self.get_data_info(idx)["instances"]]


def _num_labelled_keypoints(entry: Mapping[str, Any]) -> int:
    """Keypoints with visibility above 0 of an image's objects, ignored ones not counted."""
    return sum(
        visibility > 0
        for instance in entry["instances"]
        if not instance["ignore_flag"]
        for visibility in instance.get("keypoints", ())[2::3]
    )


def _check_keys(name: str, given: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Raise ValueError if ``given`` has a key that is not allowed."""
    for key in given:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{name} has the key {key!r}, expected some of {allowed}{hint}")


def _count_list(counts: Counter[str]) -> str:
    """Write counts as ``3 x this, 1 x that``, the 20 most common ones."""
    listed = [f"{count} x {name}" for name, count in counts.most_common(20)]
    return ", ".join(listed + ["..."] * (len(counts) > 20)) or "none"
