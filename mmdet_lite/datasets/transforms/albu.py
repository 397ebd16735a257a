"""Transforms of the library albumentations, with boxes, masks and keypoints."""

import os
import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from mmdet_lite.datasets.transforms.filtering import INSTANCE_KEYS, select_instances
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.ops.checks import check_keys, did_you_mean
from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures.masks import BitmapMasks

KEYMAP = {
    "img": "image",
    "gt_masks": "masks",
    "gt_bboxes": "bboxes",
    "gt_keypoints": "keypoints",
}
BOX_PARAMS = ("type", "format", "label_fields", "filter_lost_elements")
BOX_LIMITS = ("min_area", "min_visibility", "min_width", "min_height")
PIXEL_CENTRE = 0.5  # albumentations counts keypoints in indices of pixels


@TRANSFORMS.register_module()
class Albu(BaseTransform):
    """Apply transforms of albumentations to the image and everything in it.

    Whatever moves the image moves boxes, masks and keypoints too; objects that albumentations drops
    are dropped everywhere; keypoints outside become unlabelled, and left ones right ones in a
    mirror. Transforms of colours alone leave the objects untouched. Others turn masks into
    BitmapMasks, through full bitmaps, which takes time. Boxes are clipped to the image before, and
    those without area dropped. Random numbers come from numpy's, so that runs repeat.

    Args:
        transforms: configs of albumentations' transforms, ``type`` being their name there; nested
            as OneOf needs it.
        bbox_params: limits below which objects are dropped: ``min_area``, ``min_visibility``,
            ``min_width``, ``min_height``; ``format`` can only be 'pascal_voc' and
            ``filter_lost_elements`` only be True, as it is without them.
        keymap: can only hold the pairs of names that hold anyway.
        update_pad_shape: set ``pad_shape`` to the new size.
        skip_img_without_anno: give None, so that the data set takes another image, where no object
            is left of an image with objects.

    Raises:
        ValueError: albumentations is not installed; an unknown transform or argument, or a value
            that is not supported.

    Source: arguments are MMDetection 3's (``update_pad_shape``: 2's).
    """

    foreign_children = ("transforms",)  # are not of our registry

    def __init__(
        self,
        transforms: Sequence[Mapping[str, Any]],
        bbox_params: Mapping[str, Any] | None = None,
        keymap: Mapping[str, str] | None = None,
        update_pad_shape: bool = False,
        skip_img_without_anno: bool = False,
    ) -> None:
        library = import_albumentations()
        limits = _checked_box_limits(bbox_params or {})
        _check_keymap(keymap or {})
        self.transforms = transforms
        self.update_pad_shape = update_pad_shape
        self.skip_img_without_anno = skip_img_without_anno
        steps = [_build(library, one, f"transforms.{i}") for i, one in enumerate(transforms)]
        self._moves = not all(_is_image_only(library, step) for step in steps)
        targets: dict[str, Any] = {}
        if self._moves:
            targets = {
                "bbox_params": library.BboxParams(
                    format="pascal_voc", label_fields=["positions"], **limits
                ),
                "keypoint_params": library.KeypointParams(format="xy", remove_invisible=False),
            }
        self._compose = library.Compose(steps, **targets)

    def transform(self, results: Results) -> Results | None:
        """Apply them."""
        if hasattr(self._compose, "set_random_seed"):  # from 1.4.19 on it has its own generator
            self._compose.set_random_seed(int(np.random.randint(2**31)))
        if self._moves:
            had_objects = len(results.get("gt_bboxes", ())) > 0
            results = self._with_objects(results)
            if self.skip_img_without_anno and had_objects and not len(results["gt_bboxes"]):
                return None
        else:
            results = {**results, "img": self._compose(image=results["img"])["image"]}
        results["img_shape"] = results["img"].shape[:2]
        if self.update_pad_shape:
            results["pad_shape"] = results["img"].shape
        return results

    def _with_objects(self, results: Results) -> Results:
        """Apply them to the image and its objects."""
        results = _with_good_boxes(results)
        boxes = results.get("gt_bboxes", np.zeros((0, 4))).astype(np.float64)
        given = {"image": results["img"], "bboxes": boxes, "positions": np.arange(len(boxes))}
        if "gt_keypoints" in results:
            joints = results["gt_keypoints"][..., :2].reshape(-1, 2)
            probes = _probes(results["img"].shape[:2])
            given["keypoints"] = np.concatenate([joints, probes]) - PIXEL_CENTRE
        if "gt_masks" in results and len(results["gt_masks"]):
            given["masks"] = list(results["gt_masks"].to_ndarray())
        done = self._compose(**given)
        size_hw = done["image"].shape[:2]
        moved: dict[str, Any] = {"img": done["image"]}
        if "gt_keypoints" in results:
            points = np.asarray(done["keypoints"], np.float64) + PIXEL_CENTRE
            mirrored = _is_mirrored(probes, points[-len(probes) :])
            moved["gt_keypoints"] = _moved_joints(results, points, size_hw, mirrored)
        if "gt_masks" in results:
            moved["gt_masks"] = BitmapMasks(done.get("masks", []), *size_hw)
        if "gt_bboxes" not in results:
            return {**results, **moved}
        left = np.asarray(done["positions"], np.int64)
        chosen = select_instances({**results, **moved}, left)
        new_boxes = np.asarray(done["bboxes"], np.float32).reshape(-1, 4)
        return {**chosen, "gt_bboxes": new_boxes}

    def __repr__(self) -> str:
        return (
            f"Albu(transforms={list(self.transforms)}, update_pad_shape={self.update_pad_shape}, "
            f"skip_img_without_anno={self.skip_img_without_anno})"
        )


def import_albumentations() -> ModuleType:
    """Import albumentations.

    Raises:
        ValueError: it is not installed; with the command that installs it.
    """
    # its import would ask a server for newer versions
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    try:
        import albumentations
    except ModuleNotFoundError as error:
        if error.name != "albumentations":
            raise
        raise ValueError(
            "the transform Albu needs the package albumentations, which is not installed: "
            'pip install "mmdet_lite[albu]"'
        ) from error
    module: ModuleType = albumentations
    return module


def _build(library: ModuleType, config: Any, where: str) -> Any:
    """Build a transform of albumentations from its config, and those inside of it."""
    if not isinstance(config, Mapping):
        return config
    arguments = dict(config)
    name = arguments.pop("type", None)
    kind = getattr(library, name, None) if isinstance(name, str) else name
    if kind is None:
        known = [one for one in dir(library) if one[0].isupper()]
        raise ValueError(
            f"Albu: {where}.type: albumentations {library.__version__} has no transform {name!r}; "
            f"{did_you_mean(str(name), known)}"
        )
    if "transforms" in arguments:
        arguments["transforms"] = [
            _build(library, one, f"{where}.transforms.{i}")
            for i, one in enumerate(arguments["transforms"])
        ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            built = kind(**arguments)
        except (TypeError, ValueError) as error:
            raise ValueError(f"Albu: {where} ({name}): {error}") from error
    for warning in caught:
        # albumentations 2 goes on without an argument that it does not know
        if "not valid for transform" in str(warning.message):
            raise ValueError(
                f"Albu: {where}: {warning.message} (albumentations {library.__version__})"
            )
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return built


def _is_image_only(library: ModuleType, step: Any) -> bool:
    """Whether a transform, and all inside of it, change colours only."""
    inner = getattr(step, "transforms", None)
    if inner is not None:
        return all(_is_image_only(library, one) for one in inner)
    return isinstance(step, library.ImageOnlyTransform)


def _checked_box_limits(bbox_params: Mapping[str, Any]) -> dict[str, float]:
    """Return what of ``bbox_params`` has a choice."""
    check_keys(bbox_params, (*BOX_PARAMS, *BOX_LIMITS), "Albu: bbox_params")
    fixed = {"type": "BboxParams", "format": "pascal_voc", "filter_lost_elements": True}
    for key, value in fixed.items():
        if bbox_params.get(key, value) != value:
            raise ValueError(
                f"Albu: bbox_params.{key} can only be {value!r}, as boxes are x1, y1, x2, y2 here "
                f"and objects leave with all they have; got {bbox_params[key]!r}"
            )
    for field in bbox_params.get("label_fields", ()):
        if field not in INSTANCE_KEYS:
            raise ValueError(
                f"Albu: bbox_params.label_fields: {field!r} does not belong to an object; "
                f"{did_you_mean(field, INSTANCE_KEYS)}"
            )
    return {key: bbox_params[key] for key in BOX_LIMITS if key in bbox_params}


def _check_keymap(keymap: Mapping[str, str]) -> None:
    check_keys(keymap, KEYMAP, "Albu: keymap")
    for ours, theirs in keymap.items():
        if KEYMAP[ours] != theirs:
            raise ValueError(
                f"Albu: keymap.{ours} can only be {KEYMAP[ours]!r}, so that objects and image stay "
                f"together; got {theirs!r}"
            )


def _with_good_boxes(results: Results) -> Results:
    """Return results as albumentations wants them: boxes inside of the image, with an area."""
    if "gt_bboxes" not in results:
        return results
    height, width = results["img"].shape[:2]
    boxes = results["gt_bboxes"].clip(0, np.array([width, height, width, height], np.float32))
    keep = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return select_instances({**results, "gt_bboxes": boxes}, keep)


def _probes(size_hw: tuple[int, int]) -> NDArray[np.float64]:
    """Three points (3, 2) in the middle, by which a mirror is recognised."""
    width, height = size_hw[1], size_hw[0]
    return np.array([[0.4, 0.4], [0.6, 0.4], [0.4, 0.6]]) * (width, height)


def _is_mirrored(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    """Whether three points go round the other way than they did."""
    turns = [np.linalg.det(points[1:] - points[0]) for points in (before, after)]
    return bool(turns[0] * turns[1] < 0)


def _moved_joints(
    results: Results, points: NDArray[np.float64], size_hw: tuple[int, int], mirrored: bool
) -> NDArray[np.float32]:
    """Return the keypoints (G, J, 3) at their new points, the first of ``points``."""
    joints: NDArray[np.float32] = results["gt_keypoints"].copy()
    joints[..., :2] = points[: joints[..., 0].size].reshape(*joints.shape[:2], 2)
    inside = (joints[..., :2] >= 0) & (joints[..., :2] < (size_hw[1], size_hw[0]))
    joints[..., 2] *= inside.all(axis=-1)
    if not mirrored:
        return joints
    if "flip_indices" not in results:
        raise ValueError(
            "Albu: keypoints can be mirrored only if the partners of left and right joints are "
            "known; give the data set metainfo=dict(keypoint_names=(...), flip_indices=(...))"
        )
    return joints[:, list(results["flip_indices"])]
