# Fast R-CNN R-50 FPN for the baselines of Detectron: RoIs are not moved by half a pixel, with two
# samples a bin and side.
_base_ = "../fast_rcnn/fast-rcnn_r50-caffe_fpn_1x_coco.py"

roi_extractor = dict(roi_layer=dict(aligned=False, sampling_ratio=2))
model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717]),
    backbone=dict(init_cfg=None),
    roi_head=dict(bbox_roi_extractor=roi_extractor),
)
