# Keypoint R-CNN R-50 FPN for the baselines of Detectron: BGR around its mean, strides on the 1x1
# convolutions, RoIs not moved by half a pixel, anchors centred in their cells.
_base_ = "../keypoint_rcnn/keypoint-rcnn_r50_fpn_1x_coco.py"

roi_extractor = dict(roi_layer=dict(aligned=False, sampling_ratio=2))
model = dict(
    data_preprocessor=dict(
        mean=[102.9801, 115.9465, 122.7717], std=[1.0, 1.0, 1.0], bgr_to_rgb=False
    ),
    backbone=dict(norm_cfg=dict(requires_grad=False), style="caffe", init_cfg=None),
    rpn_head=dict(anchor_generator=dict(center_offset=0.5)),
    roi_head=dict(bbox_roi_extractor=roi_extractor, keypoint_roi_extractor=roi_extractor),
)
