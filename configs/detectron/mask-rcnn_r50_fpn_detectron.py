# Mask R-CNN R-50 FPN for the baselines of Detectron (Caffe2) and Detectron.pytorch: RoIs are not
# moved by half a pixel, masks pasted into boxes of whole pixels. Its boxes were a pixel wider
# (x2 - x1 + 1) and its anchors rounded, which is not repeated here: results are near, not equal.
_base_ = "../mask_rcnn/mask-rcnn_r50-caffe_fpn_poly-1x_coco_v1.py"

model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717]),
    backbone=dict(init_cfg=None),
    test_cfg=dict(rcnn=dict(mask_paste="whole_pixels")),
)
