"""What every detector does around its own loss and prediction."""

from abc import abstractmethod
from typing import Any

import torch
from mmcv.cnn.bricks.conv_ws import ConvWS2d
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmdet_lite.models.detectors.geometry import check_geometry
from mmdet_lite.ops.levels import pad_boxes, pad_labels
from mmdet_lite.ops.mask_paste import masks_to_rle
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import BatchTargets, DetDataSample, Detections, ImageBatch, Proposals

ForwardResult = dict[str, Tensor] | list[DetDataSample] | tuple[Tensor, ...]


class BaseDetector(BaseModel):
    """Backbone, neck, and the way from data samples to plain tensors and back.

    Subclasses write ``loss`` and ``predict_detections``. Two switches trade nothing but time:
    ``channels_last`` keeps feature maps in the order in which convolutions are fast, and
    ``compile_features`` compiles backbone and neck.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        neck: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        channels_last: bool = True,
        compile_features: bool = False,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor or {"type": "DetDataPreprocessor"}, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = None if neck is None else MODELS.build(neck)
        self.channels_last = channels_last
        if compile_features:
            self.backbone.compile()
            if self.neck is not None:
                self.neck.compile()

    def join_parts(self, **heads: nn.Module) -> None:
        """Check that all parts fit each other, and order the weights; the last line of init.

        ``heads``: by their keys below ``model``. With ``channels_last`` weights come into the order
        of the feature maps.
        """
        check_geometry(self.backbone, self.neck, heads)
        if self.channels_last:
            self.to(memory_format=torch.channels_last)
        for module in self.modules():
            if isinstance(module, ConvWS2d):  # it takes its weights as rows in memory
                module.to(memory_format=torch.contiguous_format)

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[DetDataSample] | None = None,
        mode: str = "tensor",
    ) -> ForwardResult:
        """Run a preprocessed batch (N, C, H, W).

        ``mode`` 'loss' returns a dict of losses, 'predict' the data samples with ``pred_instances``
        in original pixels, 'tensor' the features that the heads would see.
        """
        if mode == "tensor":
            return self.extract_features(inputs)
        if data_samples is None:
            raise ValueError(f"mode {mode!r} needs data_samples")
        if mode == "loss":
            return self.loss(inputs, data_samples)
        if mode == "predict":
            return self.predict(inputs, data_samples)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def extract_features(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Images (N, C, H, W) to the feature maps of neck (or backbone)."""
        if self.channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        features: tuple[Tensor, ...] = self.backbone(inputs)
        return features if self.neck is None else self.neck(features)

    @abstractmethod
    def loss(self, inputs: Tensor, data_samples: list[DetDataSample]) -> dict[str, Tensor]:
        """Losses of a training batch."""

    @abstractmethod
    def predict_detections(self, features: tuple[Tensor, ...], images: ImageBatch) -> Detections:
        """Detections of a batch in input pixels."""

    def predict(self, inputs: Tensor, data_samples: list[DetDataSample]) -> list[DetDataSample]:
        """The same data samples with ``pred_instances`` in pixels of the original images."""
        features = self.extract_features(inputs)
        detections = self.predict_detections(features, image_batch(inputs, data_samples))
        return self.attach(detections, data_samples)

    def predict_boxes(self, features: tuple[Tensor, ...], images: ImageBatch) -> Detections:
        """Detections of a batch in input pixels, without what a RoI head finds inside of them."""
        return self.predict_detections(features, images)

    def attach(
        self, detections: Detections, data_samples: list[DetDataSample]
    ) -> list[DetDataSample]:
        """The data samples with these detections as ``pred_instances`` in original pixels."""
        rcnn = (self.test_cfg or {}).get("rcnn") or {}
        threshold, paste = rcnn.get("mask_thr_binary", 0.5), rcnn.get("mask_paste", "exact")
        return attach_detections(detections, data_samples, threshold, paste == "whole_pixels")


def image_batch(inputs: Tensor, data_samples: list[DetDataSample]) -> ImageBatch:
    """The sizes that heads need, read from the metainfo in this one place."""
    padded_hw = (inputs.shape[-2], inputs.shape[-1])
    sizes_hw = [tuple(s.metainfo["img_shape"][:2]) for s in data_samples]
    pad_shapes = [tuple(s.metainfo.get("pad_shape", padded_hw)[:2]) for s in data_samples]
    sizes = torch.tensor(sizes_hw, dtype=torch.float32).to(inputs.device, non_blocking=True)
    proposals = None
    if all("proposals" in s for s in data_samples):
        boxes, valid = pad_boxes([s.proposals.bboxes for s in data_samples])
        scores = pad_labels([s.proposals.scores for s in data_samples])
        proposals = Proposals(boxes, scores, valid)
    return ImageBatch(sizes_hw, pad_shapes, padded_hw, sizes, proposals)


def batch_targets(data_samples: list[DetDataSample]) -> BatchTargets:
    """The annotations of a training batch as plain tensors."""
    gts = [s.gt_instances for s in data_samples]
    ignored = [
        s.ignored_instances.bboxes if "ignored_instances" in s else None for s in data_samples
    ]
    masks = [gt.masks for gt in gts] if all("masks" in gt for gt in gts) else None
    keypoints = [gt.keypoints for gt in gts] if all("keypoints" in gt for gt in gts) else None
    return BatchTargets(
        boxes=[gt.bboxes for gt in gts],
        labels=[gt.labels for gt in gts],
        ignored_boxes=[
            gt.bboxes.new_zeros(0, 4) if boxes is None else boxes
            for gt, boxes in zip(gts, ignored, strict=True)
        ],
        masks=masks,
        keypoints=keypoints,
    )


def attach_detections(
    detections: Detections,
    data_samples: list[DetDataSample],
    mask_threshold: float,
    whole_pixels: bool = False,
) -> list[DetDataSample]:
    """Split flat detections by image, bring them to original pixels, encode their masks."""
    for i, sample in enumerate(data_samples):
        rows = detections.of_image(i)
        if sample.metainfo.get("unreadable"):  # the network saw black in place of the picture
            rows = rows[:0]
        scale = detections.boxes.new_tensor(sample.metainfo.get("scale_factor", (1.0, 1.0))[:2])
        pred = InstanceData(
            bboxes=detections.boxes[rows] / scale.repeat(2),
            scores=detections.scores[rows],
            labels=detections.labels[rows],
        )
        if detections.mask_probs is not None:
            ori_hw = tuple(sample.metainfo["ori_shape"][:2])
            probs = detections.mask_probs[rows]
            pred.masks = masks_to_rle(probs, pred.bboxes, ori_hw, mask_threshold, whole_pixels)
        if detections.keypoints is not None:
            joints = detections.keypoints[rows]
            pred.keypoints, pred.keypoint_scores = joints[..., :2] / scale, joints[..., 2]
        sample.pred_instances = pred
    return data_samples
