# What torchvision's two-stage detectors do otherwise, for the models *-rcnn_r50_fpn_torchvision.py:
# anchors on whole pixels, RoIs not moved by half a pixel, boxes without area dropped, widths
# bounded above only, norms without epsilon.

# eps 0 is that of the COCO weights, and stays when they are fine-tuned; in a training from
# ImageNet weights it is 1e-5
frozen_backbone = dict(norm_cfg=dict(type="BN", requires_grad=False, eps=0.0), init_cfg=None)
whole_pixel_anchors = dict(
    type="TorchvisionAnchorGenerator",
    strides=[4, 8, 16, 32, 64],
    sizes=[[32], [64], [128], [256], [512]],
)
# the offsets of torchvision bound how much a box grows, not how much it shrinks
one_sided = dict(add_ctr_clamp=True, ctr_clamp=1e9)
unmoved_rois = dict(roi_layer=dict(sampling_ratio=2, aligned=False))
with_area = dict(min_bbox_size=1e-3)
