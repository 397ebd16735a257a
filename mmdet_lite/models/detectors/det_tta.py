"""Test-time augmentation: one answer from several views of the same image.

Letters: V views, N images, D detections, J joints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from mmengine.model import BaseTTAModel
from torch import Tensor

from mmdet_lite.models.detectors.base import BaseDetector, image_batch
from mmdet_lite.ops.boxes import flip_boxes
from mmdet_lite.ops.checks import check_keys
from mmdet_lite.ops.nms import best_detections, check_nms_cfg
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample, Detections

MASK_FLIP_DIMS = {"horizontal": (-1,), "vertical": (-2,), "diagonal": (-2, -1)}


@dataclass(frozen=True)
class View:
    """A batch as one augmentation shows it: what the network saw, and how it was made."""

    features: tuple[Tensor, ...]
    samples: list[DetDataSample]

    def to_original(self, detections: Detections) -> Tensor:
        """Boxes (D, 4) of this view in pixels of the original images."""
        boxes = torch.empty_like(detections.boxes)
        for i, sample in enumerate(self.samples):
            rows = detections.of_image(i)
            mirrored = flip_boxes(
                detections.boxes[rows], sample.metainfo["img_shape"][:2], flip_of(sample)
            )
            boxes[rows] = mirrored / _scale(sample, boxes)
        return boxes

    def from_original(self, detections: Detections) -> Detections:
        """Detections of the original images in pixels of this view."""
        boxes = torch.empty_like(detections.boxes)
        for i, sample in enumerate(self.samples):
            rows = detections.of_image(i)
            scaled = detections.boxes[rows] * _scale(sample, boxes)
            boxes[rows] = flip_boxes(scaled, sample.metainfo["img_shape"][:2], flip_of(sample))
        return replace(detections, boxes=boxes)

    def unflip_masks(self, detections: Detections, probs: Tensor) -> Tensor:
        """Masks (D, h, w) over boxes of this view as they are over boxes of the originals."""
        unflipped = probs.clone()
        for i, sample in enumerate(self.samples):
            dims = MASK_FLIP_DIMS.get(flip_of(sample) or "")
            if dims is not None:
                rows = detections.of_image(i)
                unflipped[rows] = probs[rows].flip(dims)
        return unflipped

    def unflip_heatmaps(self, detections: Detections, logits: Tensor) -> Tensor:
        """The same for heatmaps (D, J, h, w); in a mirror left joints had become right ones.

        Raises:
            ValueError: a view is mirrored and the partners of the joints are not known.
        """
        unflipped = self.unflip_masks(detections, logits)
        for i, sample in enumerate(self.samples):
            if flip_of(sample) in (None, "diagonal"):
                continue
            if "flip_indices" not in sample.metainfo:
                raise ValueError(
                    "test-time augmentation: joints of a mirrored image can be told apart only if "
                    "flip_indices are known; give the data set metainfo=dict(flip_indices=(...)) "
                    "and name 'flip_indices' in PackDetInputs.meta_keys of tta_pipeline"
                )
            rows = detections.of_image(i)
            unflipped[rows] = unflipped[rows][:, list(sample.metainfo["flip_indices"])]
        return unflipped


@MODELS.register_module()
class DetTTAModel(BaseTTAModel):
    """Runs a detector on every view that TestTimeAug made of an image, and merges the answers.

    Boxes of all views are brought to the original image and merged with one NMS. The merged boxes
    are then looked at in every view for masks and joints; these are mirrored back and averaged
    (masks as probabilities, joints as heatmaps) before they are cut out. Features are computed
    once a view. Detectors of one stage merge boxes only.

    Args:
        tta_cfg: ``nms`` as in ``test_cfg.rcnn``, and ``max_per_img``, for the merged boxes.
        module: the detector, or its config.
        data_preprocessor: takes the place of the detector's.

    Source: boxes and the config are MMDetection 3's, masks and joints Detectron's (core/test.py).
    """

    module: BaseDetector

    def __init__(
        self,
        tta_cfg: Mapping[str, Any] | None = None,
        module: BaseDetector | dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        if module is None:
            raise ValueError("DetTTAModel needs module, the detector that it runs")
        if isinstance(module, Mapping):
            module = dict(module)  # the base class writes into it
        super().__init__(module, data_preprocessor)
        self.tta_cfg = dict(tta_cfg or {"nms": {"type": "nms", "iou_threshold": 0.5}})
        self.tta_cfg.setdefault("max_per_img", 100)
        check_keys(self.tta_cfg, ("nms", "max_per_img"), "tta_model.tta_cfg")
        if "nms" not in self.tta_cfg:
            raise ValueError("tta_model.tta_cfg.nms is missing: dict(type='nms', iou_threshold=.5)")
        check_nms_cfg(self.tta_cfg["nms"], "tta_model.tta_cfg.nms")

    @torch.no_grad()
    def test_step(self, data: Mapping[str, Sequence[Any]]) -> list[DetDataSample]:
        """Predictions of a batch of V views.

        ``data``: ``inputs`` and ``data_samples`` as TestTimeAug gives and pseudo_collate joins
        them: V lists of N. Returns N new data samples with ``pred_instances`` in original pixels;
        the given ones are unchanged.
        """
        views, found = [], []
        for inputs, samples in zip(data["inputs"], data["data_samples"], strict=True):
            view, detections = self._look(inputs, samples)
            views.append(view)
            found.append(replace(detections, boxes=view.to_original(detections)))
        merged = self.merge_boxes(found, len(views[0].samples))
        return self.module.attach(self.add_shapes(views, merged), _originals(views[0].samples))

    def _look(
        self, inputs: Sequence[Tensor], samples: Sequence[DetDataSample]
    ) -> tuple[View, Detections]:
        """One view and the boxes that are found in it."""
        batch = {"inputs": list(inputs), "data_samples": [sample.new() for sample in samples]}
        batch = self.module.data_preprocessor(batch, False)
        features = self.module.extract_features(batch["inputs"])
        images = image_batch(batch["inputs"], batch["data_samples"])
        detections = self.module.predict_boxes(features, images)
        return View(features, batch["data_samples"]), detections

    def merge_boxes(self, found: Sequence[Detections], num_images: int) -> Detections:
        """Detections of several views, in original pixels, as one set."""
        image = torch.cat([d.image_idx for d in found])
        boxes = torch.cat([d.boxes for d in found])
        scores = torch.cat([d.scores for d in found])
        labels = torch.cat([d.labels for d in found])
        return Detections(*best_detections(image, boxes, scores, labels, num_images, self.tta_cfg))

    def add_shapes(self, views: Sequence[View], merged: Detections) -> Detections:
        """Merged detections in original pixels with the mean of what each view shows in them."""
        roi_head = getattr(self.module, "roi_head", None)
        if roi_head is None:
            return merged
        # a keypoint head's add_shapes would cut joints out of the heatmaps of each view
        add_masks = getattr(roi_head, "add_masks", roi_head.add_shapes)
        masks, heatmaps = [], []
        for view in views:
            seen = view.from_original(merged)
            probs = add_masks(view.features, seen).mask_probs
            if probs is not None:
                masks.append(view.unflip_masks(merged, probs))
            if hasattr(roi_head, "keypoint_logits"):
                logits = roi_head.keypoint_logits(view.features, seen)
                heatmaps.append(view.unflip_heatmaps(merged, logits))
        if masks:
            merged = replace(merged, mask_probs=torch.stack(masks).mean(dim=0))
        if heatmaps:
            mean = torch.stack(heatmaps).mean(dim=0)
            merged = replace(merged, keypoints=roi_head.keypoint_head.predict(mean, merged.boxes))
        return merged

    def merge_preds(self, data_samples_list: Any) -> list[DetDataSample]:
        """Refused: merged are boxes and probabilities, before they become data samples."""
        raise TypeError("DetTTAModel merges in test_step; finished predictions cannot be merged")


def flip_of(sample: DetDataSample) -> str | None:
    """The direction in which a sample's image was flipped, or None."""
    return sample.metainfo.get("flip_direction") if sample.metainfo.get("flip") else None


def _scale(sample: DetDataSample, like: Tensor) -> Tensor:
    """(4,): by what boxes of the original were multiplied for this sample's image."""
    return like.new_tensor(sample.metainfo.get("scale_factor", (1.0, 1.0))[:2]).repeat(2)


def _originals(samples: Sequence[DetDataSample]) -> list[DetDataSample]:
    """The same samples as if nothing had been done to their images."""
    originals = [sample.new() for sample in samples]
    for sample in originals:
        shape = sample.metainfo["ori_shape"]
        sample.set_metainfo({"scale_factor": (1.0, 1.0), "img_shape": shape, "flip": False})
        sample.set_metainfo({"flip_direction": None})
    return originals
