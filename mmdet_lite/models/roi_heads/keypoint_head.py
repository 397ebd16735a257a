"""Heatmaps of the joints of each RoI (Keypoint R-CNN)."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdet_lite.models.conv_tower import conv_tower
from mmdet_lite.ops.keypoints import NOT_VISIBLE, decode_heatmaps
from mmdet_lite.registry import MODELS


@MODELS.register_module()
class KeypointRCNNHead(BaseModule):
    """Convolutions, a deconvolution to one map a joint, and bilinear enlargement.

    RoI features of ``roi_feat_size`` become heatmaps of ``roi_feat_size * 2 * up_scale`` (14 to
    56). ``num_keypoints`` are the joints J of an object. The loss is a softmax over all cells of a
    heatmap; its sum over the labelled joints inside their RoIs is divided by their number or, with
    ``loss_keypoints_per_img``, by that fixed number for each image of the batch (Detectron:
    512 RoIs * 0.25 * 17 joints = 2176), so that images with few joints do not count more.

    Source: Mask R-CNN, section 5; Detectron's add_roi_pose_head_v1convX and its losses.
    """

    def __init__(
        self,
        num_keypoints: int,
        num_convs: int = 8,
        roi_feat_size: int = 14,
        in_channels: int = 256,
        conv_kernel_size: int = 3,
        conv_out_channels: int = 512,
        up_scale: int = 2,
        conv_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        loss_keypoint: Mapping[str, Any] | None = None,
        loss_keypoints_per_img: float | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_keypoints < 1 or up_scale < 1:
            raise ValueError(
                "KeypointRCNNHead: num_keypoints and up_scale must be at least 1, got "
                f"{num_keypoints} and {up_scale}"
            )
        if loss_keypoints_per_img is not None and loss_keypoints_per_img <= 0:
            raise ValueError(
                "KeypointRCNNHead: loss_keypoints_per_img must be positive, or None to divide by "
                f"the labelled joints; got {loss_keypoints_per_img}"
            )
        modules = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg}
        self.convs = conv_tower(
            in_channels, conv_out_channels, num_convs, conv_kernel_size, **modules
        )
        channels = conv_out_channels if num_convs else in_channels
        self.upsample = nn.ConvTranspose2d(channels, num_keypoints, 4, stride=2, padding=1)
        self.up_scale = up_scale
        self.num_keypoints = num_keypoints
        self.roi_feat_size = roi_feat_size
        side = roi_feat_size * 2 * up_scale
        self.heatmap_hw = (side, side)
        self.loss_keypoint = MODELS.build(
            loss_keypoint or {"type": "CrossEntropyLoss", "loss_weight": 1.0}
        )
        if not hasattr(self.loss_keypoint, "ignore_index") or self.loss_keypoint.use_sigmoid:
            raise ValueError(
                "KeypointRCNNHead: loss_keypoint must be a CrossEntropyLoss with use_sigmoid=False"
            )
        self.loss_keypoints_per_img = loss_keypoints_per_img

    def init_weights(self) -> None:
        """Kaiming values for the deconvolution, unless ``init_cfg`` says otherwise."""
        super().init_weights()
        if not self.init_cfg:
            nn.init.kaiming_normal_(self.upsample.weight, mode="fan_out", nonlinearity="relu")
            assert self.upsample.bias is not None
            nn.init.zeros_(self.upsample.bias)

    def forward(self, x: Tensor) -> Tensor:
        """RoI features (R, C, h, w) to logits (R, J, H, W)."""
        x = self.upsample(self.convs(x))
        if self.up_scale == 1:
            return x
        return F.interpolate(x, scale_factor=self.up_scale, mode="bilinear", align_corners=False)

    def loss(self, heatmap_logits: Tensor, targets: Tensor, num_images: int) -> dict[str, Tensor]:
        """``loss_keypoint`` of logits (R, J, H, W); targets (R, J) cells, -1 counts nothing.

        R = 0, or no joint that counts, gives zero, still connected to every weight.
        """
        ignored = targets == NOT_VISIBLE
        labels = targets.masked_fill(ignored, self.loss_keypoint.ignore_index)
        if self.loss_keypoints_per_img is None:
            divisor: Tensor | float = (~ignored).sum().clamp(min=1)
        else:
            divisor = num_images * self.loss_keypoints_per_img
        cells = heatmap_logits.flatten(2).flatten(0, 1)
        return {"loss_keypoint": self.loss_keypoint(cells, labels.flatten(), avg_factor=divisor)}

    def predict(self, heatmap_logits: Tensor, boxes: Tensor) -> Tensor:
        """Joints (D, J, 3) of boxes (D, 4): x, y in their pixels, and how sure, 0..1.

        The score is the heatmap's softmax at the peak, which is between cells and may lie a little
        above all of them.
        """
        joints = decode_heatmaps(heatmap_logits, boxes)
        total = heatmap_logits.float().flatten(2).logsumexp(dim=2)
        score = (joints[..., 2] - total).exp().clamp(max=1)
        return torch.cat([joints[..., :2], score[..., None]], dim=2)
