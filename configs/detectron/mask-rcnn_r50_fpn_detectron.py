# Mask R-CNN R-50 FPN for the baselines of Detectron (Caffe2) and Detectron.pytorch: RoIs are not
# moved by half a pixel, anchors are centred in their cells, masks pasted into boxes of whole
# pixels. Its boxes were a pixel wider (x2 - x1 + 1) and its anchors' sides rounded,
# which is not repeated here: results are near, not equal.
_base_ = "../mask_rcnn/mask-rcnn_r50-caffe_fpn_poly-1x_coco_v1.py"

model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717]),
    backbone=dict(init_cfg=None),
    rpn_head=dict(anchor_generator=dict(center_offset=0.5)),
    test_cfg=dict(rcnn=dict(mask_paste="whole_pixels")),
)
