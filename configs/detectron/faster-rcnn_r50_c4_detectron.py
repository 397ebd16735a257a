# Faster R-CNN R-50 C4 for the baselines of Detectron: RoIs are not moved by half a pixel,
# anchors are centred in their cells.
_base_ = "../faster_rcnn/faster-rcnn_r50-caffe_c4-1x_coco.py"

model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717]),
    backbone=dict(init_cfg=None),
    rpn_head=dict(anchor_generator=dict(center_offset=0.5)),
    roi_head=dict(
        shared_head=dict(init_cfg=None),
        bbox_roi_extractor=dict(roi_layer=dict(aligned=False)),
    ),
)
