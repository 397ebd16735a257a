# Mask R-CNN R-50 C4 for the baselines of Detectron: RoIs are not moved by half a pixel,
# anchors are centred in their cells, masks pasted into boxes of whole pixels.
_base_ = "../mask_rcnn/mask-rcnn_r50-caffe-c4_1x_coco.py"

model = dict(
    data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717]),
    backbone=dict(init_cfg=None),
    rpn_head=dict(anchor_generator=dict(center_offset=0.5)),
    roi_head=dict(
        shared_head=dict(init_cfg=None),
        bbox_roi_extractor=dict(roi_layer=dict(aligned=False)),
    ),
    test_cfg=dict(rcnn=dict(mask_paste="whole_pixels")),
)
