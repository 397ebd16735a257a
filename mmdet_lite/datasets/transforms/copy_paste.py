"""Objects of one image pasted into another."""

from collections.abc import Sized

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from numpy.typing import NDArray

from mmdet_lite.datasets.transforms.filtering import select_instances
from mmdet_lite.datasets.transforms.instances import (
    hide_keypoints,
    join_instances,
    other_images,
    shift_image,
)
from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.registry import TRANSFORMS
from mmdet_lite.structures.masks import BitmapMasks


@TRANSFORMS.register_module()
class CopyPaste(BaseTransform):
    """Paste objects of another image at the same place, before those of the image.

    Of objects that come to lie behind, masks lose what is covered, boxes become those of what is
    left, and visible keypoints there become hidden ones. Such an object is dropped if its box
    changed much and little of it is left. Objects that nothing covers stay as they are. Stands in
    the pipeline of a MultiImageMixDataset; another image of other size is cut at, or pasted from,
    the upper left corner. Masks become BitmapMasks, as polygons cannot have holes.

    Args:
        max_num_pasted: largest number of objects to paste.
        bbox_occluded_thr: pixels that a side of a covered object's box may move at most for it to
            stay whatever is left of it.
        mask_occluded_thr: pixels of which a covered object needs more for it to stay wherever its
            box is.
        selected: paste some of the objects, drawn at random, from none to all; else all.
        paste_by_box: without masks, paste the insides of boxes.

    Raises:
        ValueError: a negative number, no masks and not ``paste_by_box``, or not one image to mix
            with.

    Source: Simple Copy-Paste (Ghiasi et al. 2021); arguments are MMDetection 3's.
    """

    def __init__(
        self,
        max_num_pasted: int = 100,
        bbox_occluded_thr: int = 10,
        mask_occluded_thr: int = 300,
        selected: bool = True,
        paste_by_box: bool = False,
    ) -> None:
        for name, value in {
            "max_num_pasted": max_num_pasted,
            "bbox_occluded_thr": bbox_occluded_thr,
            "mask_occluded_thr": mask_occluded_thr,
        }.items():
            if value < 0:
                raise ValueError(f"CopyPaste: {name} must not be negative; got {value}")
        self.max_num_pasted = max_num_pasted
        self.bbox_occluded_thr = bbox_occluded_thr
        self.mask_occluded_thr = mask_occluded_thr
        self.selected = selected
        self.paste_by_box = paste_by_box

    def get_indices(self, dataset: Sized) -> int:
        """Draw the other image of a data set."""
        return int(np.random.randint(len(dataset)))

    @cache_randomness
    def _draw_objects(self, available: int) -> NDArray[np.int64]:
        """Draw the positions of the objects to paste."""
        if not self.selected:
            return np.arange(available)[: self.max_num_pasted]
        number = np.random.randint(min(available, self.max_num_pasted) + 1)
        return np.random.choice(available, size=number, replace=False)

    def transform(self, results: Results) -> Results:
        """Paste; ``mix_results`` stay as they are."""
        (other,) = other_images(results, 1, "CopyPaste")
        by_box = self.paste_by_box and "gt_masks" not in results
        image, source = (self._with_bitmaps(one) for one in (results, other))
        source = shift_image(source, 0, 0, image["img"].shape[:2])
        source = select_instances(source, self._draw_objects(len(source["gt_bboxes"])))
        covered = source["gt_masks"].union()
        if covered.any():
            # crowd regions and others without a mask have nothing to show
            source = select_instances(source, source["gt_masks"].areas > 0)
            pasted = image["img"].copy()
            pasted[covered] = source["img"][covered]
            image = {**self._behind(image, covered), "img": pasted}
            image.update(join_instances([image, source]))
        if by_box:
            del image["gt_masks"]
        return image

    def _with_bitmaps(self, results: Results) -> Results:
        """Return the results with bitmaps as masks."""
        if "gt_masks" in results:
            return {**results, "gt_masks": results["gt_masks"].to_bitmap()}
        if not self.paste_by_box or "gt_bboxes" not in results:
            raise ValueError(
                f"CopyPaste: {results.get('img_path')!r} has no masks; give LoadAnnotations "
                "with_mask=True, or CopyPaste paste_by_box=True to paste the insides of boxes"
            )
        height, width = results["img"].shape[:2]
        limits = (width, height, width, height)
        corners = np.clip(np.round(results["gt_bboxes"]), 0, limits).astype(int).tolist()
        crops = [(np.ones((y2 - y1, x2 - x1), np.uint8), x1, y1) for x1, y1, x2, y2 in corners]
        return {**results, "gt_masks": BitmapMasks.from_crops(crops, height, width)}

    def _behind(self, image: Results, covered: NDArray[np.bool_]) -> Results:
        """Return the results with covered pixels (H, W) taken from its objects."""
        masks = image["gt_masks"].without(covered)
        touched = masks.areas < image["gt_masks"].areas
        boxes = np.where(touched[:, None], masks.get_bboxes().numpy(), image["gt_bboxes"])
        still = (np.abs(boxes - image["gt_bboxes"]) <= self.bbox_occluded_thr).all(axis=1)
        keep = ~touched | ((still | (masks.areas > self.mask_occluded_thr)) & (masks.areas > 0))
        behind = {**image, "gt_masks": masks, "gt_bboxes": boxes.astype(np.float32)}
        if "gt_keypoints" in image:
            behind["gt_keypoints"] = hide_keypoints(image["gt_keypoints"], covered)
        return select_instances(behind, keep)

    def __repr__(self) -> str:
        return (
            f"CopyPaste(max_num_pasted={self.max_num_pasted}, "
            f"bbox_occluded_thr={self.bbox_occluded_thr}, "
            f"mask_occluded_thr={self.mask_occluded_thr}, selected={self.selected}, "
            f"paste_by_box={self.paste_by_box})"
        )
