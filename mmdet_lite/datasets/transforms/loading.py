"""Annotations of one image as arrays and masks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmcv.transforms import LoadAnnotations as CvLoadAnnotations

from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.ops.rle import is_valid_polygon
from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures.masks import BitmapMasks, InstanceMasks, PolygonMasks


@TRANSFORMS.register_module()
class LoadAnnotations(CvLoadAnnotations):
    """Turn ``results['instances']`` into arrays, in the frame of the file's image.

    Adds ``gt_bboxes`` (G, 4) float32 xyxy, ``gt_bboxes_labels`` (G,) int64, ``gt_ignore_flags``
    (G,) bool, ``gt_masks`` and ``gt_keypoints`` (G, J, 3) float32 as x, y, visibility (0: not
    labelled, 1: hidden, 2: visible). The coordinates are numpy arrays. After a Resize (as in test
    pipelines) annotations still are in pixels of the original image. G = 0 gives empty arrays.

    Args:
        with_bbox: load boxes.
        with_label: load labels.
        with_mask: load masks.
        with_seg: not supported, must be False.
        poly2mask: masks as BitmapMasks; else as PolygonMasks, where RLEs become ignored.
        box_type: 'hbox', the only one.
        with_keypoints: load keypoints.
        keypoint_offset: is added to x and y of labelled keypoints. COCO counts pixels; 0.5 leads to
            their centres, as Detectron2 has it, so that mirroring is exact. CocoMetric's argument
            of this name takes it away again.
        imdecode_backend: of mmcv's class, which reads semantic maps with it.
        backend_args: likewise.

    Raises:
        ValueError: a value that is not supported; an instance without mask or keypoints, or with
            wrong ones.
    """

    def __init__(
        self,
        with_bbox: bool = True,
        with_label: bool = True,
        with_mask: bool = False,
        with_seg: bool = False,
        poly2mask: bool = True,
        box_type: str = "hbox",
        with_keypoints: bool = False,
        keypoint_offset: float = 0.0,
        imdecode_backend: str = "cv2",
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        if with_seg:
            raise ValueError("LoadAnnotations: with_seg=True (semantic maps) is not supported")
        if box_type != "hbox":
            raise ValueError(f"LoadAnnotations: box_type must be 'hbox'; got {box_type!r}")
        super().__init__(
            with_bbox=with_bbox,
            with_label=with_label,
            with_keypoints=with_keypoints,
            imdecode_backend=imdecode_backend,
            backend_args=backend_args,
        )
        self.with_mask = with_mask
        self.poly2mask = poly2mask
        self.keypoint_offset = keypoint_offset

    def transform(self, results: Results) -> Results:
        """Load what was asked for."""
        results = super().transform(results)
        instances = results["instances"]
        ignored = [bool(instance.get("ignore_flag", 0)) for instance in instances]
        if self.with_mask:
            segmentations = [_usable(instance, results) for instance in instances]
            if not self.poly2mask:
                segmentations = [s if isinstance(s, list) else [] for s in segmentations]
            ignored = [flag or not s for flag, s in zip(ignored, segmentations, strict=True)]
            results["gt_masks"] = self._build_masks(segmentations, results)
        results["gt_ignore_flags"] = np.array(ignored, dtype=bool)
        return results

    def _load_kps(self, results: Results) -> None:
        instances = results["instances"]
        missing = [instance for instance in instances if "keypoints" not in instance]
        if missing:
            raise ValueError(
                f"annotation {missing[0].get('ann_id')} of {results.get('img_path')!r} has no "
                "keypoints, but LoadAnnotations has with_keypoints=True. Give the data set a file "
                "with keypoints (COCO: person_keypoints_train2017.json)"
            )
        num_joints = len(results.get("flip_indices", ()))
        if instances and not num_joints:
            num_joints = len(instances[0]["keypoints"]) // 3
        keypoints = np.zeros((len(instances), num_joints, 3), np.float32)
        for row, instance in zip(keypoints, instances, strict=True):
            row[:] = np.asarray(instance["keypoints"], np.float32).reshape(-1, 3)
        keypoints[..., :2] += self.keypoint_offset * (keypoints[..., 2:] > 0)
        results["gt_keypoints"] = keypoints

    def _build_masks(self, segmentations: list[Any], results: Results) -> InstanceMasks:
        """Build masks in the original frame."""
        height, width = results["ori_shape"]
        try:
            if self.poly2mask:
                return BitmapMasks.from_segmentations(segmentations, height, width)
            return PolygonMasks(segmentations, height, width)
        except ValueError as error:
            raise ValueError(f"masks of {results.get('img_path')!r}: {error}") from error

    def __repr__(self) -> str:
        return (
            f"LoadAnnotations(with_bbox={self.with_bbox}, with_label={self.with_label}, "
            f"with_mask={self.with_mask}, poly2mask={self.poly2mask}, "
            f"with_keypoints={self.with_keypoints}, keypoint_offset={self.keypoint_offset})"
        )


def _usable(instance: Mapping[str, Any], results: Results) -> Any:
    """Return an instance's segmentation without polygons of fewer than 3 points."""
    if "mask" not in instance:
        raise ValueError(
            f"annotation {instance.get('ann_id')} (box {instance['bbox']}) of "
            f"{results.get('img_path')!r} has no segmentation, but LoadAnnotations has "
            "with_mask=True. Add masks to the annotation file, or train a model without a mask "
            "head (faster_rcnn) with with_mask=False"
        )
    if isinstance(instance["mask"], list):
        return [polygon for polygon in instance["mask"] if is_valid_polygon(polygon)]
    return instance["mask"]
